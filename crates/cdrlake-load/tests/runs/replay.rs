//! Rejects files fed back: what was rejected joins what was loaded, once, and under its own name.

mod files;
mod lines;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use cdrlake_core::reference::{self, Row, batch_rows};
use cdrlake_core::{RAW_LIMIT, SourceOptions, Strictness, parse_file_name, source_hash};
use cdrlake_generate::frozen::Calls;
use cdrlake_load::{
    ConvertOptions, Input, LoadError, LoadOptions, Overwrite, Report, Status, convert,
};
use parquet::arrow::ArrowWriter;

use super::BLOCK_LEN;
use super::tables::{edit, read, rewrite};

/// A directory, and conversions in it.
struct Lab {
    directory: tempfile::TempDir,
    threads: usize,
    strictness: Strictness,
}

impl Lab {
    fn new() -> Self {
        let strictness = Strictness::Lenient;
        Self { directory: tempfile::tempdir().unwrap(), threads: 2, strictness }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn convert(&self, inputs: Vec<Input>, output: &str) -> Report {
        self.try_convert(inputs, output).unwrap()
    }

    fn try_convert(&self, inputs: Vec<Input>, output: &str) -> Result<Report, LoadError> {
        let mut load = LoadOptions::new(inputs);
        load.sizes.block_len = BLOCK_LEN;
        load.strictness = self.strictness;
        load.threads = std::num::NonZero::new(self.threads);
        convert(&ConvertOptions {
            compression: cdrlake_parquet::Compression::None,
            overwrite: Overwrite::Replace,
            ..ConvertOptions::new(load, self.path(output))
        })
    }

    fn replay(&self, rejects: &[&str], output: &str) -> Report {
        let inputs = rejects.iter().map(|name| Input::Rejects(self.path(name)));
        self.convert(inputs.collect(), output)
    }

    fn rows(&self, name: &str) -> Vec<Row> {
        read(&self.path(name)).iter().flat_map(batch_rows).collect()
    }

    fn edit(&self, from: &str, to: &str, by: impl Fn(i64, &[u8]) -> Option<Vec<u8>>) {
        edit(&self.path(from), &self.path(to), by);
    }

    fn rewrite(&self, from: &str, to: &str, by: impl Fn(&RecordBatch) -> (&'static str, ArrayRef)) {
        rewrite(&self.path(from), &self.path(to), by);
    }
}

/// A file of calls whose every `nth` line lost its last bytes, and what it was before.
struct Damaged {
    name: String,
    sound: Vec<u8>,
    nth: usize,
    /// The value of `source_hash` of what is damaged.
    hash: [u8; 16],
}

impl Damaged {
    fn write(lab: &Lab, seed: u64, records: u64, nth: usize) -> Self {
        let name = format!("GB_ABC_10_{seed:04}_20251101090122.cdr");
        let sound: Vec<u8> = Calls::new(seed, records).flatten().collect();
        let mut damaged = Vec::new();
        for (index, line) in sound.split_inclusive(|&byte| byte == b'\n').enumerate() {
            damaged.extend_from_slice(if index % nth == 0 { &line[..200] } else { line });
            if index % nth == 0 {
                damaged.push(b'\n');
            }
        }
        let hash = source_hash(&blake3::hash(&damaged));
        fs::write(lab.path(&name), damaged).unwrap();
        Self { name, sound, nth, hash }
    }

    /// The rows that it would have without the damage.
    fn rows(&self) -> Vec<Row> {
        let metadata = parse_file_name(&self.name, None);
        let source_hash = self.hash;
        let options = SourceOptions { source_hash, metadata, ..SourceOptions::new(&self.name) };
        reference::decode(&self.sound, &options).rows
    }

    /// Its line of this number, before the damage.
    fn line(&self, number: i64) -> Vec<u8> {
        let start = (number - 1) as usize * 229;
        self.sound[start..start + 228].to_vec()
    }

    fn rejected(&self) -> usize {
        self.rows().len().div_ceil(self.nth)
    }
}

fn path_input(path: &Path) -> Input {
    Input::Path(path.to_owned())
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}
