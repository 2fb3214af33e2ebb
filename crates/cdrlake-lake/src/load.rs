//! A run that loads sources into a lake.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use cdrlake_core::{Country, RECORD_LEN, RecordId};
use cdrlake_load::{
    ClearRejects, History, LoadError, LoadOptions, Loaded, OnChanged, Output, OutputKind,
    Overwrite, RejectsFile, Repeated, Report, Run, SourceIdentities, SourceRows, check_outputs,
};
use cdrlake_parquet::StagedFile;
use cdrlake_run::Stage;
use cdrlake_source::Excluded;
use serde_json::json;

use crate::commit::{Commit, DirectoryLake, FileChunks};
use crate::error::LakeError;
use crate::lake_options::LakeOptions;
use crate::location::LakeLocation;
use crate::model::{
    AddedFile, CompleteFile, Duplicates, FileKind, FileSummary, Transaction, Version,
};
use crate::open_lake::OpenLake;
use crate::partition::Partition;
use crate::rewrite::{Provenance, Rewriter};
use crate::run_facts::RunFacts;
use crate::settings::Settings;
use crate::snapshot::{KnownTo, Snapshot};
use crate::staging::{LakeSink, PartitionFile, Partitioner, Staged, Tuning};
use crate::versions::{Deciding, Versions};

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
    // The lake may be about to be made there.
    if let Some(path) = options.load.also_written.iter().find(|path| stands_in(path, &options.lake))
    {
        return Err(LoadError::OutputInLake(path.clone()).into());
    }
    let lake = DirectoryLake::open(&options.lake, &wanted, &run_id)?;
    load_into(lake.opened(), &written, options, run_id)
}

/// Whether a file would stand in the directory of this lake.
fn stands_in(path: &Path, lake: &LakeLocation) -> bool {
    let root = lake.root.canonicalize();
    let directory = cdrlake_parquet::directory(path).canonicalize();
    matches!((root, directory), (Ok(root), Ok(directory)) if directory.starts_with(&root))
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
        return Err(LakeError::NoRecordIds(lake.name()));
    }
    let is_replaced = options.repeated == Repeated::Replace;
    if is_replaced && options.load.on_changed == OnChanged::Both {
        return Err(LakeError::ReplaceAndKeep);
    }
    let snapshot = open.snapshot()?;
    let partition_by = settings.partition_by;
    let (privacy, kept) = settings.privacy(&options.load.privacy)?;
    let (format, columns) = (settings.format, partition_by.columns());
    let layout = format.calls_layout(options.compression, columns, privacy.numbers())?;
    let layout = Arc::new(layout);
    let tuning = Tuning {
        target_file_size: options.target_file_size,
        waiting_memory: options.load.waiting_memory(),
    };
    let spool = lake.staging().join("spool");
    // A quarter of a block: where partitions change in it, one of two has as many.
    let least = options.load.sizes.block_len / (RECORD_LEN + 1) / 4;
    let base = snapshot.version()?;
    let pieces = Partitioner { by: partition_by, layout, least, format };
    let sink = LakeSink::new(lake.staging(), pieces, tuning, kept, base.0 + 1);
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
            // Decided when their rows are there to be compared.
            on_changed: OnChanged::Both,
        },
    };
    let Loaded { output, sources, left_out } = cdrlake_load::load(run, sink)?;
    let Staged { mut calls, mut rejects, sources: met, identities } = output;
    let mut sources = sources.into_iter().zip(met).collect();
    let verified = Default::default();
    let deciding = Deciding { open, snapshot: &*snapshot, options, calls: &calls, verified };
    let versions = deciding.decide(&mut sources)?;
    let mut rejects_not_written = rejects.omitted();
    if kept == ClearRejects::Omit {
        rejects_not_written -= versions.rejected;
    }
    let mut facts = RunFacts::of(sources, &mut rejects, &*snapshot, options)?;
    facts.supersede(&versions.superseded);
    if !versions.left_out.is_empty() {
        let rewriter = Rewriter::new(open, FileKind::Calls, options.compression, base)?;
        let left = calls.into_iter().map(|file| {
            let rows = versions.rows_of(&file.sources);
            rewriter.without_rows(file, &rows, &identities).transpose()
        });
        calls = left.flatten().collect::<Result<_, _>>()?;
    }
    if options.duplicates == Duplicates::Drop {
        calls = facts.drop_duplicates(calls, &identities, open, &snapshot, options)?;
    }
    let rejects = rejects_without(rejects, &versions, open, base, options)?;
    let add = new_files(open, base, calls, rejects, &facts)?;
    let outputs = add.iter().map(|AddedFile { path, summary, .. }| Output {
        kind: match summary.kind {
            FileKind::Calls => OutputKind::Calls,
            FileKind::Rejects => OutputKind::Rejects,
        },
        path: lake.locate(path),
        rows: summary.rows,
        bytes: summary.bytes,
    });
    let reports = facts.reports.split_off(0);
    let report = Report::new(run_id.clone(), reports, left_out, outputs.collect());
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
    let again = report.sources.iter();
    let again = again.filter(|source| source.status.is_skipped() || source.known_before);
    open.lake.note_seen(&again.filter_map(|source| source.content_hash).collect::<Vec<_>>())?;
    open.commit(base, transaction)?;
    Ok(report)
}

