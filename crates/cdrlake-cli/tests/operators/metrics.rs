//! `--metrics-file`: what monitoring sees of runs that go well, badly, or not at all.
//!
//! That the text is what Prometheus reads, `metrics.py` asks Prometheus' own parser.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::lab::{Lab, testdata};

/// Values by name and labels, without those that all have.
type Samples = BTreeMap<String, f64>;

const SAMPLE: &str = "valid/LU_ALB_10_0001_20150917090117.cdr";

impl Lab {
    fn convert(&self, inputs: &[&str]) -> i32 {
        let arguments = ["convert", "-q", "-o", "lake", "--metrics-file", "cdrlake.prom"];
        self.run(&[&arguments, inputs].concat()).status
    }

    fn samples(&self, command: &str) -> Samples {
        let lake = self.directory().canonicalize().unwrap().join("lake");
        let labels = format!("command=\"{command}\",lake=\"{}\"", lake.display());
        let text = fs::read_to_string(self.path("cdrlake.prom")).unwrap();
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            assert!(line.contains(&labels), "{line} does not have {labels}");
            let (name, value) = line.rsplit_once(' ').unwrap();
            let name = name.replace(&labels, "").replace("{}", "").replace("{,", "{");
            (name.trim_start_matches("cdrlake_").to_owned(), value.parse().unwrap())
        });
        samples.collect()
    }
}

const SUCCESS: &str = "last_success_timestamp_seconds";
const RUN: &str = "last_run_timestamp_seconds";

#[test]
fn what_came_of_a_run_and_where_the_lake_stands() {
    let lab = Lab::new();
    let before = jiff::Timestamp::now().as_millisecond() as f64 / 1000.0 - 0.01;
    let inputs = [SAMPLE, "invalid/invalid_date.cdr"].map(testdata);
    assert_eq!(lab.convert(&[&inputs[0], &inputs[1]]), 3);
    let samples = lab.samples("convert");
    assert_eq!(samples["last_run_exit_status"], 3.0);
    assert_eq!(samples["last_run_sources{status=\"loaded\"}"], 2.0);
    assert_eq!(samples["last_run_records{result=\"rejected\"}"], 1.0);
    assert_eq!(samples["last_run_rejects{code=\"invalid_date\"}"], 1.0);
    assert_eq!(samples["loaded_sources"], 2.0);
    assert_eq!(samples["open_rejects"], 1.0);
    assert_eq!(samples["failed_sources"], 0.0);
    // 2015-09-17 09:01:17.
    assert_eq!(samples["newest_file_timestamp_seconds"], 1_442_480_477.0);
    assert!(samples[SUCCESS] >= before && samples[SUCCESS] == samples[RUN]);
    assert!((0.0..60.0).contains(&samples["last_run_duration_seconds"]));
    assert_eq!(samples[&format!("build_info{{version=\"{}\"}}", env!("CARGO_PKG_VERSION"))], 1.0);
}

#[test]
fn runs_that_fail_keep_the_last_success() {
    let lab = Lab::new();
    assert_eq!(lab.convert(&["nothing.cdr"]), 1);
    let samples = lab.samples("convert");
    assert_eq!((samples[SUCCESS], samples["last_run_exit_status"]), (0.0, 1.0));
    assert_eq!(lab.convert(&[&testdata(SAMPLE)]), 0);
    let success = lab.samples("convert")[SUCCESS];
    assert!(success > 1.7e9);
    // Whole sources fail; nothing is loaded; another lake's settings; the lake cannot be read.
    assert_eq!(lab.convert(&[&testdata(SAMPLE), "other.cdr"]), 4);
    assert_eq!(lab.samples("convert")["failed_sources"], 2.0);
    assert_eq!(lab.convert(&["third.cdr"]), 1);
    assert_eq!(lab.convert(&[&testdata(SAMPLE), "--partition-by", "none"]), 2);
    let samples = lab.samples("convert");
    assert_eq!((samples[SUCCESS], samples["last_run_exit_status"]), (success, 2.0));
    assert!(samples[RUN] > success && !samples.contains_key("last_run_sources{status=\"loaded\"}"));
    assert_eq!(samples["loaded_sources"], 1.0, "the lake stands as it did");
    fs::write(lab.path("lake/_cdrlake/ledger.sqlite"), "damaged").unwrap();
    assert_eq!(lab.convert(&[&testdata(SAMPLE)]), 1);
    let samples = lab.samples("convert");
    assert_eq!(samples[SUCCESS], success);
    assert!(!samples.contains_key("loaded_sources"), "nobody knows");
}

