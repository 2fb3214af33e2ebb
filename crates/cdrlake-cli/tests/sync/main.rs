//! `cdrlake sync` as a process, from a stand-in for the carrier's API.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod kills;
mod privacy;
mod profiles;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use cdrlake_fetch::{UNRATED_DAYS, today};
use cdrlake_generate::frozen::Calls;
use cdrlake_sandbox::{Carrier, Reply, Request, Sandbox, Settings, zip_of};
use jiff::ToSpan;
use jiff::civil::Date;
use tempfile::TempDir;

const UNRATED: &str = "unratedCallDetailRecord";
const RECORDS: u64 = 20;
/// Today is one more.
const DAYS: u64 = UNRATED_DAYS as u64 + 1;

struct Setup {
    sandbox: Sandbox,
    carrier: Arc<Carrier>,
    directory: TempDir,
    today: Date,
}

impl Setup {
    fn new() -> Self {
        Self::with(Settings::default())
    }

    fn with(settings: Settings) -> Self {
        let carrier = Arc::new(Carrier::new(Settings { records: RECORDS, ..settings }));
        let sandbox = carrier.serve(0).unwrap();
        Self { sandbox, carrier, directory: tempfile::tempdir().unwrap(), today: today() }
    }

    /// What goes wrong with the answers to one job's requests, the first for the oldest day.
    fn faults(&self, number: usize, fault: impl Fn(Reply) -> Reply + Copy + Send + Sync + 'static) {
        for _ in 0..number {
            self.carrier.next(UNRATED, fault);
        }
    }

    fn sync(&self, arguments: &[&str]) -> Output {
        let mut command = self.command("ABC");
        command.args(["--jobs", "1", "--report", "report.json"]).args(arguments).output().unwrap()
    }

    fn command(&self, profile: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdrlake"));
        command.current_dir(self.directory.path()).env_clear().env("TMPDIR", self.directory.path());
        command.env("CDRLAKE_CONSUMER_KEY", "sandbox-key");
        command.env("CDRLAKE_CONSUMER_SECRET", "sandbox-secret");
        command.args(["sync", "--profile", profile, "-o", "lake", "--inbox", "inbox"]);
        command.args(["--endpoint", &self.sandbox.url()]);
        command
    }

    /// The days that were asked for since the first `seen` requests.
    fn asked(&self, seen: usize) -> Vec<Date> {
        let requests = self.sandbox.requests_for(UNRATED);
        let day = |(request, _): &(Request, u16)| {
            assert_eq!(request.parameter("fromDate"), request.parameter("toDate"));
            request.parameter("fromDate").unwrap().parse().unwrap()
        };
        requests[seen..].iter().map(day).collect()
    }

    fn requests(&self) -> usize {
        self.sandbox.requests_for(UNRATED).len()
    }

    fn days_ago(&self, days: impl IntoIterator<Item = u64>) -> Vec<Date> {
        days.into_iter().map(|ago| self.today - (ago as i64).days()).collect()
    }

    /// What the last run wrote, by its report.
    fn written(&self) -> u64 {
        let report = fs::read_to_string(self.directory.path().join("report.json")).unwrap();
        let report: serde_json::Value = serde_json::from_str(&report).unwrap();
        report["records_written"].as_u64().unwrap()
    }

    /// How many rows the lake has, by another reader.
    fn rows(&self) -> u64 {
        rows(&self.directory.path().join("lake/calls"))
    }
}

