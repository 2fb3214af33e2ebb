//! Why a Parquet file could not be made.

use std::io;
use std::path::PathBuf;

use cdrlake_run::ErrorKind;
use parquet::errors::ParquetError;
use thiserror::Error;

/// Why a Parquet file could not be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// Writing or syncing failed.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file, or the directory it was to stand in.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// Pages, indexes or the footer could not be written.
    #[error("cannot write {}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        #[source]
        error: ParquetError,
    },
    /// Columns could not be built or encoded.
    #[error("cannot encode a row group")]
    Encode(#[from] ParquetError),
    /// Something that cannot be: a defect of this program.
    #[error("internal error: {0}; please report it")]
    Defect(&'static str),
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Write { .. } | Self::Parquet { .. } => ErrorKind::Io,
            Self::Encode(_) | Self::Defect(_) => ErrorKind::Defect,
        }
    }

    /// Returns what makes an error of what the system says of `path`.
    pub fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Write { path, error }
    }

    pub(crate) fn parquet(path: impl Into<PathBuf>) -> impl FnOnce(ParquetError) -> Self {
        let path = path.into();
        move |error| Self::Parquet { path, error }
    }
}
