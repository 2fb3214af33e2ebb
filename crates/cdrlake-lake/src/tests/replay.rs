//! Rejects files fed back: what was rejected joins what was loaded, once, and under its own name.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, LargeBinaryArray, RecordBatch};
use arrow_schema::{Field, Schema};
use cdrlake_core::RAW_LIMIT;
use cdrlake_core::reference::{self, Row, batch_rows};
use cdrlake_core::synthetic::Calls;
use cdrlake_core::{SourceOptions, parse_file_name};
use parquet::arrow::ArrowWriter;

use super::{BLOCK_LEN, read};
use crate::{ConvertOptions, Input, LoadOptions, Overwrite, Report, Status, convert};

/// A directory, and conversions in it.
struct Lab {
    directory: tempfile::TempDir,
    threads: usize,
}

impl Lab {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), threads: 2 }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn convert(&self, inputs: Vec<Input>, output: &str) -> Report {
        let mut load = LoadOptions::new(inputs);
        load.block_len = BLOCK_LEN;
        load.threads = std::num::NonZero::new(self.threads);
        convert(&ConvertOptions {
            load,
            output: self.path(output),
            rejects: None,
            compression: crate::Compression::None,
            overwrite: Overwrite::Replace,
        })
        .unwrap()
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

/// Writes a rejects file anew, with each `raw` as `by` returns it, given the line's number.
pub(super) fn edit(from: &Path, to: &Path, by: impl Fn(i64, &[u8]) -> Option<Vec<u8>>) {
    rewrite(from, to, |batch| {
        let numbers = batch.column_by_name("record_number").unwrap();
        let numbers = numbers.as_primitive::<arrow_array::types::Int64Type>().values();
        let raw = batch.column_by_name("raw").unwrap().as_binary::<i32>().iter();
        let raw = raw.zip(numbers).map(|(raw, &number)| by(number, raw.unwrap()));
        // As other tools write it.
        let raw: LargeBinaryArray = raw.collect();
        ("raw", Arc::new(raw))
    });
}

/// Writes a rejects file anew, with one column as `by` returns it.
fn rewrite(from: &Path, to: &Path, by: impl Fn(&RecordBatch) -> (&'static str, ArrayRef)) {
    let mut writer: Option<ArrowWriter<File>> = None;
    for batch in read(from) {
        let (name, array) = by(&batch);
        let index = batch.schema().index_of(name).unwrap();
        let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
        fields[index] = Arc::new(Field::new(name, array.data_type().clone(), true));
        let mut columns = batch.columns().to_vec();
        columns[index] = array;
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let writer = writer.get_or_insert_with(|| {
            ArrowWriter::try_new(File::create(to).unwrap(), batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
}

/// A file of calls whose every `nth` line lost its last bytes, and what it was before.
struct Damaged {
    name: String,
    sound: Vec<u8>,
    nth: usize,
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
        fs::write(lab.path(&name), damaged).unwrap();
        Self { name, sound, nth }
    }

    /// The rows that it would have without the damage.
    fn rows(&self) -> Vec<Row> {
        let metadata = parse_file_name(&self.name, None);
        let options = SourceOptions { metadata, ..SourceOptions::new(&self.name) };
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

/// However few or many lines, whatever the threads: loaded and replayed rows together are those of
/// the sound file, every column of them.
#[test]
fn edited_lines_join_those_that_were_loaded() {
    for (records, nth) in [(10, 3), (5000, 2), (5000, 999)] {
        let mut first = None;
        for threads in [1, 2, 5] {
            let lab = Lab { threads, ..Lab::new() };
            let file = Damaged::write(&lab, 1, records, nth);
            lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
            lab.edit("loaded.rejects.parquet", "edited.parquet", |number, _| {
                Some(file.line(number))
            });
            let report = lab.replay(&["edited.parquet"], "replayed.parquet");
            assert_eq!(report.totals.records_written, file.rejected() as u64);
            assert_eq!(report.totals.records_read, file.rejected() as u64);
            let hash = blake3::hash(&fs::read(lab.path(&file.name)).unwrap()).to_string();
            assert_eq!(report.sources[0].content_hash.as_ref(), Some(&hash));
            let rows = [lab.rows("loaded.parquet"), lab.rows("replayed.parquet")].concat();
            assert!(sorted(rows) == sorted(file.rows()), "{records} records, {threads} threads");
            let bytes = fs::read(lab.path("replayed.parquet")).unwrap();
            assert!(*first.get_or_insert_with(|| bytes.clone()) == bytes, "{threads} threads");
        }
    }
}

/// Without a fix nothing is gained and nothing lost: the same lines are rejected again.
#[test]
fn lines_that_are_still_wrong_are_rejected_again() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 2, 3000, 4);
    let mut content = fs::read(lab.path(&file.name)).unwrap();
    // A line longer than the column holds, in the middle and at the end.
    content.splice(229 * 4..229 * 4, vec![b'7'; 3 * RAW_LIMIT]);
    content.resize(content.len() + 2 * RAW_LIMIT, b'7');
    fs::write(lab.path(&file.name), content).unwrap();
    let loaded = lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    let report = lab.replay(&["loaded.rejects.parquet"], "replayed.parquet");
    assert_eq!(report.totals.rejects, loaded.totals.rejects);
    assert_eq!(report.totals.rejects["long_record"], 2);
    assert_eq!(report.totals.records_written, 0);
    assert_eq!(lab.rows("replayed.rejects.parquet"), lab.rows("loaded.rejects.parquet"));
}

#[test]
fn a_line_is_replayed_once_however_often_it_is_given() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 3, 2000, 4);
    let other = Damaged::write(&lab, 4, 30, 4);
    let inputs = [&file, &other].map(|file| path_input(&lab.path(&file.name)));
    lab.convert(inputs.to_vec(), "loaded.parquet");
    let of_both = |number: i64, raw: &[u8]| {
        let is_of = |file: &&&Damaged| {
            file.sound.len() >= number as usize * 229 && file.line(number).starts_with(raw)
        };
        [&file, &other].iter().find(is_of).map(|file| file.line(number))
    };
    lab.edit("loaded.rejects.parquet", "all.parquet", of_both);
    // Of some lines there is another copy that is not edited.
    fs::create_dir(lab.path("rejects")).unwrap();
    fs::copy(lab.path("all.parquet"), lab.path("rejects/a.parquet")).unwrap();
    fs::copy(lab.path("loaded.rejects.parquet"), lab.path("rejects/b.parquet")).unwrap();
    fs::write(lab.path("rejects/README"), "no rejects").unwrap();
    let report = lab.replay(&["all.parquet", "rejects", "all.parquet"], "replayed.parquet");
    let expected = file.rejected() + other.rejected();
    assert_eq!(report.totals.records_written, expected as u64);
    assert_eq!(report.count(Status::Loaded), 2);
    assert_eq!(report.count(Status::Skipped), 6);
    let rows = [lab.rows("loaded.parquet"), lab.rows("replayed.parquet")].concat();
    assert!(sorted(rows) == sorted([file.rows(), other.rows()].concat()));
}

/// A line that stands twice in one file, first wrong and then right, is the first; the second is
/// counted.
#[test]
fn a_copy_in_the_same_file_is_counted_as_a_duplicate() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 5, 12, 4);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 5, 1]));
    lab.rewrite("loaded.rejects.parquet", "twice.parquet", |_| ("record_number", numbers.clone()));
    lab.edit("twice.parquet", "edited.parquet", |number, _| Some(file.line(number)));
    let totals = lab.replay(&["edited.parquet"], "replayed.parquet").totals;
    assert_eq!((totals.records_read, totals.records_written, totals.records_duplicate), (3, 2, 1));
}

