//! Bytes to Arrow batches on one thread: all columns, numbers normalized.
//!
//! `memcpy` of the same bytes stands beside it, as what no decoder can beat.

#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that fails should stop")]

use std::hint::black_box;

use cdrlake_core::synthetic::{Calls, FILE_NAME};
use cdrlake_core::{Decoder, SourceOptions};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const RECORDS: u64 = 50_000;

fn decode(bytes: &[u8], options: &SourceOptions) -> usize {
    let mut decoder = Decoder::new(options);
    let (mut rows, mut rest) = (0, bytes);
    let mut on_reject = |reject: cdrlake_core::Reject<'_>| panic!("{reject}");
    while !rest.is_empty() {
        rest = &rest[decoder.decode(rest, &mut on_reject)..];
        rows += decoder.flush().unwrap().map_or(0, |batch| black_box(batch).num_rows());
    }
    rows
}

fn benches(criterion: &mut Criterion) {
    let bytes: Vec<u8> = Calls::new(1, RECORDS).flatten().collect();
    let options = SourceOptions::from_file_name(FILE_NAME);
    assert_eq!(decode(&bytes, &options), RECORDS as usize);
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("batches", |bencher| bencher.iter(|| decode(&bytes, &options)));
    let mut copy = vec![0; bytes.len()];
    group.bench_function("memcpy", |bencher| {
        bencher.iter(|| black_box(&mut copy).copy_from_slice(black_box(&bytes)));
    });
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
