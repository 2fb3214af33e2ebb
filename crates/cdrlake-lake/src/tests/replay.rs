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
use cdrlake_core::{SourceOptions, Strictness, parse_file_name};
use parquet::arrow::ArrowWriter;

use super::{BLOCK_LEN, read};
use crate::{ConvertOptions, Input, LakeError, LoadOptions, Overwrite, Report, Status, convert};

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

    fn try_convert(&self, inputs: Vec<Input>, output: &str) -> Result<Report, LakeError> {
        let mut load = LoadOptions::new(inputs);
        load.block_len = BLOCK_LEN;
        load.strictness = self.strictness;
        load.threads = std::num::NonZero::new(self.threads);
        convert(&ConvertOptions {
            load,
            output: self.path(output),
            rejects: None,
            compression: crate::Compression::None,
            overwrite: Overwrite::Replace,
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

/// Writes a rejects file anew, with each `raw` as `by` returns it, given the line's number.
pub(crate) fn edit(from: &Path, to: &Path, by: impl Fn(i64, &[u8]) -> Option<Vec<u8>>) {
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
            let hash = blake3::hash(&fs::read(lab.path(&file.name)).unwrap());
            assert_eq!(report.sources[0].content_hash, Some(hash));
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
    fs::create_dir(lab.path("rejects")).unwrap();
    fs::copy(lab.path("all.parquet"), lab.path("rejects/a.parquet")).unwrap();
    fs::copy(lab.path("all.parquet"), lab.path("rejects/b.parquet")).unwrap();
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
        ("loaded.parquet", "there is no column byte_offset, but column byte_offset of type int64"),
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

/// What is read is never written over, nor removed as stale, though it is found in a directory.
#[test]
fn a_rejects_file_that_the_run_would_write_stops_it() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 9, 20, 3);
    fs::create_dir(lab.path("all")).unwrap();
    lab.convert(vec![path_input(&lab.path(&file.name))], "all/loaded.parquet");
    let before = fs::read(lab.path("all/loaded.rejects.parquet")).unwrap();
    lab.edit("all/loaded.rejects.parquet", "all/fixed.parquet", |n, _| Some(file.line(n)));
    // As the output, and as its rejects file, stale since nothing is rejected any more.
    for output in ["all/fixed.parquet", "all/loaded.parquet"] {
        let result = lab.try_convert(vec![Input::Rejects(lab.path("all"))], output);
        assert!(matches!(result, Err(LakeError::OutputIsInput(_))), "{output}: {result:?}");
        assert!(fs::read(lab.path("all/loaded.rejects.parquet")).unwrap() == before);
    }
}

/// A file of one sound record and one last line, and what the reference says of it.
fn with_last_line(last: &[u8], strictness: Strictness) -> (Vec<u8>, reference::Decoded) {
    let content: Vec<u8> = Calls::new(10, 1).flatten().chain(last.iter().copied()).collect();
    let options = SourceOptions {
        metadata: parse_file_name(LAST_LINE, None),
        strictness,
        ..SourceOptions::new(LAST_LINE)
    };
    let decoded = reference::decode(&content, &options);
    (content, decoded)
}

const LAST_LINE: &str = "GB_ABC_10_0001_20251101090122.cdr";

/// A line that nobody has edited gets the verdict it had, however it ended.
#[test]
fn an_unedited_line_gets_the_same_verdict() {
    let sound: Vec<u8> = Calls::new(11, 1).flatten().take(228).collect();
    let with = |range: std::ops::Range<usize>, byte: u8| {
        let mut line = sound.clone();
        line[range].fill(byte);
        line
    };
    let lines: [Vec<u8>; 9] = [
        Vec::new(),
        sound[..100].to_vec(),
        sound[..227].to_vec(),
        sound.clone(),
        with(42..50, b'9'),
        with(3..4, 0xFF),
        with(227..228, b' '),
        [&sound[..], &[b'x'; 64]].concat(),
        [&sound[..], b" \xFF"].concat(),
    ];
    let mut rejected = 0;
    for line in &lines {
        for tail in ["", "\r", "\x1A", "\r\x1A", "\x1A\r", "\x1A\x1A", "x"] {
            for line_feed in ["", "\n"] {
                for strictness in [Strictness::Lenient, Strictness::Strict] {
                    let last = [line, tail.as_bytes(), line_feed.as_bytes()].concat();
                    let (content, expected) = with_last_line(&last, strictness);
                    if expected.rejects.is_empty() {
                        continue;
                    }
                    rejected += 1;
                    let lab = Lab { threads: 1, strictness, ..Lab::new() };
                    fs::write(lab.path(LAST_LINE), content).unwrap();
                    lab.convert(vec![path_input(&lab.path(LAST_LINE))], "loaded.parquet");
                    let report = lab.replay(&["loaded.rejects.parquet"], "replayed.parquet");
                    let [reject] = &expected.rejects[..] else { panic!("more rejects than one") };
                    let codes: Vec<_> = report.totals.rejects.keys().collect();
                    let what = format!("{} bytes, {tail:?}, {line_feed:?}", line.len());
                    assert_eq!(report.totals.records_read, 1, "{what}");
                    // What was too long for its 0x1A may also be wrong for what stands at its end.
                    assert_eq!(codes, [reject.code.as_str()], "{what}");
                    let rejects =
                        [lab.rows("loaded.rejects.parquet"), lab.rows("replayed.rejects.parquet")];
                    assert_eq!(rejects[0], rejects[1], "{what}");
                }
            }
        }
    }
    assert!(rejected > 100, "{rejected}");
}

/// An edited last line is what it would have been, had it been sound when it was delivered.
#[test]
fn an_edited_last_line_ends_its_source() {
    for tail in ["\n", "\r\n", "", "\r", "\x1A", "\r\x1A"] {
        for strictness in [Strictness::Lenient, Strictness::Strict] {
            let sound: Vec<u8> = Calls::new(11, 1).flatten().take(228).collect();
            let mut wrong = sound.clone();
            wrong[42..50].fill(b'9');
            let fixed = [&sound[..], tail.as_bytes()].concat();
            let (_, expected) = with_last_line(&fixed, strictness);
            let (content, _) = with_last_line(&[&wrong[..], tail.as_bytes()].concat(), strictness);
            let lab = Lab { threads: 1, strictness, ..Lab::new() };
            fs::write(lab.path(LAST_LINE), content).unwrap();
            lab.convert(vec![path_input(&lab.path(LAST_LINE))], "loaded.parquet");
            let raw = fixed.strip_suffix(b"\n").unwrap_or(&fixed).to_vec();
            lab.edit("loaded.rejects.parquet", "edited.parquet", |_, _| Some(raw.clone()));
            let report = lab.replay(&["edited.parquet"], "replayed.parquet");
            // Without 0x1A nothing tells that there was no line feed.
            let is_told = tail.ends_with(['\n', '\x1A']);
            let rows: Vec<Row> = expected.rows.into_iter().skip(1).collect();
            if is_told {
                assert_eq!(lab.rows("replayed.parquet"), rows, "{tail:?}");
                let codes: Vec<_> =
                    expected.rejects.iter().map(|line| line.code.as_str()).collect();
                assert_eq!(report.totals.rejects.keys().collect::<Vec<_>>(), codes);
            } else if strictness == Strictness::Lenient {
                assert_eq!(lab.rows("replayed.parquet"), rows, "{tail:?}");
            }
            if strictness == Strictness::Lenient {
                let is_warned = report.totals.warnings.contains_key("missing_line_feed");
                assert_eq!(is_warned, tail.ends_with('\x1A'), "{tail:?}");
            }
        }
    }
}

/// A rejects file is taken as a whole: the lines before the one that is wrong do not stay, and may
/// come again.
#[test]
fn a_rejects_file_that_fails_in_the_middle_leaves_nothing() {
    for records in [20, 3000] {
        let lab = Lab::new();
        let files = [12, 13].map(|seed| Damaged::write(&lab, seed, records, 2));
        let inputs = files.iter().map(|file| path_input(&lab.path(&file.name)));
        lab.convert(inputs.collect(), "loaded.parquet");
        let fixed = |number: i64, raw: &[u8]| {
            let file = files.iter().find(|file| file.line(number).starts_with(raw)).unwrap();
            Some(file.line(number))
        };
        lab.edit("loaded.rejects.parquet", "fixed.parquet", fixed);
        let last = files[1].line(records as i64 - 1);
        lab.edit("loaded.rejects.parquet", "bad.parquet", |number, raw| {
            fixed(number, raw).map(|raw| if raw == last { b"two\nlines".to_vec() } else { raw })
        });
        let report = lab.replay(&["bad.parquet"], "nothing.parquet");
        assert!(report.outputs.is_empty() && !lab.path("nothing.parquet").exists());
        let codes: Vec<_> =
            report.sources.iter().map(|source| source.error_code.unwrap()).collect();
        assert_eq!(codes, ["archive_failed", "archive_failed", "damaged_rejects_file"]);
        assert_eq!(report.totals.records_read, 0);
        let report = lab.replay(&["bad.parquet", "fixed.parquet"], "replayed.parquet");
        assert_eq!((report.count(Status::Failed), report.count(Status::Loaded)), (3, 2));
        let rows = [lab.rows("loaded.parquet"), lab.rows("replayed.parquet")].concat();
        let expected = files.iter().flat_map(Damaged::rows).collect();
        assert!(sorted(rows) == sorted(expected), "{records}");
    }
}

/// Of two versions of a line nobody can say which is right.
#[test]
fn two_versions_of_a_line_fail_by_name() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 14, 20, 4);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    lab.edit("loaded.rejects.parquet", "fixed.parquet", |number, _| Some(file.line(number)));
    let report = lab.replay(&["fixed.parquet", "loaded.rejects.parquet"], "replayed.parquet");
    assert_eq!(report.totals.records_written, file.rejected() as u64);
    let failed = report.sources.last().unwrap();
    assert_eq!(failed.error_code, Some("conflicting_lines"));
    let message = format!("line 1 of {} comes in two versions", file.name);
    assert!(failed.error.as_ref().unwrap().contains(&message), "{:?}", failed.error);
    // In one file: lines 1 and 5 under one number.
    let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 1, 9, 13, 17]));
    lab.rewrite("fixed.parquet", "twice.parquet", |_| ("record_number", numbers.clone()));
    let report = lab.replay(&["twice.parquet"], "twice.out.parquet");
    assert_eq!(report.sources.last().unwrap().error_code, Some("conflicting_lines"));
    assert!(report.outputs.is_empty());
}

