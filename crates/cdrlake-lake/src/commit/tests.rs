//! Both kinds of lake, led through the same random operations: they must hold the same, and say the
//! same.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use cdrlake_core::reference::batch_rows;
use cdrlake_core::{Numbers, RecordId};
use cdrlake_generate::frozen::Calls;
use cdrlake_load::{ClearRejects, LoadOptions, MaxRejects, OnChanged, Repeated, Report};
use cdrlake_parquet::Compression;
use cdrlake_run::Interrupt;
use cdrlake_source::{Excluded, Input};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::ChunkReader;
use proptest::prelude::*;

use super::memory::MemoryLake;
use super::{Commit, DirectoryLake, Outcome};
use crate::error::LakeError;
use crate::format::LakeFormat;
use crate::lake_options::LakeOptions;
use crate::load::load_into;
use crate::location::LakeLocation;
use crate::model::{Duplicates, FileKind, Transaction, Version};
use crate::open_lake::OpenLake;
use crate::partition::PartitionBy;
use crate::settings::{LakeSettings, Settings};
use crate::snapshot::Snapshot;
use crate::unload::unload_from;

/// Something that is done to a lake.
#[derive(Clone, Debug)]
enum Operation {
    Load {
        files: Vec<usize>,
        repeated: Repeated,
        duplicates: Duplicates,
        on_changed: OnChanged,
    },
    Unload(usize),
    /// Of the rejected lines that the lake has, every other one is mended.
    Replay,
}

/// Contents that come and go: some are equal, some share records, some are damaged or no CDR files;
/// four come under one name, of which one holds all of another.
fn contents() -> Vec<(String, Vec<u8>)> {
    let name = |number: usize| format!("GB_ABC_10_{number:04}_20251101090122.cdr");
    let calls = |seed, records| Calls::new(seed, records).collect::<Vec<_>>().concat();
    let damaged: Vec<u8> = Calls::new(3, 40)
        .enumerate()
        .flat_map(|(at, line)| if at % 7 == 3 { line[100..].to_vec() } else { line.to_vec() })
        .collect();
    vec![
        (name(1), calls(1, 50)),
        (name(2), calls(2, 200)),
        (name(3), damaged),
        (name(4), calls(1, 50)),
        (name(1), calls(4, 30)),
        (name(1), calls(1, 80)),
        (name(1), [calls(1, 30), calls(4, 40)].concat()),
        ("other.cdr".to_owned(), [calls(1, 20), calls(2, 20)].concat()),
        (name(6), b"no record\n".repeat(5)),
        (name(7), Vec::new()),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let files = prop::collection::vec(0..contents().len(), 1..4);
    let repeated = prop::sample::select(vec![Repeated::Skip, Repeated::Replace]);
    let duplicates = prop::sample::select(vec![Duplicates::Keep, Duplicates::Drop]);
    let on_changed = prop::sample::select(vec![
        OnChanged::Hold,
        OnChanged::Supersede,
        OnChanged::Both,
        OnChanged::Skip,
    ]);
    let load = (files, repeated, duplicates, on_changed).prop_map(
        |(files, repeated, duplicates, on_changed)| Operation::Load {
            files,
            repeated,
            duplicates,
            on_changed,
        },
    );
    prop_oneof![
        6 => load,
        2 => (0..contents().len()).prop_map(Operation::Unload),
        1 => Just(Operation::Replay),
    ]
}

/// Does an operation, and says what came of it.
fn operate<C: Commit>(
    open: OpenLake<'_, C>,
    lab: &Lab,
    run: usize,
    operation: &Operation,
) -> Result<String, LakeError> {
    let run_id = format!("run {run}");
    let options = |inputs: Vec<Input>| {
        let mut load = LoadOptions::new(inputs);
        load.sizes.block_len = 128 << 10;
        load.max_rejects = Some(MaxRejects::PerMillion(500_000));
        load.record_id = RecordId::Fill;
        LakeOptions::new(load, LakeLocation::new(PathBuf::new()))
    };
    match operation {
        Operation::Load { files, repeated, duplicates, on_changed } => {
            let inputs = files.iter().map(|&file| Input::Path(lab.path(file))).collect();
            let mut options = options(inputs);
            options.load.on_changed = *on_changed;
            options.repeated = *repeated;
            options.duplicates = *duplicates;
            load_into(open, &Excluded::default(), &options, run_id).map(told)
        }
        Operation::Unload(file) => {
            let name = lab.path(*file).display().to_string();
            unload_from(open, run_id, &[name], Compression::None).map(|done| format!("{done:?}"))
        }
        Operation::Replay => {
            let mended = lab.mend(open)?;
            let Some(mended) = mended else { return Ok("nothing to mend".to_owned()) };
            load_into(open, &Excluded::default(), &options(vec![Input::Rejects(mended)]), run_id)
                .map(told)
        }
    }
}

/// A report, but for where its outputs are, and days.
fn told(mut report: Report) -> String {
    report.sources.iter_mut().for_each(|source| source.left_out_since = None);
    let outputs: Vec<_> = report.outputs.iter().map(|o| (o.kind, o.rows, o.bytes)).collect();
    let report = Report { outputs: Vec::new(), ..report };
    format!("{} {outputs:?}", serde_json::to_string(&report).unwrap())
}

/// A directory of inputs.
struct Lab(tempfile::TempDir);

impl Lab {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for (number, (name, content)) in contents().into_iter().enumerate() {
            let directory = directory.path().join(number.to_string());
            fs::create_dir(&directory).unwrap();
            fs::write(directory.join(name), content).unwrap();
        }
        Self(directory)
    }

    fn path(&self, file: usize) -> PathBuf {
        self.0.path().join(file.to_string()).join(&contents()[file].0)
    }

    /// A rejects file of the lake with every other line mended; none if the lake has none.
    fn mend<C: Commit>(&self, open: OpenLake<'_, C>) -> Result<Option<PathBuf>, LakeError> {
        let snapshot = open.snapshot()?;
        let Some(file) = snapshot.files(FileKind::Rejects)?.into_iter().next() else {
            return Ok(None);
        };
        let batches = batches(open, &file.path);
        let sound = Calls::new(9, 1).next().unwrap();
        let mended = self.0.path().join("mended.parquet");
        let mut writer = parquet::arrow::ArrowWriter::try_new(
            fs::File::create(&mended).unwrap(),
            batches[0].schema(),
            None,
        )
        .unwrap();
        for batch in batches {
            let at = batch.schema().index_of("raw").unwrap();
            let raw = batch.column(at).as_binary::<i32>().iter().enumerate();
            let raw: arrow_array::BinaryArray = raw
                .map(|(row, raw)| Some(if row % 2 == 0 { &sound[..228] } else { raw.unwrap() }))
                .collect();
            let mut columns = batch.columns().to_vec();
            columns[at] = std::sync::Arc::new(raw);
            writer.write(&RecordBatch::try_new(batch.schema(), columns).unwrap()).unwrap();
        }
        writer.close().unwrap();
        Ok(Some(mended))
    }
}

