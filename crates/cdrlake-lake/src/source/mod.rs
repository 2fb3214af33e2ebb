//! Inputs to sources: what the user named is walked, opened and unwrapped until records come.
//!
//! A source is a name, what is known of it, and a [`Read`]. Archives are streamed: nothing is
//! extracted, no entry name is ever used as a path, and no declared size is trusted.

mod container;
mod error;
mod file;
mod gzip;
mod limits;
mod naming;
mod plain;
mod rejects;
mod replay;
mod stream;
mod tar;
mod walk;
mod zip;
mod zip_end;

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cdrlake_core::{Metadata, Position};

use self::container::Unwrapper;
use self::naming::Naming;
use crate::written::Written;
use cdrlake_run::Interrupt;
use cdrlake_run::Progress;

pub(crate) use self::error::CHANGED;
pub use self::error::{FirstReject, SourceError};
pub use self::limits::{LimitExceeded, Limits};
pub use self::naming::{ProfileSettings, Settings};
pub(crate) use self::plain::PlainFile;
pub(crate) use self::replay::rejects_files;
pub use self::stream::Stream;
pub(crate) use self::walk::walk;

/// What the user named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file, or a directory that is walked.
    Path(PathBuf),
    /// Standard input: plain, gzip or tar.
    Stdin,
    /// What the caller reads from wherever it is: plain, gzip or tar.
    Stream(Stream),
    /// A rejects file of an earlier run, or a directory of such files: its lines are decoded again.
    Rejects(PathBuf),
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) | Self::Rejects(path) => path.display().fmt(f),
            Self::Stdin => f.write_str("standard input"),
            Self::Stream(stream) => f.write_str(stream.name()),
        }
    }
}

/// One stream of records: a file, or a member of an archive.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// For messages: the path as the user gave it, and `!member`.
    pub(crate) name: Arc<str>,
    /// For the column: the file's name without directories, and `!member`.
    pub(crate) source_file: String,
    /// Its own name without `.cdr` and what follows, if it has one of the carrier's forms.
    pub(crate) carrier_name: Option<String>,
    /// Its own name's, then the archive's, then the settings'.
    pub(crate) metadata: Metadata,
}

/// A line that an earlier run rejected.
#[derive(Clone)]
pub(crate) struct RejectedLine {
    /// Its place in the source that it came from.
    pub(crate) position: Position,
    /// Its bytes without the line feed, cut at [`RAW_LIMIT`](cdrlake_core::RAW_LIMIT).
    pub(crate) raw: Vec<u8>,
    /// Its true length.
    pub(crate) raw_length: u64,
    pub(crate) end: LineEnd,
}

/// How a rejected line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnd {
    LineFeed,
    /// With its source.
    EndOfSource,
}

/// Takes the sources of an input as they are met.
pub(crate) trait Visitor {
    /// Why the whole run must end.
    type Error;

    /// A source was opened. What goes wrong while it is read fails only this source, and is the
    /// visitor's to note.
    fn source(&mut self, source: Source, bytes: &mut dyn Read) -> Result<(), Self::Error>;

    /// Rejected lines of the source whose content had this hash come again, in any order, and more
    /// of the same source may follow. Stands between [`archive_began`](Self::archive_began) and
    /// [`archive_ended`](Self::archive_ended), for a rejects file. The inner result is why that
    /// file fails, if it does.
    fn replay(
        &mut self,
        source: Source,
        hash: blake3::Hash,
        lines: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, Self::Error>;

    /// Zeros followed the gzip that the last source came from.
    fn trailing_zeros(&mut self) -> Result<(), Self::Error>;

    /// A file holds nothing that could be replayed, and is no fault.
    fn passed_over(&mut self, name: String);

    /// Something that the user named, or that stands in it, could not be opened.
    fn failed(&mut self, source: Source, error: SourceError) -> Result<(), Self::Error>;

    /// An archive that only its end can vouch for begins: its sources must not be released before
    /// [`archive_ended`](Self::archive_ended). Archives may be inside each other.
    fn archive_began(&mut self) -> Result<(), Self::Error>;

    /// The archive that began last has ended: well, or for this reason badly.
    fn archive_ended(&mut self, failure: Option<(Source, SourceError)>) -> Result<(), Self::Error>;
}

/// How inputs are opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'o> {
    pub(crate) settings: &'o Settings,
    pub(crate) limits: Limits,
    /// Bytes of a zip inside another archive that may be held in memory.
    pub(crate) zip_buffer: u64,
    /// Left out of directories.
    pub(crate) written: &'o Written,
    /// Looked at while standard input has nothing to give.
    pub(crate) interrupt: &'o Interrupt,
    /// Told of the bytes that are read.
    pub(crate) progress: &'o Progress,
}

/// Opens `input` and everything in it, in a stable order.
pub(crate) fn visit<V: Visitor>(
    input: &Input,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    match input {
        Input::Stdin => {
            let naming = Naming::of_stream(&input.to_string());
            Unwrapper::new(opening, visitor).stdin(&naming)
        }
        Input::Stream(stream) => {
            let naming = Naming::of_path(Path::new(stream.name()), opening.settings);
            Unwrapper::new(opening, visitor).caller_stream(&naming, stream)
        }
        Input::Path(path) => walk::visit_path(path, opening, visitor),
        Input::Rejects(path) => replay::visit_rejects(path, opening, visitor),
    }
}