/// However its rows are sorted, a rejects file has a source's lines in one report.
#[test]
fn sources_that_alternate_are_reported_once_each() {
    for records in [40, 4000] {
        let lab = Lab::new();
        let files = [15, 16].map(|seed| Damaged::write(&lab, seed, records, 2));
        let inputs = files.iter().map(|file| path_input(&lab.path(&file.name)));
        lab.convert(inputs.collect(), "loaded.parquet");
        lab.edit("loaded.rejects.parquet", "fixed.parquet", |number, raw| {
            let file = files.iter().find(|file| file.line(number).starts_with(raw)).unwrap();
            Some(file.line(number))
        });
        let batches = read(&lab.path("fixed.parquet"));
        let batch = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap();
        // A line of the one, a line of the other, and the first once more.
        let half = records / 2;
        let order = (0..half).flat_map(|n| [n, half + n]).chain([0]);
        let order = arrow_array::UInt64Array::from_iter_values(order);
        let batch = arrow_select::take::take_record_batch(&batch, &order).unwrap();
        let file = File::create(lab.path("mixed.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let report = lab.replay(&["mixed.parquet", "mixed.parquet"], "replayed.parquet");
        let rows = lab.rows("replayed.parquet");
        let written = |source: &crate::SourceReport| source.tally.records_written;
        let counts: Vec<_> = report.sources.iter().map(|s| (s.status, written(s))).collect();
        let expected = [
            (Status::Loaded, half),
            (Status::Loaded, half),
            (Status::Skipped, 0),
            (Status::Skipped, 0),
        ];
        assert_eq!(counts, expected[..].to_vec(), "{records}");
        assert_eq!((report.totals.records_duplicate, rows.len() as u64), (1, 2 * half));
        assert_eq!(report.totals.records_read, 2 * half + 1);
    }
}

/// Other tools write other types, and leave out what is null.
#[test]
fn columns_of_other_types_are_read_if_they_hold_the_same() {
    use arrow_array::{Int16Array, Int32Array, NullArray, StringArray};
    let lab = Lab::new();
    let file = Damaged::write(&lab, 17, 20, 4);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    lab.edit("loaded.rejects.parquet", "fixed.parquet", |number, _| Some(file.line(number)));
    let rows = |name: &str| {
        let report = lab.replay(&[name], "replayed.parquet");
        assert_eq!(report.count(Status::Failed), 0, "{name}: {:?}", report.sources);
        lab.rows("replayed.parquet")
    };
    let expected = rows("fixed.parquet");
    assert_eq!(expected.len(), 5);
    let numbers = [1, 5, 9, 13, 17];
    let raws = numbers.map(|number| String::from_utf8(file.line(number)).unwrap());
    let columns: [(&str, ArrayRef); 5] = [
        ("record_number", Arc::new(Int32Array::from(numbers.map(|n| n as i32).to_vec()))),
        ("record_number", Arc::new(Int16Array::from(numbers.map(|n| n as i16).to_vec()))),
        ("raw", Arc::new(StringArray::from(raws.to_vec()))),
        ("raw_length", Arc::new(NullArray::new(5))),
        ("code", Arc::new(NullArray::new(5))),
    ];
    for (name, column) in columns {
        lab.rewrite("fixed.parquet", "other.parquet", |_| (name, column.clone()));
        assert_eq!(rows("other.parquet"), expected, "{name}");
    }
    let batches = read(&lab.path("fixed.parquet"));
    let schema = batches[0].schema();
    let needed = ["source_file", "record_number", "byte_offset", "raw", "source_hash"];
    let needed: Vec<_> = needed.iter().map(|name| schema.index_of(name).unwrap()).collect();
    let batch = batches[0].project(&needed).unwrap();
    for compression in [
        parquet::basic::Compression::GZIP(Default::default()),
        parquet::basic::Compression::LZ4_RAW,
    ] {
        let file = File::create(lab.path("few.parquet")).unwrap();
        let properties = parquet::file::properties::WriterProperties::builder();
        let properties = properties.set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert_eq!(rows("few.parquet"), expected);
    }
    let floats: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![1.0; 5]));
    lab.rewrite("fixed.parquet", "wrong.parquet", |_| ("record_number", floats.clone()));
    let report = lab.replay(&["wrong.parquet"], "wrong.out.parquet");
    let message = "column record_number is of type Float64, but column record_number of type int64";
    assert!(report.sources[0].error.as_ref().unwrap().contains(message), "{:?}", report.sources);
}

