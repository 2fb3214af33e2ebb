//! Whole runs with small blocks, so that sources are cut, gathered and taken back at every place;
//! what comes out is compared with what the reference decoder says of each source.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod archives;
mod progress;
mod reading;
mod replay;
mod select;
#[path = "../common/tables.rs"]
mod tables;

use std::fs::{self, File};
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use cdrlake_core::reference::{self, Row, batch_rows};
use cdrlake_core::{SourceOptions, parse_file_name, source_hash};
use cdrlake_generate::frozen::Calls;
use cdrlake_load::{ConvertOptions, Input, LoadOptions, MaxRejects, Report, Status, convert};
use flate2::Compression as Level;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use tables::read;

/// A block of about 573 records.
const BLOCK_LEN: usize = 128 << 10;

/// What becomes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Sound,
    /// One line in a hundred is short.
    Damaged,
    /// Every second line is short: too many for `--max-rejects 10%`.
    Rotten,
    /// A gzip that ends early.
    Cut,
    /// No CDR file.
    Foreign,
    /// One line of a megabyte in the middle.
    Giant,
}

struct Inputs {
    directory: tempfile::TempDir,
    /// In the order in which they are loaded; with decompressed content.
    files: Vec<(PathBuf, Kind, Vec<u8>)>,
}

impl Inputs {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap(), files: Vec::new() }
    }

    fn add(&mut self, kind: Kind, records: u64) -> &mut Self {
        let number = self.files.len() as u64;
        let mut content: Vec<u8> = Vec::new();
        for (index, line) in Calls::new(number, records).enumerate() {
            let is_short = match kind {
                Kind::Damaged => index % 100 == 50,
                Kind::Rotten => index % 2 == 0,
                Kind::Foreign => true,
                _ => false,
            };
            content.extend_from_slice(if is_short { &line[100..] } else { &line });
            if kind == Kind::Giant && index as u64 == records / 2 {
                content.resize(content.len() + (1 << 20), b'7');
                content.push(b'\n');
            }
        }
        let extension = if kind == Kind::Cut { ".gz" } else { "" };
        let name = format!("GB_ABC_10_{number:04}_20251101090122.cdr{extension}");
        let path = self.directory.path().join(name);
        if kind == Kind::Cut {
            let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
            encoder.write_all(&content).unwrap();
            let compressed = encoder.finish().unwrap();
            fs::write(&path, &compressed[..compressed.len() - 9]).unwrap();
        } else {
            fs::write(&path, &content).unwrap();
        }
        self.files.push((path, kind, content));
        self
    }

    fn options(&self, output: &str, threads: usize) -> ConvertOptions {
        let mut load = LoadOptions::new(vec![Input::Path(self.directory.path().to_owned())]);
        load.max_rejects = Some(MaxRejects::PerMillion(100_000));
        load.threads = NonZero::new(threads);
        load.sizes.block_len = BLOCK_LEN;
        ConvertOptions::new(load, self.directory.path().join(".out").join(output))
    }

    /// The rows and rejects that must come out, by the reference decoder.
    fn expected(&self) -> (Vec<Row>, Vec<ExpectedReject>) {
        let (mut rows, mut rejects) = (Vec::new(), Vec::new());
        for (path, kind, content) in &self.files {
            if matches!(kind, Kind::Sound | Kind::Damaged | Kind::Giant) {
                let name = path.file_name().unwrap().to_str().unwrap();
                let options = SourceOptions {
                    source_hash: source_hash(&blake3::hash(content)),
                    metadata: parse_file_name(name, None),
                    ..SourceOptions::new(name)
                };
                let decoded = reference::decode(content, &options);
                rows.extend(decoded.rows);
                let hash = blake3::hash(content).to_hex().to_string();
                rejects.extend(decoded.rejects.into_iter().map(|line| ExpectedReject {
                    file: name.to_owned(),
                    hash: hash.clone(),
                    line,
                }));
            }
        }
        (rows, rejects)
    }
}

