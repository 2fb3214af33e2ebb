//! Inputs to sources: what the user named is walked, opened and unwrapped until records come.
//!
//! A source is a name, what is known of it, and a [`Read`]. Archives are streamed: nothing is
//! extracted, no entry name is ever used as a path, and no declared size is trusted.

mod container;
mod error;
mod gzip;
mod walk;
mod zip;

use std::fmt;
use std::io::Read;
use std::path::PathBuf;

use cdrlake_core::Metadata;

pub use error::SourceError;

use crate::written::Written;

/// What the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file, or a directory that is walked.
    Path(PathBuf),
    /// Standard input: plain or gzip.
    Stdin,
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
        }
    }
}

/// One stream of records: a file, or a member of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// For messages: the path as the user gave it, and `!member`.
    pub(crate) name: String,
    /// For the column: the file's name without directories, and `!member`.
    pub(crate) source_file: String,
    /// Its own name's, then the archive's, then the settings'.
    pub(crate) metadata: Metadata,
}

/// A name as it may stand in a message or a column: control characters would garble either.
fn label(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// Takes the sources of an input as they are met.
pub(crate) trait Visitor {
    /// Why the whole run must end.
    type Error;

    /// A source was opened. What goes wrong while it is read fails only this source, and is the
    /// visitor's to note.
    fn source(&mut self, source: Source, bytes: &mut dyn Read) -> Result<(), Self::Error>;

    /// Something that the user named, or that stands in it, could not be opened.
    fn failed(&mut self, source: Source, error: SourceError) -> Result<(), Self::Error>;
}

/// Opens `input` and everything in it, in a stable order. `settings` is what is known of sources
/// whose names do not tell; `written` is left out of directories.
pub(crate) fn visit<V: Visitor>(
    input: &Input,
    settings: &Metadata,
    written: &Written,
    visitor: &mut V,
) -> Result<(), V::Error> {
    match input {
        Input::Stdin => {
            let source = Source {
                name: input.to_string(),
                source_file: "-".to_owned(),
                metadata: settings.clone(),
            };
            container::visit_stream(source, std::io::stdin(), visitor)
        }
        Input::Path(path) => walk::visit_path(path, settings, written, visitor),
    }
}