#[test]
fn what_was_known_of_a_source_is_checked() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 18, 2, 2);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    for (name, value) in
        [("profile", "TOOLONG"), ("profile", "A\u{1}"), ("product_identifier", "123")]
    {
        let column: ArrayRef = Arc::new(arrow_array::StringArray::from(vec![value]));
        lab.rewrite("loaded.rejects.parquet", "wrong.parquet", |_| (name, column.clone()));
        let report = lab.replay(&["wrong.parquet"], "out.parquet");
        let message = report.sources[0].error.as_ref().unwrap();
        assert!(message.contains(&format!("row 1: {name} is not 1")), "{message}");
    }
}

/// Of a directory the hidden, the directories and the tables of calls are left out; what keeps
/// whoever opens it waiting is refused.
#[test]
fn a_directory_of_rejects_files() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 19, 8, 4);
    fs::create_dir_all(lab.path("all/directory.parquet")).unwrap();
    lab.convert(vec![path_input(&lab.path(&file.name))], "all/calls.parquet");
    fs::write(lab.path("all/.hidden.parquet"), "not whole yet").unwrap();
    let report = lab.replay(&["all"], "replayed.parquet");
    let sources: Vec<_> =
        report.sources.iter().map(|source| (&source.source, source.status)).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources[0].0.contains("calls.rejects.parquet!"), "{sources:?}");
    assert_eq!(report.empty_inputs, [lab.path("all/calls.parquet").display().to_string()]);
    let fifo = lab.path("fifo.parquet");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let report = lab.replay(&["fifo.parquet"], "fifo.out.parquet");
    assert_eq!(report.sources[0].error_code, Some("special_file"));
}
