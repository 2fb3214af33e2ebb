//! That no error quotes what was read, however a container is damaged; and that an archive passes its
//! check if, and only if, a run could read all of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{Cursor, Read, Write};
use std::path::Path;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray};
use cdrlake_run::{Chain, Interrupt, Progress};
use cdrlake_source::{
    Checked, Excluded, Input, Limits, Opening, RejectedLine, Selection, Settings, Source,
    SourceError, Visitor, WhyLeftOut, check_archive, visit,
};
use fastrand::Rng;
use flate2::Compression;
use flate2::write::GzEncoder;
use parquet::arrow::ArrowWriter;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Digits in a row that are taken for enough of a number.
const RUN: usize = 6;

/// Each container is damaged in so many ways.
const WAYS: u64 = 200;

/// Records that are nothing but numbers.
fn records() -> Vec<u8> {
    let numbers = (0..200_u64).map(|n| format!("{:<19} ", 442_071_838_750 + n * 7_654_321));
    let numbers: Vec<String> = numbers.collect();
    let mut records = Vec::new();
    for fields in numbers.chunks(10) {
        let record = fields.concat();
        records.extend_from_slice(format!("{record:<228}\n").as_bytes());
    }
    records
}

/// Every run of exactly so many digits.
fn runs(bytes: &[u8]) -> BTreeSet<Vec<u8>> {
    let windows = bytes.windows(RUN).filter(|run| run.iter().all(u8::is_ascii_digit));
    windows.map(<[u8]>::to_vec).collect()
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(method)).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, *content).unwrap();
    }
    archive.into_inner().unwrap()
}

