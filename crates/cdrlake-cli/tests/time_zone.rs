//! Instants of calls, by the zones that `--time-zone` gives.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs::{self, File};
use std::path::Path;

use assert_cmd::Command;
use parquet::file::reader::{FileReader, SerializedFileReader};

/// A line with this start, `YYYYMMDDHHMMSS`.
fn line(start: &str) -> Vec<u8> {
    let sample = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../testdata/valid/DE_SV_00_0001_20110930090122.cdr"
    );
    let mut line = fs::read(sample).unwrap()[..229].to_vec();
    line[42..56].copy_from_slice(start.as_bytes());
    line
}

/// Converts the files of a directory, and returns status, messages and, for each row, its start and
/// its instant, ambiguous or not.
fn convert(directory: &Path, zone: &str) -> (i32, String, Vec<String>) {
    let output = directory.join("calls.parquet");
    let ran = Command::cargo_bin("cdrlake")
        .unwrap()
        .current_dir(directory)
        .args(["convert", "inbox", "-o", "calls.parquet", "--overwrite", "--time-zone", zone])
        .output()
        .unwrap();
    let mut rows = Vec::new();
    if let Ok(file) = File::open(&output) {
        for row in SerializedFileReader::new(file).unwrap().get_row_iter(None).unwrap() {
            let columns = ["start_time", "start_time_utc", "start_time_ambiguous"];
            let row = row.unwrap();
            let text = |name| {
                let field = row.get_column_iter().find(|(column, _)| *column == name).unwrap();
                field.1.to_string()
            };
            rows.push(columns.map(text).join(" | "));
        }
    }
    let _ = fs::remove_file(output);
    (ran.status.code().unwrap(), String::from_utf8(ran.stderr).unwrap(), rows)
}

#[test]
fn each_country_profile_or_name_gives_its_zone() {
    let directory = tempfile::tempdir().unwrap();
    let inbox = directory.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    let source = |name: &str, starts: &[&str]| {
        fs::write(
            inbox.join(name),
            starts.iter().map(|start| line(start)).collect::<Vec<_>>().concat(),
        )
        .unwrap();
    };
    source(
        "GB_ABC_12_0001_20251026170101.cdr",
        &["20250715120000", "20251026013000", "20250330013000", "20251026023000"],
    );
    source("ES_XYZ_12_0001_20251026170101.cdr", &["20250715120000", "20250715120001"]);
    fs::write(
        directory.path().join("cdrlake.toml"),
        "[profile.ABC]\ntime_zone = \"Asia/Tokyo\"\n[profile.XYZ]\ntime_zone = \"Atlantic/Canary\"\n",
    )
    .unwrap();

    let (status, stderr, rows) = convert(directory.path(), "country");
    assert_eq!(status, 4, "{stderr}");
    assert!(stderr.contains("ES has several time zones; name one"), "{stderr}");
    assert_eq!(
        rows,
        [
            "2025-07-15 12:00:00.000000 +00:00 | 2025-07-15 11:00:00.000000 +00:00 | false",
            "2025-10-26 01:30:00.000000 +00:00 | 2025-10-26 00:30:00.000000 +00:00 | true",
            "2025-03-30 01:30:00.000000 +00:00 | null | false",
            "2025-10-26 02:30:00.000000 +00:00 | 2025-10-26 02:30:00.000000 +00:00 | false",
        ]
    );

    let (status, stderr, rows) = convert(directory.path(), "profile");
    assert_eq!(status, 0, "{stderr}");
    assert_eq!(
        rows[0],
        "2025-07-15 12:00:00.000000 +00:00 | 2025-07-15 11:00:00.000000 +00:00 | false"
    );
    assert_eq!(
        rows[2],
        "2025-07-15 12:00:00.000000 +00:00 | 2025-07-15 03:00:00.000000 +00:00 | false"
    );

    let (status, stderr, rows) = convert(directory.path(), "europe/madrid");
    assert_eq!((status, rows.len()), (0, 6), "{stderr}");
    assert!(rows[2].ends_with("| 2025-07-15 10:00:00.000000 +00:00 | false"), "{}", rows[2]);

    let (status, stderr, rows) = convert(directory.path(), "Mars/Base");
    assert_eq!((status, rows.len()), (2, 0));
    assert!(stderr.contains("unknown time zone \"Mars/Base\""), "{stderr}");
}
