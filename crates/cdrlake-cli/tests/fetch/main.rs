//! `cdrlake fetch` as a process, from a stand-in for the carrier's API.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]
#![allow(clippy::zombie_processes, reason = "a test that fails leaves its child to the system")]
#![allow(clippy::print_stderr, reason = "what cannot be tested here is said")]

mod json;
#[cfg(target_os = "linux")]
mod process;
mod proxy;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use cdrlake_sandbox::{Carrier, Certificate, Certificates, Reply, Request, Sandbox, Settings};
use tempfile::TempDir;

const UNRATED: &str = "unratedCallDetailRecord";
const KEY: &str = "canary-key-6f1d";
const SECRET: &str = "canary-secret-93aa";
const DAYS: [&str; 4] = ["--from", "2026-09-01", "--to", "2026-09-03"];
const WHAT: [&str; 4] = ["--profile", "ABC", "--product", "SIP Trunking"];

struct Setup {
    sandbox: Sandbox,
    carrier: Arc<Carrier>,
    directory: TempDir,
}

impl Setup {
    fn new() -> Self {
        let settings = Settings {
            key: KEY.to_owned(),
            secret: SECRET.to_owned(),
            records: 100,
            ..Settings::default()
        };
        let carrier = Arc::new(Carrier::new(settings));
        let sandbox = carrier.serve(0).unwrap();
        Self { sandbox, carrier, directory: tempfile::tempdir().unwrap() }
    }

    /// `cdrlake fetch unrated` of three days, with the right credentials in the environment.
    fn unrated(&self) -> Command {
        let mut command = self.fetch(&["unrated"]);
        command.args(WHAT).args(DAYS);
        command
    }

    fn fetch(&self, arguments: &[&str]) -> Command {
        let mut command = cdrlake(self.directory.path());
        command.arg("fetch").args(arguments).args(["-o", "inbox", "--endpoint"]);
        command.arg(self.sandbox.url()).env("CDRLAKE_CONSUMER_KEY", KEY);
        command.env("CDRLAKE_CONSUMER_SECRET", SECRET);
        command
    }

    fn inbox(&self) -> Vec<String> {
        names(&self.directory.path().join("inbox"))
    }
}

fn cdrlake(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cdrlake"));
    command.current_dir(directory).env_clear().env("TMPDIR", directory);
    command
}

fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("{output:?}"))
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn what_is_fetched_converts() {
    let setup = Setup::new();
    let output = setup.unrated().output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    let files = setup.inbox();
    assert_eq!(files, ["ABC2026090100.cdr.zip", "ABC2026090200.cdr.zip", "ABC2026090300.cdr.zip"]);
    let listed: Vec<String> = files.iter().map(|name| format!("inbox/{name}")).collect();
    assert_eq!(stdout(&output).lines().collect::<Vec<_>>(), listed);
    let rerun = setup.unrated().output().unwrap();
    assert_eq!((status(&rerun), stdout(&rerun)), (0, String::new()));
    assert!(stderr(&rerun).contains("3 already there"), "{rerun:?}");
    assert_eq!(setup.sandbox.requests_for(UNRATED).len(), 3);
    let converted = cdrlake(setup.directory.path())
        .args(["convert", "inbox", "-o", "calls.parquet", "--report", "report.json"])
        .output()
        .unwrap();
    assert_eq!(status(&converted), 0, "{converted:?}");
    let report = fs::read_to_string(setup.directory.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["records_written"], 300);
    assert_eq!(report["sources"].as_array().unwrap().len(), 6);
}

#[test]
fn an_order_is_placed_waited_for_and_resumed() {
    let setup = Setup::new();
    // The first time it is not ready, and there is no time to wait.
    let mut command = setup.fetch(&["consolidated", "--wait", "0s"]);
    let output = command.args(WHAT).args(DAYS).output().unwrap();
    assert_eq!(status(&output), 75, "{output:?}");
    assert!(stderr(&output).contains("--order-id 2026090301"), "{output:?}");
    let output = setup
        .fetch(&["consolidated", "--profile", "ABC", "--order-id", "2026090301"])
        .output()
        .unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!(setup.inbox(), ["ABC2026090301.cdr.zip"]);
}

