//! What the system sees of a fetch and does to it: secrets, signals, disks that are full.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use cdrlake_sandbox::{Breach, Mute, Reply};

use crate::{KEY, SECRET, Setup, UNRATED, cdrlake, names, status, stderr, stdout};

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
    assert!(sent.unwrap().success());
}

/// Starts a fetch whose files drip, and waits until the first is on its way.
fn start_slowly(setup: &Setup) -> Child {
    for _ in 0..3 {
        setup
            .carrier
            .next(UNRATED, |reply| reply.breached(Breach::Drip(64, Duration::from_millis(40))));
    }
    let mut command = setup.unrated();
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = Instant::now();
    let inbox = setup.directory.path().join("inbox");
    loop {
        let parts = fs::read_dir(&inbox).into_iter().flatten().flatten();
        let has_begun = parts
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".part"))
            .any(|entry| entry.metadata().is_ok_and(|metadata| metadata.len() > 0));
        if has_begun {
            return child;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "nothing has begun");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn no_secret_is_seen_from_outside() {
    let setup = Setup::new();
    let mut child = start_slowly(&setup);
    let secrets = [KEY, SECRET, "sandbox-token-"];
    let assert_clean = |what: &str, bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        for secret in secrets {
            assert!(!text.contains(secret), "{secret} in {what}");
        }
    };
    let mut seen = 0;
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        if let Ok(arguments) = fs::read(entry.path().join("cmdline")) {
            assert_clean(&format!("{}", entry.path().display()), &arguments);
            seen += usize::from(entry.file_name().to_string_lossy() == child.id().to_string());
        }
    }
    assert_eq!(seen, 1, "the command line was looked at");
    // Temporary files while it runs, and everything after it.
    for moment in ["while it runs", "after it"] {
        if moment == "after it" {
            assert!(child.wait().unwrap().success());
        }
        for directory in ["", "inbox"] {
            for entry in fs::read_dir(setup.directory.path().join(directory)).unwrap().flatten() {
                let bytes = fs::read(entry.path()).unwrap_or_default();
                assert_clean(&format!("{} {moment}", entry.path().display()), &bytes);
            }
        }
    }
    let mut output = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut output).unwrap();
    child.stderr.take().unwrap().read_to_end(&mut output).unwrap();
    assert!(!output.is_empty());
    assert_clean("output", &output);
}

#[test]
fn a_run_that_is_killed_leaves_nothing_that_is_seen_and_a_rerun_converges() {
    let setup = Setup::new();
    let mut child = start_slowly(&setup);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(setup.inbox(), Vec::<String>::new());
    let output = setup.unrated().output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!(setup.inbox().len(), 3);
    let converted = cdrlake(setup.directory.path())
        .args(["convert", "inbox", "-o", "calls.parquet"])
        .output()
        .unwrap();
    assert_eq!(status(&converted), 0, "what was left is no input: {converted:?}");
}

#[test]
fn a_signal_ends_a_download_and_what_was_stored_stays() {
    for (signal, expected) in [("INT", 130), ("TERM", 143)] {
        let setup = Setup::new();
        setup.carrier.next(UNRATED, |reply| reply);
        setup
            .carrier
            .next(UNRATED, |reply| reply.breached(Breach::Drip(1, Duration::from_millis(50))));
        let mut command = setup.unrated();
        command.args(["--jobs", "1"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        let began = Instant::now();
        while setup.sandbox.requests_for(UNRATED).len() < 2 {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(10));
        }
        send(signal, &child);
        let signalled = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(signalled.elapsed() < Duration::from_secs(5));
        assert_eq!(status(&output), expected, "{output:?}");
        assert!(stderr(&output).contains("interrupted; what was stored before stays"));
        assert_eq!(stdout(&output), "inbox/ABC2026090100.cdr.zip\n");
        assert_eq!(setup.inbox(), ["ABC2026090100.cdr.zip"]);
        let all = fs::read_dir(setup.directory.path().join("inbox")).unwrap().count();
        assert_eq!(all, 2, "the journal, and nothing half");
    }
}

#[test]
fn a_signal_ends_a_wait_for_the_network() {
    let mute = Mute::new().unwrap();
    for arguments in [
        &["unrated", "--profile", "ABC", "--product", "10", "--from", "2026-09-01", "-o", "inbox"]
            [..],
        &["numbers"],
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut command = cdrlake(directory.path());
        command.arg("fetch").args(arguments).args(["--endpoint"]);
        command
            .arg(format!("http://127.0.0.1:{}", mute.port()))
            .env("CDRLAKE_ACCESS_TOKEN", SECRET);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(500));
        send("INT", &child);
        let signalled = Instant::now();
        let output = child.wait_with_output().unwrap();
        assert!(signalled.elapsed() < Duration::from_secs(10), "{output:?}");
        assert_eq!(status(&output), 130, "{output:?}");
        assert!(stderr(&output).contains("interrupted"), "{output:?}");
        assert_eq!(names(&directory.path().join("inbox")), [""; 0]);
    }
}

