//! What stands in a lake and in its files, in lakes of this version and of the version before.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use assert_cmd::Command;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

const LEN: usize = 229;

struct Lab(TempDir);

impl Lab {
    /// An inbox of three deliveries of two months, one with a rejected line, and one small file of another name.
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        fs::create_dir(lab.path("in")).unwrap();
        for (number, day) in [(1, "2025-09-30"), (2, "2025-10-01"), (3, "2025-10-02")] {
            let stamp = format!("{}170151", day.replace('-', ""));
            let name = format!("in/GB_ABC_10_{number:04}_{stamp}.cdr");
            lab.expect(
                0,
                &format!("generate -q --seed {number} --records 40 --from {day} -o {name}"),
            );
        }
        let mut damaged = fs::read(lab.path("in/GB_ABC_10_0003_20251002170151.cdr")).unwrap();
        damaged[3 * LEN + 45] = b'x';
        fs::write(lab.path("in/GB_ABC_10_0003_20251002170151.cdr"), damaged).unwrap();
        lab.expect(0, "generate -q --seed 4 --records 7 --from 2025-10-01 -o in/calls.cdr");
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn expect(&self, status: i32, arguments: &str) -> String {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        command.current_dir(self.0.path()).args(arguments.split(' '));
        let output = command.output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments}: {said}");
        said
    }

    /// The files below a directory, by their paths.
    fn files(&self, directory: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut directories = vec![self.path(directory)];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let path = path.strip_prefix(self.0.path()).unwrap();
                    found.insert(path.to_str().unwrap().to_owned());
                }
            }
        }
        found
    }

    /// BLAKE3 of each file of the inbox, by its name.
    fn hashes(&self) -> BTreeMap<String, blake3::Hash> {
        let files = self.files("in").into_iter();
        files
            .map(|path| {
                let content = fs::read(self.path(&path)).unwrap();
                (path.strip_prefix("in/").unwrap().to_owned(), blake3::hash(&content))
            })
            .collect()
    }

    /// Each row's source tells its hash, in its column and in the metadata of its file.
    fn check_provenance(&self, path: &str, run: Option<&str>) -> usize {
        let hashes = self.hashes();
        let file = fs::File::open(self.path(path)).unwrap();
        let reader = SerializedFileReader::new(file).unwrap();
        let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
        let told: BTreeMap<&str, &str> =
            metadata.iter().map(|kv| (kv.key.as_str(), kv.value.as_deref().unwrap())).collect();
        assert_eq!(told.get("cdrlake.run").copied(), run, "{path}");
        let sources: serde_json::Value = serde_json::from_str(told["cdrlake.sources"]).unwrap();
        let mut of_row = BTreeMap::new();
        for source in sources.as_array().unwrap() {
            let name = source["name"].as_str().unwrap();
            assert_eq!(source["hash"], hashes[name].to_hex().as_str(), "{path}: {name}");
            for run in source["rows"].as_array().unwrap() {
                let [first, rows] = [0, 1].map(|at| run[at].as_u64().unwrap());
                of_row.extend((first..first + rows).map(|row| (row as usize, name)));
            }
        }
        let mut row = 0;
        for batch in batches(&self.path(path)) {
            let [names, found] =
                ["source_file", "source_hash"].map(|name| batch.column_by_name(name).unwrap());
            for (name, hash) in names.as_string::<i32>().iter().zip(found.as_binary::<i32>()) {
                assert_eq!(of_row.get(&row).copied(), name, "{path}, row {row}");
                assert_eq!(
                    hash,
                    Some(&hashes[name.unwrap()].as_bytes()[..16]),
                    "{path}, row {row}"
                );
                row += 1;
            }
        }
        assert_eq!(of_row.len(), row, "{path}");
        row
    }
}

