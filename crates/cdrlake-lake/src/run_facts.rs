//! What a run found out about its sources, for the transaction that it becomes.

use std::collections::{BTreeSet, HashMap, HashSet};

use cdrlake_load::{
    LoadedSource, RejectsFile, Repeated, Seconds, SourceIdentities, SourceKind, SourceReport,
    SourceRows, Status,
};
use cdrlake_source::Source;
use roaring::RoaringTreemap;

use crate::commit::Commit;
use crate::deduplicate::{Deduplicated, Deduplication, Dropped};
use crate::error::LakeError;
use crate::lake_options::LakeOptions;
use crate::model::{
    AddedSource, Duplicates, Ending, FileKind, Noted, Replayed, SourceFact, SourceId, SourceRef,
};
use crate::open_lake::OpenLake;
use crate::places::Places;
use crate::rewrite::Rewriter;
use crate::snapshot::Snapshot;
use crate::staging::PartitionFile;
use crate::zones::ZonesInForce;

/// What a run found out about sources, for the ledger.
pub(crate) struct RunFacts {
    pub(crate) facts: Vec<SourceFact>,
    /// Each source's, by its index in the run; none if no row of it can be in a file.
    refs: Vec<Option<SourceRef>>,
    /// In the order of the run.
    pub(crate) reports: Vec<SourceReport>,
    /// Whose earlier rows must go.
    pub(crate) replaced: BTreeSet<SourceId>,
    /// Sources that left duplicates out, and those that hold what was kept of them.
    pub(crate) left_out: Vec<(SourceRef, SourceRef)>,
    places: Places,
    time_zones: ZonesInForce,
    /// What the run noted that is empty, by the carrier's name, or else by `source_file`.
    empty: HashSet<String>,
    /// The contents that the run loads.
    contents: HashSet<blake3::Hash>,
    /// Names of deliveries that the run notes, each with its content.
    deliveries: HashSet<(String, blake3::Hash)>,
    /// Names the run's files: the same inputs and options give the same.
    pub(crate) digest: blake3::Hasher,
}

impl RunFacts {
    pub(crate) fn of(
        sources: Vec<(LoadedSource, Source)>,
        rejects: &mut RejectsFile,
        snapshot: &impl Snapshot,
        options: &LakeOptions,
    ) -> Result<Self, LakeError> {
        let mut facts = Self {
            facts: Vec::new(),
            refs: Vec::new(),
            reports: Vec::new(),
            replaced: BTreeSet::new(),
            left_out: Vec::new(),
            places: Places::default(),
            time_zones: ZonesInForce::of_run(&options.load),
            empty: HashSet::new(),
            contents: HashSet::new(),
            deliveries: HashSet::new(),
            digest: blake3::Hasher::new(),
        };
        let has_failures = snapshot.has_failures()?;
        let mut replays: HashMap<blake3::Hash, usize> = HashMap::new();
        for (index, (mut loaded, source)) in sources.into_iter().enumerate() {
            let hash = loaded.report.content_hash;
            let source_ref = match (loaded.report.status, loaded.kind, hash) {
                (Status::Loaded, SourceKind::Replayed, Some(hash)) => {
                    facts.replay(&loaded, hash, snapshot, options.duplicates, &mut replays)?
                }
                (Status::Loaded, SourceKind::Delivered, Some(hash)) => {
                    let open_rejects = rejects.take_record_numbers(index);
                    facts.add(
                        &mut loaded,
                        source,
                        hash,
                        open_rejects,
                        snapshot,
                        options.repeated,
                    )?
                }
                (Status::Failed | Status::Held, SourceKind::Delivered, _) => {
                    facts.fail(&mut loaded, source, snapshot)?
                }
                (Status::Excluded, SourceKind::Delivered, Some(hash))
                    if hash == blake3::hash(b"") =>
                {
                    // Files of other systems may come again and again: one row tells of them.
                    let is_known = snapshot.has_excluded(&source.source_file, &hash)?
                        || !facts.empty.insert(source.source_file.clone());
                    if is_known { None } else { facts.note(&loaded, source) }
                }
                // Decided in this run, and to be remembered.
                (Status::Superseded | Status::Excluded, SourceKind::Delivered, Some(hash))
                    if loaded.report.left_out_since.is_none() =>
                {
                    // One that the lake has ends, and has its row.
                    let is_known = snapshot.loaded(&hash)?.is_some();
                    if is_known { None } else { facts.note(&loaded, source) }
                }
                // Another delivery came with what is to stay out.
                (
                    Status::Superseded | Status::Excluded | Status::Unloaded,
                    SourceKind::Delivered,
                    Some(hash),
                ) if loaded.report.is_other_delivery
                    && facts.is_out_anew(&source, &hash, snapshot)? =>
                {
                    facts.note(&loaded, source)
                }
                (Status::Same, SourceKind::Delivered, Some(hash))
                    if facts.is_news(&loaded, &source, &hash, snapshot)? =>
                {
                    facts.note(&loaded, source)
                }
                // The content of what is held is nowhere.
                (Status::Same, SourceKind::Delivered, Some(hash))
                    if !facts.is_of_run(&hash) && snapshot.loaded(&hash)?.is_none() =>
                {
                    None
                }
                (status, SourceKind::Delivered, Some(hash))
                    if status.is_skipped() && has_failures =>
                {
                    facts.repeat(source, hash)
                }
                _ => None,
            };
            facts.refs.push(source_ref);
            facts.reports.push(loaded.report);
        }
        Ok(facts)
    }