fn rows(directory: &Path) -> u64 {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    let rows = |path: &Path| {
        if path.is_dir() {
            return rows(path);
        }
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        reader.metadata().file_metadata().num_rows() as u64
    };
    fs::read_dir(directory).unwrap().map(|entry| rows(&entry.unwrap().path())).sum()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn a_first_run_loads_what_there_is_and_a_second_asks_for_the_last_days_again() {
    let setup = Setup::new();
    let first = setup.sync(&["--product", "SIP Trunking"]);
    assert_eq!(status(&first), 0, "{first:?}");
    assert_eq!(setup.asked(0), setup.days_ago((0..DAYS).rev()));
    assert_eq!((setup.written(), setup.rows()), (DAYS * RECORDS, DAYS * RECORDS));
    // Which product, the lake tells by now.
    let second = setup.sync(&[]);
    assert_eq!(status(&second), 0, "{second:?}");
    assert!(second.stdout.is_empty(), "no new file: {second:?}");
    assert_eq!(setup.asked(DAYS as usize), setup.days_ago([1, 0]));
    assert_eq!((setup.written(), setup.rows()), (0, DAYS * RECORDS));
    // The inbox may be emptied: it is the lake that tells what is missing.
    fs::remove_dir_all(setup.directory.path().join("inbox")).unwrap();
    let third = setup.sync(&["--quiet"]);
    assert_eq!((status(&third), stderr(&third)), (0, String::new()));
    assert_eq!(setup.asked(DAYS as usize + 2), setup.days_ago([1, 0]));
    assert_eq!(setup.rows(), DAYS * RECORDS);
}

#[test]
fn a_missing_day_is_asked_for_again_and_so_are_those_beside_it() {
    let setup = Setup::new();
    setup.faults(50, |reply| reply);
    setup.faults(1, |_| Reply::empty(204));
    assert_eq!(status(&setup.sync(&["--product", "10"])), 0);
    assert_eq!(setup.rows(), (DAYS - 1) * RECORDS);
    // The files of the days beside it are in the inbox, but one of them may lack the missing one.
    let missing = DAYS - 1 - 50;
    let second = setup.sync(&[]);
    assert_eq!(status(&second), 0, "{second:?}");
    let again = setup.days_ago([missing + 1, missing, missing - 1, 1, 0]);
    assert_eq!(setup.asked(DAYS as usize), again);
    assert_eq!((setup.written(), setup.rows()), (RECORDS, DAYS * RECORDS));
    let seen = setup.requests();
    assert_eq!(status(&setup.sync(&[])), 0);
    assert_eq!(setup.asked(seen), setup.days_ago([1, 0]));
}

#[test]
fn a_missing_day_that_is_about_to_be_gone_is_told() {
    let setup = Setup::new();
    setup.faults(2, |reply| reply);
    setup.faults(1, |_| Reply::empty(204));
    let first = setup.sync(&["--product", "10"]);
    assert!(!stderr(&first).contains("warning"), "{first:?}");
    let second = setup.sync(&["--dry-run"]);
    let warning = format!("warning: ABC, SIP Trunking: {}", setup.today - 89.days());
    assert!(stderr(&second).starts_with(&warning), "{second:?}");
    let requests = String::from_utf8(second.stdout).unwrap();
    assert_eq!(requests.lines().count(), 1 + 3 + 2, "{requests}");
    assert_eq!(setup.requests(), DAYS as usize, "a dry run sends nothing");
}

#[test]
fn what_arrived_before_the_service_throttled_is_loaded_and_a_later_run_completes() {
    let setup = Setup::new();
    setup.faults(10, |reply| reply);
    let throttle = |_| Reply::error(429, "429", "", "").with("Retry-After", "9999");
    setup.faults(1, throttle);
    let first = setup.sync(&["--product", "10"]);
    assert_eq!(status(&first), 75, "{first:?}");
    assert_eq!((setup.written(), setup.rows()), (10 * RECORDS, 10 * RECORDS));
    let seen = setup.requests();
    let later = setup.sync(&[]);
    assert_eq!(status(&later), 0, "{later:?}");
    // Again from the day before the last one that was delivered.
    let asked = setup.asked(seen);
    assert!(asked.ends_with(&setup.days_ago((0..DAYS - 10).rev())), "{asked:?}");
    assert_eq!(setup.rows(), DAYS * RECORDS);
}

#[test]
fn no_secret_is_in_what_a_run_leaves() {
    fn look(directory: &Path) -> usize {
        let mut files = 0;
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files += look(&path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&bytes);
            for secret in ["sandbox-key", "sandbox-secret", "sandbox-token", "c2FuZGJveC1"] {
                assert!(!text.contains(secret), "{secret} in {}", path.display());
            }
            files += 1;
        }
        files
    }
    let setup = Setup::with(Settings { token_requests: 10, ..Settings::default() });
    setup.faults(2, |_| Reply::error(400, "400-005", "sandbox-secret", "Bearer sandbox-token-1"));
    let output = setup.sync(&["--product", "10"]);
    assert_eq!(status(&output), 4, "{output:?}");
    assert!(stderr(&output).contains("[secret]") && !stderr(&output).contains("sandbox-secret"));
    // Inbox and journal, lake and ledger, and the report.
    assert!(look(setup.directory.path()) > DAYS as usize);
    assert!(setup.directory.path().join("report.json").exists());
}