/// The report without the sources that were skipped, lest the ledger grow by all of an inbox with
/// each run over it. Where there are very many, the table of sources alone tells of them: it has
/// the same counts, and a text of the ledger may take a gigabyte at the most.
fn report_of_news(report: &Report) -> Result<String, LakeError> {
    const MAX_SOURCES: usize = 10_000;
    let news = || {
        report.sources.iter().filter(|source| !source.status.is_skipped() && !source.known_before)
    };
    let report = Report {
        run_id: report.run_id.clone(),
        totals: report.totals.clone(),
        sources: match news().nth(MAX_SOURCES) {
            Some(_) => Vec::new(),
            None => news().cloned().collect(),
        },
        empty_inputs: report.empty_inputs.clone(),
        unfinished_inputs: report.unfinished_inputs.clone(),
        stale_inputs: report.stale_inputs.clone(),
        excluded_inputs: Vec::new(),
        deselected_inputs: report.deselected_inputs,
        hidden_inputs: report.hidden_inputs.clone(),
        unread_checksums: report.unread_checksums.clone(),
        outputs: report.outputs.clone(),
        rejects_not_written: report.rejects_not_written,
    };
    serde_json::to_string(&report).map_err(|_| LakeError::Defect("a report is no JSON"))
}

/// The file of the run's rejected lines, without lines of sources that are left out, and the source of each
/// run of lines. Without any line there is no file.
fn rejects_without<C: Commit>(
    rejects: RejectsFile,
    versions: &Versions,
    open: OpenLake<'_, C>,
    base: Version,
    options: &LakeOptions,
) -> Result<Option<(StagedFile, Vec<SourceRows>)>, LakeError> {
    let mut sources = rejects.sources().to_vec();
    let Some(file) = rejects.finish()? else { return Ok(None) };
    let rows = versions.rows_of(&sources);
    if rows.is_empty() {
        return Ok(Some((file, sources)));
    }
    sources.retain(|rows| !versions.left_out.contains(&rows.source));
    if sources.is_empty() {
        return Ok(None);
    }
    let path = file.file.path().to_owned();
    let chunks = FileChunks::File(File::open(&path).map_err(LakeError::read(&path))?);
    let rewriter = Rewriter::new(open, FileKind::Rejects, options.compression, base)?;
    let kept = Provenance { identities: &SourceIdentities::default(), rows: &sources };
    let copy = rewriter.copy(chunks, &path, file.rows, &rows, kept)?;
    Ok(Some((copy.file, sources)))
}

/// The run's files, staged.
fn new_files<C: Commit>(
    open: OpenLake<'_, C>,
    base: Version,
    calls: Vec<PartitionFile>,
    rejects: Option<(StagedFile, Vec<SourceRows>)>,
    facts: &RunFacts,
) -> Result<Vec<AddedFile<C::Staged>>, LakeError> {
    let digest = facts.digest.finalize();
    let mut files = Vec::new();
    if let Some((file, sources)) = rejects {
        let sources = facts.refs(&sources)?;
        let summary = FileSummary {
            kind: FileKind::Rejects,
            partition: Partition::All,
            rows: file.rows,
            bytes: file.bytes,
            blake3: file.hash,
            tenths: 0,
            statistics: file.statistics,
            sources,
        };
        let file = file.file.into_temp_path();
        files.push(CompleteFile { file, digest, number: 1, summary });
    }
    for (index, file) in calls.into_iter().enumerate() {
        let summary = FileSummary {
            kind: FileKind::Calls,
            partition: file.partition,
            rows: file.rows,
            bytes: file.bytes,
            blake3: file.blake3,
            tenths: file.tenths,
            statistics: file.statistics,
            sources: facts.refs(&file.sources)?,
        };
        files.push(CompleteFile { file: file.file, digest, number: index + 1, summary });
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