    /// An attempt to deliver it that failed is settled.
    fn repeat(&mut self, source: Source, content_hash: blake3::Hash) -> Option<SourceRef> {
        let path = self.places.path_of(&source.name);
        self.facts.push(SourceFact::Repeated { source: Box::new(source), path, content_hash });
        None
    }

    fn add(
        &mut self,
        loaded: &mut LoadedSource,
        source: Source,
        hash: blake3::Hash,
        open_rejects: RoaringTreemap,
        snapshot: &impl Snapshot,
        repeated: Repeated,
    ) -> Result<Option<SourceRef>, LakeError> {
        self.digest.update(hash.as_bytes());
        self.contents.insert(hash);
        // A delivery without a call is noted once, however often a run is given it.
        let is_empty = loaded.report.tally.bytes_read == 0;
        if is_empty && let Some(name) = &source.carrier_name {
            let is_known = snapshot.has_empty(name)? || !self.empty.insert(name.clone());
            if is_known {
                return Ok(None);
            }
        }
        if repeated == Repeated::Replace
            && let Some(earlier) = snapshot.loaded(&hash)?
        {
            if !open_rejects.is_empty() && snapshot.waived_rejects(earlier)? > 0 {
                loaded.report.reopened_rejects = loaded.report.tally.records_rejected;
            }
            self.replaced.insert(earlier);
            self.facts.push(SourceFact::Ended { source: earlier, how: Ending::Replaced });
        }
        if let Some(name) = &source.carrier_name {
            self.deliveries.insert((name.clone(), hash));
        }
        let (path, report) = (self.places.path_of(&source.name), loaded.report.clone());
        let time_zone = self.time_zones.of(&source);
        let added = AddedSource { source, path, report, time_zone, open_rejects };
        self.facts.push(SourceFact::Added(Box::new(added)));
        Ok(Some(SourceRef::Added(self.facts.len() - 1)))
    }

    /// A source failed, or is held: noted unless it did just so before.
    fn fail(
        &mut self,
        loaded: &mut LoadedSource,
        source: Source,
        snapshot: &impl Snapshot,
    ) -> Result<Option<SourceRef>, LakeError> {
        let path = self.places.path_of(&source.name);
        let noted = snapshot.noted(path.as_deref(), &loaded.report)?;
        loaded.report.known_before = noted != Noted::No;
        loaded.report.is_set_aside = noted == Noted::SetAside;
        Ok(if noted == Noted::No { self.note(loaded, source) } else { None })
    }

    /// A source of which there is no row is remembered.
    fn note(&mut self, loaded: &LoadedSource, source: Source) -> Option<SourceRef> {
        let (path, report) = (self.places.path_of(&source.name), loaded.report.clone());
        let open_rejects = RoaringTreemap::new();
        let time_zone = self.time_zones.of(&source);
        let added = AddedSource { source, path, report, time_zone, open_rejects };
        self.facts.push(SourceFact::Added(Box::new(added)));
        None
    }

    /// Whether nobody knows yet that a delivery came with a content that is loaded from another source.
    fn is_news(
        &mut self,
        loaded: &LoadedSource,
        source: &Source,
        hash: &blake3::Hash,
        snapshot: &impl Snapshot,
    ) -> Result<bool, LakeError> {
        let Some(name) = &source.carrier_name else { return Ok(false) };
        let is_known = !loaded.report.is_other_delivery && !self.is_of_run(hash)
            || snapshot.knows_delivery(name, hash)?;
        Ok(!is_known && self.deliveries.insert((name.clone(), *hash)))
    }

    /// Whether nobody knows yet that a delivery came with a content that is to stay out.
    fn is_out_anew(
        &mut self,
        source: &Source,
        hash: &blake3::Hash,
        snapshot: &impl Snapshot,
    ) -> Result<bool, LakeError> {
        let Some(name) = &source.carrier_name else { return Ok(false) };
        let is_known = snapshot.knows_left_out(name, hash)?;
        Ok(!is_known && self.deliveries.insert((name.clone(), *hash)))
    }

