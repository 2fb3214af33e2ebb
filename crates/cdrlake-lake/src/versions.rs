//! New versions of deliveries: which take the place of the current one, and which wait until somebody
//! decides.
//!
//! A version is a content that comes under the carrier's name of a delivery. It is compared with the
//! current one record by record, in the rows of both: those of the run are staged by then, and the
//! ones that do not stay are left out before anything is committed. A record counts as often as it is
//! there: two equal calls in one delivery are two calls.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::File;
use std::sync::Arc;

use cdrlake_core::RecordId;
use cdrlake_load::{
    LoadedSource, OnChanged, Repeated, SourceKind, SourceReport, SourceRows, Status,
};
use cdrlake_source::{Input, Source, SourceError};
use roaring::RoaringTreemap;

use crate::arrival::second;
use crate::commit::{Commit, FileChunks};
use crate::error::LakeError;
use crate::lake_options::LakeOptions;
use crate::model::{FileKind, LakeFile, LoadedVersion, SourceId};
use crate::open_lake::OpenLake;
use crate::records::{Identity, Records, read_records};
use crate::snapshot::Snapshot;
use crate::staging::PartitionFile;

/// A run's sources, by their index, and what came of each.
pub(crate) type RunSources = Vec<(LoadedSource, Source)>;

/// What becomes of new versions, and of those that they replace.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// Sources of the run whose rows do not stay, by their index.
    pub(crate) left_out: BTreeSet<usize>,
    /// Their rejected lines.
    pub(crate) rejected: u64,
    /// Sources of the lake whose place others take.
    pub(crate) superseded: BTreeSet<SourceId>,
}

/// Where the current version of a delivery is.
#[derive(Clone)]
enum Current {
    Lake(LoadedVersion),
    /// In this run, by its index.
    Run(usize),
}

impl Current {
    /// Whether another delivery holds it.
    fn is_of_other(&self) -> bool {
        matches!(self, Self::Lake(version) if version.is_of_other)
    }

    /// Its content, and how many bytes or records that has.
    fn content(&self, sources: &RunSources) -> (Option<blake3::Hash>, u64) {
        match self {
            Self::Lake(version) => (Some(version.content_hash), version.records + version.rejected),
            Self::Run(index) => {
                let report = &sources[*index].0.report;
                (report.content_hash, report.tally.bytes_read)
            }
        }
    }
}

/// What becomes of a new version.
enum Verdict {
    Supersede,
    Hold(SourceError),
    Exclude,
}

/// Decides about the versions of a run.
pub(crate) struct Deciding<'d, C: Commit> {
    pub(crate) open: OpenLake<'d, C>,
    pub(crate) snapshot: &'d C::Snapshot,
    pub(crate) options: &'d LakeOptions,
    /// The run's files of calls.
    pub(crate) calls: &'d [PartitionFile],
    /// Files of the lake that were found to be what they should be.
    pub(crate) verified: RefCell<BTreeSet<i64>>,
}