/// A rejected line and the file it stood in.
struct ExpectedReject {
    file: String,
    hash: String,
    line: reference::RejectedLine,
}

/// Every column of the rejects table.
fn check_rejects(batches: Vec<RecordBatch>, expected: &[ExpectedReject]) {
    let mut expected = expected.iter();
    for batch in batches {
        let raws = batch.column_by_name("raw").unwrap().as_binary::<i32>().clone();
        for (index, row) in batch_rows(&batch).iter().enumerate() {
            let ExpectedReject { file, hash, line } = expected.next().unwrap();
            let [number, offset, length] =
                [line.record_number, line.byte_offset, line.raw_length].map(|n| n.to_string());
            let message = "line: expected 228 bytes before the line feed";
            let columns: [(&str, Option<&str>); 10] = [
                ("source_file", Some(file)),
                ("record_number", Some(&number)),
                ("byte_offset", Some(&offset)),
                ("code", Some(&line.code)),
                ("field", line.field.as_deref()),
                ("raw_length", Some(&length)),
                ("country", Some("GB")),
                ("profile", Some("ABC")),
                ("product_identifier", Some("10")),
                ("source_hash", Some(hash)),
            ];
            for (name, value) in columns {
                let column = batch.schema().index_of(name).unwrap();
                assert_eq!(row[column].as_deref(), value, "{name}");
            }
            assert_eq!(raws.value(index), line.raw);
            let text = row[batch.schema().index_of("message").unwrap()].as_deref().unwrap();
            assert!(text.starts_with(message) && text.contains(&length), "{text}");
        }
    }
    assert!(expected.next().is_none());
}

/// Each source's first and last call, by its rows.
fn check_times(report: &Report, rows: &[Row]) {
    let column = |name| cdrlake_core::COLUMNS.iter().position(|c| c.name == name).unwrap();
    let (file, start) = (column("source_file"), column("start_time"));
    for source in report.sources.iter().filter(|source| source.status == Status::Loaded) {
        let is_of_source =
            |row: &&Row| source.source.ends_with(&format!("/{}", row[file].as_ref().unwrap()));
        let mut times: Vec<_> =
            rows.iter().filter(is_of_source).map(|row| row[start].clone().unwrap()).collect();
        times.sort();
        assert_eq!(source.first_start_time.map(|time| time.to_string()).as_ref(), times.first());
        assert_eq!(source.last_start_time.map(|time| time.to_string()).as_ref(), times.last());
    }
}