#[test]
fn what_was_ordered_is_told_whatever_comes_then() {
    for (reply, expected, problem) in [
        (Reply::error(503, "503-001", "service unavailable", ""), 75, "HTTP 503"),
        (Reply::new(200, "text/html", "<html>"), 1, "the answer is no archive"),
    ] {
        let setup = Setup::new();
        setup.carrier.next("consolidatedUnratedCallDetailRecord", move |_| reply.clone());
        let mut command = setup.fetch(&["consolidated", "--quiet", "--retry-for", "0s"]);
        let output = command.args(WHAT).args(DAYS).output().unwrap();
        assert_eq!(status(&output), expected, "{output:?}");
        let told = stderr(&output);
        assert!(told.contains("--profile ABC --order-id 2026090301 resumes it"), "{told}");
        assert!(told.contains(&format!("consolidated ABC, order 2026090301: {problem}")), "{told}");
    }
}

#[test]
fn bills() {
    let setup = Setup::new();
    for what in ["rated", "non-usage"] {
        let arguments = [what, "--ocn", "O1", "--month", "sep", "--year", "2026"];
        let output = setup.fetch(&arguments).output().unwrap();
        assert_eq!(status(&output), 0, "{output:?}");
    }
    assert_eq!(setup.inbox(), ["non-usage", "rated"]);
    let inbox = setup.directory.path().join("inbox");
    let [charges, rated] = ["non-usage", "rated"].map(|room| names(&inbox.join(room)));
    assert!(charges[0].starts_with("nonUsageReport_O1_2026-09-01_2026-09-30_"), "{charges:?}");
    assert!(rated[0].starts_with("ratedCallDetailRecord_O1_2026-09-01_2026-09-30_"), "{rated:?}");
    // They are no call detail records, and no fault.
    let mut convert = cdrlake(setup.directory.path());
    let converted = convert.args(["convert", "inbox", "-o", "lake"]).output().unwrap();
    assert_eq!(status(&converted), 0, "{converted:?}");
    assert!(
        stderr(&converted).contains("left out, for they are no deliveries: 2"),
        "{converted:?}"
    );
    // What an earlier version stored in the inbox itself is left alone, and not stored twice.
    fs::rename(inbox.join("rated").join(&rated[0]), inbox.join(&rated[0])).unwrap();
    let output = setup.fetch(&["rated", "--ocn", "O1", "--month", "sep", "--year", "2026"]);
    let output = { output }.output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(names(&inbox.join("rated")).is_empty());
    assert!(inbox.join(&rated[0]).exists());
}

