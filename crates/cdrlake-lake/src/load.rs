//! A run that loads sources into a lake.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use cdrlake_core::{Country, RECORD_LEN, RecordId};
use cdrlake_load::{
    History, LoadOptions, Loaded, LoadedSource, Output, OutputKind, Overwrite, RejectsFile,
    Repeated, Report, Run, Seconds, SourceKind, SourceReport, SourceRows, Status, calls_layout,
    check_outputs,
};
use cdrlake_parquet::Compression;
use cdrlake_run::Stage;
use cdrlake_source::{Excluded, Source};
use roaring::RoaringTreemap;
use serde_json::json;

use crate::commit::{Commit, DirectoryLake};
use crate::deduplicate::{Deduplicated, Deduplication, Dropped};
use crate::error::LakeError;
use crate::location::LakeLocation;
use crate::model::{
    AddedFile, AddedSource, CompleteFile, Duplicates, Ending, FileKind, Replayed, SourceFact,
    SourceId, SourceRef, Transaction, Version,
};
use crate::open_lake::OpenLake;
use crate::partition::{Partition, PartitionBy};
use crate::places::Places;
use crate::rewrite::Rewriter;
use crate::settings::Settings;
use crate::snapshot::{KnownTo, Snapshot};
use crate::staging::{LakeSink, PartitionFile, Staged, Tuning};

/// What [`convert_to_lake`] reads and writes.
#[derive(Clone, Debug)]
pub struct LakeOptions {
    /// How sources are read and judged.
    pub load: LoadOptions,
    /// The lake; it is made if there is nothing.
    pub lake: LakeLocation,
    /// What to do with a source whose content is loaded already.
    pub repeated: Repeated,
    /// What to do with a record that another source holds.
    pub duplicates: Duplicates,
    /// By what calls are divided; what the lake has, or by month, if none.
    pub partition_by: Option<PartitionBy>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Bytes that files are to approach.
    pub target_file_size: u64,
}

impl LakeOptions {
    /// 256 MiB.
    pub const DEFAULT_TARGET_FILE_SIZE: u64 = 256 << 20;

    /// The defaults for these.
    #[must_use]
    pub fn new(load: LoadOptions, lake: LakeLocation) -> Self {
        Self {
            load,
            lake,
            repeated: Repeated::default(),
            duplicates: Duplicates::default(),
            partition_by: None,
            compression: Compression::default(),
            target_file_size: Self::DEFAULT_TARGET_FILE_SIZE,
        }
    }
}

/// Loads sources into a lake, each once: what is there already, under whatever name, is skipped.
///
/// The run is a transaction: it is published wholly, and one that dies before it is recorded leaves
/// nothing, while one that dies after that is finished by the next run on the lake.
///
/// # Errors
///
/// [`LakeError`], if the run as a whole cannot be done.
pub fn convert_to_lake(options: &LakeOptions) -> Result<Report, LakeError> {
    let run_id = options.load.run_id();
    let wanted = Settings {
        partition_by: options.partition_by,
        record_id: Some(options.load.record_id).filter(|&wanted| wanted == RecordId::Fill),
        privacy: options.load.privacy.clone(),
    };
    let written = check_outputs(&options.load, &[], Overwrite::Refuse)?;
    let lake = DirectoryLake::open(&options.lake, &wanted, &run_id)?;
    load_into(lake.opened(), &written, options, run_id)
}