/// Runs with 1, 2 and 5 threads and checks everything that can be checked.
fn check(inputs: &Inputs) -> Report {
    fs::create_dir_all(inputs.directory.path().join(".out")).unwrap();
    let (rows, rejects) = inputs.expected();
    let mut first: Option<(Vec<u8>, Option<Vec<u8>>, Report)> = None;
    for threads in [1, 2, 5] {
        let options = inputs.options(&format!("{threads}.parquet"), threads);
        let report = convert(&options).unwrap();
        let is_loaded = |kind| matches!(kind, Kind::Sound | Kind::Damaged | Kind::Giant);
        for (source, (path, kind, content)) in report.sources.iter().zip(&inputs.files) {
            assert_eq!(*source.source, path.display().to_string());
            if *kind != Kind::Cut {
                assert_eq!(source.content_hash, Some(blake3::hash(content)));
            }
            let expected = if is_loaded(*kind) { Status::Loaded } else { Status::Failed };
            assert_eq!(source.status, expected, "{}: {:?}", source.source, source.error);
            let code = match kind {
                Kind::Cut => Some("cannot_read"),
                Kind::Foreign => Some("not_cdr"),
                Kind::Rotten => Some("too_many_rejects"),
                _ => None,
            };
            assert_eq!(source.error_code, code, "{}", source.source);
        }
        assert_eq!(report.sources.len(), inputs.files.len());
        let totals = &report.totals;
        assert_eq!(totals.records_read, totals.records_written + totals.records_rejected);
        assert_eq!(totals.records_written, rows.len() as u64);
        assert_eq!(totals.records_rejected, rejects.len() as u64);
        let bytes: usize =
            inputs.files.iter().filter(|file| is_loaded(file.1)).map(|file| file.2.len()).sum();
        assert_eq!(totals.bytes_read, bytes as u64);
        let duration = cdrlake_core::COLUMNS.iter().position(|c| c.name == "duration").unwrap();
        let tenths = |row: &Row| row[duration].as_ref().unwrap().replace('.', "").parse::<u64>();
        let tenths: u64 = rows.iter().map(|row| tenths(row).unwrap()).sum();
        assert_eq!(totals.duration_seconds.tenths(), tenths);
        if rows.is_empty() && report.outputs.is_empty() {
            assert!(!options.output.exists());
            return report;
        }
        check_times(&report, &rows);
        let calls = fs::read(&options.output).unwrap();
        let [output, ..] = &report.outputs[..] else { panic!("no output") };
        assert_eq!((output.rows, output.bytes), (rows.len() as u64, calls.len() as u64));
        let rejects_file = fs::read(options.rejects_path()).ok();
        match &first {
            None => {
                let written: Vec<Row> = read(&options.output).iter().flat_map(batch_rows).collect();
                assert_eq!(written.len(), rows.len());
                for (written, expected) in written.iter().zip(&rows) {
                    assert_eq!(written, expected);
                }
                assert_eq!(rejects_file.is_some(), !rejects.is_empty());
                if rejects_file.is_some() {
                    check_rejects(read(&options.rejects_path()), &rejects);
                }
                first = Some((calls, rejects_file, report));
            }
            Some(first) => {
                assert!(calls == first.0, "{threads} threads write other bytes than 1");
                assert!(rejects_file == first.1, "{threads} threads write other rejects than 1");
            }
        }
    }
    let temporary = fs::read_dir(inputs.directory.path().join(".out")).unwrap();
    for entry in temporary {
        let name = entry.unwrap().file_name();
        assert!(!name.to_string_lossy().starts_with('.'), "{name:?} is left over");
    }
    first.unwrap().2
}

#[test]
fn small_sources_share_a_block_without_those_that_fail() {
    use Kind::*;
    let mut inputs = Inputs::new();
    for kind in [Sound, Cut, Damaged, Foreign, Sound, Rotten, Damaged, Cut] {
        inputs.add(kind, 100);
    }
    check(&inputs);
}

#[test]
fn large_sources_are_taken_back_when_they_fail_at_their_end() {
    use Kind::*;
    let mut inputs = Inputs::new();
    for kind in [Damaged, Cut, Sound, Rotten, Damaged, Foreign, Sound, Cut] {
        inputs.add(kind, 3000);
    }
    check(&inputs);
}

#[test]
fn sources_of_every_size_keep_their_order() {
    use Kind::*;
    let mut inputs = Inputs::new();
    // 572 records fill a block but for 84 bytes; 573 are one too many.
    for records in [1, 0, 571, 572, 573, 1144, 1, 1145, 300, 300, 0, 5000, 2] {
        let kind = if records % 3 == 0 { Damaged } else { Sound };
        inputs.add(kind, records);
        inputs.add(Cut, records + 7);
    }
    check(&inputs);
}

#[test]
fn a_line_longer_than_a_block_is_one_reject() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 10).add(Kind::Giant, 50).add(Kind::Giant, 3000).add(Kind::Sound, 10);
    let report = check(&inputs);
    assert_eq!(report.totals.rejects.get("long_record"), Some(&2));
}

#[test]
fn a_giant_last_line_is_one_reject() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 3);
    let (path, _, content) = &mut inputs.files[0];
    content.resize(content.len() + (1 << 20), b'7');
    fs::write(path, content).unwrap();
    let report = {
        let mut options = inputs.options("giant.parquet", 2);
        options.load.max_rejects = None;
        fs::create_dir_all(options.output.parent().unwrap()).unwrap();
        convert(&options).unwrap()
    };
    assert_eq!((report.totals.records_written, report.totals.records_rejected), (3, 1));
    assert_eq!(report.totals.bytes_read, 3 * 229 + (1 << 20));
}

