//! End to end: files to verdicts, and to Parquet, on two threads.

#![allow(missing_docs, reason = "criterion's macros")]
#![allow(clippy::unwrap_used, reason = "a benchmark that fails should stop")]

use std::io::Write;
use std::num::NonZero;
use std::path::Path;

use cdrlake::{Compression, ConvertOptions, Input, LoadOptions, Overwrite, convert, validate};
use cdrlake_benches::{RECORDS, workload};
use cdrlake_generate::frozen::FILE_NAME;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::write::GzEncoder;

fn options(input: &Path) -> LoadOptions {
    let mut options = LoadOptions::new(vec![Input::Path(input.to_owned())]);
    options.threads = NonZero::new(2);
    options
}

fn convert_options(input: &Path, compression: Compression) -> ConvertOptions {
    ConvertOptions {
        compression,
        overwrite: Overwrite::Replace,
        ..ConvertOptions::new(options(input), input.with_file_name("calls.parquet"))
    }
}

fn benches(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().unwrap();
    let (plain, bytes) = (directory.path().join(FILE_NAME), workload());
    std::fs::write(&plain, &bytes).unwrap();
    let compressed = directory.path().join(format!("{FILE_NAME}.gz"));
    let file = std::fs::File::create(&compressed).unwrap();
    let mut encoder = GzEncoder::new(file, flate2::Compression::default());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap();

    let mut group = criterion.benchmark_group("convert");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(10);
    drop(bytes);
    let verdicts = options(&plain);
    let judge = || validate(&verdicts, &mut |_, _| {}).unwrap().totals.records_written;
    assert_eq!(judge(), RECORDS);
    group.bench_function("validate", |bencher| bencher.iter(judge));
    let cases = [
        ("plain, zstd:1", &plain, Compression::Zstd(1)),
        ("plain, uncompressed", &plain, Compression::None),
        ("gz, zstd:1", &compressed, Compression::Zstd(1)),
    ];
    for (name, input, compression) in cases {
        let options = convert_options(input, compression);
        let run = || convert(&options).unwrap().totals.records_written;
        assert_eq!(run(), RECORDS);
        group.bench_function(name, |bencher| bencher.iter(run));
    }
    group.finish();
}

criterion_group!(all, benches);
criterion_main!(all);
