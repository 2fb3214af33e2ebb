//! What a run writes besides its rows replaces nothing but what an earlier run wrote for the same purpose.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const NAME: &str = "GB_ABC_10_0002_20251001170151";

/// A directory with a delivery, a lake that holds it, and files of other programs.
fn lab() -> tempfile::TempDir {
    let lab = tempfile::tempdir().unwrap();
    fs::create_dir(lab.path().join("in")).unwrap();
    let delivery = format!("in/{NAME}.cdr");
    let generate = ["generate", "-q", "--records", "5", "--from", "2025-10-01", "-o", &delivery];
    assert_eq!(run(lab.path(), &generate).0, 0);
    assert_eq!(run(lab.path(), &["convert", "-q", "in", "-o", "L"]).0, 0);
    fs::write(lab.path().join("notes.txt"), "mine").unwrap();
    fs::write(lab.path().join("other.parquet"), "mine").unwrap();
    fs::write(lab.path().join("other.json"), "{\"mine\": true}").unwrap();
    lab
}

fn run(directory: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    let output = command.current_dir(directory).args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Every file below a directory, and what it holds.
fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => directories.push(path),
                false => {
                    files.push((path.display().to_string(), fs::read(&path).unwrap_or_default()));
                }
            }
        }
    }
    files.sort();
    files
}

#[test]
fn nothing_of_others_is_replaced_by_any_option() {
    let lab = lab();
    std::os::unix::fs::symlink("L/_cdrlake/ledger.sqlite", lab.path().join("link.json")).unwrap();
    let before = files(lab.path());
    let delivery = format!("in/{NAME}.cdr");
    let targets = [
        delivery.as_str(),
        "in/GB_ABC_10_0003_20251002170151.cdr",
        "in/Copy of GB_ABC_10_0003_20251002170151.cdr.gz",
        "in/AM220120110182.cdr.zip",
        "L/_cdrlake/ledger.sqlite",
        "L/_cdrlake/report.json",
        "L/report.json",
        "L/calls/report.prom",
        "notes.txt",
        "other.parquet",
        "other.json",
        "link.json",
    ];
    for target in targets {
        for arguments in [
            vec!["convert", "in", "-o", "L", "--report", target],
            vec!["convert", "in", "-o", "L", "--metrics-file", target],
            vec!["convert", "in", "-o", "new", "--report", target],
            vec!["convert", "in", "-o", "x.parquet", "--report", target],
            vec!["validate", "in", "--report", target],
            vec!["audit", "L", "--html", target],
            vec!["audit", "L", "--metrics-file", target],
        ] {
            let (status, said) = run(lab.path(), &arguments);
            assert!(status == 2, "{arguments:?}: {status} {said}");
            let advises =
                said.contains("choose another") || said.contains("name a place outside it");
            assert!(advises, "{arguments:?}: {said}");
            assert_eq!(files(lab.path()), before, "{arguments:?}");
        }
    }
}

#[test]
fn a_table_replaces_tables_only() {
    let lab = lab();
    let delivery = format!("in/{NAME}.cdr");
    assert_eq!(run(lab.path(), &["convert", "-q", &delivery, "-o", "x.parquet"]).0, 0);
    let before = files(lab.path());
    for arguments in [
        vec!["convert", "in", "-o", "other.parquet", "--overwrite"],
        vec!["convert", "in", "-o", "x.parquet", "--overwrite", "--rejects", "other.parquet"],
        vec!["convert", "in", "-o", "y.parquet", "--overwrite", "--rejects", "x.parquet"],
        vec!["convert", "in", "-o", "L/calls/y.parquet", "--overwrite"],
        vec!["generate", "--records", "1", "--overwrite", "-o", "L/_cdrlake/ledger.sqlite"],
    ] {
        let (status, said) = run(lab.path(), &arguments);
        assert!(status == 2, "{arguments:?}: {status} {said}");
        assert_eq!(files(lab.path()), before, "{arguments:?}");
    }
    // One's own, and those of another program where tables are replaced.
    let again = ["convert", "-q", "in", "-o", "x.parquet", "--overwrite"];
    assert_eq!(run(lab.path(), &again).0, 0);
}

#[test]
fn what_an_earlier_run_wrote_is_replaced() {
    let lab = lab();
    for _ in 0..2 {
        for arguments in [
            ["convert", "in", "-o", "L", "--report", "report.json"],
            ["convert", "in", "-o", "L", "--metrics-file", "cdrlake.prom"],
            ["convert", "in", "-o", "L", "--report", "/dev/null"],
            ["audit", "L", "--today=2025-10-01", "--html", "audit.html", "-q"],
        ] {
            let (status, said) = run(lab.path(), &arguments);
            assert!(status == 0 || status == 3, "{arguments:?}: {status} {said}");
        }
    }
}
