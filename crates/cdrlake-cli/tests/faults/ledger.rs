//! One writer at a time, and a ledger that must be there and be sound.

use std::fs;
use std::process::Stdio;

use super::{Ended, OTHER, Place, SAMPLE, wait_for_lock};

#[test]
fn who_holds_the_lock_is_named() {
    let place = Place::new();
    let other = place.bring(OTHER);
    let mut first = place.start_reading(&["convert", "-", "-o", "lake"]);
    wait_for_lock(&place, &first);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let holder = format!("(host {}, process {}, run ", host.trim(), first.id());
    for arguments in [&["convert", &other, "-o", "lake"][..], &["unload", "lake", "x"]] {
        let ended = place.run(arguments);
        ended.expect(75, &["the lake is being written by another run", &holder, "--wait"]);
        let run = ended.stderr.split("run ").nth(2).unwrap();
        assert!(run.chars().take(32).all(|c| c.is_ascii_hexdigit()), "{}", ended.stderr);
    }
    let mut waiting = place.command(&["convert", &other, "-o", "lake", "--wait"]);
    let waiting = waiting.stderr(Stdio::piped()).spawn().unwrap();
    drop(first.stdin.take());
    Ended::of_child(first).expect(0, &["1 loaded"]);
    Ended::of_child(waiting).expect(0, &["1 loaded"]);
    assert_eq!(place.names("lake/calls").len(), 2);
}

#[test]
fn settings_that_contradict_the_lake_are_refused() {
    let place = Place::new();
    let (sample, other) = (place.bring(SAMPLE), place.bring(OTHER));
    place.run(&["convert", &sample, "-o", "lake"]).expect(0, &[]);
    let before = place.files("lake/calls");
    let ended = place.run(&["convert", &other, "-o", "lake", "--partition-by", "call_date"]);
    ended.expect(2, &["lake has partition_by call_month, not call_date"]);
    let ended = place.run(&["convert", &other, "-o", "lake", "--record-id"]);
    ended.expect(2, &["lake has record_id"]);
    assert_eq!(place.files("lake/calls"), before);
}

#[test]
fn a_lost_ledger_is_not_made_anew() {
    let place = Place::new();
    let (sample, other) = (place.bring(SAMPLE), place.bring(OTHER));
    place.run(&["convert", &sample, "-o", "lake"]).expect(0, &[]);
    let (ledger, kept) = (place.path("lake/_cdrlake/ledger.sqlite"), place.path("kept"));
    fs::rename(&ledger, &kept).unwrap();
    let advice = ["the ledger of lake is missing", "restore it, or name it with --ledger"];
    for arguments in [&["convert", &other, "-o", "lake"][..], &["unload", "lake", &sample]] {
        place.run(arguments).expect(1, &advice);
        assert!(!ledger.exists());
    }
    // One that was emptied is as good as lost.
    fs::write(&ledger, "").unwrap();
    place.run(&["convert", &other, "-o", "lake"]).expect(1, &advice);
    fs::remove_file(&ledger).unwrap();
    place.run(&["convert", &other, "-o", "lake", "--ledger", "kept"]).expect(0, &["1 loaded"]);
}

#[test]
fn a_damaged_ledger_is_named() {
    let place = Place::new();
    let (sample, other) = (place.bring(SAMPLE), place.bring(OTHER));
    place.run(&["convert", &sample, "-o", "lake"]).expect(0, &[]);
    let before = place.files("lake/calls");
    let ledger = place.path("lake/_cdrlake/ledger.sqlite");
    let sound = fs::read(&ledger).unwrap();
    let mut scribbled = sound.clone();
    scribbled[100..].fill(0xA5);
    for damaged in [b"no database at all".repeat(100), scribbled, sound[..5000].to_vec()] {
        fs::write(&ledger, damaged).unwrap();
        let said = ["cannot use the ledger lake/_cdrlake/ledger.sqlite"];
        place.run(&["convert", &other, "-o", "lake"]).expect(1, &said);
        assert_eq!(place.files("lake/calls"), before);
    }
    fs::write(&ledger, sound).unwrap();
    place.run(&["convert", &other, "-o", "lake"]).expect(0, &["1 loaded"]);
}

#[test]
fn a_directory_that_holds_something_else_is_left_alone() {
    let place = Place::new();
    let sample = place.bring(SAMPLE);
    fs::create_dir(place.path("photos")).unwrap();
    fs::write(place.path("photos/summer.jpg"), "a photo").unwrap();
    let said = ["photos is not a lake, and not empty"];
    place.run(&["convert", &sample, "-o", "photos"]).expect(2, &said);
    place.run(&["unload", "photos", &sample]).expect(2, &["there is no lake in photos"]);
    assert_eq!(place.names("photos"), ["photos/summer.jpg"]);
    place.run(&["convert", &sample, "-o", &sample]).expect(2, &["is not a lake"]);
}
