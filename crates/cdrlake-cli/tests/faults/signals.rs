//! Signals: nothing half-published, the status says which, a second one ends at once.

use std::fs;

use super::{
    Ended, OTHER, Place, SAMPLE, send, start_reading, testdata, wait_for_lock, wait_until,
};

const SIGNALS: [(&str, i32); 2] = [("INT", 130), ("TERM", 143)];

#[test]
fn one_file_is_not_begun() {
    for (signal, status) in SIGNALS {
        let place = Place::new();
        let child = place.start_reading(&[
            "convert",
            "-",
            "-o",
            "calls.parquet",
            "--report",
            "report.json",
        ]);
        wait_until("temporary files", || place.names("").len() == 2);
        send(signal, &child);
        Ended::of_child(child).expect(status, &["interrupted; nothing was published"]);
        assert_eq!(place.names(""), [""; 0]);
    }
}

#[test]
fn a_lake_stays_as_it_was() {
    for (signal, status) in SIGNALS {
        let place = Place::new();
        let other = place.bring(OTHER);
        place.run(&["convert", &other, "-o", "lake"]).expect(0, &[]);
        let before = place.files("lake/calls");
        let child = place.start_reading(&["convert", "-", "-o", "lake"]);
        wait_for_lock(&place, &child);
        send(signal, &child);
        Ended::of_child(child).expect(status, &["interrupted; nothing was published"]);
        assert_eq!(place.files("lake/calls"), before);
        assert_eq!(place.names("lake/_cdrlake/staging"), [""; 0]);
        // Neither loaded nor known as failed.
        let sample = testdata(SAMPLE).display().to_string();
        place.run(&["convert", &sample, "-o", "lake"]).expect(0, &["1 loaded, 0 skipped"]);
    }
}

/// What is audited that is no lake is loaded into one, which must not stay.
#[test]
fn an_audit_of_files_leaves_nothing() {
    for (signal, status) in SIGNALS {
        let place = Place::new();
        fs::create_dir(place.path("tmp")).unwrap();
        let mut command = place.command(&["audit", "-"]);
        command.env("TMPDIR", place.path("tmp"));
        let child = start_reading(command);
        wait_until("a lake", || place.path("tmp").read_dir().unwrap().count() == 1);
        send(signal, &child);
        Ended::of_child(child).expect(status, &["interrupted"]);
        assert_eq!(place.path("tmp").read_dir().unwrap().count(), 0);
    }
}

#[test]
fn verdicts_are_not_waited_for() {
    let place = Place::new();
    let child = place.start_reading(&["validate", "-"]);
    const INT_AND_TERM: u64 = 0x4002;
    wait_until("it listens", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.map_or(0, |mask| u64::from_str_radix(mask.trim(), 16).unwrap());
        caught & INT_AND_TERM == INT_AND_TERM
    });
    send("INT", &child);
    Ended::of_child(child).expect(130, &[]);
}

/// While it is stopped, two signals come; when it goes on, the second ends it, unless another thread
/// has cleared away by then, for each may be taken by a thread of its own.
#[test]
fn a_second_one_ends_at_once() {
    const ATTEMPTS: usize = 50;
    let ended_at_once = (0..ATTEMPTS).any(|_| {
        let place = Place::new();
        let child = place.start_reading(&["convert", "-", "-o", "calls.parquet"]);
        wait_until("a temporary file", || place.names("").len() == 1);
        for signal in ["STOP", "INT", "TERM", "CONT"] {
            send(signal, &child);
        }
        let ended = Ended::of_child(child);
        assert!(matches!(ended.status, Some(130 | 143)), "{:?}", ended.status);
        // Nothing is visible, whether or not it could still clear away.
        let names = place.names("");
        assert!(names.iter().all(|name| name.starts_with(".cdrlake-")), "{names:?}");
        !ended.stderr.contains("interrupted") && names.len() == 1
    });
    assert!(ended_at_once, "of {ATTEMPTS}, none");
}

#[test]
fn waiting_for_the_lock_can_be_interrupted() {
    let place = Place::new();
    let other = place.bring(OTHER);
    let mut first = place.start_reading(&["convert", "-", "-o", "lake"]);
    wait_for_lock(&place, &first);
    let mut command = place.command(&["convert", &other, "-o", "lake", "--wait"]);
    let second = command.stderr(std::process::Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(300));
    send("TERM", &second);
    Ended::of_child(second).expect(143, &[]);
    drop(first.stdin.take());
    Ended::of_child(first).expect(0, &[]);
}