fn batches<C: Commit>(open: OpenLake<'_, C>, path: &str) -> Vec<RecordBatch> {
    let file = open.lake.read(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

/// All that a lake holds and knows, apart from the paths of its files.
fn held<C: Commit>(open: OpenLake<'_, C>) -> BTreeMap<String, String> {
    let snapshot = open.snapshot().unwrap();
    let facts = snapshot.facts().unwrap();
    let mut held = BTreeMap::new();
    held.insert("version".to_owned(), format!("{:?}", snapshot.version().unwrap()));
    for (number, source) in &facts.sources {
        let mut source = source.clone();
        source.has_plain_replays = false;
        held.insert(format!("source {number}"), format!("{source:?}"));
    }
    for kind in [FileKind::Calls, FileKind::Rejects] {
        let mut files: Vec<String> = Vec::new();
        for file in snapshot.files(kind).unwrap() {
            let rows = snapshot.rows_of(&file).unwrap();
            let batches = batches(open, &file.path);
            assert_eq!(batches.iter().map(|b| b.num_rows() as u64).sum::<u64>(), file.rows);
            assert_eq!(rows.iter().map(|(_, rows)| rows).sum::<u64>(), file.rows);
            let mut bytes = Vec::new();
            open.lake
                .read(&file.path)
                .unwrap()
                .get_read(0)
                .unwrap()
                .read_to_end(&mut bytes)
                .unwrap();
            let hash = blake3::hash(&bytes);
            assert_eq!((file.bytes, file.blake3), (bytes.len() as u64, Some(hash)));
            let known = facts.files.iter().find(|known| known.path == file.path).unwrap();
            assert_eq!((known.bytes, known.blake3), (file.bytes, file.blake3));
            let content = match kind {
                FileKind::Calls => {
                    format!("{:?}", batches.iter().flat_map(batch_rows).collect::<Vec<_>>())
                }
                FileKind::Rejects => format!("{batches:?}"),
            };
            files.push(format!("{:?} {rows:?} {hash} {content}", file.partition));
        }
        files.sort();
        held.insert(format!("{kind:?}"), files.join("\n"));
    }
    held
}

fn settings() -> LakeSettings {
    LakeSettings {
        partition_by: PartitionBy::CallDate,
        record_id: RecordId::Fill,
        numbers: Numbers::Clear,
        key_id: None,
        rejects: ClearRejects::Write,
        format: LakeFormat::Two,
    }
}

/// How many operations CI does; more with `CDRLAKE_OPERATIONS`.
fn cases() -> u32 {
    let operations = std::env::var("CDRLAKE_OPERATIONS").ok().and_then(|n| n.parse().ok());
    operations.unwrap_or(120_u32).div_ceil(8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn both_kinds_of_lake_are_the_same(operations in prop::collection::vec(operation(), 8)) {
        let lab = Lab::new();
        let (interrupt, settings) = (Interrupt::default(), settings());
        let memory = MemoryLake::new();
        let location = LakeLocation::new(lab.0.path().join("lake"));
        let wanted = Settings {
            partition_by: Some(settings.partition_by),
            record_id: Some(settings.record_id),
            ..Settings::default()
        };
        for (run, operation) in operations.iter().enumerate() {
            // Opened again each time, as by another process.
            let directory = DirectoryLake::open(&location, &wanted, "test").unwrap();
            let in_memory = OpenLake { lake: &memory, settings: &settings, interrupt: &interrupt };
            let [one, other] = [
                operate(directory.opened(), &lab, run, operation).map_err(|e| e.to_string()),
                operate(in_memory, &lab, run, operation).map_err(|e| e.to_string()),
            ];
            prop_assert_eq!(one, other, "{:?}", operation);
            let (one, other) = (held(directory.opened()), held(in_memory));
            let differ: Vec<_> = one.iter().filter(|&(key, value)| other.get(key) != Some(value)).collect();
            prop_assert!(one == other, "after {:?}: {:#?}", operation, differ);
        }
    }
}

/// However often one run is given it: its name would not say which one to unload.
#[test]
fn a_delivery_without_a_call_is_noted_once() {
    let lab = Lab::new();
    let location = LakeLocation::new(lab.0.path().join("lake"));
    let operations = [
        Operation::Load {
            files: vec![7, 7],
            repeated: Repeated::Skip,
            duplicates: Duplicates::Keep,
            on_changed: OnChanged::Hold,
        },
        Operation::Unload(7),
    ];
    for (run, operation) in operations.iter().enumerate() {
        let directory = DirectoryLake::open(&location, &Settings::default(), "test").unwrap();
        let done = operate(directory.opened(), &lab, run, operation);
        let held = held(directory.opened());
        let sources = held.keys().filter(|key| key.starts_with("source")).count();
        assert_eq!((done.is_ok(), sources), (true, 1 - run), "{done:?}");
    }
}

fn empty<Staged>(run_id: &str) -> Transaction<Staged> {
    Transaction {
        run_id: run_id.to_owned(),
        command: "convert",
        options: "{}".to_owned(),
        report: "{}".to_owned(),
        add: Vec::new(),
        remove: Vec::new(),
        sources: Vec::new(),
        left_out: Vec::new(),
    }
}

fn conflicts<C: Commit>(lake: &C) {
    let base = lake.snapshot().unwrap().version().unwrap();
    let stale = Version(base.0 + 1);
    assert_eq!(lake.commit(stale, empty("a")).unwrap(), Outcome::Conflict(base));
    assert_eq!(lake.commit(base, empty("b")).unwrap(), Outcome::Committed(base));
    lake.recover().unwrap();
    assert_eq!(lake.snapshot().unwrap().version().unwrap(), base);
}

/// A transaction that is based on another version changes nothing.
#[test]
fn a_commit_on_another_version_is_a_conflict() {
    let lab = Lab::new();
    let location = LakeLocation::new(lab.0.path().join("lake"));
    let directory = DirectoryLake::open(&location, &Settings::default(), "test").unwrap();
    conflicts(&directory);
    conflicts(&MemoryLake::new());
}
