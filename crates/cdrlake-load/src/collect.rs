//! What workers give back, in order, to a sink: decides source by source what stays.

use std::sync::Arc;

use cdrlake_run::Progress;
use cdrlake_source::SourceError;
use roaring::RoaringTreemap;

use crate::blocks::{Gathered, OpenSource, SourceEnd, SourceKind, Verdicts};
use crate::error::LoadError;
use crate::history::{ContentStanding, KnownSource};
use crate::max_rejects::MaxRejects;
use crate::pipeline::Collect;
use crate::report::{SourceReport, Status, Tally};
use crate::sink::{Encoder, OnFailure, RejectedLines, Sink};
use crate::spool::Spool;
use crate::work::{Worked, WorkedPart};

/// What the pipeline collects, in input order.
pub(crate) enum Collected<Rows> {
    /// Needed no work.
    Gathered(Gathered),
    Worked(Result<Worked<Rows>, LoadError>),
}

/// Collects a run's results in a sink.
pub(crate) struct Loader<'v, S: Sink> {
    sink: S,
    verdicts: &'v Verdicts,
    max_rejects: Option<MaxRejects>,
    progress: &'v Progress,
    sources: Vec<Loading>,
    /// Sources that were skipped, and the ones with the same content.
    skipped: Vec<(usize, usize)>,
    /// The source with row groups of its own that has not ended yet.
    open: Option<Open<S::Savepoint>>,
    /// The archives that only their end can vouch for, outermost first.
    archives: Vec<OpenArchive<S::Savepoint>>,
    /// Rejected lines of sources in those archives.
    held: Vec<Held>,
}

struct OpenArchive<Savepoint> {
    /// The index of its first source.
    first: usize,
    /// Before its first rows.
    savepoint: Savepoint,
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
    kind: SourceKind,
    accepted: Option<Box<RoaringTreemap>>,
    has_trailing_zeros: bool,
    /// None before its end.
    report: Option<SourceReport>,
}

/// A source of a run, and what came of it.
#[derive(Debug)]
pub struct LoadedSource {
    /// Whether it came as it was delivered.
    pub kind: SourceKind,
    /// Of a replay, the lines that were not rejected again.
    pub accepted: Option<Box<RoaringTreemap>>,
    /// What is told of it.
    pub report: SourceReport,
}

struct Open<Savepoint> {
    index: usize,
    /// Before its first rows.
    savepoint: Savepoint,
    /// The sum of its parts so far.
    worked: WorkedPart,
}

/// What became of a source.
enum Fate<'w> {
    Loaded(&'w WorkedPart),
    Same { same_as: Arc<str>, open_rejects: u64 },
    LeftOut { same_as: Option<Arc<str>>, status: Status, since: Option<String> },
    Held { error: SourceError },
    ReplayedBefore,
    Failed { error: SourceError, worked: Option<&'w WorkedPart> },
}

impl Fate<'_> {
    /// The error that ends the reading, where a source fails or its rows are another's.
    fn or_error(self, name: &str) -> Result<Self, LoadError> {
        let error = match self {
            Self::Loaded(_) | Self::ReplayedBefore | Self::LeftOut { same_as: None, .. } => {
                return Ok(self);
            }
            Self::Same { same_as, .. } | Self::LeftOut { same_as: Some(same_as), .. } => {
                SourceError::Repeated { name: same_as.to_string() }
            }
            Self::Failed { error, .. } | Self::Held { error } => error,
        };
        Err(LoadError::of_source(name, error))
    }
}

