//! `cdrlake generate`: what it writes, the other commands accept.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Output;

use assert_cmd::Command;
use tempfile::TempDir;

fn cdrlake(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    command.current_dir(directory).args(arguments).output().unwrap()
}

fn assert_status(output: &Output, status: i32) {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{errors}");
}

fn generate(directory: &Path, arguments: &[&str]) {
    let output = cdrlake(directory, &[&["generate"], arguments].concat());
    assert_status(&output, 0);
}

#[test]
fn every_product_and_country_is_all_accepted() {
    let directory = TempDir::new().unwrap();
    for (country, product) in [
        ("GB", "IN for Resellers"),
        ("FR", "Voice Line"),
        ("IT", "Wholesale SIP"),
        ("LUX", "sip trunking"),
        ("DE", "11"),
        ("SE", "19"),
        ("JP", "20"),
    ] {
        let name = format!("{country}.cdr.gz");
        generate(
            directory.path(),
            &["-o", &name, "--records", "9000", "--country", country, "--product", product],
        );
        let output = cdrlake(directory.path(), &["validate", "--country", country, &name]);
        assert_status(&output, 0);
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let directory = TempDir::new().unwrap();
    let write = |name: &str, more: &[&str]| {
        generate(directory.path(), &[&["-o", name, "--records", "30000"], more].concat());
        fs::read(directory.path().join(name)).unwrap()
    };
    for name in ["a.cdr", "a.cdr.gz"] {
        let one = write(name, &["--threads", "1"]);
        assert!(one == write(&format!("3{name}"), &["--threads", "3"]));
        assert!(one != write(&format!("s{name}"), &["--seed", "43"]));
    }
    let streamed = cdrlake(directory.path(), &["generate", "-o", "-", "--records", "30000"]);
    assert!(streamed.stdout == write("b.cdr", &[]));
}

#[test]
fn the_frozen_workload_is_the_benches() {
    let directory = TempDir::new().unwrap();
    let output = cdrlake(
        directory.path(),
        &["generate", "-o", "-", "--frozen", "--records", "20000", "--seed", "42"],
    );
    assert!(cdrlake_generate::frozen::Calls::new(42, 20_000).flatten().eq(output.stdout));
    let output = cdrlake(
        directory.path(),
        &["generate", "-o", "-", "--frozen", "--records", "1", "--country", "FR"],
    );
    assert_status(&output, 2);
}

/// A history becomes a lake; its gaps are what the audit finds.
#[test]
fn gaps_are_found_by_the_audit() {
    let directory = TempDir::new().unwrap();
    generate(
        directory.path(),
        &[
            "-o",
            "inbox",
            "--records",
            "5000",
            "--files",
            "20",
            "--gaps",
            "3",
            "--first-sequence",
            "9990",
        ],
    );
    let names: BTreeSet<String> = fs::read_dir(directory.path().join("inbox"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names.len(), 17);
    assert!(names.iter().all(|name| name.starts_with("GB_ABC_10_") && name.ends_with(".cdr.gz")));
    assert_status(&cdrlake(directory.path(), &["convert", "inbox", "-o", "lake"]), 0);
    let audit = cdrlake(directory.path(), &["audit", "--today", "2025-10-10T18:00", "lake"]);
    assert_status(&audit, 3);
    let sequence = |name: &String| name[10..14].parse::<u32>().unwrap();
    let present: BTreeSet<u32> = names.iter().map(sequence).collect();
    let missing: Vec<u32> = (9990..10_010)
        .map(|number| number % 10_000)
        .filter(|number| !present.contains(number))
        .collect();
    assert_eq!(missing.len(), 3);
    let findings = String::from_utf8(audit.stdout).unwrap();
    for number in missing {
        assert!(findings.contains(&format!("{number:04}")), "{number} in {findings}");
    }
    // Without gaps there is nothing to find.
    generate(directory.path(), &["-o", "whole", "--records", "5000", "--files", "20"]);
    assert_status(&cdrlake(directory.path(), &["convert", "whole", "-o", "lake2"]), 0);
    assert_status(
        &cdrlake(directory.path(), &["audit", "--today", "2025-10-10T18:00", "lake2"]),
        0,
    );
}

#[test]
fn damage_is_rejected_as_asked() {
    let directory = TempDir::new().unwrap();
    generate(
        directory.path(),
        &["-o", "a.cdr", "--records", "10000", "--damage", "invalid_date=1%,blank_line=1%"],
    );
    let output = cdrlake(
        directory.path(),
        &["validate", "--country", "GB", "--report", "report.json", "a.cdr"],
    );
    assert_status(&output, 3);
    let report = fs::read_to_string(directory.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let rejects = report["rejects"].as_object().unwrap();
    assert_eq!(rejects.keys().collect::<Vec<_>>(), ["invalid_date"]);
    assert!((60..=140).contains(&rejects["invalid_date"].as_u64().unwrap()));
    assert!((60..=140).contains(&report["blank_lines"].as_u64().unwrap()));
}

#[test]
fn what_cannot_be_done_is_said() {
    let directory = TempDir::new().unwrap();
    generate(directory.path(), &["-o", "a.cdr", "--records", "0"]);
    assert!(fs::read(directory.path().join("a.cdr")).unwrap().is_empty());
    for (status, arguments) in [
        (1, &["-o", "a.cdr", "--records", "1"][..]),
        (1, &["-o", ".", "--records", "1"]),
        (2, &["-o", "b.cdr", "--records", "1", "--from", "2100-12-30"]),
        (2, &["-o", "b", "--records", "1", "--from", "2100-12-30", "--files", "9"]),
        (2, &["-o", "b.cdr.zip", "--records", "1"]),
        (2, &["-o", "b.Parquet", "--records", "1"]),
        (1, &["-o", "none/b.cdr", "--records", "1"]),
        (2, &["-o", "b.cdr", "--records", "1", "--damage", "coffee=1%"]),
        (2, &["-o", "b.cdr", "--records", "1", "--damage", "not_ascii=2"]),
        (2, &["-o", "b.cdr", "--records", "1", "--gaps", "1"]),
        (2, &["-o", "b.cdr", "--records", "1", "--files", "3", "--gaps", "2"]),
        (2, &["-o", "-", "--records", "1", "--files", "3"]),
        (2, &["-o", "b.cdr", "--records", "1", "--product", "01"]),
        (2, &["-o", "b.cdr"]),
    ] {
        let output = cdrlake(directory.path(), &[&["generate"], arguments].concat());
        assert_status(&output, status);
        assert!(!output.stderr.is_empty());
        assert!(!directory.path().join("b.cdr").exists());
    }
    generate(directory.path(), &["-o", "a.cdr", "--records", "1", "--overwrite"]);
    assert_eq!(fs::read(directory.path().join("a.cdr")).unwrap().len(), 229);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left");
}

#[cfg(unix)]
#[test]
fn no_link_to_nothing_is_replaced_and_no_directory_is_made() {
    let directory = TempDir::new().unwrap();
    std::os::unix::fs::symlink("nothing", directory.path().join("link")).unwrap();
    for (output, told) in [
        ("link", "link exists already; choose another, or say --overwrite"),
        ("none/b.cdr", "there is no directory none; create it first"),
    ] {
        let generated = cdrlake(directory.path(), &["generate", "--records", "1", "-o", output]);
        assert_status(&generated, 1);
        let stderr = String::from_utf8(generated.stderr).unwrap();
        assert!(stderr.trim_end().ends_with(told), "{stderr}");
    }
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

/// A pipe stays one, though files may be replaced.
#[cfg(unix)]
#[test]
fn a_pipe_is_written_to() {
    let directory = TempDir::new().unwrap();
    let pipe = directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let read = std::thread::spawn({
        let pipe = pipe.clone();
        move || fs::read(pipe).unwrap().len()
    });
    generate(directory.path(), &["-o", "pipe", "--records", "10", "--overwrite"]);
    assert!(!pipe.metadata().unwrap().is_file());
    assert_eq!(read.join().unwrap(), 2290);
}
