//! How a command ended, as an exit status.

use std::process::ExitCode;

use anyhow::{Result, anyhow};
use cdrlake::{
    AuditError, Chain, ErrorKind, LakeError, LoadError, Progress, Report, SourceReport, Status,
};

use crate::interrupt;
use crate::message::{Event, Message, tell};
use crate::run_advice::of_run;

/// How a command ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Done, all accepted.
    Done,
    /// Not now, but perhaps later.
    TryLater,
    /// Done, but records were rejected, or something is still undecided.
    Rejects,
    /// Done, and something was found that nobody has accepted.
    Findings,
    /// Done, but whole sources failed or are held.
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
    pub(crate) fn of_error(error: impl Into<AuditError>) -> Result<Self> {
        let error = error.into();
        let advice = of_run(&error);
        let (event, outcome) = match error.kind() {
            ErrorKind::Usage => (Event::Usage, Self::Usage),
            ErrorKind::Interrupted => (Event::Interrupted, Self::Interrupted),
            ErrorKind::Transient => (Event::TryLater, Self::TryLater),
            _ if advice.is_empty() => return Err(error.into()),
            _ => return Err(anyhow!("{}{advice}", Chain(&error))),
        };
        tell(event, format_args!("{error}{advice}"));
        Ok(outcome)
    }

    /// The exit status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Rejects | Self::Findings => 3,
            Self::SourcesFailed => 4,
            Self::TryLater => 75,
            Self::Interrupted => interrupt::status(),
        }
    }

    /// An error of a run that loads; if it was interrupted, also how far it had come.
    pub(crate) fn of_load_error(error: impl Into<AuditError>, progress: &Progress) -> Result<Self> {
        let (error, sources) = (error.into(), progress.sources());
        if error.kind() != ErrorKind::Interrupted || sources == 0 {
            return Self::of_error(error);
        }
        let text = format!(
            "{error}: of {sources} sources that were read none counts; the same command begins anew"
        );
        Message::new(Event::Interrupted, text)
            .with("sources_read", sources)
            .with("records_read", progress.records())
            .tell();
        Ok(Self::Interrupted)
    }

    /// Of two that a command had, the one that it ends with.
    pub(crate) fn or_worse(self, other: Self) -> Self {
        self.max(other)
    }

    /// The worst of what the report of a load into a lake tells: an inbox with nothing to load is no
    /// failure.
    pub(crate) fn of_lake(report: &Report) -> Self {
        match report.sources.is_empty() {
            true if !report.has_forgotten() => Self::Done,
            true => Self::Rejects,
            false => Self::of(report),
        }
    }

    /// The worst of what a report tells. What failed or was held just so before is only told again.
    pub(crate) fn of(report: &Report) -> Self {
        let news = |status| {
            let mut found = report.sources.iter().filter(|source| source.status == status);
            found.any(|source| !source.known_before)
        };
        let is_settled = |source: &SourceReport| source.status != Status::Failed;
        let is_open = |source: &SourceReport| source.known_before && !source.is_set_aside;
        if report.sources.is_empty()
            || news(Status::Failed) && !report.sources.iter().any(is_settled)
        {
            Self::Failed
        } else if news(Status::Failed) || news(Status::Held) {
            Self::SourcesFailed
        } else if report.totals.records_rejected > 0
            || report.sources.iter().any(is_open)
            || report.has_forgotten()
        {
            Self::Rejects
        } else {
            Self::Done
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        outcome.status().into()
    }
}

/// Why a command that only reads, by the lake's library, ends before it is done.
#[derive(Debug)]
pub(crate) enum Failure {
    Lake(AuditError),
    Other(anyhow::Error),
}

impl Failure {
    /// Says why, if it is the lake's.
    pub(crate) fn into_outcome(self) -> Result<Outcome> {
        match self {
            Self::Lake(error) if error.kind() == ErrorKind::Interrupted => {
                tell(Event::Interrupted, "interrupted");
                Ok(Outcome::Interrupted)
            }
            Self::Lake(error) => Outcome::of_error(error),
            Self::Other(error) => Err(error),
        }
    }
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        Self::Lake(error.into())
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Self {
        Self::Lake(error.into())
    }
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::Lake(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}
