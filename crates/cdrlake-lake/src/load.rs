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
    destination: Destination<'d>,
    max_rejects: Option<MaxRejects>,
    sources: Vec<Loading>,
    /// Sources that were skipped, and the ones with the same content.
    skipped: Vec<(usize, usize)>,
    /// The source with row groups of its own that has not ended yet.
    open: Option<Open>,
    /// The archives that only their end can vouch for, outermost first.
    archives: Vec<OpenArchive>,
    /// Rejected lines of sources in those archives.
    held: Vec<Held>,
}

struct OpenArchive {
    /// The index of its first source.
    first: usize,
    /// Before its first row group.
    mark: Option<Mark>,
}

/// Rejected lines of a source that may yet be taken back.
struct Held {
    source: Arc<OpenSource>,
    end: SourceEnd,
    rejects: Spool,
}

enum Loading {
    Underway(Source),
    Ended(SourceReport),
}

impl Loading {
    fn name(&self) -> &str {
        match self {
            Self::Underway(source) => &source.name,
            Self::Ended(report) => &report.source,
        }
    }
}

struct Open {
    index: usize,
    /// Before its first row group.
    mark: Option<Mark>,
    /// The sum of its parts so far.
    worked: WorkedPart,
}

/// What became of a source.
enum Fate<'w> {
    Loaded(&'w WorkedPart),
    Skipped { same_as: String },
    Failed { error: SourceError, worked: Option<&'w WorkedPart> },
}

impl<'d> Loader<'d> {
    pub(crate) fn new(destination: Destination<'d>, max_rejects: Option<MaxRejects>) -> Self {
        let (sources, skipped) = (Vec::new(), Vec::new());
        let (archives, held) = (Vec::new(), Vec::new());
        Self { destination, max_rejects, sources, skipped, open: None, archives, held }
    }

    pub(crate) fn collect(&mut self, collected: Collected) -> Result<(), LakeError> {
        match collected {
            Collected::Gathered(Gathered::Met(source)) => {
                self.sources.push(Loading::Underway(source));
                Ok(())
            }
            Collected::Gathered(Gathered::Failed { index, error }) => {
                let worked = self.take_back(index)?;
                self.seal(index, None, Fate::Failed { error, worked: worked.as_ref() })
            }
            Collected::Gathered(Gathered::Skipped { index, same_as, end }) => {
                self.take_back(index)?;
                self.skipped.push((index, same_as));
                let same_as = self.loading(same_as)?.name().to_owned();
                self.seal(index, Some(end), Fate::Skipped { same_as })
            }
            Collected::Gathered(Gathered::ArchiveBegan) => {
                let (first, mark) = (self.sources.len(), self.destination.mark());
                self.archives.push(OpenArchive { first, mark });
                Ok(())
            }
            Collected::Gathered(Gathered::ArchiveEnded { failed }) => self.end_archive(failed),
            // Blocks go to the workers.
            Collected::Gathered(Gathered::Block(_)) => {
                Err(LakeError::Defect("a block did not go to the workers"))
            }
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
            return self.seal(index, worked.end, Fate::Failed { error, worked: Some(&worked) });
        }
        if let (Some(end), Some(rejects)) = (worked.end, rejects) {
            self.held.push(Held { source: Arc::clone(&worked.source), end, rejects });
        }
        self.seal(index, worked.end, Fate::Loaded(&worked))?;
        self.release()
    }

    /// Writes the rejected lines that are held, if no archive can take them back any more.
    fn release(&mut self) -> Result<(), LakeError> {
        if self.archives.is_empty() {
            for Held { source, end, rejects } in std::mem::take(&mut self.held) {
                let name = self.loading(source.index)?.name().to_owned();
                self.destination.write_rejects(&name, &source, end, rejects)?;
            }
        }
        Ok(())
    }

    /// An archive has ended; if it failed, nothing of it stays.
    fn end_archive(&mut self, failed: Option<String>) -> Result<(), LakeError> {
        let OpenArchive { first, mark } =
            self.archives.pop().ok_or(LakeError::Defect("no archive is open"))?;
        if let Some(archive) = failed {
            self.destination.return_to(mark)?;
            self.held.retain(|held| held.source.index < first);
            let error = SourceError::ArchiveFailed { archive };
            for loading in self.sources.iter_mut().skip(first) {
                if let Loading::Ended(report) = loading
                    && report.status == Status::Loaded
                {
                    report.fail(&error);
                }
            }
        }
        self.release()
    }

    /// Drops the row groups of a source that broke off, and tells what it was so far.
    fn take_back(&mut self, index: usize) -> Result<Option<WorkedPart>, LakeError> {
        let Some(open) = self.open.take_if(|open| open.index == index) else { return Ok(None) };
        self.destination.return_to(open.mark)?;
        Ok(Some(open.worked))
    }

    fn loading(&mut self, index: usize) -> Result<&mut Loading, LakeError> {
        self.sources.get_mut(index).ok_or(LakeError::Defect("a source was not met"))
    }

    fn seal(
        &mut self,
        index: usize,
        end: Option<SourceEnd>,
        fate: Fate<'_>,
    ) -> Result<(), LakeError> {
        let loading = self.loading(index)?;
        let name = loading.name().to_owned();
        *loading = Loading::Ended(report(name, end, fate));
        Ok(())
    }

    /// The destination, and what became of each source.
    pub(crate) fn finish(self) -> Result<(Destination<'d>, Vec<SourceReport>), LakeError> {
        let ended = self.sources.into_iter().map(|loading| match loading {
            Loading::Ended(report) => Ok(report),
            Loading::Underway(_) => Err(LakeError::Defect("a source has not ended")),
        });
        let mut reports = ended.collect::<Result<Vec<_>, _>>()?;
        for (index, same_as) in self.skipped {
            if reports.get(same_as).is_none_or(|first| first.status == Status::Failed)
                && let Some(skipped) = reports.get_mut(index)
            {
                let name = skipped.same_as.take().unwrap_or_default();
                skipped.fail(&SourceError::SameAsFailed { name });
            }
        }
        Ok((self.destination, reports))
    }
}

fn report(source: String, end: Option<SourceEnd>, fate: Fate<'_>) -> SourceReport {
    let content_hash = end.map(|end| end.hash.to_hex().to_string());
    match fate {
        Fate::Loaded(worked) => SourceReport {
            content_hash,
            tally: Tally::loaded(
                &worked.counts,
                worked.duplicates,
                end.map_or(0, |end| end.bytes),
                worked.totals.duration(),
            ),
            first_start_time: worked.totals.first_start_time(),
            last_start_time: worked.totals.last_start_time(),
            ..SourceReport::new(source, Status::Loaded)
        },
        Fate::Skipped { same_as } => SourceReport {
            content_hash,
            same_as: Some(same_as),
            ..SourceReport::new(source, Status::Skipped)
        },
        Fate::Failed { error, worked } => {
            let tally = worked.map(|worked| Tally::failed(&worked.counts)).unwrap_or_default();
            let failed = SourceReport::new(source, Status::Failed);
            let mut failed = SourceReport { content_hash, tally, ..failed };
            failed.fail(&error);
            failed
        }
    }
}