/// What the ledger knows of each source: its name without the archive's, profile, product identifier.
fn known(directory: &Path) -> Vec<(String, Option<String>, Option<String>)> {
    let ledger = rusqlite::Connection::open(directory.join("lake/_cdrlake/ledger.sqlite")).unwrap();
    let sql = "SELECT source_file, profile, product_identifier FROM sources ORDER BY source_file";
    let mut statement = ledger.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn what_was_ordered_is_known_of_files_whose_names_do_not_tell() {
    let setup = Setup::new();
    let directory = setup.directory.path();
    // Ordered by one run, and fetched by another, which is not told the product.
    let mut command = setup.fetch(&["consolidated", "--wait", "0s"]);
    assert_eq!(status(&command.args(WHAT).args(DAYS).output().unwrap()), 75);
    let resume = ["consolidated", "--profile", "ABC", "--order-id", "2026090301"];
    assert_eq!(status(&setup.fetch(&resume).output().unwrap()), 0);
    let convert = |more: &[&str]| {
        let _ = fs::remove_dir_all(directory.join("lake"));
        let arguments = [&["convert", "inbox", "-o", "lake"][..], more].concat();
        let output = cdrlake(directory).args(arguments).output().unwrap();
        assert_eq!(status(&output), 0, "{output:?}");
        known(directory)
    };
    // It counts before flags.
    for more in [&[][..], &["--product", "12"]] {
        let known = convert(more);
        assert!(!known.is_empty());
        for (name, profile, product) in known {
            assert_eq!(
                (profile.as_deref(), product.as_deref()),
                (Some("ABC"), Some("10")),
                "{name}"
            );
        }
    }
    // A file that is named in the inbox is the same.
    let _ = fs::remove_dir_all(directory.join("lake"));
    let named = ["convert", "inbox/ABC2026090301.cdr.zip", "-o", "lake"];
    assert_eq!(status(&cdrlake(directory).args(named).output().unwrap()), 0);
    assert!(known(directory).iter().all(|(_, _, product)| product.as_deref() == Some("10")));
    // Nothing is known of another file of that name.
    let file = directory.join("inbox/ABC2026090301.cdr.zip");
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, [&bytes[..], &[0; 9]].concat()).unwrap();
    assert!(convert(&[]).iter().all(|(_, _, product)| product.is_none()));
    fs::write(&file, bytes).unwrap();
    // A journal that is none harms nothing.
    let journal = directory.join("inbox/.cdrlake-fetch.jsonl");
    for hostile in ["\u{0}[[[[", "{\"files\": [{\"file\": \"../../x\", \"bytes\": 1}]}"] {
        fs::write(&journal, hostile).unwrap();
        assert!(convert(&[]).iter().all(|(_, _, product)| product.is_none()));
    }
}

#[test]
fn exit_statuses() {
    type Fault = fn(Reply) -> Reply;
    let wrong: Fault = |_| Reply::error(400, "400-005", "Validation not met", "");
    let throttled: Fault = |_| Reply::error(429, "429", "", "").with("Retry-After", "9999");
    let empty: Fault = |_| Reply::empty(204);
    let suspended: Fault = |_| Reply::error(403, "403", "Forbidden", "");
    for (faults, expected, told) in [
        (vec![], 0, "3 files stored"),
        (vec![empty, empty, empty], 0, "nothing to download"),
        (vec![wrong], 4, "code 400-005, status 400-01, Validation not met"),
        (vec![wrong, wrong, wrong], 1, "check the parameters"),
        (vec![throttled], 75, "try again later"),
        (vec![suspended; 3], 1, "suspended"),
        (vec![wrong, throttled], 1, "not tried"),
    ] {
        let setup = Setup::new();
        for fault in faults {
            setup.carrier.next(UNRATED, fault);
        }
        let output = setup.unrated().args(["--jobs", "1"]).output().unwrap();
        assert_eq!(status(&output), expected, "{output:?}");
        assert!(stderr(&output).contains(told), "{told}: {output:?}");
    }
}

#[test]
fn nobody_there_is_a_matter_of_time() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = cdrlake(directory.path());
    command.env("CDRLAKE_ACCESS_TOKEN", SECRET).args(["fetch", "unrated", "-o", "inbox"]);
    command.args(["--endpoint", "http://127.0.0.1:1", "--retry-for", "0s"]).args(WHAT).args(DAYS);
    let output = command.output().unwrap();
    assert_eq!(status(&output), 75, "{output:?}");
    assert!(stderr(&output).contains("check --endpoint"), "{output:?}");
}