impl<C: Commit> Deciding<'_, C> {
    /// Decides about each, and says so in its report.
    pub(crate) fn decide(&self, sources: &mut RunSources) -> Result<Versions, LakeError> {
        let mut versions = Versions::default();
        if self.options.load.on_changed == OnChanged::Both {
            return Ok(versions);
        }
        let mut current: HashMap<String, Vec<Current>> = HashMap::new();
        // Contents whose places were taken.
        let mut ended: HashSet<blake3::Hash> = HashSet::new();
        for index in 0..sources.len() {
            let Some((LoadedSource { kind, report, .. }, source)) = sources.get(index) else {
                break;
            };
            let (SourceKind::Delivered, Status::Loaded) = (*kind, report.status) else { continue };
            let Some(name) = source.carrier_name.clone() else { continue };
            let is_empty = report.tally.bytes_read == 0;
            if report.content_hash.is_some_and(|hash| ended.contains(&hash)) {
                versions.leave_out(index, sources).leave_out(Status::Superseded);
                continue;
            }
            let mut now = match current.remove(&name) {
                Some(now) => now,
                None => {
                    let now = self.snapshot.versions_of(&name)?.into_iter();
                    now.map(Current::Lake).collect()
                }
            };
            // What holds the same under another name is replaced.
            now.retain(|version| match version {
                Current::Lake(version) => {
                    version.is_own || Some(version.content_hash) != report.content_hash
                }
                Current::Run(_) => true,
            });
            // It replaces itself, or came without a call before.
            let is_itself = now.iter().any(|version| match version {
                Current::Lake(version) => Some(version.content_hash) == report.content_hash,
                Current::Run(index) => is_empty && sources[*index].0.report.tally.bytes_read == 0,
            });
            if now.is_empty() || is_itself {
                let others = now.into_iter().filter(|version| match version {
                    Current::Lake(version) => Some(version.content_hash) != report.content_hash,
                    Current::Run(_) => true,
                });
                let others = others.chain([Current::Run(index)]).collect();
                current.insert(name, others);
                continue;
            }
            let verdict = self.judge(index, &now, sources)?;
            if matches!(verdict, Verdict::Supersede) {
                for version in now.iter().filter(|version| !version.is_of_other()) {
                    let (hash, bytes) = version.content(sources);
                    ended.extend(hash.filter(|_| bytes > 0));
                    // One that was about to replace itself.
                    if let (Current::Run(_), Some(hash)) = (version, hash) {
                        versions.superseded.extend(self.snapshot.loaded(&hash)?);
                    }
                }
            }
            let in_place = versions.apply(index, verdict, now, sources);
            current.insert(name, in_place);
        }
        self.hold_twins(&versions, sources)?;
        Ok(versions)
    }

    /// Holds sources of other deliveries that were skipped since a version has the same content, which is now
    /// held or left out itself.
    fn hold_twins(&self, versions: &Versions, sources: &mut RunSources) -> Result<(), LakeError> {
        let mut out: HashMap<blake3::Hash, usize> = HashMap::new();
        for &index in &versions.left_out {
            let report = &sources[index].0.report;
            if let (Status::Held | Status::Excluded, Some(hash)) =
                (report.status, report.content_hash)
            {
                out.insert(hash, index);
            }
        }
        for index in 0..sources.len() {
            let (LoadedSource { kind, report, .. }, source) = &sources[index];
            let (SourceKind::Delivered, Status::Same) = (*kind, report.status) else { continue };
            let Some(hash) = report.content_hash else { continue };
            let Some(twin) = out.get(&hash).map(|&twin| &sources[twin].1) else { continue };
            if twin.carrier_name == source.carrier_name || self.snapshot.loaded(&hash)?.is_some() {
                continue;
            }
            let name = Arc::clone(&twin.name);
            let report = &mut sources[index].0.report;
            report.hold(&SourceError::SameAsHeld { name: name.to_string() });
            report.same_as = Some(name);
        }
        Ok(())
    }

    fn judge(
        &self,
        index: usize,
        current: &[Current],
        sources: &RunSources,
    ) -> Result<Verdict, LakeError> {
        let policy = self.options.load.on_changed;
        let (LoadedSource { report, .. }, source) = &sources[index];
        let (records, rejected) = of_current(current, sources);
        let wait = |why| match policy {
            OnChanged::Skip => Ok(Verdict::Exclude),
            _ => Ok(Verdict::Hold(why)),
        };
        let hold = |shared| wait(SourceError::OtherVersion { shared, records });
        let in_lake: BTreeSet<SourceId> = in_lake(current).collect();
        // Copies that others left out for the sake of these would be lost.
        let is_leaned_on = self.snapshot.has_left_out_duplicates(&in_lake)?.is_some();
        // Of two that are named, neither is known to be meant.
        let is_meant =
            self.is_named(source) && !in_run(current).any(|rival| self.is_named(&sources[rival].1));
        if !is_leaned_on && self.options.repeated == Repeated::Replace && is_meant {
            return Ok(Verdict::Supersede);
        }
        if let Some(older) = older(source.arrived, current, sources) {
            return wait(older);
        }
        let Some(identity) = self.identity() else { return hold(None) };
        let old = self.records_of(current, identity)?;
        let new = self.records_of(&[Current::Run(index)], identity)?;
        let shared = old.shared(&new);
        // A line that was rejected may have been a call.
        let lines = report.tally.records_written + report.tally.records_rejected;
        let holds_all = shared == old.len() && lines >= records + rejected;
        let is_part = shared == new.len();
        let is_like = policy == OnChanged::Supersede && shared * 2 >= old.len() && !is_part;
        // What another delivery holds is not to go, nor to be there twice.
        let is_of_other = current.iter().any(Current::is_of_other);
        if !is_leaned_on && !is_of_other && (holds_all || is_like) {
            return Ok(Verdict::Supersede);
        }
        hold(Some(shared))
    }

    /// What tells records apart; none if nothing does.
    fn identity(&self) -> Option<Identity> {
        let settings = self.open.settings;
        match settings.record_id {
            RecordId::Fill => Some(Identity::RecordId),
            RecordId::Omit => {
                settings.numbers.are_clear().then_some(Identity::Fields(settings.format))
            }
        }
    }

    /// Whether the user named the source, or its archive, and not a directory in which it stands.
    fn is_named(&self, source: &Source) -> bool {
        self.options.load.inputs.iter().filter(|input| input.is_named()).any(|input| match input {
            Input::Rejects(_) => false,
            input => {
                let rest = source.name.strip_prefix(&*input.to_string());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('!'))
            }
        })
    }

    /// A file of the lake, which is verified when it is first read.
    fn read(&self, file: &LakeFile) -> Result<FileChunks, LakeError> {
        if self.verified.borrow().contains(&file.id) {
            return self.open.lake.read(&file.path);
        }
        let chunks = self.open.read_verified(file)?;
        self.verified.borrow_mut().insert(file.id);
        Ok(chunks)
    }

    /// The records of all these.
    fn records_of(&self, sources: &[Current], identity: Identity) -> Result<Records, LakeError> {
        let mut records = Records::default();
        let in_lake: BTreeSet<SourceId> = in_lake(sources).collect();
        let interrupt = self.open.interrupt;
        for (file, rows) in self.snapshot.files_of(&in_lake)? {
            if file.kind == FileKind::Calls {
                let rows = rows.iter().map(|(source, rows)| (in_lake.contains(source), *rows));
                let chunks = self.read(&file)?;
                let path = self.open.lake.locate(&file.path);
                read_records(chunks, &path, rows, identity, interrupt, &mut records)?;
            }
        }
        let in_run: BTreeSet<usize> = in_run(sources).collect();
        for file in self.calls {
            if file.sources.iter().any(|rows| in_run.contains(&rows.source)) {
                let rows = file.sources.iter();
                let rows = rows.map(|SourceRows { source, rows }| (in_run.contains(source), *rows));
                let chunks = File::open(&file.file).map_err(LakeError::read(&*file.file))?;
                let chunks = FileChunks::File(chunks);
                read_records(chunks, &file.file, rows, identity, interrupt, &mut records)?;
            }
        }
        Ok(records)
    }
}

