//! The memory limit holds, whatever the input: peaks of real processes.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// What a run may take above its limit.
const TOLERANCE: u64 = 64 << 20;

/// Runs `cdrlake convert` and gives the most memory it held, in bytes.
fn peak(directory: &Path, input: &Path, arguments: &[&str]) -> u64 {
    // Only `wait4` tells the peak of a process that has ended, and the standard library has none.
    let cdrlake = assert_cmd::cargo::cargo_bin!("cdrlake");
    let output = Command::new("python3")
        .args(["-c", "import os, sys; p = os.spawnvp(os.P_NOWAIT, sys.argv[1], sys.argv[1:]); \
            _, status, usage = os.wait4(p, 0); print(usage.ru_maxrss * 1024); sys.exit(status >> 8)"])
        .arg(cdrlake)
        .args(["convert", "--overwrite", "--quiet", "--country", "GB", "-o"])
        .arg(directory.join("calls.parquet"))
        .args(arguments)
        .arg(input)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 3)), "{stderr}");
    String::from_utf8_lossy(&output.stdout).trim().parse().unwrap()
}

/// Records no two values of which are equal: dictionaries only cost, and nothing compresses well.
fn random_records(path: &Path, records: usize) {
    let mut random = fastrand::Rng::with_seed(1);
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    for _ in 0..records {
        let mut line = [b'\n'; 229];
        line[..228].fill_with(|| random.u8(b'0'..=b'9'));
        line[40..67].copy_from_slice(b"792025101909012200000001230");
        line[227] = b'0';
        file.write_all(&line).unwrap();
    }
}

#[test]
fn many_threads_share_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("random.cdr");
    random_records(&input, 500_000);
    for (threads, limit) in [("1", 208), ("2", 320), ("16", 512)] {
        let arguments = ["--threads", threads, "--memory-limit", &format!("{limit}MiB")];
        let peak = peak(directory.path(), &input, &arguments);
        assert!(peak <= (limit << 20) + TOLERANCE, "{threads} threads: {} MiB", peak >> 20);
    }
}

/// A hundred thousand sources, each with a rejected line that waits for its source's end.
#[test]
fn many_small_sources_with_rejects_stay_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("small.zip");
    let mut archive = zip::ZipWriter::new(std::fs::File::create(&input).unwrap());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let sample = include_bytes!("../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr");
    for number in 0..100_000 {
        archive.start_file(format!("{number}.cdr"), stored).unwrap();
        archive.write_all(sample).unwrap();
        writeln!(archive, "{number}").unwrap();
    }
    archive.finish().unwrap();
    let peak = peak(directory.path(), &input, &["--memory-limit", "256MiB"]);
    assert!(peak <= (256 << 20) + TOLERANCE, "{} MiB", peak >> 20);
}