#[test]
fn nothing_is_sent_that_is_wrong() {
    let setup = Setup::new();
    for arguments in [
        vec!["unrated", "--profile", "ABCDEF", "--product", "10", "--from", "2026-09-01"],
        vec!["unrated", "--profile", "ABC", "--product", "SIP", "--from", "2026-09-01"],
        vec!["unrated", "--profile", "ABC", "--product", "10", "--from", "2026-09-31"],
        vec!["unrated", "--profile", "ABC", "--product", "10", "--from", "01.09.2026"],
        vec![
            "unrated",
            "--profile",
            "ABC",
            "--product",
            "10",
            "--from",
            "2026-09-02",
            "--to",
            "2026-09-01",
        ],
        vec!["unrated", "--profile", "ABC", "--from", "2026-09-01"],
        vec!["consolidated", "--profile", "ABC", "--order-id", "a/b"],
        vec!["consolidated", "--profile", "ABC", "--order-id", "1", "--from", "2026-09-01"],
        vec![
            "consolidated",
            "--profile",
            "ABC",
            "--product",
            "10",
            "--from",
            "2026-06-01",
            "--to",
            "2026-08-30",
        ],
        vec!["rated", "--ocn", ""],
        vec!["rated", "--ocn", "O1", "--month", "13"],
        vec!["rated", "--ocn", "O1", "--year", "26"],
        vec!["rated", "--ocn", "O1", "--consumer-secret", SECRET],
        vec!["rated", "--ocn", "O1", "--insecure"],
        vec!["rated", "--ocn", "O1", "-k"],
        vec!["rated", "--ocn", "O1", "--no-verify"],
        vec!["rated", "--ocn", "O1", "--ca-file", "missing.pem"],
        vec!["rated", "--ocn", "O1", "--credentials", "missing"],
    ] {
        let output = setup.fetch(&arguments).output().unwrap();
        assert_eq!(status(&output), 2, "{arguments:?}: {output:?}");
    }
    assert!(setup.sandbox.requests().is_empty());
    let mut command = cdrlake(setup.directory.path());
    command.args(["fetch", "rated", "--ocn", "O1", "-o", "inbox"]);
    command.args(["--endpoint", &setup.sandbox.url()]);
    let output = command.output().unwrap();
    assert_eq!(status(&output), 2);
    assert!(stderr(&output).contains("CDRLAKE_CONSUMER_KEY"), "{output:?}");
}

#[test]
fn a_dry_run_prints_the_requests_and_sends_none() {
    let setup = Setup::new();
    let dry_run = || {
        let mut command = cdrlake(setup.directory.path());
        command.args(["fetch", "unrated", "--dry-run", "--chunk-days", "2"]).args(WHAT).args(DAYS);
        command.env("CDRLAKE_CONSUMER_KEY", KEY).env("CDRLAKE_CONSUMER_SECRET", SECRET);
        command.output().unwrap()
    };
    // What is found by walking up may set neither endpoint nor credentials.
    let config = setup.directory.path().join("cdrlake.toml");
    fs::write(&config, format!("endpoint = \"{}\"", setup.sandbox.url())).unwrap();
    let output = dry_run();
    assert_eq!((status(&output), stdout(&output)), (2, String::new()));
    assert!(stderr(&output).contains("only a file that is named may"), "{output:?}");
    fs::remove_file(config).unwrap();
    let output = dry_run();
    assert_eq!(status(&output), 0, "{output:?}");
    let base = "https://apis.colt.net/usageManagement/v1/unratedCallDetailRecord?serviceProfile=ABC\
                &productOffering=SIP%20Trunking";
    assert_eq!(
        stdout(&output).lines().collect::<Vec<_>>(),
        [
            "POST https://apis.colt.net/authentication/v1/oauth/token",
            &format!("GET {base}&fromDate=2026-09-01&toDate=2026-09-02"),
            &format!("GET {base}&fromDate=2026-09-03&toDate=2026-09-03"),
        ]
    );
    assert!(setup.sandbox.requests().is_empty());
    assert!(setup.inbox().is_empty());
}

#[test]
fn quiet_is_quiet() {
    let setup = Setup::new();
    let output = setup.unrated().arg("--quiet").output().unwrap();
    assert_eq!((status(&output), stderr(&output)), (0, String::new()));
}

#[test]
fn warnings_come_before_anything_is_sent() {
    let setup = Setup::new();
    let output = setup
        .fetch(&["unrated", "--profile", "ABC", "--product", "10", "--from", "2020-01-01"])
        .output()
        .unwrap();
    assert!(stderr(&output).starts_with("warning: 2020-01-01: "), "{output:?}");
    let mut command = cdrlake(setup.directory.path());
    command.args(["fetch", "rated", "--ocn", "O1", "--endpoint", "sandbox", "--dry-run"]);
    let output = command.output().unwrap();
    assert!(stderr(&output).contains("keeps no files"), "{output:?}");
}