impl<'v, S: Sink> Loader<'v, S> {
    pub(crate) fn new(
        sink: S,
        max_rejects: Option<MaxRejects>,
        verdicts: &'v Verdicts,
        progress: &'v Progress,
    ) -> Self {
        Self {
            sink,
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

    fn gathered(&mut self, gathered: Gathered) -> Result<(), LoadError> {
        match gathered {
            Gathered::Met(source) => {
                let name = Arc::clone(&source.name);
                self.sources.push(Loading {
                    name,
                    kind: SourceKind::Delivered,
                    accepted: None,
                    has_trailing_zeros: false,
                    report: None,
                });
                self.sink.meet(source)
            }
            Gathered::Failed { index, error, end } => {
                let worked = self.take_back(index)?;
                self.seal(index, end, Fate::Failed { error, worked: worked.as_ref() })
            }
            // Whoever waits goes on when this has its turn.
            Gathered::Awaited => Ok(()),
            Gathered::Skipped { index, same_as, end } => {
                self.take_back(index)?;
                self.skipped.push((index, same_as));
                let same_as = Arc::clone(&self.loading(same_as)?.name);
                self.seal(index, Some(end), Fate::Same { same_as, open_rejects: 0 })
            }
            Gathered::Known { index, earlier, is_other_delivery, end } => {
                self.take_back(index)?;
                let KnownSource { name, open_rejects, standing, .. } = earlier;
                let (same_as, left_out) = (name.into(), |status, on| (status, Some(on)));
                let (status, since) = match standing {
                    ContentStanding::Loaded => {
                        self.seal(index, Some(end), Fate::Same { same_as, open_rejects })?;
                        if let Some(report) = &mut self.loading(index)?.report {
                            report.is_other_delivery = is_other_delivery;
                        }
                        return Ok(());
                    }
                    ContentStanding::Unloaded { on } => left_out(Status::Unloaded, on),
                    ContentStanding::Superseded { on } => left_out(Status::Superseded, on),
                    ContentStanding::Excluded { on } => left_out(Status::Excluded, on),
                };
                let same_as = Some(same_as);
                self.seal(index, Some(end), Fate::LeftOut { same_as, status, since })?;
                if let Some(report) = &mut self.loading(index)?.report {
                    report.is_other_delivery = is_other_delivery;
                }
                Ok(())
            }
            Gathered::Changed { index, earlier, status, end } => {
                self.take_back(index)?;
                let fate = match status {
                    Status::Held => {
                        let error = SourceError::Changed { hash: end.hash, earlier };
                        Fate::Held { error }
                    }
                    status => Fate::LeftOut { same_as: None, status, since: None },
                };
                self.seal(index, Some(end), fate)
            }
            Gathered::Empty { index, end } => {
                let fate = Fate::LeftOut { same_as: None, status: Status::Excluded, since: None };
                self.seal(index, Some(end), fate)
            }
            Gathered::ReplayedBefore { index, end } => {
                self.seal(index, Some(end), Fate::ReplayedBefore)
            }
            Gathered::TrailingZeros { index } => {
                let loading = self.loading(index)?;
                loading.has_trailing_zeros = true;
                if let Some(report) = &mut loading.report {
                    report.note_trailing_zeros();
                }
                Ok(())
            }
            Gathered::Duplicates { index, lines } => {
                if let Some(report) = &mut self.loading(index)?.report {
                    report.tally.add_duplicates(lines);
                }
                Ok(())
            }
            Gathered::ArchiveBegan => {
                let (first, savepoint) = (self.sources.len(), self.sink.savepoint()?);
                self.archives.push(OpenArchive { first, savepoint });
                Ok(())
            }
            Gathered::ArchiveEnded { failed } => self.end_archive(failed),
            // Blocks go to the workers.
            Gathered::Block(_) => Err(LoadError::Defect("a block did not go to the workers")),
        }
    }

    fn worked(&mut self, worked: Worked<<S::Encoder as Encoder>::Rows>) -> Result<(), LoadError> {
        let Worked { rows, parts } = worked;
        // A source that begins here and goes on has its blocks to itself.
        let begins = self.open.is_none() && parts.iter().any(|part| !part.is_whole);
        let mut savepoint = begins.then(|| self.sink.savepoint()).transpose()?;
        self.sink.write(rows)?;
        for part in parts {
            self.progress.add_lines(part.counts.records, part.counts.rejected());
            if part.is_whole {
                if let (None, Some(end)) = (&part.failure, part.end) {
                    self.sink.end(part.source.index, end);
                }
                self.conclude(part)?;
            } else {
                self.continue_source(part, savepoint.take())?;
            }
        }
        Ok(())
    }

    /// A part of a source that has blocks of its own; `savepoint` is before the first.
    fn continue_source(
        &mut self,
        part: WorkedPart,
        savepoint: Option<S::Savepoint>,
    ) -> Result<(), LoadError> {
        let index = part.source.index;
        let mut open = match (self.open.take(), savepoint) {
            (Some(mut open), _) => {
                open.worked.append(part)?;
                open
            }
            (None, Some(savepoint)) => Open { index, savepoint, worked: part },
            (None, None) => return Err(LoadError::Defect("a source goes on that did not begin")),
        };
        if open.worked.end.is_none() {
            self.open = Some(open);
            return Ok(());
        }
        open.worked.failure = open.worked.verdict(self.max_rejects);
        match (&open.worked.failure, open.worked.end) {
            (None, Some(end)) => {
                self.sink.end(index, end);
                self.sink.release(open.savepoint)?;
            }
            _ => self.sink.rollback(open.savepoint)?,
        }
        self.conclude(open.worked)
    }

    /// A source has ended, and its rows are in the sink unless it failed.
    fn conclude(&mut self, mut worked: WorkedPart) -> Result<(), LoadError> {
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
    fn release(&mut self) -> Result<(), LoadError> {
        if self.archives.is_empty() {
            for Held { source, end, rejects } in std::mem::take(&mut self.held) {
                let lines = RejectedLines { source: &source, end, lines: rejects };
                self.sink.write_rejects(lines)?;
            }
        }
        Ok(())
    }

    /// An archive has ended; if it failed, nothing of it stays.
    fn end_archive(&mut self, failed: Option<String>) -> Result<(), LoadError> {
        let OpenArchive { first, savepoint } =
            self.archives.pop().ok_or(LoadError::Defect("no archive is open"))?;
        let Some(archive) = failed else {
            self.sink.release(savepoint)?;
            return self.release();
        };
        self.sink.rollback(savepoint)?;
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
    fn take_back(&mut self, index: usize) -> Result<Option<WorkedPart>, LoadError> {
        let Some(open) = self.open.take_if(|open| open.index == index) else { return Ok(None) };
        self.sink.rollback(open.savepoint)?;
        Ok(Some(open.worked))
    }

    fn loading(&mut self, index: usize) -> Result<&mut Loading, LoadError> {
        self.sources.get_mut(index).ok_or(LoadError::Defect("a source was not met"))
    }

    fn seal(
        &mut self,
        index: usize,
        end: Option<SourceEnd>,
        fate: Fate<'_>,
    ) -> Result<(), LoadError> {
        let ends_run = self.sink.on_failure() == OnFailure::EndRun;
        let loading = self.loading(index)?;
        let fate = if ends_run { fate.or_error(&loading.name)? } else { fate };
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
}

impl<S: Sink> Collect<Collected<<S::Encoder as Encoder>::Rows>> for Loader<'_, S> {
    /// What the sink made, and what became of each source.
    type Output = (S::Output, Vec<LoadedSource>);

    fn collect(
        &mut self,
        collected: Collected<<S::Encoder as Encoder>::Rows>,
    ) -> Result<(), LoadError> {
        match collected {
            Collected::Gathered(gathered) => self.gathered(gathered),
            Collected::Worked(worked) => self.worked(worked?),
        }
    }

    fn finish(self) -> Result<Self::Output, LoadError> {
        let output = self.sink.finish()?;
        let ended = self.sources.into_iter().map(|loading| {
            let Loading { kind, accepted, report, .. } = loading;
            let report = report.ok_or(LoadError::Defect("a source has not ended"))?;
            Ok(LoadedSource { kind, accepted, report })
        });
        let mut sources = ended.collect::<Result<Vec<_>, LoadError>>()?;
        for (index, same_as) in self.skipped {
            if sources.get(same_as).is_none_or(|first| first.report.status == Status::Failed)
                && let Some(LoadedSource { report, .. }) = sources.get_mut(index)
            {
                let name = report.same_as.take().map(|name| name.to_string()).unwrap_or_default();
                report.fail(&SourceError::SameAsFailed { name });
            }
        }
        Ok((output, sources))
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
        Fate::Same { same_as, open_rejects } => SourceReport {
            content_hash,
            same_as: Some(same_as),
            open_rejects,
            ..SourceReport::new(source, Status::Same)
        },
        Fate::LeftOut { same_as, status, since } => SourceReport {
            content_hash,
            same_as,
            left_out_since: since.map(Into::into),
            ..SourceReport::new(source, status)
        },
        Fate::ReplayedBefore => {
            SourceReport { content_hash, ..SourceReport::new(source, Status::Same) }
        }
        Fate::Held { error } => {
            let mut held = SourceReport::new(source, Status::Held);
            held.hold(&error);
            SourceReport { content_hash, ..held }
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
