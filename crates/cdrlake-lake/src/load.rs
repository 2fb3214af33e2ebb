//! What workers give back, in order, to a loaded table: decides source by source what stays.

use std::sync::Arc;

use cdrlake_core::Reject;

use crate::blocks::{Gathered, OpenSource, SourceEnd};
use crate::columns::RowGroup;
use crate::error::LakeError;
use crate::rejects::{RejectsFile, Spool};
use crate::report::{MaxRejects, SourceReport, Status, Tally};
use crate::source::{Source, SourceError};
use crate::staging::{Mark, StagedParquet};
use crate::work::{Worked, WorkedPart};

/// Where rows and rejected lines go.
pub(crate) enum Destination<'d> {
    /// To files that are not visible yet.
    Files { calls: Box<StagedParquet>, rejects: Box<RejectsFile> },
    /// Rows nowhere; rejected lines of accepted sources to the caller, with the source's name.
    Caller(&'d mut (dyn FnMut(&str, &Reject<'_>) + Send)),
}

impl Destination<'_> {
    fn append(&mut self, row_group: RowGroup) -> Result<(), LakeError> {
        match self {
            Self::Files { calls, .. } => calls.append(row_group),
            Self::Caller(_) => Ok(()),
        }
    }

    fn mark(&self) -> Option<Mark> {
        match self {
            Self::Files { calls, .. } => Some(calls.mark()),
            Self::Caller(_) => None,
        }
    }

    fn return_to(&mut self, mark: Option<Mark>) -> Result<(), LakeError> {
        match (self, mark) {
            (Self::Files { calls, .. }, Some(mark)) => calls.return_to(mark),
            _ => Ok(()),
        }
    }

    fn write_rejects(
        &mut self,
        name: &str,
        source: &OpenSource,
        end: SourceEnd,
        spool: Spool,
    ) -> Result<(), LakeError> {
        match self {
            Self::Files { rejects, .. } => {
                let hash = end.hash.to_hex();
                spool.replay(|reject| {
                    rejects.write(&source.options, &hash, reject).map_err(Replay::Run)
                })
            }
            Self::Caller(on_reject) => spool.replay(|reject| {
                on_reject(name, reject);
                Ok(())
            }),
        }
        .map_err(|error| match error {
            Replay::Spool(error) => LakeError::Rejects(error),
            Replay::Run(error) => error,
        })
    }
}

/// What breaks off the replay of a spool.
enum Replay {
    Spool(std::io::Error),
    Run(LakeError),
}

impl From<std::io::Error> for Replay {
    fn from(error: std::io::Error) -> Self {
        Self::Spool(error)
    }
}

/// What the pipeline collects, in input order.
pub(crate) enum Collected {
    /// Needed no work.
    Gathered(Gathered),
    Worked(Result<Worked, LakeError>),
}

/// Collects a run's results.
pub(crate) struct Loader<'d> {
    pub(crate) destination: Destination<'d>,
    max_rejects: Option<MaxRejects>,
    sources: Vec<Loading>,
    /// The source with row groups of its own that has not ended yet.
    open: Option<Open>,
}

/// A source and what is known of its fate.
struct Loading {
    source: Source,
    fate: Fate,
}

enum Fate {
    Unknown,
    Loaded { worked: Box<WorkedPart>, end: SourceEnd },
    Skipped { same_as: usize, end: SourceEnd },
    Failed { error: SourceError, worked: Option<Box<WorkedPart>> },
}

struct Open {
    index: usize,
    /// Before its first row group.
    mark: Option<Mark>,
    /// The sum of its parts so far.
    worked: WorkedPart,
}

impl<'d> Loader<'d> {
    pub(crate) fn new(destination: Destination<'d>, max_rejects: Option<MaxRejects>) -> Self {
        Self { destination, max_rejects, sources: Vec::new(), open: None }
    }

    pub(crate) fn collect(&mut self, collected: Collected) -> Result<(), LakeError> {
        match collected {
            Collected::Gathered(Gathered::Met(source)) => {
                self.sources.push(Loading { source, fate: Fate::Unknown });
                Ok(())
            }
            Collected::Gathered(Gathered::Failed { index, error }) => {
                self.take_back(index)?;
                self.seal(index, Fate::Failed { error, worked: None })
            }
            Collected::Gathered(Gathered::Skipped { index, same_as, end }) => {
                self.take_back(index)?;
                self.seal(index, Fate::Skipped { same_as, end })
            }
            // Blocks go to the workers.
            Collected::Gathered(Gathered::Block(_)) => Err(LakeError::Worker),
            Collected::Worked(worked) => self.collect_block(worked?),
        }
    }

