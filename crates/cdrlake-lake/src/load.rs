//! What workers give back, in order, to a loaded table: decides source by source what stays.

use std::sync::Arc;

use cdrlake_core::Reject;
use roaring::RoaringTreemap;

use crate::batches::Handover;
use crate::blocks::{Gathered, OpenSource, SourceEnd, SourceKind, Verdicts};
use crate::error::LakeError;
use crate::rejects::{RejectsFile, Spool};
use crate::report::{MaxRejects, SourceReport, Status, Tally};
use crate::staging::Partitions;
use crate::work::{Worked, WorkedPart};
use cdrlake_parquet::RowGroup;
use cdrlake_parquet::{Savepoint, StagedParquet};
use cdrlake_run::Progress;
use cdrlake_source::{Source, SourceError};

/// Where rows and rejected lines go.
pub(crate) enum Destination<'d> {
    /// To files that are not visible yet: one of calls.
    Files { calls: Box<StagedParquet>, rejects: Box<RejectsFile> },
    /// To files that are not visible yet: many of calls, by partition.
    Lake { calls: Box<Partitions>, rejects: Box<RejectsFile> },
    /// Rows nowhere; rejected lines of accepted sources to the caller, with the source's name.
    Caller(&'d mut (dyn FnMut(&str, &Reject<'_>) + Send)),
    /// Rows, or rejected lines, to the caller, who keeps what it was given.
    Reader(Box<Handover<'d>>),
}

/// A state of a destination to which it can return.
enum Mark {
    Files(Savepoint),
    /// The last snapshot of the partitions.
    Lake,
    Caller,
}

impl Destination<'_> {
    fn append(&mut self, row_group: RowGroup) -> Result<(), LakeError> {
        match self {
            Self::Files { calls, .. } => Ok(calls.append(row_group)?),
            Self::Lake { .. } | Self::Caller(_) | Self::Reader(_) => Ok(()),
        }
    }

    fn append_rows(&mut self, part: &mut WorkedPart) -> Result<(), LakeError> {
        let index = part.source.index;
        match self {
            Self::Lake { calls, .. } => {
                let mut pieces = part.pieces.drain(..);
                pieces.try_for_each(|pieces| calls.append(index, pieces))
            }
            Self::Reader(handover) => part.batches.drain(..).try_for_each(|b| handover.rows(b)),
            Self::Files { .. } | Self::Caller(_) => Ok(()),
        }
    }

    fn mark(&mut self) -> Result<Mark, LakeError> {
        Ok(match self {
            Self::Files { calls, .. } => Mark::Files(calls.savepoint()),
            Self::Lake { calls, .. } => {
                calls.snapshot()?;
                Mark::Lake
            }
            Self::Caller(_) | Self::Reader(_) => Mark::Caller,
        })
    }

    /// What came since the mark stays.
    fn forget(&mut self, mark: Mark) -> Result<(), LakeError> {
        match (self, mark) {
            (Self::Lake { calls, .. }, Mark::Lake) => calls.forget_snapshot(),
            _ => Ok(()),
        }
    }

    /// Takes back what came since the mark.
    fn return_to(&mut self, mark: Mark) -> Result<(), LakeError> {
        match (self, mark) {
            (Self::Files { calls, .. }, Mark::Files(mark)) => Ok(calls.rollback(mark)?),
            (Self::Lake { calls, .. }, Mark::Lake) => calls.return_to_snapshot(),
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
            // A lake has the rejected lines of what is replayed already.
            Self::Lake { .. } if source.kind == SourceKind::Replayed => Ok(()),
            Self::Files { rejects, .. } | Self::Lake { rejects, .. } => {
                let hash = end.hash.to_hex();
                spool.drain(|reject| rejects.write(source, &hash, reject).map_err(Drain::Run))
            }
            Self::Caller(on_reject) => spool.drain(|reject| {
                on_reject(name, reject);
                Ok(())
            }),
            Self::Reader(handover) => {
                let hash = end.hash.to_hex();
                spool.drain(|reject| handover.reject(source, &hash, reject).map_err(Drain::Run))
            }
        }
        .map_err(|error| match error {
            Drain::Spool(error) => LakeError::Rejects(error),
            Drain::Run(error) => error,
        })
    }
}