fn batches(path: &Path) -> Vec<RecordBatch> {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

fn columns(path: &Path) -> Vec<String> {
    let file = fs::File::open(path).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    builder
        .schema()
        .fields()
        .iter()
        .map(|field| format!("{} {}", field.name(), field.data_type()))
        .collect()
}

/// A glob over the whole lake counts calls; whoever reads a file can tell whose its rows are, whatever was
/// done to the lake.
#[test]
fn only_calls_are_parquet_files_and_they_tell_their_sources() {
    let lab = Lab::new();
    lab.expect(3, "convert in -o L");
    let parquet = |lab: &Lab| -> Vec<String> {
        lab.files("L").into_iter().filter(|path| path.ends_with(".parquet")).collect()
    };
    let others: Vec<String> =
        lab.files("L").into_iter().filter(|path| path.ends_with(".pq")).collect();
    assert!(others[0].starts_with("L/_cdrlake/rejects/000001-"), "{others:?}");
    assert_eq!(others[1..], ["L/_cdrlake/sources/sources.pq"]);
    assert_eq!(batches(&lab.path(&others[0]))[0].num_rows(), 1);
    let rows = |lab: &Lab, run: &str| -> usize {
        let of_run =
            |path: &&String| path.rsplit_once('/').unwrap().1.starts_with(&format!("{run:0>6}-"));
        parquet(lab).iter().filter(of_run).map(|path| lab.check_provenance(path, Some(run))).sum()
    };
    assert_eq!(rows(&lab, "1"), 40 + 40 + 39 + 7);
    // What is written anew without some rows tells of the others.
    lab.expect(0, "unload L calls.cdr");
    assert_eq!(rows(&lab, "1") + rows(&lab, "2"), 40 + 40 + 39);
    assert!(rows(&lab, "2") > 0);
    lab.expect(0, "convert in/GB_ABC_10_0002_20251001170151.cdr -o L --replace --strict");
    assert_eq!(rows(&lab, "1") + rows(&lab, "2") + rows(&lab, "3"), 40 + 40 + 39);
    lab.expect(3, "audit L --today 2025-10-03");
    // The same bytes whatever the number of threads.
    for threads in ["1", "3"] {
        let lake = format!("T{threads}");
        lab.expect(3, &format!("convert in -o {lake} --threads {threads}"));
    }
    let calls = |lake: &str| -> Vec<Vec<u8>> {
        let files = lab.files(&format!("{lake}/calls")).into_iter();
        files.map(|path| fs::read(lab.path(&path)).unwrap()).collect()
    };
    assert!(calls("T1") == calls("T3") && calls("T1").len() == 2);
    // And one file.
    lab.expect(3, "convert in -o one.parquet");
    assert_eq!(lab.check_provenance("one.parquet", None), 40 + 40 + 39 + 7);
    assert!(lab.path("one.rejects.parquet").exists());
    lab.expect(
        3,
        "convert in -o some.parquet --overwrite --columns source_file,duration,record_number",
    );
    let columns = columns(&lab.path("some.parquet"));
    assert_eq!(columns, ["source_file Utf8", "record_number Int64", "duration Decimal128(8, 1)"]);
}

/// A source of more than a block, whose hash is known when most of its rows are written.
#[test]
fn a_large_source_tells_its_hash_in_every_file() {
    let lab = Lab(tempfile::tempdir().unwrap());
    fs::create_dir(lab.path("in")).unwrap();
    lab.expect(0, "generate -q --records 200000 --from 2025-09-20 --days 30 -o in/large.cdr");
    lab.expect(0, "generate -q --seed 2 --records 5 --from 2025-10-01 -o in/small.cdr");
    lab.expect(0, "convert in -o L --country GB --partition-by call_date --target-file-size 64KiB");
    let files = lab.files("L/calls");
    let rows: usize = files.iter().map(|path| lab.check_provenance(path, Some("1"))).sum();
    assert!(files.len() > 20 && rows == 200_005, "{} files, {rows} rows", files.len());
    lab.expect(0, "convert in -o one.parquet --country GB");
    assert_eq!(lab.check_provenance("one.parquet", None), 200_005);
}

/// Lakes of the version before keep their table and their layout.
#[test]
fn a_lake_of_the_version_before_keeps_its_format() {
    let lab = Lab::new();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lakes/ledger-2/lake");
    let mut directories = vec![(old, lab.path("L"))];
    while let Some((from, to)) = directories.pop() {
        fs::create_dir_all(&to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let to = to.join(entry.file_name());
            match entry.path().is_dir() {
                true => directories.push((entry.path(), to)),
                false => drop(fs::copy(entry.path(), to).unwrap()),
            }
        }
    }
    let before = lab.files("L/calls");
    let of_before = columns(&lab.path(before.first().unwrap()));
    assert!(!of_before.iter().any(|column| column.starts_with("source_hash")));
    lab.expect(3, "convert in -o L --on-changed both");
    let after = lab.files("L/calls");
    assert!(after.len() > before.len());
    for path in &after {
        assert_eq!(columns(&lab.path(path)), of_before, "{path}");
    }
    let added: Vec<&String> = after.difference(&before).collect();
    let bands = added.iter().flat_map(|path| batches(&lab.path(path)));
    let bands = bands.map(|batch| batch.column_by_name("charge_band").unwrap().null_count());
    assert!(bands.sum::<usize>() < 126, "no row has a charge band");
    assert!(lab.path("L/sources.parquet").exists() && !lab.path("L/_cdrlake/sources").exists());
    assert!(!lab.path("L/_cdrlake/rejects").exists());
    assert!(
        lab.files("L/rejects")
            .iter()
            .any(|path| path.contains("/00000") && path.ends_with(".parquet"))
    );
    lab.expect(0, "unload L calls.cdr");
    lab.expect(3, "convert -o R.parquet --replay L/rejects");
    for path in lab.files("L/calls") {
        assert_eq!(columns(&lab.path(&path)), of_before, "{path}");
    }
}