    /// Whether a content is loaded in this run.
    fn is_of_run(&self, hash: &blake3::Hash) -> bool {
        self.contents.contains(hash)
    }

    /// Others take the place of these.
    pub(crate) fn supersede(&mut self, sources: &BTreeSet<SourceId>) {
        let ended = |&source| SourceFact::Ended { source, how: Ending::Superseded };
        self.facts.extend(sources.iter().map(ended));
        self.replaced.extend(sources);
    }

    /// What was accepted of a source's rejected lines, in one fact a source.
    fn replay(
        &mut self,
        loaded: &LoadedSource,
        hash: blake3::Hash,
        snapshot: &impl Snapshot,
        duplicates: Duplicates,
        replays: &mut HashMap<blake3::Hash, usize>,
    ) -> Result<Option<SourceRef>, LakeError> {
        let Some(source) = snapshot.loaded(&hash)? else { return Ok(None) };
        self.digest.update(hash.as_bytes());
        let accepted = loaded.accepted.as_deref().cloned().unwrap_or_default();
        for number in &accepted {
            self.digest.update(&number.to_le_bytes());
        }
        let place = match replays.get(&hash) {
            Some(&place) => place,
            None => {
                if duplicates == Duplicates::Drop
                    && let Some(source_name) = snapshot.left_duplicates_out(source)?
                {
                    return Err(LakeError::ReplayOfDeduplicated { source_name });
                }
                let open_rejects = snapshot.open_rejects_of(source)?;
                self.facts.push(SourceFact::Replayed(Replayed {
                    source,
                    open_rejects,
                    records: 0,
                    blank_lines: 0,
                    duration: Seconds::default(),
                    left_out: 0,
                    duplicates,
                }));
                replays.insert(hash, self.facts.len() - 1);
                self.facts.len() - 1
            }
        };
        if let Some(SourceFact::Replayed(replayed)) = self.facts.get_mut(place) {
            let tally = &loaded.report.tally;
            replayed.open_rejects -= accepted;
            replayed.records += tally.records_written;
            replayed.blank_lines += tally.blank_lines;
            replayed.duration = replayed.duration.plus(tally.duration_seconds);
        }
        Ok(Some(SourceRef::Known(source)))
    }

    /// Leaves out of new files what other sources hold.
    pub(crate) fn drop_duplicates<C: Commit>(
        &mut self,
        calls: Vec<PartitionFile>,
        identities: &SourceIdentities,
        open: OpenLake<'_, C>,
        snapshot: &C::Snapshot,
        options: &LakeOptions,
    ) -> Result<Vec<PartitionFile>, LakeError> {
        let deduplication = Deduplication {
            open,
            snapshot,
            leaving: &self.replaced,
            refs: &self.refs,
            identities,
            memory: options.load.waiting_memory(),
        };
        let rewriter =
            Rewriter::new(open, FileKind::Calls, options.compression, snapshot.version()?)?;
        let Deduplicated { files, dropped } = deduplication.run(calls, &rewriter)?;
        for (index, Dropped { records, tenths, kept_by }) in dropped {
            let duration = Seconds::from_tenths(tenths);
            if let Some(report) = self.reports.get_mut(index) {
                report.tally.drop_duplicates(records, duration);
            }
            let Some(Some(source)) = self.refs.get(index).copied() else { continue };
            self.left_out.extend(kept_by.into_iter().map(|kept| (source, kept)));
            let mut facts = self.facts.iter_mut();
            match source {
                SourceRef::Added(place) => {
                    if let Some(SourceFact::Added(added)) = facts.nth(place) {
                        added.report.tally.drop_duplicates(records, duration);
                    }
                }
                SourceRef::Known(source) => {
                    let replayed = facts.find_map(|fact| match fact {
                        SourceFact::Replayed(replayed) if replayed.source == source => {
                            Some(replayed)
                        }
                        _ => None,
                    });
                    if let Some(replayed) = replayed {
                        replayed.leave_out(records, duration);
                    }
                }
            }
        }
        Ok(files)
    }

    pub(crate) fn refs(&self, rows: &[SourceRows]) -> Result<Vec<(SourceRef, u64)>, LakeError> {
        let source_ref = |rows: &SourceRows| {
            let source = self.refs.get(rows.source).copied().flatten();
            source.map(|source| (source, rows.rows)).ok_or(LakeError::Defect("a row is nobody's"))
        };
        rows.iter().map(source_ref).collect()
    }
}