/// Loads sources into any kind of lake, except files that the run itself writes.
pub(crate) fn load_into<C: Commit>(
    open: OpenLake<'_, C>,
    written: &Excluded,
    options: &LakeOptions,
    run_id: String,
) -> Result<Report, LakeError> {
    let OpenLake { lake, settings, .. } = open;
    if options.duplicates == Duplicates::Drop && settings.record_id == RecordId::Omit {
        return Err(LakeError::NoRecordIds(lake.locate("")));
    }
    let snapshot = open.snapshot()?;
    let partition_by = settings.partition_by;
    let (privacy, kept) = settings.privacy(&options.load.privacy)?;
    let layout =
        Arc::new(calls_layout(options.compression, partition_by.columns(), privacy.numbers())?);
    let tuning = Tuning {
        target_file_size: options.target_file_size,
        waiting_memory: options.load.waiting_memory(),
    };
    let spool = lake.staging().join("spool");
    // A quarter of a block: where partitions change in it, one of two has as many.
    let least = options.load.sizes.block_len / (RECORD_LEN + 1) / 4;
    let sink = LakeSink::new(lake.staging(), partition_by, layout, tuning, kept, least);
    let run = Run {
        options: &options.load,
        where_date: None,
        spool_near: Some(&spool),
        record_id: settings.record_id,
        privacy,
        rejects: kept,
        excluded: written,
        history: History {
            known: &KnownTo(&*snapshot),
            repeated: options.repeated,
            changed: options.load.changed,
        },
    };
    let Loaded { output, sources, empty_inputs } = cdrlake_load::load(run, sink)?;
    let Staged { mut calls, mut rejects, sources: met } = output;
    let sources = sources.into_iter().zip(met).collect();
    let rejects_not_written = rejects.omitted();
    let mut facts = Facts::of(sources, &mut rejects, &*snapshot, options)?;
    if options.duplicates == Duplicates::Drop {
        calls = facts.drop_duplicates(calls, open, &snapshot, options)?;
    }
    let base = snapshot.version()?;
    let add = new_files(open, base, calls, rejects, &facts)?;
    let outputs = add.iter().map(|file| Output {
        kind: match file.kind {
            FileKind::Calls => OutputKind::Calls,
            FileKind::Rejects => OutputKind::Rejects,
        },
        path: lake.locate(&file.path),
        rows: file.rows,
        bytes: file.bytes,
    });
    let reports = facts.reports.split_off(0);
    let report = Report::new(run_id.clone(), reports, empty_inputs, outputs.collect());
    let report = Report { rejects_not_written, ..report };
    let mut transaction = Transaction {
        run_id,
        command: "convert",
        options: json_options(options),
        report: report_of_news(&report)?,
        add,
        remove: Vec::new(),
        sources: facts.facts,
        left_out: facts.left_out,
    };
    if !transaction.is_empty() {
        open.leave_out(&snapshot, &facts.replaced, &mut transaction, options.compression)?;
        options.load.progress.enter(Stage::Publishing);
    }
    open.commit(base, transaction)?;
    Ok(report)
}

/// The report without the sources that were skipped, lest the ledger grow by all of an inbox with
/// each run over it. Where there are very many, the table of sources alone tells of them: it has
/// the same counts, and a text of the ledger may take a gigabyte at the most.
fn report_of_news(report: &Report) -> Result<String, LakeError> {
    const MAX_SOURCES: usize = 10_000;
    let news = || report.sources.iter().filter(|source| source.status != Status::Skipped);
    let report = Report {
        run_id: report.run_id.clone(),
        totals: report.totals.clone(),
        sources: match news().nth(MAX_SOURCES) {
            Some(_) => Vec::new(),
            None => news().cloned().collect(),
        },
        empty_inputs: report.empty_inputs.clone(),
        outputs: report.outputs.clone(),
        rejects_not_written: report.rejects_not_written,
    };
    serde_json::to_string(&report).map_err(|_| LakeError::Defect("a report is no JSON"))
}

/// What a run found out about sources, for the ledger.
struct Facts {
    facts: Vec<SourceFact>,
    /// Each source's, by its index in the run; none if no row of it can be in a file.
    refs: Vec<Option<SourceRef>>,
    /// In the order of the run.
    reports: Vec<SourceReport>,
    /// Whose earlier rows must go.
    replaced: BTreeSet<SourceId>,
    /// Sources that left duplicates out, and those that hold what was kept of them.
    left_out: Vec<(SourceRef, SourceRef)>,
    places: Places,
    hash: blake3::Hasher,
}