#[test]
fn the_exit_status_is_the_worse_of_both() {
    // Fetching fails in a way that no time mends; loading is fine.
    let setup = Setup::new();
    setup.faults(1, |_| Reply::error(400, "400-005", "Validation not met", ""));
    let output = setup.sync(&["--product", "10"]);
    assert_eq!(status(&output), 4, "{output:?}");
    assert_eq!(setup.rows(), (DAYS - 1) * RECORDS);
    // Fetching is fine, and one file in the inbox is none.
    fs::write(setup.directory.path().join("inbox/damaged.cdr.gz"), "no gzip").unwrap();
    let output = setup.sync(&[]);
    assert_eq!(status(&output), 4, "{output:?}");
    assert_eq!(setup.rows(), DAYS * RECORDS);
    // A line is rejected, and the service is throttled: somebody has to look.
    fs::remove_file(setup.directory.path().join("inbox/damaged.cdr.gz")).unwrap();
    let mut odd: Vec<u8> = Calls::new(1, 3).flatten().collect();
    odd.extend_from_slice(b"no record\n");
    fs::write(setup.directory.path().join("inbox/odd.cdr"), odd).unwrap();
    setup.faults(1, |_| Reply::error(429, "429", "", "").with("Retry-After", "9999"));
    let output = setup.sync(&[]);
    assert_eq!(status(&output), 3, "{output:?}");
    // Another run has the lake.
    fs::remove_file(setup.directory.path().join("inbox/odd.cdr")).unwrap();
    let lock = setup.directory.path().join("lake/_cdrlake/ledger.sqlite.lock");
    let lock = fs::File::options().write(true).open(lock).unwrap();
    lock.lock().unwrap();
    let output = setup.sync(&[]);
    assert_eq!(status(&output), 75, "{output:?}");
    lock.unlock().unwrap();
}

#[test]
fn what_cannot_be_is_told_before_anything_is_sent() {
    let setup = Setup::new();
    fs::create_dir(setup.directory.path().join("other")).unwrap();
    fs::write(setup.directory.path().join("other/file"), "").unwrap();
    for (arguments, told) in [
        (&["--product", "SIP"][..], "invalid value"),
        (&[], "give --product"),
        (&["--product", "10", "--credentials", "missing"], "missing"),
        (&["--product", "10", "--config", "missing.toml"], "missing.toml"),
    ] {
        let output = setup.sync(arguments);
        assert_eq!(status(&output), 2, "{output:?}");
        assert!(stderr(&output).contains(told), "{output:?}");
    }
    std::os::unix::fs::symlink(".", setup.directory.path().join("link")).unwrap();
    for [lake, inbox] in [
        ["other", "inbox"],
        ["lake", "lake"],
        ["lake", "lake/inbox"],
        ["lake", "./lake/inbox"],
        ["./lake", "lake/../lake/inbox"],
        ["link/lake", "lake/inbox"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdrlake"));
        command.current_dir(setup.directory.path()).env_clear();
        command.args(["sync", "--profile", "ABC", "--product", "10", "-o", lake, "--inbox", inbox]);
        let output = command.args(["--endpoint", &setup.sandbox.url()]).output().unwrap();
        assert_eq!(status(&output), 2, "{output:?}");
    }
    assert!(setup.sandbox.requests().is_empty());
    assert!(!setup.directory.path().join("inbox").exists());
}

#[test]
fn a_day_grows_while_it_lasts() {
    let setup = Setup::new();
    let morning = |reply: Reply| {
        let mut zip = zip::ZipArchive::new(std::io::Cursor::new(&reply.body[..])).unwrap();
        let mut member = zip.by_index(0).unwrap();
        let name = member.name().unwrap().into_owned();
        let mut gzip = Vec::new();
        std::io::copy(&mut member, &mut gzip).unwrap();
        drop(member);
        Reply { body: zip_of(&[(&name, &gzip)]), ..reply }
    };
    setup.faults(DAYS as usize - 1, |reply| reply);
    setup.faults(1, morning);
    assert_eq!(status(&setup.sync(&["--product", "10"])), 0);
    let before = setup.rows();
    assert!(before < DAYS * RECORDS && before > (DAYS - 1) * RECORDS);
    // The same name, other content: one file that is known, and one that is new.
    let output = setup.sync(&[]);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(stderr(&output).contains("has other content"), "{output:?}");
    assert_eq!((setup.written(), setup.rows()), (DAYS * RECORDS - before, DAYS * RECORDS));
    assert_eq!(status(&setup.sync(&[])), 0);
    assert_eq!(setup.rows(), DAYS * RECORDS);
}

#[test]
fn nothing_to_download_and_nothing_to_load_is_no_failure() {
    let setup = Setup::new();
    setup.faults(DAYS as usize, |_| Reply::empty(204));
    let output = setup.sync(&["--product", "10"]);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(stderr(&output).contains("nothing to load"), "{output:?}");
}
