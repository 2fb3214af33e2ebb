//! What the system does to a run: full disks, signals, locks, lost ledgers; by real processes.
//!
//! `sweep.py` and `kills.py`, beside this file, kill and fail runs at every system call, and at random.

#![allow(clippy::print_stderr, clippy::unwrap_used, reason = "helpers of tests")]

mod ledger;
mod signals;
mod storage;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const SAMPLE: &str = "valid/DE_SV_00_0001_20110930090122.cdr";
const OTHER: &str = "valid/CZ_AAX_10_0001_20151010090117.cdr";

fn testdata(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name)
}

/// A directory in which `cdrlake` runs.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdrlake"));
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    /// Copies test data into the directory.
    fn bring(&self, name: &str) -> String {
        let file_name = Path::new(name).file_name().unwrap().to_str().unwrap();
        fs::copy(testdata(name), self.path(file_name)).unwrap();
        file_name.to_owned()
    }

    /// A source of so many records, each with a trunk by chance, so that files are large; or of so
    /// many short lines.
    fn write_source(&self, name: &str, records: usize, len: usize) {
        let mut line = fs::read(testdata(SAMPLE)).unwrap()[..228].to_vec();
        let mut content = Vec::with_capacity(records * 229);
        for record in 0..records {
            let trunk = (record as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            line[94..114].copy_from_slice(format!("{trunk:020}").as_bytes());
            content.extend_from_slice(&line[..len]);
            content.push(b'\n');
        }
        fs::write(self.path(name), content).unwrap();
    }

    /// All files in a directory and below, hidden ones too, with their content.
    fn files(&self, directory: &str) -> Vec<(String, Vec<u8>)> {
        let mut files = Vec::new();
        let mut directories = vec![self.path(directory)];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    directories.push(path);
                } else {
                    let name = path.strip_prefix(&self.0).unwrap().display().to_string();
                    files.push((name, fs::read(&path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }

    fn names(&self, directory: &str) -> Vec<String> {
        self.files(directory).into_iter().map(|(name, _)| name).collect()
    }

    /// A run that reads standard input, which stays open; it was given the sample's records.
    fn start_reading(&self, arguments: &[&str]) -> Child {
        start_reading(self.command(arguments))
    }
}

fn start_reading(mut command: Command) -> Child {
    command.stdin(Stdio::piped()).stderr(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let content = fs::read(testdata(SAMPLE)).unwrap();
    child.stdin.as_mut().unwrap().write_all(&content).unwrap();
    child
}

struct Ended {
    status: Option<i32>,
    stderr: String,
}

impl Ended {
    fn of(output: Output) -> Self {
        let stderr = String::from_utf8(output.stderr).unwrap();
        Self { status: output.status.code(), stderr }
    }

    /// Waits for its end; standard input, if it is still there, stays open.
    fn of_child(mut child: Child) -> Self {
        let _stdin = child.stdin.take();
        Self::of(child.wait_with_output().unwrap())
    }

    /// The exit status was this, and all of these were said.
    #[track_caller]
    fn expect(&self, status: i32, said: &[&str]) {
        assert_eq!(self.status, Some(status), "{}", self.stderr);
        for said in said {
            assert!(self.stderr.contains(said), "{said:?} in {}", self.stderr);
        }
    }
}

/// Waits until a run holds the lock of `lake`.
fn wait_for_lock(place: &Place, child: &Child) {
    let lock = place.path("lake/_cdrlake/ledger.sqlite.lock");
    let holder = format!("process {},", child.id());
    wait_until("the lock", || fs::read_to_string(&lock).is_ok_and(|text| text.contains(&holder)));
}

/// Waits until something is true; a minute at the most.
#[track_caller]
fn wait_until(what: &str, mut is_true: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_true() {
        assert!(begin.elapsed() < Duration::from_secs(60), "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Sends a signal, by the name that kill(1) knows.
fn send(signal: &str, child: &Child) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
}