impl Versions {
    /// Notes what becomes of a version, and gives what is current after it.
    fn apply(
        &mut self,
        index: usize,
        verdict: Verdict,
        current: Vec<Current>,
        sources: &mut RunSources,
    ) -> Vec<Current> {
        let current_name = match current.last() {
            Some(Current::Lake(version)) => Some(Arc::from(version.name.as_str())),
            Some(Current::Run(index)) => Some(Arc::clone(&sources[*index].1.name)),
            None => None,
        };
        match verdict {
            Verdict::Supersede => {
                let own = |version: &&Current| !version.is_of_other();
                self.superseded.extend(in_lake(current.iter().filter(own)));
                let name = Arc::clone(&sources[index].1.name);
                for earlier in in_run(&current) {
                    let report = self.leave_out(earlier, sources);
                    report.leave_out(Status::Superseded);
                    report.same_as = Some(Arc::clone(&name));
                }
                sources[index].0.report.supersedes = current_name;
                vec![Current::Run(index)]
            }
            Verdict::Hold(why) => {
                let report = self.leave_out(index, sources);
                report.hold(&why);
                report.same_as = current_name;
                current
            }
            Verdict::Exclude => {
                let report = self.leave_out(index, sources);
                report.leave_out(Status::Excluded);
                report.same_as = current_name;
                current
            }
        }
    }

    /// The rows of a source do not stay.
    fn leave_out<'s>(&mut self, index: usize, sources: &'s mut RunSources) -> &'s mut SourceReport {
        self.left_out.insert(index);
        let report = &mut sources[index].0.report;
        self.rejected += report.tally.records_rejected;
        report
    }

    /// Which rows of a file do not stay, by whose they are.
    pub(crate) fn rows_of(&self, sources: &[SourceRows]) -> RoaringTreemap {
        let mut rows_left_out = RoaringTreemap::new();
        let mut first = 0;
        for &SourceRows { source, rows } in sources {
            if self.left_out.contains(&source) {
                rows_left_out.insert_range(first..first + rows);
            }
            first += rows;
        }
        rows_left_out
    }
}

/// Why a version that came then is not the newer one, if that is known.
fn older(arrived: Option<i64>, current: &[Current], sources: &RunSources) -> Option<SourceError> {
    let of_current = current.iter().filter_map(|version| match version {
        Current::Lake(version) => version.arrived,
        Current::Run(index) => sources[*index].1.arrived,
    });
    let (arrived, current) = (arrived?, of_current.max()?);
    let error = || SourceError::OlderVersion { arrived: second(arrived), current: second(current) };
    (arrived < current).then(error)
}

fn in_lake<'c>(current: impl IntoIterator<Item = &'c Current>) -> impl Iterator<Item = SourceId> {
    current.into_iter().filter_map(|version| match version {
        Current::Lake(version) => Some(version.source),
        Current::Run(_) => None,
    })
}

fn in_run(current: &[Current]) -> impl Iterator<Item = usize> {
    current.iter().filter_map(|version| match version {
        Current::Lake(_) => None,
        Current::Run(index) => Some(*index),
    })
}

/// Records and rejected lines of the current versions.
fn of_current(current: &[Current], sources: &RunSources) -> (u64, u64) {
    let counts = current.iter().map(|version| match version {
        Current::Lake(version) => (version.records, version.rejected),
        Current::Run(index) => {
            let tally = &sources[*index].0.report.tally;
            (tally.records_written, tally.records_rejected)
        }
    });
    counts.fold((0, 0), |sum, counts| (sum.0 + counts.0, sum.1 + counts.1))
}
