//! The stages of the decoder, on one thread: framing, decoding, normalization, encoding of records.
//!
//! `memcpy` of the same bytes stands beside it, as what no decoder can beat.

#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that fails should stop")]

use std::hint::black_box;

use cdrlake_benches::{RECORDS, workload};
use cdrlake_core::encode::{Values, encode};
use cdrlake_core::{
    Country, Decoder, FIELDS, Kind, RECORD_LEN, Role, SourceOptions, count_lines, normalize, trim,
};
use cdrlake_generate::frozen::FILE_NAME;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

/// Bytes of a line, line feed included.
const LINE: usize = RECORD_LEN + 1;

/// Decodes all of `bytes`; gives rows and rejected lines.
fn decode(bytes: &[u8], options: &SourceOptions) -> (usize, u64) {
    let mut decoder = Decoder::new(options);
    let (mut rows, mut rest) = (0, bytes);
    while !rest.is_empty() {
        rest = &rest[decoder.decode(rest, &mut |reject| {
            black_box(reject);
        })..];
        rows += decoder.flush().unwrap().map_or(0, |batch| black_box(batch).num_rows());
    }
    (rows, decoder.counts().rejected())
}

/// As many lines, all as the first is, but for the fields of one kind: what that kind's columns cost
/// is what this takes more than lines that are all the same.
fn varied(bytes: &[u8], kind: Option<Kind>) -> Vec<u8> {
    let mut lines = bytes[..LINE].repeat(bytes.len() / LINE);
    for field in FIELDS.iter().filter(|field| Some(field.kind) == kind) {
        let range = field.field.range();
        for (to, from) in lines.chunks_exact_mut(LINE).zip(bytes.chunks_exact(LINE)) {
            to[range.clone()].copy_from_slice(&from[range.clone()]);
        }
    }
    lines
}

fn group<'c>(
    criterion: &'c mut Criterion,
    name: &str,
    bytes: usize,
) -> BenchmarkGroup<'c, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes as u64)).sample_size(10);
    group
}

fn benches(criterion: &mut Criterion) {
    let bytes = workload();
    let options = SourceOptions::from_file_name(FILE_NAME);

    let mut framing = group(criterion, "framing", bytes.len());
    assert_eq!(count_lines(&bytes), RECORDS);
    framing.bench_function("count lines", |bencher| bencher.iter(|| count_lines(&bytes)));
    framing.finish();

    let mut decoding = group(criterion, "decode", bytes.len());
    assert_eq!(decode(&bytes, &options), (RECORDS as usize, 0));
    decoding.bench_function("batches", |bencher| bencher.iter(|| decode(&bytes, &options)));
    let mut copy = vec![0; bytes.len()];
    decoding.bench_function("memcpy", |bencher| {
        bencher.iter(|| black_box(&mut copy).copy_from_slice(black_box(&bytes)));
    });
    decoding.finish();

    let part = &bytes[..bytes.len() / 4];
    let mut by_kind = group(criterion, "decode by kind", part.len());
    for kind in [None, Some(Kind::Number), Some(Kind::Text), Some(Kind::Time), Some(Kind::Duration)]
    {
        let lines = varied(part, kind);
        assert_eq!(decode(&lines, &options), (part.len() / LINE, 0));
        let name = kind.map_or("all the same".to_owned(), |kind| format!("{kind:?} differs"));
        by_kind.bench_function(name, |bencher| bencher.iter(|| decode(&lines, &options)));
    }
    by_kind.finish();

    // Every line is framed and validated, and found to be damaged in its last field.
    copy.copy_from_slice(&bytes);
    copy.chunks_exact_mut(LINE).for_each(|line| line[227] = b'1');
    let mut validation = group(criterion, "validation", bytes.len());
    assert_eq!(decode(&copy, &options), (0, RECORDS));
    validation.bench_function("all rejected", |bencher| bencher.iter(|| decode(&copy, &options)));
    validation.finish();
    drop(copy);

    let numbers: Vec<&[u8]> =
        bytes.chunks_exact(LINE).take(100_000).map(|line| trim(&line[..20])).collect();
    let country: Country = "GB".parse().unwrap();
    let e164 = || {
        let party =
            |number: &&&[u8]| normalize(number, Role::Party, *b"79", Some(country)).is_some();
        numbers.iter().filter(party).count()
    };
    assert_eq!(e164(), numbers.len());
    let mut normalization = group(criterion, "normalization", numbers.concat().len());
    normalization.bench_function("parties", |bencher| bencher.iter(e164));
    normalization.finish();

    let values = Values { origin: "04123456789", date: (2025, 10, 1), ..Values::default() };
    assert!(encode(&values).is_ok());
    let mut encoding = group(criterion, "encode", 228);
    encoding.bench_function("a record", |bencher| bencher.iter(|| encode(black_box(&values))));
    encoding.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
