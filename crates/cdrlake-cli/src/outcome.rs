//! How a command ended, as an exit status.

use std::process::ExitCode;

use anyhow::Result;
use cdrlake_lake::{LakeError, Report, Status};

use crate::{interrupt, summary};

/// How a command ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Done, all accepted.
    Done,
    /// Not now, but perhaps later.
    TryLater,
    /// Done, but records were rejected.
    Rejects,
    /// Done, and something was found that nobody has accepted.
    Findings,
    /// Done, but whole sources failed.
    SourcesFailed,
    /// The command line asks for what cannot be.
    Usage,
    /// Failed, nothing published.
    Failed,
    /// Ended by a signal, nothing published.
    Interrupted,
}

impl Outcome {
    /// An error of the run: of usage, if another command line would do.
    pub(crate) fn of_error(error: LakeError) -> Result<Self> {
        match error {
            LakeError::SameOutput(_)
            | LakeError::OutputIsInput(_)
            | LakeError::NotAFile(_)
            | LakeError::MemoryLimit(_)
            | LakeError::NotALake(_)
            | LakeError::NotALedger(_)
            | LakeError::DanglingLink(_)
            | LakeError::ReplayOfDeduplicated { .. }
            | LakeError::NoLake(_)
            | LakeError::Contradiction { .. }
            | LakeError::NoRecordIds(_)
            | LakeError::OtherLedger(_)
            | LakeError::DuplicatesLeftOut { .. }
            | LakeError::NetworkFileSystem { .. }
            | LakeError::NoFinding(_)
            | LakeError::ExpectedTotals { .. }
            | LakeError::SourceNotLoaded(_)
            | LakeError::SourceAmbiguous(_) => {
                summary::line(format_args!("error: {error}"));
                Ok(Self::Usage)
            }
            LakeError::Interrupted => {
                summary::line(format_args!("{error}"));
                Ok(Self::Interrupted)
            }
            LakeError::Locked { .. } | LakeError::Unpublished { .. } => {
                summary::line(format_args!("error: {error}"));
                Ok(Self::TryLater)
            }
            error => Err(error.into()),
        }
    }

    /// Of two that a command had, the one that it ends with.
    pub(crate) fn or_worse(self, other: Self) -> Self {
        self.max(other)
    }

    /// The worst of what a report tells.
    pub(crate) fn of(report: &Report) -> Self {
        let failed = report.count(Status::Failed);
        if failed == report.sources.len() {
            Self::Failed
        } else if failed > 0 {
            Self::SourcesFailed
        } else if report.totals.records_rejected > 0
            || report.sources.iter().any(|source| source.open_rejects > 0)
        {
            Self::Rejects
        } else {
            Self::Done
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => 0,
            Outcome::Failed => 1,
            Outcome::Usage => 2,
            Outcome::Rejects | Outcome::Findings => 3,
            Outcome::SourcesFailed => 4,
            Outcome::TryLater => 75,
            Outcome::Interrupted => interrupt::status(),
        }
        .into()
    }
}