    fn collect_block(&mut self, Worked { row_group, parts }: Worked) -> Result<(), LakeError> {
        let mark = self.destination.mark();
        if let Some(row_group) = row_group {
            self.destination.append(row_group)?;
        }
        for part in parts {
            if part.is_whole {
                self.conclude(part)?;
            } else {
                self.continue_source(part, mark)?;
            }
        }
        Ok(())
    }

    /// A part of a source that has row groups of its own; `mark` is before this one.
    fn continue_source(&mut self, part: WorkedPart, mark: Option<Mark>) -> Result<(), LakeError> {
        let index = part.source.index;
        let mut open = match self.open.take() {
            Some(mut open) => {
                open.worked.append(part)?;
                open
            }
            None => Open { index, mark, worked: part },
        };
        if open.worked.end.is_none() {
            self.open = Some(open);
            return Ok(());
        }
        open.worked.failure = open.worked.verdict(self.max_rejects);
        if open.worked.failure.is_some() {
            self.destination.return_to(open.mark)?;
        }
        self.conclude(open.worked)
    }

    /// A source has ended, and its rows are in the destination unless it failed.
    fn conclude(&mut self, mut worked: WorkedPart) -> Result<(), LakeError> {
        let index = worked.source.index;
        let rejects = worked.rejects.take();
        if let Some(error) = worked.failure.take() {
            return self.seal(index, Fate::Failed { error, worked: Some(Box::new(worked)) });
        }
        let (Some(end), Some(loading)) = (worked.end, self.sources.get(index)) else {
            return Err(LakeError::Worker);
        };
        if let Some(rejects) = rejects {
            let source = Arc::clone(&worked.source);
            let name = &loading.source.name;
            self.destination.write_rejects(name, &source, end, rejects)?;
        }
        self.seal(index, Fate::Loaded { worked: Box::new(worked), end })
    }

    /// Drops the row groups of a source that broke off.
    fn take_back(&mut self, index: usize) -> Result<(), LakeError> {
        match self.open.take_if(|open| open.index == index) {
            Some(open) => self.destination.return_to(open.mark),
            None => Ok(()),
        }
    }

    fn seal(&mut self, index: usize, fate: Fate) -> Result<(), LakeError> {
        let loading = self.sources.get_mut(index).ok_or(LakeError::Worker)?;
        loading.fate = fate;
        Ok(())
    }

    /// The destination, and what became of each source.
    pub(crate) fn finish(self) -> Result<(Destination<'d>, Vec<SourceReport>), LakeError> {
        let reports = self.sources.iter().map(|loading| loading.report(&self.sources));
        let reports = reports.collect::<Result<_, _>>()?;
        Ok((self.destination, reports))
    }
}

impl Loading {
    fn report(&self, sources: &[Self]) -> Result<SourceReport, LakeError> {
        let report = |status, tally| SourceReport {
            source: self.source.name.clone(),
            content_hash: None,
            status,
            error: None,
            same_as: None,
            tally,
            first_start_time: None,
            last_start_time: None,
        };
        let hash = |end: &SourceEnd| Some(end.hash.to_hex().to_string());
        Ok(match &self.fate {
            Fate::Unknown => return Err(LakeError::Worker),
            Fate::Loaded { worked, end } => SourceReport {
                content_hash: hash(end),
                first_start_time: worked.totals.first_start_time(),
                last_start_time: worked.totals.last_start_time(),
                ..report(
                    Status::Loaded,
                    Tally::loaded(&worked.counts, end.bytes, worked.totals.duration()),
                )
            },
            Fate::Skipped { same_as, end } => {
                let first = sources.get(*same_as).ok_or(LakeError::Worker)?;
                let name = first.source.name.clone();
                let skipped = SourceReport {
                    content_hash: hash(end),
                    same_as: Some(name.clone()),
                    ..report(Status::Skipped, Tally::default())
                };
                if matches!(first.fate, Fate::Failed { .. }) {
                    let error = SourceError::SameAsFailed { name };
                    SourceReport {
                        status: Status::Failed,
                        error: Some(error.to_string()),
                        ..skipped
                    }
                } else {
                    skipped
                }
            }
            Fate::Failed { error, worked } => {
                let worked = worked.as_deref();
                let end = worked.and_then(|worked| worked.end);
                let tally = worked.map(|worked| Tally::failed(&worked.counts)).unwrap_or_default();
                SourceReport {
                    content_hash: end.as_ref().and_then(hash),
                    error: Some(error.to_string()),
                    ..report(Status::Failed, tally)
                }
            }
        })
    }
}
