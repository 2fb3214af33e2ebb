//! Every file of testdata gets the verdict that its index says, from `validate` and `convert` alike.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;

use assert_cmd::Command;
use serde_json::Value;

/// A row of `testdata/index.tsv`.
struct Expected {
    file: String,
    options: Vec<String>,
    records: u64,
    blank_lines: u64,
    /// `line:byte:code:field`
    rejects: Vec<String>,
    /// `code=count`
    warnings: Vec<String>,
    /// What the message says, if the source fails.
    error: String,
}

impl Expected {
    /// Empty, without a delivery's name: it is left out, which is no fault.
    fn is_left_out(&self) -> bool {
        ["invalid/empty.cdr", "invalid/empty_member.cdr.gz"].contains(&&*self.file)
    }

    fn exit_status(&self) -> i32 {
        match (self.error.is_empty(), self.rejects.is_empty()) {
            (false, _) => 1,
            (true, false) => 3,
            (true, true) => 0,
        }
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata")
}

fn index() -> Vec<Expected> {
    let text = std::fs::read_to_string(testdata().join("index.tsv")).unwrap();
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    text.lines()
        .skip(1)
        .map(|line| {
            let [file, options, records, blank_lines, rejects, warnings, error] =
                line.split('\t').collect::<Vec<_>>()[..]
            else {
                panic!("{line:?} has not seven columns");
            };
            Expected {
                file: file.to_owned(),
                options: words(options),
                records: records.parse().unwrap(),
                blank_lines: blank_lines.parse().unwrap(),
                rejects: words(rejects),
                warnings: words(warnings),
                error: error.to_owned(),
            }
        })
        .collect()
}

fn run(command: &str, expected: &Expected, directory: &Path) -> (Output, Value) {
    let report = directory.join("report.json");
    let mut cdrlake = Command::cargo_bin("cdrlake").unwrap();
    cdrlake.arg(command).arg(testdata().join(&expected.file)).args(&expected.options);
    cdrlake.args(["--country", "DE", "--report"]).arg(&report);
    if command == "convert" {
        cdrlake.arg("--overwrite").arg("-o").arg(directory.join("calls.parquet"));
    }
    let output = cdrlake.output().unwrap();
    let report = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    (output, report)
}

fn check_report(expected: &Expected, output: &Output, report: &Value) {
    let file = &expected.file;
    assert_eq!(output.status.code(), Some(expected.exit_status()), "{file}");
    assert_eq!(report["records_written"], expected.records, "{file}");
    assert_eq!(report["blank_lines"], expected.blank_lines, "{file}");
    assert_eq!(report["records_rejected"], expected.rejects.len(), "{file}");
    assert_eq!(report["records_read"], expected.records + expected.rejects.len() as u64, "{file}");
    let mut codes = BTreeMap::<_, u64>::new();
    for reject in &expected.rejects {
        *codes.entry(reject.split(':').nth(2).unwrap()).or_default() += 1;
    }
    assert_eq!(report["rejects"], serde_json::json!(codes), "{file}");
    let warnings: BTreeMap<_, u64> = expected
        .warnings
        .iter()
        .map(|warning| warning.split_once('=').unwrap())
        .map(|(code, count)| (code, count.parse().unwrap()))
        .collect();
    assert_eq!(report["warnings"], serde_json::json!(warnings), "{file}");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains(&expected.error), "{file}: {stderr}");
}

/// What `validate` lists, less the code, which it does not print:
/// `source, record 2 (byte 229), date [42,50): …`, or `line: …` for no field.
fn listed(stdout: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(stdout);
    text.lines()
        .map(|line| {
            let (_, place) = line.split_once(", record ").unwrap();
            let (number, rest) = place.split_once(" (byte ").unwrap();
            let (byte, rest) = rest.split_once("), ").unwrap();
            let field = rest.split([' ', ':']).next().unwrap().replace("line", "-");
            format!("{number}:{byte}:{field}")
        })
        .collect()
}

#[test]
fn validate_gives_the_verdicts_of_the_index() {
    let directory = tempfile::tempdir().unwrap();
    for expected in index() {
        let (output, report) = run("validate", &expected, directory.path());
        check_report(&expected, &output, &report);
        let places: Vec<String> = expected
            .rejects
            .iter()
            .map(|reject| {
                let [line, byte, _, field] = reject.split(':').collect::<Vec<_>>()[..] else {
                    panic!("{reject} has not four parts");
                };
                format!("{line}:{byte}:{field}")
            })
            .collect();
        assert_eq!(listed(&output.stdout), places, "{}", expected.file);
    }
}

#[test]
fn convert_gives_the_verdicts_of_the_index() {
    for expected in index() {
        let directory = tempfile::tempdir().unwrap();
        let (output, report) = run("convert", &expected, directory.path());
        check_report(&expected, &output, &report);
        let calls = directory.path().join("calls.parquet");
        let rejects = directory.path().join("calls.rejects.parquet");
        let is_loaded = expected.error.is_empty() && !expected.is_left_out();
        assert_eq!(calls.exists(), is_loaded, "{}", expected.file);
        let status = report["sources"][0]["status"].as_str().unwrap();
        assert_eq!(status == "excluded", expected.is_left_out(), "{}", expected.file);
        assert_eq!(rejects.exists(), !expected.rejects.is_empty(), "{}", expected.file);
        if rejects.exists() {
            assert_eq!(rejects_of(&rejects), expected.rejects, "{}", expected.file);
        }
    }
}

/// The rejects file's rows in the index's form.
fn rejects_of(path: &Path) -> Vec<String> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    let reader = SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            let field = row.get_string(4).map_or("-", String::as_str);
            let (line, byte) = (row.get_long(1).unwrap(), row.get_long(2).unwrap());
            format!("{line}:{byte}:{}:{field}", row.get_string(3).unwrap())
        })
        .collect()
}

/// The index leaves no code out, nor any file.
#[test]
fn the_index_is_complete() {
    let index = index();
    for code in cdrlake_core::RejectCode::ALL {
        let code = format!(":{code}:");
        let is_there = index.iter().any(|row| row.rejects.iter().any(|r| r.contains(&code)));
        assert!(is_there, "{code} is missing");
    }
    for warning in cdrlake_core::Warning::ALL {
        // This one depends on what is known of the source; see `cli.rs`.
        if warning != cdrlake_core::Warning::UnknownCountry {
            let code = format!("{}=", warning.as_str());
            let is_there =
                index.iter().any(|row| row.warnings.iter().any(|w| w.starts_with(&code)));
            assert!(is_there, "{code} is missing");
        }
    }
    for directory in ["valid", "invalid"] {
        for entry in std::fs::read_dir(testdata().join(directory)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let name = format!("{directory}/{name}");
            assert!(index.iter().any(|row| row.file == name), "{name} is not in the index");
        }
    }
}
