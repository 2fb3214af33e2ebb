//! Why a whole run ends; what fails a single source is a [`SourceError`].

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io};

use cdrlake_run::{ErrorKind, Interrupted};
use cdrlake_source::SourceError;
use thiserror::Error;

/// Why a run ended. Nothing is published then, unless publishing itself failed half-way: a rejects
/// file may be visible, and the records not.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is something under the output's name.
    #[error("{} exists already; choose another name", .0.display())]
    OutputExists(PathBuf),
    /// The output's directory is not there.
    #[error("there is no directory {}; create it first", .0.display())]
    NoDirectory(PathBuf),
    /// What stands under the output's name is no regular file.
    #[error("{} exists and is no regular file; choose another name", .0.display())]
    NotAFile(PathBuf),
    /// Two files that the run would write have one name.
    #[error("{} cannot be written as two different files; choose another name for one", .0.display())]
    SameOutput(PathBuf),
    /// A file that the run would write is one of its inputs.
    #[error("{} is an input, and would be overwritten; choose another output", .0.display())]
    OutputIsInput(PathBuf),
    /// A file that the run would write stands in a lake, where all files are the lake's.
    #[error("{} is inside a lake, where only the lake's own files may be; choose another name", .0.display())]
    OutputInLake(PathBuf),
    /// A file that the run would write has a delivery's name, and would be taken for one.
    #[error(
        "{} has the name of a delivery: one would be overwritten, or it would be taken for one; choose \
         another name",
        .0.display()
    )]
    OutputIsDelivery(PathBuf),
    /// A file that the run would replace holds something else.
    #[error(
        "{} exists and is not {expected}, so it is not replaced; choose another name, or remove it",
        path.display()
    )]
    OutputIsOther {
        /// The file.
        path: PathBuf,
        /// What it would have to be: `a report of cdrlake` and so on.
        expected: &'static str,
    },
    /// A file that the run would replace cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// The memory limit leaves no room to work.
    #[error("the memory limit is too low: at least {} MiB are needed", .0.div_ceil(1 << 20))]
    MemoryLimit(u64),
    /// Writing, syncing or renaming failed.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file, or the directory it was to stand in.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// The Parquet writer failed.
    #[error("cannot write {}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        #[source]
        error: parquet::errors::ParquetError,
    },
    /// Tokens without a key.
    #[error("numbers are pseudonymized with a key, and none is given")]
    NoKey,
    /// A key that nothing is made with.
    #[error(
        "the key has nothing to key: there are neither tokens nor the record_id of masked records"
    )]
    KeyForNothing,
    /// Identifiers by which masked digits could be guessed.
    #[error(
        "the record_id of masked records must be keyed, lest the masked digits be found by trying them \
         all"
    )]
    UnkeyedRecordIds,
    /// A source is not as it must be, and rows that were handed on cannot be taken back.
    #[error("{name} {error}")]
    Source {
        /// The source.
        name: String,
        /// Why it fails.
        #[source]
        error: Box<SourceError>,
    },
    /// No column has this name.
    #[error("there is no column {0:?} in the table")]
    NoColumn(String),
    /// The run was interrupted by a signal.
    #[error("interrupted; nothing was published")]
    Interrupted,
    /// Rejected lines could not be kept for the rejects file.
    #[error("cannot keep rejected lines")]
    Rejects(#[source] io::Error),
    /// A source could not be kept until its hash is known.
    #[error(
        "cannot keep a source in a temporary file; to read without it, leave out the column source_hash"
    )]
    Spool(#[source] io::Error),
    /// Columns could not be built or encoded.
    #[error("cannot encode a row group")]
    Encode(#[from] parquet::errors::ParquetError),
    /// Threads could not be started.
    #[error("cannot start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// Something that cannot be: a defect of this program.
    #[error("internal error: {0}; please report it")]
    Defect(&'static str),
    /// What the caller's sink, or the caller's history, says.
    #[error(transparent)]
    Caller(Box<dyn StdError + Send + Sync>),
}

impl LoadError {
    /// What kind of failure it is. What the caller's own code says counts as [`ErrorKind::Io`]: its
    /// kind is the caller's to know.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::SameOutput(_)
            | Self::OutputIsInput(_)
            | Self::OutputInLake(_)
            | Self::OutputIsDelivery(_)
            | Self::OutputIsOther { .. }
            | Self::NotAFile(_)
            | Self::MemoryLimit(_)
            | Self::NoKey
            | Self::KeyForNothing
            | Self::UnkeyedRecordIds
            | Self::NoColumn(_) => ErrorKind::Usage,
            Self::Interrupted => ErrorKind::Interrupted,
            Self::Source { .. } => ErrorKind::DamagedInput,
            Self::OutputExists(_)
            | Self::NoDirectory(_)
            | Self::Read { .. }
            | Self::Write { .. }
            | Self::Parquet { .. }
            | Self::Rejects(_)
            | Self::Spool(_)
            | Self::Threads(_)
            | Self::Caller(_) => ErrorKind::Io,
            Self::Encode(_) | Self::Defect(_) => ErrorKind::Defect,
        }
    }

    /// What the caller's own code says: its sink, or its history.
    pub fn caller(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::Caller(error.into())
    }

    pub(crate) fn of_source(name: impl fmt::Display, error: SourceError) -> Self {
        Self::Source { name: name.to_string(), error: Box::new(error) }
    }
}

impl From<Interrupted> for LoadError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<cdrlake_parquet::Error> for LoadError {
    fn from(error: cdrlake_parquet::Error) -> Self {
        match error {
            cdrlake_parquet::Error::Write { path, error } => Self::Write { path, error },
            cdrlake_parquet::Error::Parquet { path, error } => Self::Parquet { path, error },
            cdrlake_parquet::Error::Encode(error) => Self::Encode(error),
            cdrlake_parquet::Error::Defect(what) => Self::Defect(what),
            _ => Self::Defect("an error of a file that is not known"),
        }
    }
}
