//! Why a whole run ends; what fails a single source is a [`SourceError`](crate::SourceError).

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a run ended. Nothing is published then, unless publishing itself failed half-way: a rejects
/// file may be visible, and the records not.
#[derive(Debug, Error)]
pub enum LakeError {
    /// There is something under the output's name.
    #[error("{} exists already; choose another name, or allow it with --overwrite", .0.display())]
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
    /// Rejected lines could not be kept for the rejects file.
    #[error("cannot keep rejected lines")]
    Rejects(#[source] io::Error),
    /// Columns could not be built or encoded.
    #[error("cannot encode a row group")]
    Encode(#[from] parquet::errors::ParquetError),
    /// Threads could not be started.
    #[error("cannot start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// Something that cannot be: a defect of this program.
    #[error("internal error: {0}; please report it")]
    Defect(&'static str),
}

impl LakeError {
    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Write { path, error }
    }
}

/// An error and what caused it, in one line.
pub struct Chain<'e>(pub &'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
