//! Messages for machines: an object a line, with what `docs/logs-and-metrics.md` says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use arrow_array::cast::AsArray;
use assert_cmd::Command;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::lab::{Ended, Lab, testdata};

/// What a run said, line by line.
struct Log {
    status: i32,
    stdout: String,
    stderr: String,
    lines: Vec<Value>,
}

/// Runs the command with its messages for machines.
fn log(lab: &Lab, arguments: &[&str]) -> Log {
    let Ended { status, stdout, stderr } =
        lab.run(&[arguments, &["--log-format", "json"]].concat());
    let lines: Vec<Value> =
        stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    check_keys(&lines);
    Log { status, stdout, stderr, lines }
}

impl Log {
    fn of(&self, event: &str) -> Vec<&Value> {
        self.lines.iter().filter(|line| line["event"] == event).collect()
    }

    fn run_id(&self) -> &str {
        let ids: BTreeSet<&str> =
            self.lines.iter().map(|line| line["run_id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), 1, "{}", self.stderr);
        let id = ids.into_iter().next().unwrap();
        assert!(id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        id
    }
}

/// What the guide says that events have, and their levels.
fn documented() -> BTreeMap<String, (String, String)> {
    let guide = include_str!("../../../../docs/logs-and-metrics.md");
    let rows = guide.lines().filter_map(|line| {
        let mut cells = line.split('|').map(str::trim).skip(1);
        let (event, level, keys) = (cells.next()?, cells.next()?, cells.next()?);
        let event = event.strip_prefix('`')?.strip_suffix('`')?;
        Some((event.to_owned(), (level.to_owned(), keys.to_owned())))
    });
    let mut rows: BTreeMap<_, _> = rows.collect();
    // Some have what others have.
    let of_source = rows["source_loaded"].1.clone();
    for event in ["source_failed", "source_held", "summary"] {
        rows.get_mut(event).unwrap().1 += &of_source;
    }
    rows
}

fn check_keys(lines: &[Value]) {
    const COMMON: [&str; 5] = ["time", "level", "run_id", "event", "message"];
    let documented = documented();
    for line in lines {
        let object = line.as_object().unwrap();
        let (level, keys) = &documented[line["event"].as_str().unwrap()];
        assert_eq!(line["level"], level.as_str(), "{line}");
        assert!(COMMON.iter().all(|key| object[*key].is_string()), "{line}");
        line["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        for (key, value) in object.iter().filter(|(key, _)| !COMMON.contains(&key.as_str())) {
            assert!(keys.contains(&format!("`{key}`")), "{key} of {line} is not documented");
            assert!(!value.is_null(), "{line}");
        }
    }
}

#[test]
fn a_run_into_a_lake_has_one_id_everywhere() {
    let lab = Lab::new();
    let ended = log(
        &lab,
        &[
            "convert",
            &testdata("valid/GB_ADC_12_0001_20111020090122.cdr"),
            &testdata("invalid/invalid_date.cdr"),
            &testdata("invalid/not_cdr.cdr"),
            "-o",
            "lake",
            "--report",
            "report.json",
        ],
    );
    assert_eq!(ended.status, 4, "{}", ended.stderr);
    let events: Vec<&str> =
        ended.lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let (first, last) = (events[0], events[events.len() - 1]);
    assert_eq!((first, last), ("run_started", "run_ended"));
    let failed = ended.of("source_failed")[0];
    assert!(failed["source"].as_str().unwrap().ends_with("not_cdr.cdr"));
    assert_eq!(failed["error_code"], "not_cdr");
    let loaded = ended.of("source_loaded");
    assert_eq!(loaded.len(), 2);
    assert_eq!(loaded[1]["rejects"]["invalid_date"], 1);
    let summary = ended.of("summary")[0];
    let report: Value =
        serde_json::from_slice(&fs::read(lab.path("report.json")).unwrap()).unwrap();
    for count in ["records_read", "records_written", "records_rejected", "rejects", "warnings"] {
        assert_eq!(summary[count], report[count], "{count}");
    }
    assert_eq!(summary["sources_failed"], 1);
    assert_eq!(ended.lines.last().unwrap()["exit_status"], 4);
    assert_eq!(report["run_id"], ended.run_id());
    let file = fs::File::open(lab.path("lake/_cdrlake/sources/sources.pq")).unwrap();
    let ledger = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut rows = 0;
    for batch in ledger.map(Result::unwrap) {
        for id in batch.column_by_name("run_id").unwrap().as_string::<i32>() {
            assert_eq!(id, Some(ended.run_id()));
            rows += 1;
        }
    }
    assert_eq!(rows, 3);
    let again = log(&lab, &["convert", &testdata("valid"), "-o", "lake"]);
    assert_ne!(again.run_id(), ended.run_id());
    assert_eq!(again.of("source_skipped").len(), 1);
}

#[test]
fn text_tells_the_id_of_the_report() {
    let lab = Lab::new();
    let valid = testdata("valid");
    let ended = lab.run(&["validate", &valid, "--report", "report.json"]);
    let report: Value =
        serde_json::from_slice(&fs::read(lab.path("report.json")).unwrap()).unwrap();
    let told = format!("(run {})", report["run_id"].as_str().unwrap());
    assert!(ended.stderr.contains(&told), "{}", ended.stderr);
}

#[test]
fn other_commands_speak_json_too() {
    let lab = Lab::new();
    let valid = testdata("valid");
    assert_eq!(log(&lab, &["convert", &valid, "-o", "lake"]).status, 0);
    let audit = log(&lab, &["audit", "lake", "--json"]);
    let document: Value = serde_json::from_str(&audit.stdout).unwrap();
    assert_eq!(document["run_id"], audit.run_id());
    if let Some(finding) = document["audits"][0]["findings"][0]["id"].as_str() {
        let accepted = log(&lab, &["audit", "lake", "--accept", finding, "--reason", "known"]);
        assert_eq!(accepted.of("finding_accepted")[0]["finding"], finding);
    }
    let source = "GB_ADC_12_0001_20111020090122.cdr";
    let unloaded = log(&lab, &["unload", "lake", source]);
    assert!(unloaded.of("source_unloaded")[0]["source"].as_str().unwrap().ends_with(source));
    assert_eq!(log(&lab, &["unload", "lake", source]).of("source_skipped").len(), 1);
    let generated = log(&lab, &["generate", "-o", "a.cdr", "--records", "10"]);
    assert_eq!(generated.of("records_generated")[0]["records"], 10);
    let history = ["generate", "-o", "history", "--records", "10", "--files", "5", "--gaps", "2"];
    let generated = log(&lab, &history).of("records_generated")[0].clone();
    assert_eq!((&generated["files"], &generated["missing"]), (&3.into(), &2.into()));
    assert_eq!(log(&lab, &["stats", "nothing"]).status, 1);
    assert_eq!(log(&lab, &["inspect", "nothing"]).of("failed").len(), 1);
    assert_eq!(log(&lab, &["validate", &testdata("invalid/invalid_date.cdr")]).status, 3);
    let fetch = ["fetch", "rated", "--ocn", "1", "-o", "inbox", "--endpoint", "http://127.0.0.1:1"];
    assert_eq!(log(&lab, &fetch).of("usage").len(), 1, "there are no credentials");
}

#[test]
fn mistakes_are_told_in_the_format_that_was_asked_for() {
    let lab = Lab::new();
    let wrong = log(&lab, &["convert", "a.cdr", "-o", "lake", "--country", "XX"]);
    assert_eq!(wrong.status, 2);
    assert!(wrong.of("usage")[0]["message"].as_str().unwrap().contains("unknown country"));
    assert_eq!(wrong.lines.len(), 1);
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    let output = command.env("CDRLAKE_LOG_FORMAT", "json").arg("convrt").output().unwrap();
    let line: Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(line["event"], "usage");
    let help = lab.run(&["convert", "--help", "--log-format", "json"]);
    assert_eq!(help.status, 0);
    assert!(help.stdout.contains("Usage") && help.stderr.is_empty());
    assert_eq!(lab.run(&["schema", "--log-format", "xml"]).status, 2);
}

#[test]
fn quiet_leaves_errors_alone() {
    let lab = Lab::new();
    let quiet = log(&lab, &["convert", "-q", &testdata("valid"), "-o", "lake"]);
    assert_eq!(quiet.stderr, "");
    let arguments = ["convert", "-q", &testdata("invalid/not_cdr.cdr"), "-o", "lake"];
    let failed = log(&lab, &arguments);
    assert_eq!(failed.of("source_failed").len(), 1);
    assert!(failed.of("run_ended").is_empty() && failed.of("summary").is_empty());
}