/// What breaks off the draining of a spool.
enum Drain {
    Spool(std::io::Error),
    Run(LakeError),
}

impl From<std::io::Error> for Drain {
    fn from(error: std::io::Error) -> Self {
        Self::Spool(error)
    }
}

/// What the pipeline collects, in input order.
pub(crate) enum Collected {
    /// Needed no work.
    Gathered(Gathered),
    /// Nothing more will come.
    End,
    Worked(Result<Worked, LakeError>),
}

/// Collects a run's results.
pub(crate) struct Loader<'d, 'v> {
    destination: Destination<'d>,
    verdicts: &'v Verdicts,
    max_rejects: Option<MaxRejects>,
    progress: &'v Progress,
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
    mark: Mark,
}

/// Rejected lines of a source that may yet be taken back.
struct Held {
    source: Arc<OpenSource>,
    end: SourceEnd,
    rejects: Spool,
}

/// A million of these may be in memory.
struct Loading {
    name: Arc<str>,
    /// None unless the ledger needs it.
    source: Option<Box<Source>>,
    kind: SourceKind,
    accepted: Option<Box<RoaringTreemap>>,
    has_trailing_zeros: bool,
    /// None before its end.
    report: Option<SourceReport>,
}

/// A source of a run, and what came of it.
pub(crate) struct LoadedSource {
    /// None unless it goes to a lake.
    pub(crate) source: Option<Box<Source>>,
    pub(crate) kind: SourceKind,
    /// Of a replay, the lines that were not rejected again.
    pub(crate) accepted: Option<Box<RoaringTreemap>>,
    pub(crate) report: SourceReport,
}

struct Open {
    index: usize,
    /// Before its first row group.
    mark: Mark,
    /// The sum of its parts so far.
    worked: WorkedPart,
}

/// What became of a source.
enum Fate<'w> {
    Loaded(&'w WorkedPart),
    Skipped { same_as: Arc<str>, open_rejects: u64 },
    ReplayedBefore,
    Failed { error: SourceError, worked: Option<&'w WorkedPart> },
}

impl Fate<'_> {
    /// The error that ends the reading, where a source fails or its rows are another's.
    fn or_error(self, name: &str) -> Result<Self, LakeError> {
        let error = match self {
            Self::Loaded(_) | Self::ReplayedBefore => return Ok(self),
            Self::Skipped { same_as, .. } => SourceError::Repeated { name: same_as.to_string() },
            Self::Failed { error, .. } => error,
        };
        Err(LakeError::of_source(name, error))
    }
}

impl<'d, 'v> Loader<'d, 'v> {
    pub(crate) fn new(
        destination: Destination<'d>,
        max_rejects: Option<MaxRejects>,
        verdicts: &'v Verdicts,
        progress: &'v Progress,
    ) -> Self {
        Self {
            destination,
            verdicts,
            max_rejects,
            progress,
            sources: Vec::new(),
            skipped: Vec::new(),
            open: None,
            archives: Vec::new(),
            held: Vec::new(),
        }
    }