#[cfg(unix)]
#[test]
fn credentials_from_a_file() {
    use std::os::unix::fs::PermissionsExt;

    let setup = Setup::new();
    let path = setup.directory.path().join("credentials");
    let text = format!("# ours\nCDRLAKE_CONSUMER_KEY={KEY}\nCDRLAKE_CONSUMER_SECRET='{SECRET}'\n");
    fs::write(&path, text).unwrap();
    for (mode, expected) in [(0o600, 0), (0o644, 2), (0o660, 2)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = setup.fetch(&["rated", "--ocn", "O1", "--credentials", "credentials"]);
        command.env_remove("CDRLAKE_CONSUMER_KEY").env_remove("CDRLAKE_CONSUMER_SECRET");
        let output = command.output().unwrap();
        assert_eq!(status(&output), expected, "{mode:o}: {output:?}");
        assert!(!format!("{output:?}").contains("canary"), "{output:?}");
    }
}

#[test]
fn https_with_an_authority_of_ones_own() {
    let certificates = Certificates::new();
    let directory = tempfile::tempdir().unwrap();
    let ca_file = directory.path().join("ca.pem");
    fs::write(&ca_file, certificates.authority_pem()).unwrap();
    for (certificate, has_ca, expected) in [
        (Certificate::Good, true, 0),
        (Certificate::Good, false, 1),
        (Certificate::Expired, true, 1),
        (Certificate::WrongHost, true, 1),
        (Certificate::SelfSigned, true, 1),
    ] {
        let carrier = Carrier::new(Settings::default());
        let (sandbox, _) =
            Sandbox::https(0, &certificates, certificate, move |request: &Request| {
                carrier.answer(request)
            })
            .unwrap();
        let inbox = directory.path().join(format!("{certificate:?}{has_ca}"));
        let mut command = cdrlake(directory.path());
        command.args(["fetch", "rated", "--ocn", "O1", "--endpoint", &sandbox.url(), "-o"]);
        command.arg(&inbox).env("CDRLAKE_CONSUMER_KEY", "sandbox-key");
        command.env("CDRLAKE_CONSUMER_SECRET", "sandbox-secret");
        if has_ca {
            command.arg("--ca-file").arg(&ca_file);
        }
        let output = command.output().unwrap();
        assert_eq!(status(&output), expected, "{certificate:?}: {output:?}");
        assert_eq!(names(&inbox).is_empty(), expected != 0);
    }
}

#[test]
fn help_names_no_secret_option() {
    let directory = tempfile::tempdir().unwrap();
    for what in ["unrated", "consolidated", "rated", "non-usage", "numbers", "order"] {
        let output = cdrlake(directory.path()).args(["fetch", what, "--help"]).output().unwrap();
        assert_eq!(status(&output), 0);
        for option in ["--insecure", "--no-verify", "--secret", "--token", "--consumer"] {
            assert!(!stdout(&output).contains(option), "{option}");
        }
    }
}

#[cfg(unix)]
#[test]
fn what_the_readme_says_to_type_works() {
    let readme = include_str!("../../../../README.md");
    let block = readme.split("```sh\n").find(|block| block.starts_with("export CDRLAKE_")).unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let sandbox = Arc::new(Carrier::new(Settings::default())).serve(0).unwrap();
    let script = block.replace("http://127.0.0.1:8229", &sandbox.url());
    assert_ne!(script, block);
    let directory = tempfile::tempdir().unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_cdrlake")).parent().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args(["-e", "-c", &script]).current_dir(directory.path()).env("PATH", programs);
    let output = command.output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!(names(&directory.path().join("inbox")).len(), 7);
    assert!(stderr(&output).contains("calls.parquet: 7000 rows"), "{output:?}");
}