impl Facts {
    fn of(
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
            hash: blake3::Hasher::new(),
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
                        Some(hash),
                        open_rejects,
                        snapshot,
                        options.repeated,
                    )?
                }
                (Status::Failed, SourceKind::Delivered, _) => {
                    let open_rejects = RoaringTreemap::new();
                    facts.add(
                        &mut loaded,
                        source,
                        None,
                        open_rejects,
                        snapshot,
                        options.repeated,
                    )?
                }
                (Status::Skipped, SourceKind::Delivered, Some(hash)) if has_failures => {
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
        hash: Option<blake3::Hash>,
        open_rejects: RoaringTreemap,
        snapshot: &impl Snapshot,
        repeated: Repeated,
    ) -> Result<Option<SourceRef>, LakeError> {
        if let Some(hash) = hash {
            self.hash.update(hash.as_bytes());
            // A delivery without a call is noted once.
            let is_empty = loaded.report.tally.bytes_read == 0;
            if is_empty && snapshot.has_empty(&source.source_file)? {
                return Ok(None);
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
        }
        let (path, report) = (self.places.path_of(&source.name), loaded.report.clone());
        let added = AddedSource { source, path, report, open_rejects };
        self.facts.push(SourceFact::Added(Box::new(added)));
        Ok(Some(SourceRef::Added(self.facts.len() - 1)))
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
        self.hash.update(hash.as_bytes());
        let accepted = loaded.accepted.as_deref().cloned().unwrap_or_default();
        for number in &accepted {
            self.hash.update(&number.to_le_bytes());
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
    fn drop_duplicates<C: Commit>(
        &mut self,
        calls: Vec<PartitionFile>,
        open: OpenLake<'_, C>,
        snapshot: &C::Snapshot,
        options: &LakeOptions,
    ) -> Result<Vec<PartitionFile>, LakeError> {
        let deduplication = Deduplication {
            open,
            snapshot,
            leaving: &self.replaced,
            refs: &self.refs,
            memory: options.load.waiting_memory(),
        };
        let rewriter = Rewriter::new(open, FileKind::Calls, options.compression)?;
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

    fn refs(&self, rows: &[SourceRows]) -> Result<Vec<(SourceRef, u64)>, LakeError> {
        let source_ref = |rows: &SourceRows| {
            let source = self.refs.get(rows.source).copied().flatten();
            source.map(|source| (source, rows.rows)).ok_or(LakeError::Defect("a row is nobody's"))
        };
        rows.iter().map(source_ref).collect()
    }
}

/// The run's files, staged.
fn new_files<C: Commit>(
    open: OpenLake<'_, C>,
    base: Version,
    calls: Vec<PartitionFile>,
    rejects: RejectsFile,
    facts: &Facts,
) -> Result<Vec<AddedFile<C::Staged>>, LakeError> {
    let digest = facts.hash.finalize();
    let mut files = Vec::new();
    let sources = facts.refs(rejects.sources())?;
    if let Some(file) = rejects.finish()? {
        files.push(CompleteFile {
            kind: FileKind::Rejects,
            partition: Partition::All,
            digest,
            number: 1,
            rows: file.rows,
            bytes: file.bytes,
            tenths: 0,
            statistics: file.statistics,
            sources,
            file: file.file.into_temp_path(),
        });
    }
    for (index, file) in calls.into_iter().enumerate() {
        files.push(CompleteFile {
            kind: FileKind::Calls,
            partition: file.partition,
            digest,
            number: index + 1,
            rows: file.rows,
            bytes: file.bytes,
            tenths: file.tenths,
            statistics: file.statistics,
            sources: facts.refs(&file.sources)?,
            file: file.file,
        });
    }
    files.into_iter().map(|file| open.lake.stage(base, file)).collect()
}

/// The options that decide what rows a source gives.
fn json_options(options: &LakeOptions) -> String {
    let LoadOptions { settings, time_zones, strictness, max_rejects, .. } = &options.load;
    let metadata = &settings.metadata;
    json!({
        "country": metadata.country.map(Country::code),
        "profile": metadata.profile,
        "product": metadata.product_identifier,
        "time_zone": time_zones.to_string(),
        "strict": *strictness == cdrlake_core::Strictness::Strict,
        "max_rejects": max_rejects.map(|limit| limit.to_string()),
    })
    .to_string()
}