/// What was known of a source can be mended, too.
#[test]
fn a_country_given_later_normalizes_numbers() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 6, 10, 2);
    fs::rename(lab.path(&file.name), lab.path("calls.cdr")).unwrap();
    lab.convert(vec![path_input(&lab.path("calls.cdr"))], "loaded.parquet");
    lab.edit("loaded.rejects.parquet", "edited.parquet", |number, _| Some(file.line(number)));
    let country: ArrayRef = Arc::new(arrow_array::StringArray::from(vec!["GB"; 5]));
    lab.rewrite("edited.parquet", "mended.parquet", |_| ("country", country.clone()));
    for (rejects, is_known) in [("edited.parquet", false), ("mended.parquet", true)] {
        let report = lab.replay(&[rejects], "replayed.parquet");
        assert_eq!(report.totals.warnings.contains_key("unknown_country"), !is_known);
        let column = cdrlake_core::schema().index_of("origin_e164").unwrap();
        let rows = lab.rows("replayed.parquet");
        assert!(rows.len() == 5 && rows.iter().all(|row| row[column].is_some() == is_known));
    }
}

/// A rejects file that is damaged, or none, fails by name, and takes nothing with it.
#[test]
fn a_damaged_rejects_file_fails_alone() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 7, 2000, 2);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    let sound = |number: i64, _: &[u8]| Some(file.line(number));
    lab.edit("loaded.rejects.parquet", "sound.parquet", sound);
    let other = Damaged::write(&lab, 8, 300, 3);
    lab.convert(vec![path_input(&lab.path(&other.name))], "other.parquet");
    let edit = |number: i64, last: Option<&[u8]>| -> Option<Vec<u8>> {
        if number < 1999 { Some(file.line(number)) } else { last.map(<[u8]>::to_vec) }
    };
    lab.edit("loaded.rejects.parquet", "bad.parquet", |n, _| edit(n, Some(b"two\nlines")));
    lab.edit("loaded.rejects.parquet", "null.parquet", |n, _| edit(n, None));
    let hash: ArrayRef = Arc::new(arrow_array::StringArray::from(vec!["none"; 1000]));
    lab.rewrite("loaded.rejects.parquet", "hash.parquet", |_| ("source_hash", hash.clone()));
    let number: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![0; 1000]));
    lab.rewrite("loaded.rejects.parquet", "number.parquet", |_| ("record_number", number.clone()));
    let mut cut = fs::read(lab.path("sound.parquet")).unwrap();
    cut.truncate(cut.len() - 1);
    fs::write(lab.path("cut.parquet"), cut).unwrap();
    for (name, message) in [
        ("bad.parquet", "row 1000: raw holds a line feed"),
        ("null.parquet", "row 1000: raw is null"),
        ("hash.parquet", "row 1: source_hash is not 64 hexadecimal digits"),
        ("number.parquet", "row 1: record_number is not a number from 1 on"),
        ("cut.parquet", "cannot be read as a rejects file"),
        ("loaded.parquet", "there is no column byte_offset"),
        ("missing.parquet", "cannot be opened"),
    ] {
        let report = lab.replay(&["other.rejects.parquet", name, "sound.parquet"], "out.parquet");
        let failed: Vec<_> = report.sources.iter().filter(|s| s.status == Status::Failed).collect();
        let last = failed.last().unwrap();
        assert!(last.source.ends_with(name), "{name}: {}", last.source);
        assert!(last.error.as_ref().unwrap().contains(message), "{name}: {:?}", last.error);
        // The others are loaded, and nothing of the failed one.
        assert_eq!(report.totals.records_written, file.rejected() as u64, "{name}");
        assert_eq!(report.totals.records_rejected, other.rejected() as u64, "{name}");
        assert_eq!(lab.rows("out.parquet").len(), file.rejected(), "{name}");
    }
}
