//! Lakes: what is loaded, skipped, replaced, unloaded and deduplicated, compared with what the
//! reference decoder says of the sources that should be in them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod deduplication;
mod failures;
mod housekeeping;
mod loading;
mod privacy;
mod removing;
mod replays;
mod settings;
#[path = "../../../cdrlake-load/tests/common/tables.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use cdrlake_core::reference::{self, Row, batch_rows};
use cdrlake_core::{RecordId, SourceOptions, parse_file_name};
use cdrlake_generate::frozen::Calls;
use cdrlake_lake::{
    LakeError, LakeLocation, LakeOptions, PartitionBy, convert_to_lake, deliveries, unload,
};
use cdrlake_load::{LoadOptions, MaxRejects, Repeated, Report, Status};
use cdrlake_source::Input;
use tables::read;

/// A block of about 573 records.
const BLOCK_LEN: usize = 128 << 10;

/// A directory of inputs beside a lake.
struct Lab {
    directory: tempfile::TempDir,
    threads: usize,
    partition_by: Option<PartitionBy>,
    record_id: RecordId,
    target_file_size: u64,
    waiting_memory: usize,
}

impl Lab {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            threads: 2,
            partition_by: None,
            record_id: RecordId::Omit,
            target_file_size: LakeOptions::DEFAULT_TARGET_FILE_SIZE,
            waiting_memory: 1 << 20,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    fn write(&self, source: &Source) -> PathBuf {
        let path = self.path(&source.name);
        fs::write(&path, &source.content).unwrap();
        path
    }

    fn options(&self, inputs: Vec<Input>) -> LakeOptions {
        let mut load = LoadOptions::new(inputs);
        load.sizes.block_len = BLOCK_LEN;
        load.sizes.waiting_memory = Some(self.waiting_memory);
        load.threads = NonZero::new(self.threads);
        load.record_id = self.record_id;
        let mut options = LakeOptions::new(load, LakeLocation::new(self.lake()));
        options.partition_by = self.partition_by;
        options.target_file_size = self.target_file_size;
        options
    }

    fn load_with(&self, sources: &[&Source], set: impl FnOnce(&mut LakeOptions)) -> Report {
        let inputs = sources.iter().map(|source| Input::Path(self.write(source)));
        let mut options = self.options(inputs.collect());
        set(&mut options);
        let report = convert_to_lake(&options).unwrap();
        self.check_ledger();
        report
    }

    fn load(&self, sources: &[&Source]) -> Report {
        self.load_with(sources, |_| {})
    }

    fn unload(&self, names: &[&str]) -> Result<Vec<String>, LakeError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let unloaded = unload(
            &LakeLocation::new(self.lake()),
            &names,
            cdrlake_parquet::Compression::default(),
        )?;
        Ok(unloaded.now)
    }

    /// The files of calls, by their paths in the lake.
    fn files(&self) -> BTreeMap<String, PathBuf> {
        files(&self.lake(), "calls")
    }

    /// The rows without the hashes of their sources, which are those that the ledger tells of sources of
    /// their name.
    fn rows(&self) -> Vec<Row> {
        let batches: Vec<_> = self.files().values().flat_map(|path| read(path)).collect();
        let hashes = if batches.is_empty() { BTreeSet::new() } else { self.hashes() };
        let mut rows = Vec::new();
        for batch in batches {
            // Partitions have columns of their own.
            let column = batch.schema().index_of("source_hash").unwrap();
            for mut row in batch_rows(&batch) {
                let (name, hash) = (row[0].clone().unwrap(), row[column].take().unwrap());
                assert!(hashes.contains(&(name.clone(), hash.clone())), "{name} {hash}");
                rows.push(row);
            }
        }
        rows
    }

    /// The names of sources, and the first 128 bits of their contents' hashes, as the ledger has them.
    fn hashes(&self) -> BTreeSet<(String, String)> {
        let mut hashes = BTreeSet::new();
        for batch in read(&self.lake().join("_cdrlake/sources/sources.pq")) {
            let [names, found] = ["source_file", "content_hash"]
                .map(|name| batch.column_by_name(name).unwrap().as_string::<i32>().clone());
            for (name, hash) in names.iter().zip(&found) {
                hashes.insert((
                    name.unwrap().to_owned(),
                    hash.unwrap_or_default().chars().take(32).collect(),
                ));
            }
        }
        hashes
    }

    /// The lake holds these sources' rows and no others.
    fn check(&self, sources: &[&Source]) {
        let expected = sources.iter().flat_map(|source| source.rows()).collect();
        assert!(sorted(self.rows()) == sorted(expected), "other rows than expected");
    }

    /// What the ledger's face says is true of the files.
    fn check_ledger(&self) {
        let mut written = 0;
        for batch in read(&self.lake().join("_cdrlake/sources/sources.pq")) {
            let statuses = batch.column_by_name("status").unwrap().as_string::<i32>().clone();
            let rows = batch.column_by_name("records_written").unwrap().clone();
            let rows = rows.as_primitive::<arrow_array::types::Int64Type>();
            for (status, rows) in statuses.iter().zip(rows.values()) {
                written += if status == Some("loaded") { *rows } else { 0 };
            }
        }
        assert_eq!(written, self.rows().len() as i64);
        let staging = fs::read_dir(self.lake().join("_cdrlake/staging")).unwrap();
        assert_eq!(staging.count(), 0, "staging is not empty");
    }
}

/// The place of the column among those of the table.
const SOURCE_HASH: usize = 8;

/// The files below a directory of a lake, by their paths in the lake.
fn files(root: &Path, directory: &str) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, path);
            }
        }
    }
    found
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

/// A source by name and content.
#[derive(Clone)]
struct Source {
    name: String,
    content: Vec<u8>,
}

impl Source {
    /// Calls of October 2025, and every hundredth of the month before or after.
    fn new(seed: u64, records: u64) -> Self {
        let mut content = Vec::new();
        for (index, mut line) in Calls::new(seed, records).enumerate() {
            match index % 100 {
                50 => line[46..48].copy_from_slice(b"09"),
                99 => line[46..48].copy_from_slice(b"11"),
                _ => {}
            }
            content.extend_from_slice(&line);
        }
        Self { name: format!("GB_ABC_10_{seed:04}_20251101090122.cdr"), content }
    }

    /// Each nth line cut short.
    fn damaged(mut self, nth: usize) -> Self {
        let lines = self.content.chunks(229).enumerate();
        let lines = lines.map(|(index, line)| if index % nth == 0 { &line[100..] } else { line });
        self.content = lines.flatten().copied().collect();
        self
    }

    fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    fn rows(&self) -> Vec<Row> {
        let options = SourceOptions {
            metadata: parse_file_name(&self.name, None),
            ..SourceOptions::new(&self.name)
        };
        let mut rows = reference::decode(&self.content, &options).rows;
        rows.iter_mut().for_each(|row| row[SOURCE_HASH] = None);
        rows
    }
}

fn statuses(report: &Report) -> Vec<Status> {
    report.sources.iter().map(|source| source.status).collect()
}
