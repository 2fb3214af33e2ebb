//! `cdrlake stats` counts the same whatever holds the records.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Stdio;

use assert_cmd::Command;
use serde_json::Value;

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

fn cdrlake() -> Command {
    Command::cargo_bin("cdrlake").unwrap()
}

/// What is counted, less how many files it stands in.
fn counted(paths: &[PathBuf]) -> Value {
    let output = cdrlake().args(["stats", "--json"]).args(paths).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let mut counted: Value = serde_json::from_slice(&output.stdout).unwrap();
    counted.as_object_mut().unwrap().remove("files");
    counted
}

#[test]
fn sources_lakes_and_files_count_alike() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let inputs = [
        testdata("valid"),
        testdata("invalid/invalid_date.cdr"),
        testdata("invalid/short_record.cdr"),
    ];
    let of_sources = counted(&inputs);
    for partition_by in ["call_month", "call_date", "country,call_month", "none"] {
        let lake = path(partition_by);
        let mut convert = cdrlake();
        convert.args(["convert", "--quiet", "--partition-by", partition_by, "--output"]).arg(&lake);
        convert.args(&inputs).assert().code(3);
        assert_eq!(counted(&[lake]), of_sources, "{partition_by}");
    }
    let file = path("calls.parquet");
    cdrlake().args(["convert", "--quiet", "--output"]).arg(&file).args(&inputs).assert().code(3);
    let mut of_file = counted(&[file, path("calls.rejects.parquet")]);
    assert_eq!(of_file, of_sources);
    // Against what `validate` counts, whose numbers are held to the reference decoder.
    let report = path("report.json");
    let mut validate = cdrlake();
    validate.args(["validate", "--quiet", "--report"]).arg(&report).args(&inputs).assert().code(3);
    let report: Value = serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    for (counted, reported) in [
        ("records", "records_written"),
        ("records_rejected", "records_rejected"),
        ("rejects", "rejects"),
        ("duration_seconds", "duration_seconds"),
        ("blank_lines", "blank_lines"),
    ] {
        assert_eq!(of_file[counted].take(), report[reported], "{counted}");
    }
}

#[test]
fn tables_of_something_else_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("calls.parquet");
    std::fs::write(&file, "no table").unwrap();
    let output = cdrlake().arg("stats").arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("calls.parquet"));
}

/// A pipe that nobody reads is no error; nor does it come in colour.
#[test]
fn closed_pipes_are_no_errors() {
    for arguments in [&["stats"][..], &["inspect"], &["inspect", "--rejected"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_cdrlake"));
        command.args(arguments).arg(testdata("valid/DE_SV_00_0001_20110930090122.cdr"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}
