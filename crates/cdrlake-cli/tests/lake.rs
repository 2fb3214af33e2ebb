//! Lakes as a user meets them: what may be asked for, what is said, and with what status.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

const SAMPLE: &str = "valid/DE_SV_00_0001_20110930090122.cdr";
const DAMAGED: &str = "invalid/invalid_date.cdr";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// Runs `cdrlake` in a directory; gives its exit status and what it said.
fn run(directory: &Path, arguments: &[&str], inputs: &[&str]) -> (i32, String) {
    let output = Command::cargo_bin("cdrlake")
        .unwrap()
        .current_dir(directory)
        .args(arguments)
        .args(inputs.iter().map(|name| testdata(name)))
        .output()
        .unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn what_comes_again_is_skipped_with_its_open_rejects() {
    let directory = tempfile::tempdir().unwrap();
    let convert = |inputs: &[&str]| run(directory.path(), &["convert", "-o", "lake"], inputs);
    assert_eq!(convert(&[SAMPLE]).0, 0);
    let (status, said) = convert(&[SAMPLE]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("skipped: ") && said.contains("nothing new was loaded"), "{said}");
    assert_eq!(convert(&[DAMAGED]).0, 3);
    // The lake still lacks what was rejected.
    assert_eq!(convert(&[DAMAGED, SAMPLE]).0, 3);
    let unload = |name| run(directory.path(), &["unload", "lake", name], &[]);
    let (status, said) = unload("invalid_date.cdr");
    assert!(status == 0 && said.contains("unloaded: "), "{said}");
    // A run that died may be repeated; what never was cannot be unloaded.
    let (status, said) = unload("invalid_date.cdr");
    assert!(status == 0 && said.contains("unloaded before: "), "{said}");
    assert_eq!(unload("nothing.cdr").0, 2);
    let calls = directory.path().join("lake/calls/call_month=2011-09");
    assert_eq!(calls.read_dir().unwrap().count(), 1);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("other")).unwrap();
    fs::write(directory.path().join("other/precious"), "").unwrap();
    for (arguments, message) in [
        (&["-o", "lake", "--overwrite"][..], "--overwrite is not for lake"),
        (&["-o", "lake", "--rejects", "r.parquet"], "--rejects is not for lake"),
        (&["-o", "c.parquet", "--replace"], "--replace is not for c.parquet"),
        (&["-o", "c.parquet", "--deduplicate"], "--deduplicate is not for c.parquet"),
        (&["-o", "c.parquet", "--partition-by", "none"], "--partition-by is not for c.parquet"),
        (&["-o", "lake", "--partition-by", "month"], "expected call_month or call_date"),
        (&["-o", "other"], "other is not a lake, and not empty"),
        (&["-o", "lake", "--deduplicate"], "lake was made without --record-id"),
    ] {
        let arguments = [&["convert"][..], arguments].concat();
        let (status, said) = run(directory.path(), &arguments, &[SAMPLE]);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
    let (status, said) = run(directory.path(), &["unload", "nowhere", "x"], &[]);
    assert!(status == 2 && said.contains("there is no lake in nowhere"), "{said}");
}

/// Calls are for whom the umask lets; raw lines and names of deliveries are not for everybody.
#[test]
fn permissions() {
    let directory = tempfile::tempdir().unwrap();
    let cdrlake = Command::cargo_bin("cdrlake").unwrap();
    let status = std::process::Command::new("sh")
        .args(["-c", "umask 022; exec \"$@\"", "sh"])
        .arg(cdrlake.get_program())
        .args(["convert", "-q", "-o", "lake"])
        .args([testdata(SAMPLE), testdata(DAMAGED)])
        .current_dir(directory.path())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(3));
    let mut directories = vec![directory.path().join("lake")];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for entry in directory.read_dir().unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let mode = path.metadata().unwrap().permissions().mode() & 0o777;
            let is_calls = path.to_str().unwrap().contains("/calls/");
            assert_eq!(mode, if is_calls { 0o644 } else { 0o640 }, "{}", path.display());
            seen += 1;
        }
    }
    // A month of calls, rejects, the ledger with its lock, its face, and the lake's identity.
    assert_eq!(seen, 6);
}