#[test]
fn nothing_is_published_if_nothing_is_loaded() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Cut, 2000).add(Kind::Foreign, 10);
    let report = check(&inputs);
    assert_eq!(report.count(Status::Failed), 2);
}

#[test]
fn the_same_content_is_loaded_once() {
    for records in [20, 2000] {
        let mut inputs = Inputs::new();
        inputs.add(Kind::Sound, records).add(Kind::Sound, 5).add(Kind::Cut, records);
        let directory = inputs.directory.path();
        let first = inputs.files[0].0.clone();
        fs::copy(&first, directory.join("copy.cdr")).unwrap();
        fs::write(directory.join("copy.cdr.gz"), {
            let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
            encoder.write_all(&inputs.files[0].2).unwrap();
            encoder.finish().unwrap()
        })
        .unwrap();
        let options = inputs.options("once.parquet", 2);
        fs::create_dir_all(options.output.parent().unwrap()).unwrap();
        let report = convert(&options).unwrap();
        assert_eq!(report.totals.records_written, records + 5);
        assert_eq!(report.count(Status::Same), 2);
        for source in &report.sources {
            if source.status == Status::Same {
                assert_eq!(source.same_as.as_deref(), Some(first.to_str().unwrap()));
                assert!(source.content_hash == report.sources[0].content_hash);
            }
        }
    }
}

/// What was rejected before a large source broke off is told, though nothing of it counts.
#[test]
fn rejects_of_a_source_that_broke_off_are_told() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Damaged, 3000).add(Kind::Sound, 1);
    let (path, _, content) = &inputs.files[0];
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(content).unwrap();
    let compressed = encoder.finish().unwrap();
    fs::remove_file(path).unwrap();
    fs::write(path.with_extension("cdr.gz"), &compressed[..compressed.len() - 9]).unwrap();
    let options = inputs.options("cut.parquet", 2);
    fs::create_dir_all(options.output.parent().unwrap()).unwrap();
    let report = convert(&options).unwrap();
    let cut = &report.sources[0];
    assert_eq!((cut.status, cut.error_code), (Status::Failed, Some("cannot_read")));
    assert!(cut.tally.rejects["short_record"] >= 20, "{:?}", cut.tally.rejects);
    assert_eq!((cut.tally.records_read, report.totals.records_read), (0, 1));
    assert!(report.totals.rejects.is_empty());
}

/// Many sources of no bytes at all do not gather without end, and stay in order.
#[test]
fn empty_sources_fill_a_block_too() {
    let mut inputs = Inputs::new();
    for _ in 0..5000 {
        inputs.add(Kind::Sound, 0);
    }
    inputs.add(Kind::Sound, 1);
    let options = inputs.options("empty.parquet", 2);
    fs::create_dir_all(options.output.parent().unwrap()).unwrap();
    let report = convert(&options).unwrap();
    assert_eq!(report.count(Status::Loaded), 5001);
    assert_eq!(report.totals.records_written, 1);
    let names: Vec<_> = report.sources.iter().map(|source| &source.source).collect();
    assert!(names.is_sorted());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 100, ..ProptestConfig::default() })]

    /// Any sources, in any order: the rows and rejects of those that are sound, and with any number
    /// of threads the same bytes.
    #[test]
    fn any_sources_come_out_the_same_whatever_the_threads(
        sources in prop::collection::vec((any_kind(), 1_u64..1500), 1..12),
    ) {
        let mut inputs = Inputs::new();
        for (kind, records) in sources {
            // One line of ten may be rejected, and a giant one is.
            inputs.add(kind, if kind == Kind::Giant { records.max(9) } else { records });
        }
        check(&inputs);
    }
}

fn any_kind() -> impl Strategy<Value = Kind> {
    use Kind::*;
    // A rotten source of one line would be no CDR file.
    prop::sample::select(vec![Sound, Sound, Damaged, Damaged, Cut, Foreign, Giant])
}
