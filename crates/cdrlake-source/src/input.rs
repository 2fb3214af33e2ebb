//! What the user named: a file, a directory, a stream, or rejected lines that come again.

use std::fmt;
use std::path::PathBuf;

use crate::stream::Stream;

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

impl Input {
    /// Whether it was named itself: it is no directory, whose files are met as they come.
    #[must_use]
    pub fn is_named(&self) -> bool {
        match self {
            Self::Path(path) => !path.is_dir(),
            Self::Stdin | Self::Stream(_) | Self::Rejects(_) => true,
        }
    }
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
