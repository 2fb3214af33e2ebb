//! Why a whole run ends; what fails a single source is a [`SourceError`](crate::SourceError).

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a run ended before anything was published.
#[derive(Debug, Error)]
pub enum LakeError {
    /// There is something under the output's name.
    #[error("{} exists already; choose another name, or allow it with --overwrite", .0.display())]
    OutputExists(PathBuf),
    /// The two outputs of a run have one name.
    #[error("{} cannot hold both the records and the rejects", .0.display())]
    SameOutput(PathBuf),
    /// The memory limit leaves no room to work.
    #[error("the memory limit is too low: at least {} MiB are needed", .0 >> 20)]
    MemoryLimit(u64),
    /// Writing, syncing or renaming failed.
    #[error("cannot write {}: {error}", path.display())]
    Write {
        /// The file, or the directory it was to stand in.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// The Parquet writer failed.
    #[error("cannot write {}: {error}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        #[source]
        error: parquet::errors::ParquetError,
    },
    /// Rejected lines could not be kept for the rejects file.
    #[error("cannot keep rejected lines: {0}")]
    Rejects(#[source] io::Error),
    /// Columns could not be built or encoded.
    #[error("cannot encode a row group: {0}")]
    Encode(#[from] parquet::errors::ParquetError),
    /// Threads could not be started.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A worker ended without a result.
    #[error("a worker ended without a result")]
    Worker,
}

impl LakeError {
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Write { path, error }
    }
}