fn rejects(records: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = records.split(|&byte| byte == b'\n').take(20).collect();
    let count = lines.len();
    let hash = blake3::hash(records).to_hex();
    let columns: [(&str, ArrayRef); 5] = [
        ("source_file", Arc::new(StringArray::from(vec!["a.cdr"; count]))),
        ("record_number", Arc::new(Int64Array::from_iter_values(1..=count as i64))),
        ("byte_offset", Arc::new(Int64Array::from_iter_values((0..count as i64).map(|n| n * 229)))),
        ("raw", Arc::new(BinaryArray::from_vec(lines))),
        ("source_hash", Arc::new(StringArray::from(vec![hash.as_str(); count]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// What is done to a container before it is wrapped in another.
type Damage<'d> = &'d dyn Fn(Vec<u8>) -> Vec<u8>;

/// A file of every kind, by name, damaged in the middle or as a whole.
fn files(records: &[u8], damage: Damage<'_>) -> Vec<(&'static str, Vec<u8>)> {
    let members = [("a.cdr", records), ("b.cdr", &records[229..])];
    let whole = |content: Vec<u8>| damage(content);
    let [stored, deflated] = [CompressionMethod::Stored, CompressionMethod::Deflated];
    let inner = |content: Vec<u8>, name: &str| zip(&[(name, &damage(content))], stored);
    vec![
        ("plain.cdr", whole(records.to_vec())),
        ("a.cdr.gz", whole(gzip(records))),
        ("two.cdr.gz", whole([gzip(records), gzip(records)].concat())),
        ("stored.zip", whole(zip(&members, stored))),
        ("deflated.zip", whole(zip(&members, deflated))),
        ("a.tar", whole(tar(&members))),
        ("outer.tar.gz", whole(gzip(&tar(&members)))),
        ("inner.tar.gz", gzip(&whole(tar(&members)))),
        ("zip_in_zip.zip", inner(zip(&members, stored), "a.zip")),
        ("gz_in_zip.zip", inner(gzip(records), "a.gz")),
        ("tar_in_zip.zip", inner(tar(&members), "a.tar")),
        ("rejects.parquet", whole(rejects(records))),
    ]
}

/// Damages `bytes` in one of many ways; for some of them there must be a header to damage.
fn damaged(mut bytes: Vec<u8>, records: &[u8], rng: &mut Rng) -> Vec<u8> {
    let len = bytes.len();
    let from = rng.usize(..records.len() - 400);
    let digits = &records[from..from + rng.usize(1..300)];
    let headers =
        |signature: &[u8]| -> Vec<usize> { memchr::memmem::find_iter(&bytes, signature).collect() };
    let write = |bytes: &mut Vec<u8>, at: usize| {
        let most = digits.len().min(len.saturating_sub(at));
        bytes[at..at + most].copy_from_slice(&digits[..most]);
    };
    match rng.u32(..7) {
        0 => (0..rng.usize(1..8)).for_each(|_| bytes[rng.usize(..len)] ^= 1 << rng.u32(..8)),
        1 => bytes.truncate(rng.usize(..len)),
        2 => {
            let block = [16, 64, 512][rng.usize(..3)];
            let [one, other] = [(); 2].map(|()| rng.usize(..len / block) * block);
            if one.abs_diff(other) >= block {
                let (low, high) = bytes.split_at_mut(one.max(other));
                low[one.min(other)..][..block].swap_with_slice(&mut high[..block]);
            }
        }
        3 => write(&mut bytes, rng.usize(..len)),
        // Where sizes and checksums of a tar stand, in a header that is sound otherwise or is not.
        4 => {
            let headers = headers(b"ustar");
            let Some(magic) = rng.choice(headers) else { return bytes };
            let header = magic - 257;
            let (at, field) = *rng.choice(&[(100, 8), (124, 12), (148, 8), (156, 1)]).unwrap();
            let field = header + at..header + at + field;
            let digits = digits[..field.len().min(digits.len())].to_vec();
            bytes[field.start..field.start + digits.len()].copy_from_slice(&digits);
            if rng.bool() {
                bytes[header + 148..header + 156].fill(b' ');
                let sum: u32 =
                    bytes[header..header + 512].iter().map(|&byte| u32::from(byte)).sum();
                bytes[header + 148..header + 156]
                    .copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            }
        }
        // In a header or the directory of a zip.
        5 => {
            let headers = [&b"PK\x01\x02"[..], b"PK\x03\x04", b"PK\x05\x06"].map(headers).concat();
            let Some(header) = rng.choice(headers) else { return bytes };
            write(&mut bytes, (header + rng.usize(4..60)).min(len));
        }
        // In the footer of a Parquet file.
        _ => {
            let back = rng.usize(8..len.min(2000));
            write(&mut bytes, len - back);
        }
    }
    bytes
}

/// Reads everything to its end, and keeps what is said of it.
#[derive(Default)]
struct Collecting {
    sources: usize,
    errors: Vec<String>,
}

impl Collecting {
    fn note(&mut self, error: &SourceError) {
        // As a command prints it, and as anybody else may.
        let mut causes = vec![Chain(error).to_string()];
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        self.errors.push(causes.join("\n"));
    }
}

impl Visitor for Collecting {
    type Error = ();

    fn source(&mut self, _: Source, bytes: &mut dyn Read) -> Result<(), ()> {
        self.sources += 1;
        let mut content = Vec::new();
        if let Err(error) = bytes.read_to_end(&mut content) {
            self.note(&SourceError::Read { bytes: 0, error });
        }
        Ok(())
    }

    fn replay(
        &mut self,
        _: Source,
        _: blake3::Hash,
        mut lines: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, ()> {
        self.sources += 1;
        Ok((&mut lines).try_for_each(|line| line.map(drop)))
    }

    fn trailing_zeros(&mut self) -> Result<(), ()> {
        Ok(())
    }

    fn passed_over(&mut self, _: String) {}

    fn left_out(&mut self, _: String, _: WhyLeftOut) {}

    fn failed(&mut self, _: Source, error: SourceError) -> Result<(), ()> {
        self.note(&error);
        Ok(())
    }

    fn archive_began(&mut self) -> Result<(), ()> {
        Ok(())
    }

    fn archive_ended(&mut self, failure: Option<(Source, SourceError)>) -> Result<(), ()> {
        if let Some((_, error)) = failure {
            self.note(&error);
        }
        Ok(())
    }
}

fn with_opening<T>(zip_buffer: u64, work: impl FnOnce(Opening<'_>) -> T) -> T {
    work(Opening {
        settings: &Settings::default(),
        selection: &Selection::default(),
        limits: Limits::default(),
        zip_buffer,
        excluded: &Excluded::default(),
        inboxes: &cdrlake_source::Inboxes::default(),
        interrupt: &Interrupt::default(),
        progress: &Progress::default(),
    })
}

fn read(path: &Path, zip_buffer: u64) -> Collecting {
    let input = match path.extension().is_some_and(|extension| extension == "parquet") {
        true => Input::Rejects(path.to_owned()),
        false => Input::Path(path.to_owned()),
    };
    let mut collecting = Collecting::default();
    with_opening(zip_buffer, |opening| visit(&input, opening, &mut collecting)).unwrap();
    collecting
}

fn check(path: &Path, zip_buffer: u64) -> Result<Checked, SourceError> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let file = File::open(path).unwrap();
    with_opening(zip_buffer, |opening| check_archive(file, name, opening))
}

#[test]
fn errors_quote_nothing_of_what_was_read() {
    let records = records();
    let numbers = runs(&records);
    let directory = tempfile::tempdir().unwrap();
    let mut rng = Rng::with_seed(7);
    let mut kinds = BTreeSet::new();
    for way in 0..=WAYS {
        let seed = rng.u64(..);
        let zip_buffer = if rng.bool() { 10 } else { 1 << 20 };
        let damage = |bytes| match way {
            0 => bytes,
            _ => damaged(bytes, &records, &mut Rng::with_seed(seed)),
        };
        for (name, bytes) in files(&records, &damage) {
            let path = directory.path().join(name);
            fs::write(&path, &bytes).unwrap();
            let Collecting { sources, errors } = read(&path, zip_buffer);
            if way == 0 {
                assert!(errors.is_empty() && sources > 0, "{name}: {errors:?}");
            }
            for error in &errors {
                assert!(runs(error.as_bytes()).is_disjoint(&numbers), "{name}, {way}: {error}");
                kinds.insert(error.replace(|character: char| character.is_ascii_digit(), ""));
            }
            if name != "rejects.parquet" {
                let checked = check(&path, zip_buffer);
                let is_sound = checked.as_ref().is_ok_and(|checked| checked.sources > 0);
                assert_eq!(checked.is_ok(), errors.is_empty(), "{name}, {way}: {errors:?}");
                assert_eq!(is_sound, errors.is_empty() && sources > 0, "{name}, {way}");
            }
        }
    }
    // They failed in many ways.
    assert!(kinds.len() > 25, "{kinds:#?}");
}

/// What is padded with zeros passes alike, wherever it stands.
#[test]
fn zeros_may_follow_any_archive() {
    let records = records();
    let directory = tempfile::tempdir().unwrap();
    let pad = |bytes: Vec<u8>| [bytes, vec![0; 70_000]].concat();
    for zip_buffer in [10, 1 << 20] {
        for (name, bytes) in files(&records, &pad) {
            if ["plain.cdr", "rejects.parquet"].contains(&name) {
                continue;
            }
            let path = directory.path().join(name);
            fs::write(&path, bytes).unwrap();
            let Collecting { errors, .. } = read(&path, zip_buffer);
            assert!(errors.is_empty(), "{name}: {errors:?}");
            let checked = check(&path, zip_buffer).unwrap();
            // A tar ends with zeros anyway.
            let is_tar =
                name.starts_with("inner.tar") || ["a.tar", "tar_in_zip.zip"].contains(&name);
            assert_eq!(checked.trailing_zeros, u64::from(!is_tar), "{name}");
        }
    }
}