    pub(crate) fn collect(&mut self, collected: Collected) -> Result<(), LakeError> {
        match collected {
            Collected::Gathered(Gathered::Met(source)) => {
                let name = Arc::clone(&source.name);
                let is_of_lake = matches!(self.destination, Destination::Lake { .. });
                self.sources.push(Loading {
                    name,
                    source: is_of_lake.then(|| Box::new(source)),
                    kind: SourceKind::Delivered,
                    accepted: None,
                    has_trailing_zeros: false,
                    report: None,
                });
                Ok(())
            }
            Collected::Gathered(Gathered::Failed { index, error, end }) => {
                let worked = self.take_back(index)?;
                self.seal(index, end, Fate::Failed { error, worked: worked.as_ref() })
            }
            // Whoever waits goes on when this has its turn.
            Collected::Gathered(Gathered::Awaited) => Ok(()),
            Collected::Gathered(Gathered::Skipped { index, same_as, end }) => {
                self.take_back(index)?;
                self.skipped.push((index, same_as));
                let same_as = Arc::clone(&self.loading(same_as)?.name);
                self.seal(index, Some(end), Fate::Skipped { same_as, open_rejects: 0 })
            }
            Collected::Gathered(Gathered::Known { index, earlier, end }) => {
                self.take_back(index)?;
                let (same_as, open_rejects) = (earlier.name.into(), earlier.open_rejects);
                self.seal(index, Some(end), Fate::Skipped { same_as, open_rejects })
            }
            Collected::Gathered(Gathered::ReplayedBefore { index, end }) => {
                self.seal(index, Some(end), Fate::ReplayedBefore)
            }
            Collected::Gathered(Gathered::TrailingZeros { index }) => {
                let loading = self.loading(index)?;
                loading.has_trailing_zeros = true;
                if let Some(report) = &mut loading.report {
                    report.note_trailing_zeros();
                }
                Ok(())
            }
            Collected::Gathered(Gathered::Duplicates { index, lines }) => {
                if let Some(report) = &mut self.loading(index)?.report {
                    report.tally.add_duplicates(lines);
                }
                Ok(())
            }
            Collected::Gathered(Gathered::ArchiveBegan) => {
                let (first, mark) = (self.sources.len(), self.destination.mark()?);
                self.archives.push(OpenArchive { first, mark });
                Ok(())
            }
            Collected::Gathered(Gathered::ArchiveEnded { failed }) => self.end_archive(failed),
            // Blocks go to the workers.
            Collected::Gathered(Gathered::Block(_)) => {
                Err(LakeError::Defect("a block did not go to the workers"))
            }
            Collected::End => match &mut self.destination {
                Destination::Lake { calls, .. } => calls.flush(),
                Destination::Reader(handover) => handover.flush(),
                Destination::Files { .. } | Destination::Caller(_) => Ok(()),
            },
            Collected::Worked(worked) => self.collect_block(worked?),
        }
    }

    fn collect_block(&mut self, worked: Worked) -> Result<(), LakeError> {
        let Worked { row_group, encoded, parts } = worked;
        // A source that begins here and goes on has its blocks to itself.
        let begins = self.open.is_none() && parts.iter().any(|part| !part.is_whole);
        let mut mark = begins.then(|| self.destination.mark()).transpose()?;
        if let Some(row_group) = row_group {
            self.destination.append(row_group)?;
        }
        if let Destination::Lake { calls, .. } = &mut self.destination {
            encoded.into_iter().try_for_each(|encoded| calls.append_encoded(encoded))?;
        }
        for mut part in parts {
            self.progress.add_lines(part.counts.records, part.counts.rejected());
            self.destination.append_rows(&mut part)?;
            if part.is_whole {
                self.conclude(part)?;
            } else {
                self.continue_source(part, mark.take())?;
            }
        }
        Ok(())
    }

    /// A part of a source that has row groups of its own; `mark` is before the first.
    fn continue_source(&mut self, part: WorkedPart, mark: Option<Mark>) -> Result<(), LakeError> {
        let index = part.source.index;
        let mut open = match (self.open.take(), mark) {
            (Some(mut open), _) => {
                open.worked.append(part)?;
                open
            }
            (None, Some(mark)) => Open { index, mark, worked: part },
            (None, None) => return Err(LakeError::Defect("a source goes on that did not begin")),
        };
        if open.worked.end.is_none() {
            self.open = Some(open);
            return Ok(());
        }
        open.worked.failure = open.worked.verdict(self.max_rejects);
        match open.worked.failure {
            Some(_) => self.destination.return_to(open.mark)?,
            None => self.destination.forget(open.mark)?,
        }
        self.conclude(open.worked)
    }

    /// A source has ended, and its rows are in the destination unless it failed.
    fn conclude(&mut self, mut worked: WorkedPart) -> Result<(), LakeError> {
        let index = worked.source.index;
        let rejects = worked.rejects.take();
        if let Some(error) = worked.failure.take() {
            self.verdicts.note_failed(index);
            return self.seal(index, worked.end, Fate::Failed { error, worked: Some(&worked) });
        }
        if let (Some(end), Some(rejects)) = (worked.end, rejects) {
            self.held.push(Held { source: Arc::clone(&worked.source), end, rejects });
        }
        let loading = self.loading(index)?;
        loading.kind = worked.source.kind;
        if loading.kind == SourceKind::Replayed {
            **loading.accepted.get_or_insert_default() |= std::mem::take(&mut worked.accepted);
        }
        self.seal(index, worked.end, Fate::Loaded(&worked))?;
        self.release()
    }

