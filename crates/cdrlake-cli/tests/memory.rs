//! The memory limit holds, whatever the input: peaks of real processes.
//!
//! `CDRLAKE_LONG=1 cargo test --release -p cdrlake-cli --test memory -- --nocapture` runs the long
//! form: a line of 2 GiB, a stream of 20 GiB.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests, which tell the peaks"
)]

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use cdrlake_generate::frozen::Calls;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What a run may take above its limit.
const TOLERANCE: u64 = 64 << 20;

/// Whether to take the time for inputs of true size.
fn is_long() -> bool {
    std::env::var_os("CDRLAKE_LONG").is_some()
}

/// `cdrlake convert`, started with a limit of so many MiB.
fn convert(directory: &Path, input: &Path, limit: u64, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cdrlake"));
    command
        .args(["convert", "--overwrite", "--quiet", "--country", "GB", "-o"])
        .arg(directory.join("calls.parquet"))
        .args(["--memory-limit", &format!("{limit}MiB")])
        .args(arguments)
        .arg(input);
    command
}

/// Waits for a run to end well and checks the most memory that it held against its limit in MiB.
fn check_peak(what: &str, mut cdrlake: Child, limit: u64) {
    // The kernel's high-water mark only rises, but goes with the process: the last look counts.
    let mut peak = 0;
    let status = loop {
        peak = high_water_mark(cdrlake.id()).unwrap_or(peak);
        if let Some(status) = cdrlake.try_wait().unwrap() {
            break status;
        }
        sleep(Duration::from_millis(2));
    };
    assert!(matches!(status.code(), Some(0 | 3)), "{what}: {status}");
    assert!(peak > 1 << 20, "{what}: the peak was not seen");
    println!("{what}: {} MiB at the peak, of {limit} MiB", peak >> 20);
    assert!(peak <= (limit << 20) + TOLERANCE, "{what}: {} MiB", peak >> 20);
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
    let mut file = BufWriter::new(File::create(path).unwrap());
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
        let mut command = convert(directory.path(), &input, limit, &["--threads", threads]);
        check_peak(&format!("{threads} threads"), command.spawn().unwrap(), limit);
    }
}

/// Rows of a hundred days in no order, which wait for their row groups in as many partitions.
#[test]
fn a_lake_of_many_partitions_stays_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("random.cdr");
    random_records(&input, 300_000);
    let mut content = std::fs::read(&input).unwrap();
    for (number, line) in content.chunks_mut(229).enumerate() {
        let (month, day) = (1 + number % 4, 1 + number / 4 % 25);
        line[42..50].copy_from_slice(format!("2025{month:02}{day:02}").as_bytes());
    }
    std::fs::write(&input, content).unwrap();
    for (partition_by, limit) in [("call_date", 320), ("none", 320)] {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cdrlake"));
        command
            .args(["convert", "--quiet", "--country", "GB", "--record-id", "--threads", "2"])
            .args(["--partition-by", partition_by, "--memory-limit", &format!("{limit}MiB"), "-o"])
            .args([&directory.path().join(partition_by), &input]);
        check_peak(&format!("a lake by {partition_by}"), command.spawn().unwrap(), limit);
    }
}

/// Rows of two thousand days in no order: a batch has two of each.
#[test]
fn a_lake_of_thousands_of_partitions_stays_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("random.cdr");
    random_records(&input, 100_000);
    let mut content = std::fs::read(&input).unwrap();
    for (number, line) in content.chunks_mut(229).enumerate() {
        let day = number * 7919 % 2000;
        let (year, month, day) = (2018 + day / 300, 1 + day % 300 / 25, 1 + day % 25);
        line[42..50].copy_from_slice(format!("{year}{month:02}{day:02}").as_bytes());
    }
    std::fs::write(&input, content).unwrap();
    let limit = 320;
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("cdrlake"));
    command
        .args(["convert", "--quiet", "--country", "GB", "--threads", "2"])
        .args(["--partition-by", "call_date", "--memory-limit", &format!("{limit}MiB"), "-o"])
        .args([&directory.path().join("lake"), &input]);
    check_peak("a lake of two thousand days", command.spawn().unwrap(), limit);
}

/// A hundred thousand sources, each with a rejected line that waits for its source's end.
#[test]
fn many_small_sources_with_rejects_stay_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("small.zip");
    let mut archive = zip::ZipWriter::new(File::create(&input).unwrap());
    let stored =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let sample = include_bytes!("../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr");
    for number in 0..100_000 {
        archive.start_file(format!("{number}.cdr"), stored).unwrap();
        archive.write_all(sample).unwrap();
        writeln!(archive, "{number}").unwrap();
    }
    archive.finish().unwrap();
    let cdrlake = convert(directory.path(), &input, 256, &[]).spawn().unwrap();
    check_peak("100,000 members", cdrlake, 256);
}

/// A tar of empty members costs little but their reports.
#[test]
fn many_empty_sources_stay_within_the_limit() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("empty.tar");
    let (members, limit) = if is_long() { (1_000_000, 512) } else { (200_000, 208) };
    let mut header = [0; 512];
    // An octal mode, size and checksum, and the magic.
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(b"00000000000\0");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let mut archive = BufWriter::new(File::create(&input).unwrap());
    for number in 0..members {
        header[..11].copy_from_slice(format!("{number:07}.cdr").as_bytes());
        header[148..156].fill(b' ');
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        archive.write_all(&header).unwrap();
    }
    archive.write_all(&[0; 1024]).unwrap();
    archive.flush().unwrap();
    let cdrlake = convert(directory.path(), &input, limit, &[]).spawn().unwrap();
    check_peak(&format!("{members} empty members"), cdrlake, limit);
}

/// A line of gigabytes in a gzip that holds a thousand times its size.
#[test]
fn a_giant_line_in_a_bomb_takes_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let input = directory.path().join("bomb.cdr.gz");
    let length = if is_long() { 2 << 30 } else { 64 << 20 };
    let sample = include_bytes!("../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr");
    let mut encoder = GzEncoder::new(File::create(&input).unwrap(), Compression::best());
    encoder.write_all(sample).unwrap();
    io::copy(&mut io::repeat(b'7').take(length), &mut encoder).unwrap();
    let compressed = encoder.finish().unwrap().metadata().unwrap().len();
    assert!(length / compressed > 900, "{compressed}");
    // Nobody unwraps that by mistake.
    let status = convert(directory.path(), &input, 256, &[]).status().unwrap();
    assert_eq!(status.code(), Some(1));
    let mut command = convert(directory.path(), &input, 256, &["--max-ratio", "2000"]);
    check_peak(&format!("a line of {length} bytes"), command.spawn().unwrap(), 256);
}

#[test]
fn a_stream_without_end_takes_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let length: u64 = if is_long() { 20 << 30 } else { 256 << 20 };
    let mut command = convert(directory.path(), Path::new("-"), 512, &[]);
    let mut cdrlake = command.stdin(Stdio::piped()).spawn().unwrap();
    let stdin = cdrlake.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let mut stdin = BufWriter::with_capacity(1 << 20, stdin);
        let records = length / 229;
        Calls::new(7, records).try_for_each(|line| stdin.write_all(&line)).unwrap();
        stdin.flush().unwrap();
    });
    check_peak(&format!("a stream of {length} bytes"), cdrlake, 512);
    writer.join().unwrap();
}
