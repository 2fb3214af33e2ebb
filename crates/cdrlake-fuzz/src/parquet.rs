//! The way of a source through a whole run: converted, and read back by another Parquet reader.

use std::fs::File;
use std::io::Write;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use arbitrary::{Arbitrary, Result, Unstructured};
use cdrlake::{
    ClearRejects, Compression, ConvertOptions, Input, LoadOptions, PrivacyOptions, Status,
    TimeZones, convert,
};
use cdrlake_core::reference::{self, Row, batch_rows};
use cdrlake_core::{Numbers, RecordBatch, RecordId, SourceOptions, source_hash};
use flate2::write::GzEncoder;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::input::{options, source};
use crate::{SAMPLES, scratch};

/// The rows and rejects in the files that a run writes are those that the reference gives.
///
/// Input: a byte that chooses name, packing and compression, and the input of
/// [`decode`](crate::decode).
pub fn parquet(input: &[u8]) {
    let _ = run(&mut Unstructured::new(input));
}

fn run(bytes: &mut Unstructured<'_>) -> Result<()> {
    let choice = usize::from(u8::arbitrary(bytes)?);
    let decoding = options_of_a_run(options(bytes)?);
    let source = source(bytes)?;
    let is_packed = choice & 1 == 1;
    let name = SAMPLES[(choice >> 1) % SAMPLES.len()].0;
    let name = if is_packed { format!("{name}.gz") } else { name.to_owned() };
    let directory = scratch::directory();
    let path = directory.path().join(&name);
    write(&path, &source, is_packed);

    let options = ConvertOptions {
        compression: match choice >> 5 & 3 {
            0 => Compression::None,
            1 => Compression::Snappy,
            _ => Compression::default(),
        },
        ..ConvertOptions::new(load(path, choice, &decoding), directory.path().join("out.parquet"))
    };
    let report = convert(&options).expect("a run");

    let of_name = SourceOptions::from_file_name(&name);
    let expected = reference::decode(
        &source,
        &SourceOptions {
            source_file: of_name.source_file,
            source_hash: source_hash(&blake3::hash(&source)),
            metadata: of_name.metadata,
            ..decoding
        },
    );
    if is_something_else(&source) {
        return Ok(());
    }
    let [of_source] = &report.sources[..] else { panic!("{} sources", report.sources.len()) };
    if of_source.status == Status::Failed {
        assert!(expected.rows.is_empty(), "{:?}", of_source.error);
        assert!(report.outputs.is_empty());
        return Ok(());
    }
    assert_eq!(rows(&options.output), expected.rows);
    let rejects: Vec<RecordBatch> = read(&directory.path().join("out.rejects.parquet"));
    let rejects: Vec<Row> = rejects
        .iter()
        .map(|batch| batch.project(&[1, 2, 3, 4]).expect("record_number, byte_offset, code, field"))
        .flat_map(|batch| batch_rows(&batch))
        .collect();
    let expected: Vec<Row> = expected
        .rejects
        .iter()
        .map(|line| {
            let [number, offset] = [line.record_number, line.byte_offset].map(|n| n.to_string());
            vec![Some(number), Some(offset), Some(line.code.clone()), line.field.clone()]
        })
        .collect();
    assert_eq!(rejects, expected);
    Ok(())
}

/// `drawn`, with `record_id`s where the key of masked numbers asks for them, and only there.
fn options_of_a_run(drawn: SourceOptions) -> SourceOptions {
    let record_id = match (drawn.privacy.numbers(), drawn.privacy.key()) {
        (Numbers::Masked { .. }, Some(_)) => RecordId::Fill,
        (Numbers::Masked { .. }, None) => RecordId::Omit,
        _ => drawn.record_id,
    };
    SourceOptions { record_id, ..drawn }
}

/// A run that decodes so, whose rejected lines are written whatever becomes of numbers.
fn load(path: PathBuf, choice: usize, decoding: &SourceOptions) -> LoadOptions {
    let mut load = LoadOptions::new(vec![Input::Path(path)]);
    load.threads = NonZero::new(1 + choice % 2);
    load.strictness = decoding.strictness;
    load.record_id = decoding.record_id;
    load.time_zones = decoding.time_zone.clone().map(TimeZones::Named).unwrap_or_default();
    load.privacy = PrivacyOptions {
        numbers: Some(decoding.privacy.numbers()),
        key: decoding.privacy.key().cloned(),
        rejects: ClearRejects::Write,
    };
    load
}

/// Whether its first bytes are those of a container, also inside another, or of a format or a
/// document that is not read, even with records in it.
fn is_something_else(source: &[u8]) -> bool {
    const HEADS: [&[u8]; 14] = [
        b"\x1F\x8B",
        b"PK\x03\x04",
        b"PK\x05\x06",
        b"BZh",
        b"\xFD7zXZ",
        b"\x28\xB5\x2F\xFD",
        b"\x1F\x9D",
        b"7z\xBC\xAF",
        b"Rar!",
        b"PAR1",
        b"PARE",
        b"\xD0\xCF\x11\xE0",
        b"SQLite format 3",
        b"%PDF-",
    ];
    let text = source.trim_ascii_start().to_ascii_lowercase();
    HEADS.iter().any(|head| source.starts_with(head))
        || source.get(257..262) == Some(b"ustar")
        || text.starts_with(b"<html")
        || text.starts_with(b"<!doctype html")
}

fn write(path: &Path, source: &[u8], is_packed: bool) {
    let mut file = File::create(path).expect("a file");
    if is_packed {
        let mut encoder = GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(source).expect("room");
        encoder.finish().expect("room");
    } else {
        file.write_all(source).expect("room");
    }
}

fn rows(path: &Path) -> Vec<Row> {
    read(path).iter().flat_map(batch_rows).collect()
}

/// What is in a file, if there is one.
fn read(path: &Path) -> Vec<RecordBatch> {
    let Ok(file) = File::open(path) else { return Vec::new() };
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("a Parquet file");
    reader.build().expect("a reader").map(|batch| batch.expect("a batch")).collect()
}
