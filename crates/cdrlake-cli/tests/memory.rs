//! The memory limit holds, whatever the input: peaks of real processes.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// What a run may take above its limit.
const TOLERANCE: u64 = 64 << 20;

/// Runs `cdrlake convert` and gives the most memory it held, in bytes.
fn peak(directory: &Path, input: &Path, arguments: &[&str]) -> u64 {
    let mut cdrlake = Command::new(assert_cmd::cargo::cargo_bin!("cdrlake"))
        .args(["convert", "--overwrite", "--quiet", "--country", "GB", "-o"])
        .arg(directory.join("calls.parquet"))
        .args(arguments)
        .arg(input)
        .spawn()
        .unwrap();
    // The kernel's high-water mark only rises, but goes with the process: the last look counts.
    let mut peak = 0;
    let status = loop {
        peak = high_water_mark(cdrlake.id()).unwrap_or(peak);
        if let Some(status) = cdrlake.try_wait().unwrap() {
            break status;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    assert!(matches!(status.code(), Some(0 | 3)), "{status}");
    assert!(peak > 1 << 20, "the peak was not seen");
    peak
}

/// `VmHWM` of a process, while it is there.
fn high_water_mark(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
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