/// Where the system writes no core dumps at all, this is not tested.
#[test]
fn no_core_is_dumped() {
    let dumps = |script: &str, setup: &Setup| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -c unlimited && {script}"), "sh"]);
        command.arg(env!("CARGO_BIN_EXE_cdrlake")).args(["fetch", "rated", "--ocn", "O1"]);
        command.args(["-o", "inbox", "--endpoint", &setup.sandbox.url()]);
        command.env("CDRLAKE_CONSUMER_KEY", KEY).env("CDRLAKE_CONSUMER_SECRET", SECRET);
        command.current_dir(setup.directory.path()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let began = Instant::now();
        while setup.sandbox.requests().len() < 2 && !script.contains("kill") {
            assert!(began.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(10));
        }
        if !script.contains("kill") {
            send("ABRT", &child);
        }
        let status = child.wait_with_output().unwrap().status;
        (status.signal() == Some(6), status.core_dumped())
    };
    let setup = Setup::new();
    if dumps("kill -ABRT $$", &setup) != (true, true) {
        eprintln!("NOT TESTED: there are no core dumps here");
        return;
    }
    let silence = |reply: Reply| reply.breached(Breach::Silence(Duration::from_secs(30)));
    setup.carrier.next("ratedCallDetailRecord", silence);
    assert_eq!(dumps("exec \"$@\"", &setup), (true, false));
}

/// Runs `cdrlake fetch unrated` of three days in a shell, where `"$@"` is the command.
fn in_shell(setup: &Setup, script: &str) -> std::process::Output {
    let unrated = setup.unrated();
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(unrated.get_program()).args(unrated.get_args());
    command.args(["--jobs", "1"]).current_dir(setup.directory.path());
    command.env("CDRLAKE_CONSUMER_KEY", KEY).env("CDRLAKE_CONSUMER_SECRET", SECRET);
    command.output().unwrap()
}

#[test]
fn a_file_that_may_not_grow_is_not_stored() {
    let setup = Setup::new();
    let output = in_shell(&setup, "ulimit -f 4; exec \"$@\"");
    assert_eq!(status(&output), 1, "{output:?}");
    assert!(stderr(&output).contains("File too large"), "{output:?}");
    assert!(stderr(&output).contains("2 requests were not tried"), "{output:?}");
    let left = fs::read_dir(setup.directory.path().join("inbox")).unwrap().count();
    assert_eq!(left, 0, "no part of it either");
    assert_eq!(status(&setup.unrated().output().unwrap()), 0);
    assert_eq!(setup.inbox().len(), 3);
}

#[test]
fn a_journal_that_may_not_grow_hides_no_file() {
    let setup = Setup::new();
    let inbox = setup.directory.path().join("inbox");
    fs::create_dir(&inbox).unwrap();
    fs::write(inbox.join(".cdrlake-fetch.jsonl"), "\n".repeat(64 << 10)).unwrap();
    for listed in [3, 0] {
        let output = in_shell(&setup, "ulimit -f 64; exec \"$@\"");
        assert_eq!(status(&output), 0, "{output:?}");
        assert!(stderr(&output).contains("stored, but cannot write"), "{output:?}");
        assert_eq!(stdout(&output).lines().count(), listed, "{output:?}");
    }
    assert_eq!(setup.sandbox.requests_for(UNRATED).len(), 6);
    assert_eq!(setup.inbox().len(), 3);
}

/// On a file system of its own that is full; where none may be mounted, this is not tested.
#[test]
fn a_full_disk_harms_nothing_that_is_stored() {
    let setup = Setup::new();
    fs::create_dir(setup.directory.path().join("inbox")).unwrap();
    // Room for one of three, and the journal.
    let mounted = "mount -t tmpfs -o size=8k tmpfs inbox || exit 77";
    let unshare = |script: &str| {
        in_shell(&setup, &format!("unshare --mount sh -c '{mounted}\n{script}' sh \"$@\""))
    };
    if unshare("true").status.code() != Some(0) {
        eprintln!("NOT TESTED: no file system can be mounted here");
        return;
    }
    let output = unshare(
        "\"$@\"; test $? = 4 || exit 10\n\
         test \"$(ls -A inbox | grep -c part)\" = 0 || exit 11\n\
         cksum inbox/*.zip > before; test $(wc -l < before) -lt 3 || exit 12\n\
         mount -o remount,size=1m inbox || exit 13\n\
         \"$@\" || exit 14\n\
         test $(ls inbox | wc -l) = 3 || exit 15\n\
         cksum inbox/*.zip | head -n $(wc -l < before) | cmp - before || exit 16",
    );
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(stderr(&output).contains("No space left on device"), "{output:?}");
}