    /// Writes the rejected lines that are held, if no archive can take them back any more.
    fn release(&mut self) -> Result<(), LakeError> {
        if self.archives.is_empty() {
            for Held { source, end, rejects } in std::mem::take(&mut self.held) {
                let name = Arc::clone(&self.loading(source.index)?.name);
                self.destination.write_rejects(&name, &source, end, rejects)?;
            }
        }
        Ok(())
    }

    /// An archive has ended; if it failed, nothing of it stays.
    fn end_archive(&mut self, failed: Option<String>) -> Result<(), LakeError> {
        let OpenArchive { first, mark } =
            self.archives.pop().ok_or(LakeError::Defect("no archive is open"))?;
        let Some(archive) = failed else {
            self.destination.forget(mark)?;
            return self.release();
        };
        self.destination.return_to(mark)?;
        self.held.retain(|held| held.source.index < first);
        let error = SourceError::ArchiveFailed { archive };
        for loading in self.sources.iter_mut().skip(first) {
            if let Some(report) = &mut loading.report
                && report.status == Status::Loaded
            {
                report.fail(&error);
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
        let is_read = matches!(self.destination, Destination::Reader(_));
        let loading = self.loading(index)?;
        let fate = if is_read { fate.or_error(&loading.name)? } else { fate };
        let mut report = report(Arc::clone(&loading.name), end, fate);
        if loading.has_trailing_zeros {
            report.note_trailing_zeros();
        }
        match &mut loading.report {
            // Lines that are replayed may stand in several places of a rejects file.
            Some(earlier) if earlier.status == report.status => earlier.merge(&report),
            slot => *slot = Some(report),
        }
        Ok(())
    }

    /// The destination, and what became of each source.
    pub(crate) fn finish(self) -> Result<(Destination<'d>, Vec<LoadedSource>), LakeError> {
        let ended = self.sources.into_iter().map(|loading| {
            let Loading { source, kind, accepted, report, .. } = loading;
            let report = report.ok_or(LakeError::Defect("a source has not ended"))?;
            Ok(LoadedSource { source, kind, accepted, report })
        });
        let mut sources = ended.collect::<Result<Vec<_>, LakeError>>()?;
        for (index, same_as) in self.skipped {
            if sources.get(same_as).is_none_or(|first| first.report.status == Status::Failed)
                && let Some(LoadedSource { report, .. }) = sources.get_mut(index)
            {
                let name = report.same_as.take().map(|name| name.to_string()).unwrap_or_default();
                report.fail(&SourceError::SameAsFailed { name });
            }
        }
        Ok((self.destination, sources))
    }
}

fn report(source: Arc<str>, end: Option<SourceEnd>, fate: Fate<'_>) -> SourceReport {
    let content_hash = end.map(|end| end.hash);
    match fate {
        Fate::Loaded(worked) => SourceReport {
            content_hash,
            tally: Tally::loaded(
                &worked.counts,
                worked.filtered,
                end.map_or(0, |end| end.bytes),
                worked.totals.duration(),
            ),
            first_start_time: worked.totals.first_start_time(),
            last_start_time: worked.totals.last_start_time(),
            ..SourceReport::new(source, Status::Loaded)
        },
        Fate::Skipped { same_as, open_rejects } => SourceReport {
            content_hash,
            same_as: Some(same_as),
            open_rejects,
            ..SourceReport::new(source, Status::Skipped)
        },
        Fate::ReplayedBefore => {
            SourceReport { content_hash, ..SourceReport::new(source, Status::Skipped) }
        }
        Fate::Failed { error, worked } => {
            let tally = worked.map(|worked| Tally::failed(&worked.counts)).unwrap_or_default();
            let failed = SourceReport::new(source, Status::Failed);
            let mut failed = SourceReport { content_hash, tally, ..failed };
            failed.fail(&error);
            failed
        }
    }
}
