//! Lakes as a user meets them: what may be asked for, what is said, and with what status.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

const SAMPLE: &str = "valid/DE_SV_00_0001_20110930090122.cdr";
const OTHER: &str = "valid/CZ_AAX_10_0001_20151010090117.cdr";
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
    // The lake still lacks what was rejected, which is no news.
    let (status, said) = convert(&[DAMAGED, SAMPLE]);
    assert!(
        status == 0 && said.contains("still open in sources that were skipped: rejected lines: 1"),
        "{said}"
    );
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
        (
            &["-o", "lake", "--deduplicate"],
            "lake was made without record_id, so duplicates cannot be told; make a lake with --record-id",
        ),
    ] {
        let arguments = [&["convert"][..], arguments].concat();
        let (status, said) = run(directory.path(), &arguments, &[SAMPLE]);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert!(said.contains(message), "{arguments:?}: {said}");
    }
    let (status, said) = run(directory.path(), &["unload", "nowhere", "x"], &[]);
    assert!(status == 2 && said.contains("there is no lake in nowhere"), "{said}");
}

#[test]
fn why_nothing_is_written_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let convert = |arguments: &[&str]| {
        let arguments = [&["convert", "-o", "lake", "--record-id"], arguments].concat();
        let (status, said) = run(directory.path(), &arguments, &[]);
        assert_eq!(status, 0, "{said}");
        said
    };
    let sample = fs::read(testdata(SAMPLE)).unwrap();
    fs::write(directory.path().join("first.cdr"), &sample).unwrap();
    fs::write(directory.path().join("second.cdr"), [&sample[..], b"\n"].concat()).unwrap();
    let empty = "GB_ABC_10_0001_20251101090122.cdr";
    fs::write(directory.path().join(empty), "").unwrap();
    convert(&["first.cdr"]);
    let said = convert(&["second.cdr", "--deduplicate"]);
    assert!(said.contains("1 loaded") && !said.contains("nothing"), "{said}");
    assert!(said.contains("the lake has every record already, so there is no new file"), "{said}");
    let said = convert(&[empty]);
    assert!(said.contains("no record was in what was loaded, so there is no new file"), "{said}");
    let said = convert(&["first.cdr"]);
    assert!(said.contains("nothing new was loaded, so nothing is written"), "{said}");
}

/// A failure is the same from wherever it is seen.
#[test]
fn a_source_that_fails_from_two_directories_is_one_failure() {
    let directory = tempfile::tempdir().unwrap();
    let inbox = directory.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    // A cut gzip: neither its content nor a name of the carrier's form tells.
    fs::write(inbox.join("calls.gz"), b"\x1f\x8b\x08").unwrap();
    let convert = |from: &Path, lake: &str, name: &str, status| {
        let (ended, said) = run(from, &["convert", "-o", lake, name], &[]);
        assert_eq!(ended, status, "{said}");
    };
    convert(directory.path(), "lake", "inbox/calls.gz", 1);
    convert(&inbox, "../lake", "calls.gz", 3);
    let findings = || {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        command.current_dir(directory.path()).args(["audit", "lake"]);
        let stdout = String::from_utf8(command.output().unwrap().stdout).unwrap();
        stdout.matches("failed_source:").count()
    };
    assert_eq!(findings(), 1);
    fs::remove_file(inbox.join("calls.gz")).unwrap();
    fs::create_dir(inbox.join("calls.gz")).unwrap();
    fs::copy(testdata(SAMPLE), inbox.join("calls.gz/calls.cdr")).unwrap();
    convert(directory.path(), "lake", "inbox/calls.gz", 0);
    // What is a directory now is another thing.
    assert_eq!(findings(), 1);
    fs::remove_dir_all(inbox.join("calls.gz")).unwrap();
    fs::copy(testdata(OTHER), inbox.join("calls.gz")).unwrap();
    convert(&inbox, "../lake", "./calls.gz", 1);
    assert_eq!(findings(), 1);
}

#[test]
fn rejects_that_are_open_again_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str], inputs: &[&str]| run(directory.path(), arguments, inputs);
    assert_eq!(run(&["convert", "-o", "lake"], &[DAMAGED]).0, 3);
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    command.current_dir(directory.path()).args(["audit", "lake"]);
    let stdout = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let finding = stdout.split_whitespace().find(|word| word.starts_with("open_rejects:")).unwrap();
    assert_eq!(run(&["audit", "lake", "--accept", finding, "--reason=noise"], &[]).0, 0);
    assert_eq!(run(&["convert", "-o", "lake"], &[DAMAGED]).0, 0);
    let (status, said) = run(&["convert", "-o", "lake", "--replace"], &[DAMAGED]);
    let told = "invalid_date.cdr are open again; before it was replaced they were waived";
    assert!(status == 3 && said.contains(told), "{said}");
}

#[test]
fn what_is_no_place_for_a_lake_or_ledger_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::os::unix::fs::symlink(path("nowhere"), path("link")).unwrap();
    fs::write(path("note.txt"), "a note of several words").unwrap();
    fs::set_permissions(path("note.txt"), fs::Permissions::from_mode(0o664)).unwrap();
    for (arguments, message) in [
        (&["-o", "link"][..], "link is a link to something that is not there"),
        (&["-o", "lake", "--ledger", "note.txt"], "note.txt is not a ledger of cdrlake"),
    ] {
        let (status, said) = run(directory.path(), &[&["convert"], arguments].concat(), &[SAMPLE]);
        assert!(status == 2 && said.contains(message), "{said}");
    }
    assert_eq!(path("note.txt").metadata().unwrap().permissions().mode() & 0o777, 0o664);
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
