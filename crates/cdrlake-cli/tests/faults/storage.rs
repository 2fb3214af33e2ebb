//! Disks that are full, closed or elsewhere, and clocks that lie.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::{Ended, OTHER, Place, SAMPLE};

/// Runs a shell command in which `"$@"` is cdrlake with these arguments.
fn in_shell(place: &Place, script: &str, arguments: &[&str]) -> Ended {
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh", env!("CARGO_BIN_EXE_cdrlake")]).args(arguments);
    Ended::of(command.current_dir(&place.0).output().unwrap())
}

/// The signal that comes with a limit of the file's size must not kill.
#[test]
fn files_that_may_not_grow_fail_the_run() {
    let place = Place::new();
    place.write_source("in.cdr", 20_000, 228);
    for output in ["calls.parquet", "lake"] {
        let arguments = ["convert", "in.cdr", "-o", output];
        let ended = in_shell(&place, "ulimit -f 300; exec \"$@\"", &arguments);
        ended.expect(1, &["error: cannot write", output, "File too large"]);
        assert!(!place.path(output).is_file());
        assert_eq!(place.names("lake/calls"), [""; 0]);
        place.run(&arguments).expect(0, &["1 loaded"]);
    }
    assert_eq!(place.names("lake/calls").len(), 1);
    assert_eq!(place.names("lake/_cdrlake/staging"), [""; 0]);
}

/// On a file system of its own that is full; where none may be mounted, this is not tested.
#[test]
fn a_full_disk_fails_the_run_and_harms_nothing() {
    let place = Place::new();
    let other = place.bring(OTHER);
    place.write_source("in.cdr", 100_000, 228);
    fs::create_dir(place.path("disk")).unwrap();
    let mounted = "mount -t tmpfs -o size=512k tmpfs disk || exit 77\n";
    let unshare = |script: &str| {
        let script = format!("unshare --mount sh -c '{mounted}{script}' sh \"$@\"");
        in_shell(&place, &script, &[&other])
    };
    if unshare("true").status != Some(0) {
        eprintln!("NOT TESTED: no file system can be mounted here");
        return;
    }
    let ended = unshare(
        "\"$1\" convert -q \"$2\" -o disk/lake || exit 10\n\
         find disk/lake/calls -type f | sort > before; cat disk/lake/calls/*/* | cksum >> before\n\
         \"$1\" convert -q in.cdr -o disk/lake; test $? = 1 || exit 11\n\
         find disk/lake/calls -type f | sort > after; cat disk/lake/calls/*/* | cksum >> after\n\
         cmp before after || exit 12\n\
         mount -o remount,size=64m disk || exit 13\n\
         \"$1\" convert -q in.cdr \"$2\" -o disk/lake || exit 14\n\
         test \"$(find disk/lake/calls -type f | wc -l)\" = 2 || exit 15\n\
         \"$1\" convert -q in.cdr \"$2\" -o disk/lake || exit 16\n\
         test \"$(find disk/lake/calls -type f | wc -l)\" = 2 || exit 17",
    );
    ended.expect(0, &["error: cannot write disk/lake", "No space left on device"]);
}

/// A device is written to, not renamed over; if it is full that is said.
#[test]
fn a_report_may_go_to_a_device() {
    let place = Place::new();
    let sample = place.bring(SAMPLE);
    // Linked, so that no device is lost if this fails.
    std::os::unix::fs::symlink("/dev/full", place.path("full")).unwrap();
    let ended = place.run(&["convert", &sample, "-o", "calls.parquet", "--report", "full"]);
    ended.expect(1, &["the run is done, but its report full is not: No space left on device"]);
    assert!(fs::symlink_metadata(place.path("full")).unwrap().is_symlink());
    let ended = place.run(&["validate", &sample, "--report", "/dev/stderr"]);
    ended.expect(0, &["\"records_written\": 3"]);
}

