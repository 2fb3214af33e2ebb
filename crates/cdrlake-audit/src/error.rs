//! Why an audit cannot be made; what it finds is no error.

use std::path::PathBuf;

use cdrlake_lake::LakeError;
use cdrlake_load::LoadError;
use cdrlake_run::{ErrorKind, Interrupted};
use thiserror::Error;

/// Why an audit cannot be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The audit has no such finding.
    #[error("there is no finding {0}; run the audit again to see those there are")]
    NoFinding(String),
    /// A run is publishing, so that not all files are where they will be.
    #[error(
        "run {run} is publishing in {}, or died at it: try again later, or load something into \
         the lake, which finishes it", lake.display()
    )]
    Unpublished {
        /// The lake.
        lake: PathBuf,
        /// The run.
        run: String,
    },
    /// A file of expected totals is not what it should be.
    #[error("{}: {problem}", path.display())]
    ExpectedTotals {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The lake cannot be read, or written where findings are accepted.
    #[error(transparent)]
    Lake(LakeError),
}

impl AuditError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoFinding(_) | Self::ExpectedTotals { .. } => ErrorKind::Usage,
            Self::Unpublished { .. } => ErrorKind::Transient,
            Self::Lake(error) => error.kind(),
        }
    }
}

impl From<LakeError> for AuditError {
    fn from(error: LakeError) -> Self {
        Self::Lake(error)
    }
}

impl From<LoadError> for AuditError {
    fn from(error: LoadError) -> Self {
        Self::Lake(error.into())
    }
}

impl From<Interrupted> for AuditError {
    fn from(interrupted: Interrupted) -> Self {
        Self::Lake(interrupted.into())
    }
}