#[test]
fn gaps_are_open_until_they_are_accepted() {
    let lab = Lab::new();
    let arguments = ["generate", "-q", "-o", "inbox", "--files", "7", "--records", "70"];
    assert_eq!(lab.run(&arguments).status, 0);
    let mut files: Vec<_> =
        fs::read_dir(lab.path("inbox")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    fs::remove_file(&files[3]).unwrap();
    assert_eq!(lab.convert(&["inbox"]), 0);
    assert_eq!(lab.samples("convert")["open_sequence_gaps"], 1.0);
    let audit = ["audit", "lake", "--metrics-file", "cdrlake.prom"];
    let audited = lab.run(&audit);
    assert_eq!(audited.status, 3);
    let samples = lab.samples("audit");
    assert_eq!(samples["audit_findings{kind=\"missing_sequence\"}"], 1.0);
    assert_eq!(samples["open_sequence_gaps"], 1.0);
    assert!(samples[SUCCESS] == samples[RUN], "an audit that finds something has done its work");
    let mut words = audited.stdout.split_whitespace();
    let id = words.find(|word| word.starts_with("missing_sequence:")).unwrap();
    let accept = [&audit[..], &["--accept", id, "--reason", "known"]].concat();
    assert_eq!(lab.run(&accept).status, 0);
    assert_eq!(lab.samples("audit")["open_sequence_gaps"], 0.0);
}

#[test]
fn the_file_is_replaced_whole_and_others_may_read_it() {
    let lab = Lab::new();
    assert_eq!(lab.convert(&[&testdata(SAMPLE)]), 0);
    let path = lab.path("cdrlake.prom");
    let first = fs::metadata(&path).unwrap();
    let open = fs::read(&path).unwrap();
    assert_eq!(lab.convert(&[&testdata(SAMPLE)]), 0);
    let second = fs::metadata(&path).unwrap();
    assert_ne!(first.ino(), second.ino(), "it is renamed to, not written over");
    assert_ne!(open, fs::read(&path).unwrap());
    let shell = format!(
        "umask 027; exec {} convert -q -o lake --metrics-file strict.prom {}",
        assert_cmd::cargo::cargo_bin("cdrlake").display(),
        testdata(SAMPLE)
    );
    let status =
        std::process::Command::new("sh").args(["-c", &shell]).current_dir(lab.directory()).status();
    assert!(status.unwrap().success());
    let mode = fs::metadata(lab.path("strict.prom")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let mut names: Vec<_> = fs::read_dir(lab.directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["cdrlake.prom", "lake", "strict.prom"]);
}

#[test]
fn it_is_no_input_and_for_one_lake() {
    let lab = Lab::new();
    fs::copy(testdata(SAMPLE), lab.path("cdrlake.prom")).unwrap();
    assert_eq!(lab.convert(&["cdrlake.prom"]), 2, "it would be overwritten");
    let lakes = ["audit", "lake", "lake", "--metrics-file", "other.prom"];
    assert_eq!(lab.run(&lakes).status, 2);
    assert!(!lab.path("other.prom").exists());
    assert_eq!(
        lab.run(&["convert", &testdata(SAMPLE), "-o", "lake", "--metrics-file", "."]).status,
        1
    );
    assert!(!lab.path("lake").exists());
}