#[test]
fn a_directory_that_may_not_be_written_is_named() {
    const NOBODY: u32 = 65534;
    let place = Place::new();
    let (sample, other) = (place.bring(SAMPLE), place.bring(OTHER));
    fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).unwrap();
    let program = place.path("cdrlake");
    fs::copy(env!("CARGO_BIN_EXE_cdrlake"), &program).unwrap();
    place.run(&["convert", &sample, "-o", "lake"]).expect(0, &[]);
    let before = place.names("lake");
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let set_mode = |mode| {
        for name in ["lake/_cdrlake/staging", "lake/_cdrlake", "lake", ""] {
            fs::set_permissions(place.path(name), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    set_mode(0o555);
    let ended = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command.current_dir(&place.0).args(arguments);
        if is_root {
            // Root writes everywhere.
            command.uid(NOBODY);
        }
        Ended::of(command.output().unwrap())
    };
    let denied = "Permission denied";
    for output in ["lake", "new", "calls.parquet"] {
        let ended = ended(&["convert", &other, "-o", output]);
        ended.expect(1, &["error: cannot write", output, denied]);
    }
    ended(&["unload", "lake", &sample]).expect(1, &["error: cannot", "lake", denied]);
    set_mode(0o755);
    assert_eq!(place.names("lake"), before);
}

/// Nothing goes to the temporary directory, which may be small, or another file system that
/// renames cannot leave.
#[test]
fn the_temporary_directory_is_not_used() {
    let place = Place::new();
    place.write_source("in.cdr", 30_000, 228);
    // More than are kept in memory.
    place.write_source("short.cdr", 30_000, 200);
    let mut content = fs::read(place.path("in.cdr")).unwrap();
    content.extend(fs::read(place.path("short.cdr")).unwrap());
    fs::write(place.path("in.cdr"), content).unwrap();
    let shared_memory = Path::new("/dev/shm");
    let elsewhere = match shared_memory.is_dir() {
        true => tempfile::tempdir_in(shared_memory).unwrap(),
        false => tempfile::tempdir().unwrap(),
    };
    let touched = || fs::metadata(&elsewhere).unwrap().mtime_nsec();
    let before = touched();
    for arguments in [
        &["convert", "in.cdr", "-o", "lake"][..],
        &["convert", "in.cdr", "-o", "lake", "--replace"],
        &["convert", "in.cdr", "-o", "calls.parquet"],
    ] {
        let output = place.command(arguments).env("TMPDIR", elsewhere.path()).output().unwrap();
        Ended::of(output).expect(3, &["30000 short_record"]);
    }
    assert_eq!(touched(), before);
}

/// A clock for programs that ask the C library.
const CLOCK: &str = r"
#include <sys/time.h>
#include <time.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    static long ticks;
    now->tv_sec = clock == CLOCK_REALTIME ? 1000000000 : 1000 + ++ticks / 1000;
    now->tv_nsec = ticks % 1000 * 1000000;
    return 0;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    now->tv_sec = 1000000000, now->tv_usec = 0;
    return 0;
}
time_t time(time_t *now) { return now ? *now = 1000000000 : 1000000000; }
";

/// Nothing is ordered or named by the clock: it may be set back by decades between runs.
#[test]
fn a_clock_set_back_changes_nothing() {
    let place = Place::new();
    let (sample, other) = (place.bring(SAMPLE), place.bring(OTHER));
    fs::write(place.path("clock.c"), CLOCK).unwrap();
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "clock.so", "clock.c"])
        .current_dir(&place.0)
        .status();
    assert!(built.unwrap().success());
    let clock = place.path("clock.so");
    let run = |lake: &str, input: &str, set_back: bool| {
        let mut command = place.command(&["convert", "--replace", input, "-o", lake]);
        if set_back {
            command.env("LD_PRELOAD", &clock);
        }
        Ended::of(command.output().unwrap()).expect(0, &["1 loaded"]);
    };
    for input in [&sample, &other, &sample] {
        run("true", input, false);
        run("back", input, input == &other);
    }
    let ledger = fs::read(place.path("back/_cdrlake/ledger.sqlite")).unwrap();
    let set_back = b"2001-09-09T01:46:40Z";
    assert!(ledger.windows(set_back.len()).any(|bytes| bytes == set_back), "the clock was true");
    for directory in ["calls", "_cdrlake/rejects"] {
        let files = |lake: &str| {
            let files = place.files(&format!("{lake}/{directory}")).into_iter();
            let names = files.map(|(name, content)| (name[lake.len()..].to_owned(), content));
            names.collect::<Vec<_>>()
        };
        assert_eq!(files("back"), files("true"));
    }
}
