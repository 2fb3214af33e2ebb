//! `cdrlake info` as a user meets it, on lakes of this version, of the one before and of a newer one.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// What the fixture says, but for the version that is this program's.
const OLD: &str = "\
lake

  ledger                version 2; the next run that changes the lake makes it version 3, and keeps the old one
  layout                version 1
  table of calls        version 1
  this program          cdrlake VERSION, rules version RULES
  written by            cdrlake 0.1.0, rules version 1: 3 runs, 3 sources of those that are loaded
  partition by          call_month
  privacy               clear
  record id             omit
  runs                  3
  sources               1 held, 3 loaded, 1 unloaded
  calls                 2 files, 13 rows, 15928 bytes
  rejected lines        1 file, 1 row, 3797 bytes; 1 open
  file times            2025-10-01 17:01:51 to 2025-11-04 17:01:51
  under older rules     no loaded source
  without a BLAKE3      3 of 3 files; cdrlake audit --verify --record lake checks and records them
";

struct Lab(TempDir);

impl Lab {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// With a copy of the lake of ledger version 2.
    fn old() -> Self {
        let lab = Self::new();
        let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lakes/ledger-2/lake");
        let mut directories = vec![(old, lab.path("lake"))];
        while let Some((from, to)) = directories.pop() {
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let (path, to) =
                    (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
                match path.is_dir() {
                    true => directories.push((path, to)),
                    false => drop(fs::copy(path, to).unwrap()),
                }
            }
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn ledger(&self) -> Connection {
        Connection::open(self.path("lake/_cdrlake/ledger.sqlite")).unwrap()
    }

    /// Exit status, standard output and standard error.
    fn run(&self, arguments: &str) -> (i32, String, String) {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        let output = command.current_dir(&self.0).args(arguments.split(' ')).output().unwrap();
        let [out, err] =
            [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
        (output.status.code().unwrap(), out, err)
    }

    fn json(&self) -> Value {
        let (status, out, err) = self.run("info lake --json");
        assert_eq!(status, 0, "{err}");
        serde_json::from_str(&out).unwrap()
    }
}

#[test]
fn a_lake_of_the_version_before() {
    let lab = Lab::old();
    let before = fs::read(lab.path("lake/_cdrlake/ledger.sqlite")).unwrap();
    let expected = OLD
        .replace("VERSION", env!("CARGO_PKG_VERSION"))
        .replace("RULES", &cdrlake_core::RULES_VERSION.to_string());
    assert_eq!(lab.run("info lake"), (0, expected, String::new()));
    assert_eq!(fs::read(lab.path("lake/_cdrlake/ledger.sqlite")).unwrap(), before);
    assert!(!lab.path("lake/_cdrlake/ledger.sqlite.v2").exists());
}

#[test]
fn a_lake_of_this_version() {
    let lab = Lab::new();
    assert_eq!(lab.run("generate -q --records 20 -o GB_ABC_10_0001_20251001170151.cdr").0, 0);
    let convert =
        "convert GB_ABC_10_0001_20251001170151.cdr -o lake --mask origin,destination --keep 6";
    assert_eq!(lab.run(convert).0, 0);
    let info = lab.json();
    assert_eq!(info["ledger_version"], info["current_ledger_version"]);
    assert_eq!(info["lake"], "lake");
    assert_eq!((&info["layout_version"], &info["schema_version"]), (&json!("3"), &json!("2")));
    assert_eq!(info["settings"]["privacy"], "mask:6");
    assert_eq!(info["sources"], json!({ "loaded": 1 }));
    assert_eq!((&info["runs"], &info["older_rules"]), (&json!(1), &json!(0)));
    assert_eq!((&info["calls"]["rows"], &info["calls"]["unrecorded"]), (&json!(20), &json!(0)));
    assert_eq!(info["first_file_time"], "2025-10-01T17:01:51");
    let bytes: u64 =
        files_in(&lab.path("lake/calls")).iter().map(|p| p.metadata().unwrap().len()).sum();
    assert_eq!(info["calls"]["bytes"], bytes);
    // Under rules that are no more.
    lab.ledger().execute("UPDATE runs SET rules_version = 0", []).unwrap();
    assert_eq!(lab.json()["older_rules"], 1);
    let (_, out, _) = lab.run("info lake");
    assert!(out.contains("1 loaded source; convert --replace loads its file again"), "{out}");
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let (mut files, mut directories) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files
}

#[test]
fn a_lake_of_a_newer_version() {
    let lab = Lab::old();
    lab.ledger().pragma_update(None, "user_version", 99).unwrap();
    for command in ["info lake", "audit lake", "unload lake x"] {
        let (status, out, err) = lab.run(command);
        assert_eq!((status, out.as_str()), (1, ""), "{command}: {err}");
        let told = "was made by a newer version of cdrlake (ledger version 99); update this one";
        assert!(err.contains(told), "{command}: {err}");
    }
}

#[test]
fn a_lake_of_a_newer_layout() {
    let lab = Lab::old();
    lab.ledger().execute("UPDATE lake SET value = '9' WHERE name = 'layout_version'", []).unwrap();
    for command in ["info lake", "unload lake x"] {
        let (status, _, err) = lab.run(command);
        let told = "lake was made by a newer version of cdrlake; update this one";
        assert!(status == 1 && err.contains(told), "{command}: {err}");
    }
}

#[test]
fn what_is_no_lake() {
    let lab = Lab::new();
    fs::create_dir(lab.path("other")).unwrap();
    for name in ["nowhere", "other"] {
        let (status, _, err) = lab.run(&format!("info {name}"));
        assert_eq!(status, 2, "{err}");
        assert!(err.contains(&format!("there is no lake in {name}")), "{err}");
    }
    let lab = Lab::old();
    fs::rename(lab.path("lake/_cdrlake/ledger.sqlite"), lab.path("l.sqlite")).unwrap();
    let (status, _, err) = lab.run("info lake");
    assert!(status == 1 && err.contains("name it with --ledger"), "{err}");
    assert_eq!(lab.run("info lake --ledger l.sqlite").0, 0);
}
