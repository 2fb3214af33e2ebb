//! One delivery under many names: what copies, downloads and unfinished uploads make of a name doubles no
//! call.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const NAME: &str = "GB_ABC_10_0002_20251001170151";

/// Five records of nobody.
fn records() -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["generate", "-q", "--records", "5", "--from", "2025-10-01", "-o", "a.cdr"];
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    command.current_dir(directory.path()).args(arguments).assert().success();
    fs::read(directory.path().join("a.cdr")).unwrap()
}

/// Loads `in` into the lake `L`; gives the status and what was said.
fn convert(directory: &Path) -> (i32, String) {
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    let output =
        command.current_dir(directory).args(["convert", "in", "-o", "L"]).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Rows of the lake.
fn rows(directory: &Path) -> i64 {
    let ledger = rusqlite::Connection::open(directory.join("L/_cdrlake/ledger.sqlite")).unwrap();
    let sql = "SELECT coalesce(sum(rows), 0) FROM files WHERE kind = 'calls'";
    ledger.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn an_unfinished_upload_is_skipped_and_said() {
    let records = records();
    for ending in [".filepart", ".part", ".PARTIAL", ".tmp", ".crdownload", "._COPYING_", ".swp"] {
        let lab = tempfile::tempdir().unwrap();
        fs::create_dir(lab.path().join("in")).unwrap();
        let upload = lab.path().join(format!("in/{NAME}.cdr{ending}"));
        fs::write(&upload, &records[..458]).unwrap();
        let (status, said) = convert(lab.path());
        assert!(status == 0 && said.contains("still being written"), "{ending}: {status} {said}");
        fs::remove_file(upload).unwrap();
        fs::write(lab.path().join(format!("in/{NAME}.cdr")), &records).unwrap();
        assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5), "{ending}");
    }
}

#[test]
fn a_copy_is_the_delivery_that_its_name_holds() {
    let records = records();
    for copy in [
        format!("{NAME}.cdr~"),
        format!("{NAME}.cdr.1"),
        format!("{NAME}.cdr.bak"),
        format!("Copy of {NAME}.cdr"),
        format!("{NAME} (2).cdr"),
        format!("{NAME} - Kopie.cdr"),
        format!("{NAME}_1a2b3c4d.cdr"),
        NAME.to_lowercase() + ".cdr",
        NAME.replacen("GB", "UK", 1) + ".cdr",
    ] {
        let lab = tempfile::tempdir().unwrap();
        fs::create_dir(lab.path().join("in")).unwrap();
        fs::write(lab.path().join(format!("in/{NAME}.cdr")), &records).unwrap();
        assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5), "{copy}");
        fs::write(lab.path().join("in").join(&copy), &records).unwrap();
        assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5), "{copy}: the same content");
        fs::write(lab.path().join("in").join(&copy), &records[..458]).unwrap();
        let (status, said) = convert(lab.path());
        assert!(status == 4 && said.contains("was delivered before"), "{copy}: {status} {said}");
        assert_eq!(rows(lab.path()), 5, "{copy}");
    }
}

#[test]
fn what_systems_leave_beside_files_is_no_source() {
    let records = records();
    let lab = tempfile::tempdir().unwrap();
    let inbox = lab.path().join("in");
    for directory in ["__MACOSX", "@eaDir"] {
        fs::create_dir_all(inbox.join(directory)).unwrap();
        fs::write(inbox.join(directory).join("._x.cdr"), "x").unwrap();
        fs::write(inbox.join(directory).join("y.cdr"), "x").unwrap();
    }
    fs::write(inbox.join("Thumbs.db"), "x").unwrap();
    fs::write(inbox.join("desktop.ini"), "x").unwrap();
    fs::write(inbox.join(format!("{NAME}.cdr")), records).unwrap();
    let (status, said) = convert(lab.path());
    assert!(status == 0, "{said}");
    assert_eq!(rows(lab.path()), 5);
}
