//! The file of `--metrics-file`: what a run did and where its lake stands, for Prometheus.
//!
//! It is in the text format that the textfile collector of node_exporter reads, and is written anew
//! as a whole at the end of every run, failed ones included. What only a run that succeeds may
//! change, when that last was, is read from the file before. `docs/logs-and-metrics.md` lists the
//! metrics, and a test holds it to that.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;
use cdrlake::{Audit, FileContent, LakeLocation, Report, Standing, Status, standing};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::message::{self, Event};
use crate::outcome::Outcome;
use crate::output_file::OutputFile;

const LAST_RUN: &str = "cdrlake_last_run_timestamp_seconds";
const LAST_SUCCESS: &str = "cdrlake_last_success_timestamp_seconds";

/// All metrics, in the order of the file: each has one row here, and all are gauges, for a run begins
/// anew.
const METRICS: [(&str, &str); 14] = [
    ("cdrlake_build_info", "The version of cdrlake that wrote this, as a label; always 1."),
    (LAST_RUN, "When the last run ended, well or not."),
    (
        LAST_SUCCESS,
        "When a run last ended with status 0 or 3, so that no whole source failed; 0 if none has.",
    ),
    ("cdrlake_last_run_exit_status", "The exit status of the last run."),
    ("cdrlake_last_run_duration_seconds", "How long the last run took."),
    ("cdrlake_last_run_sources", "Sources of the last run by what became of them."),
    (
        "cdrlake_last_run_records",
        "Records of the sources that the last run loaded by what became of them; blank lines are none.",
    ),
    (
        "cdrlake_last_run_rejects",
        "Lines that the last run rejected by code, those of sources that failed included.",
    ),
    ("cdrlake_loaded_sources", "Sources that the lake holds."),
    (
        "cdrlake_failed_sources",
        "Sources that could not be loaded and were not since, nor accepted.",
    ),
    ("cdrlake_open_rejects", "Rejected lines that were neither replayed nor waived."),
    (
        "cdrlake_open_sequence_gaps",
        "Ranges of sequence numbers that did not come though later ones did, and are not accepted.",
    ),
    (
        "cdrlake_newest_file_timestamp_seconds",
        "The latest time in the name of a loaded file, taken for UTC: the carrier's clock.",
    ),
    ("cdrlake_audit_findings", "Findings of the last audit by kind that nobody has accepted."),
];

/// What is told of a run once it has ended.
pub(crate) struct Metrics {
    file: OutputFile,
    location: LakeLocation,
    command: &'static str,
    /// The lake's, from the root on, with what the format wants escaped.
    lake: String,
    started: Instant,
    /// The value of the earlier file.
    last_success: String,
    samples: Samples,
}

/// Values by metric and further labels.
type Samples = BTreeMap<&'static str, Vec<(String, String)>>;

impl Metrics {
    /// Made before the run, so that a wrong path is not found out after it.
    pub(crate) fn create(
        path: &Path,
        command: &'static str,
        location: &LakeLocation,
    ) -> Result<Self> {
        let file = OutputFile::create(path, FileContent::Metrics)?;
        let root = &location.root;
        let root = root.canonicalize().or_else(|_| std::path::absolute(root));
        let lake = escaped(&root.unwrap_or_else(|_| location.root.clone()).to_string_lossy());
        let mut metrics = Self {
            file,
            location: location.clone(),
            command,
            lake,
            started: Instant::now(),
            last_success: "0".to_owned(),
            samples: Samples::new(),
        };
        if let Some(value) = metrics.earlier(LAST_SUCCESS) {
            metrics.last_success = value;
        }
        Ok(metrics)
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// What came of the sources.
    pub(crate) fn note_report(&mut self, report: &Report) {
        for status in Status::ALL {
            let labels = format!("status=\"{}\"", status.name());
            self.add_labelled("cdrlake_last_run_sources", labels, report.count(status));
        }
        let totals = &report.totals;
        for (name, count) in [
            ("written", totals.records_written),
            ("rejected", totals.records_rejected),
            ("duplicate", totals.records_duplicate),
            ("filtered", totals.records_filtered),
        ] {
            let labels = format!("result=\"{name}\"");
            self.add_labelled("cdrlake_last_run_records", labels, count);
        }
        let mut rejects: BTreeMap<&str, u64> = BTreeMap::new();
        for (code, count) in report.sources.iter().flat_map(|source| source.tally.rejects.iter()) {
            *rejects.entry(code).or_default() += count;
        }
        for (code, count) in rejects {
            self.add_labelled("cdrlake_last_run_rejects", format!("code=\"{code}\""), count);
        }
    }

    /// What an audit found.
    pub(crate) fn note_audit(&mut self, audit: &Audit) {
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for finding in &audit.findings {
            *kinds.entry(finding.observation.kind()).or_default() += 1;
        }
        for (kind, count) in kinds {
            self.add_labelled("cdrlake_audit_findings", format!("kind=\"{kind}\""), count);
        }
    }

    /// Writes the file. That it cannot be written is said, but changes nothing about the run.
    pub(crate) fn write(mut self, outcome: Outcome) {
        let path = self.path().to_owned();
        let now = seconds(Timestamp::now());
        if matches!(outcome, Outcome::Done | Outcome::Rejects | Outcome::Findings) {
            self.last_success.clone_from(&now);
        }
        let version = format!("version=\"{}\"", env!("CARGO_PKG_VERSION"));
        self.add_labelled("cdrlake_build_info", version, 1);
        self.add(LAST_RUN, now);
        self.add(LAST_SUCCESS, self.last_success.clone());
        self.add("cdrlake_last_run_exit_status", outcome.status());
        let elapsed = format!("{:.3}", self.started.elapsed().as_secs_f64());
        self.add("cdrlake_last_run_duration_seconds", elapsed);
        // Why a lake cannot be read, the run has told.
        if let Ok(Some(standing)) = standing(&self.location) {
            self.note_standing(&standing);
        }
        let text = self.to_text();
        if let Err(error) = self.file.write(|file| file.write_all(text.as_bytes())) {
            let text = format!("cannot write {}: {error}", path.display());
            message::Message::new(Event::Warned, text)
                .with("path", path.display().to_string())
                .tell();
        }
    }

    fn note_standing(&mut self, standing: &Standing) {
        self.add("cdrlake_loaded_sources", standing.loaded_sources);
        self.add("cdrlake_failed_sources", standing.failed_sources);
        self.add("cdrlake_open_rejects", standing.open_rejects);
        self.add("cdrlake_open_sequence_gaps", standing.open_gaps);
        let newest = standing.newest_file_time.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
        if let Some(newest) = newest {
            self.add("cdrlake_newest_file_timestamp_seconds", seconds(newest.timestamp()));
        }
    }

    fn add(&mut self, metric: &'static str, value: impl Display) {
        self.add_labelled(metric, String::new(), value);
    }

    fn add_labelled(&mut self, metric: &'static str, labels: String, value: impl Display) {
        self.samples.entry(metric).or_default().push((labels, value.to_string()));
    }

    /// What every sample has, so that those of several lakes and commands stay apart.
    fn labels(&self) -> String {
        format!("command=\"{}\",lake=\"{}\"", self.command, self.lake)
    }

    /// The value that the file has now.
    fn earlier(&self, metric: &str) -> Option<String> {
        if self.file.is_special() {
            return None;
        }
        let text = fs::read_to_string(self.file.path()).ok()?;
        let head = format!("{metric}{{{}}} ", self.labels());
        let value = text.lines().find_map(|line| line.strip_prefix(&head))?;
        value.parse::<f64>().is_ok_and(f64::is_finite).then(|| value.to_owned())
    }

    fn to_text(&self) -> String {
        let common = self.labels();
        let mut text = String::new();
        for (metric, help) in METRICS {
            let Some(samples) = self.samples.get(metric) else { continue };
            let _ = writeln!(text, "# HELP {metric} {help}\n# TYPE {metric} gauge");
            for (labels, value) in samples {
                let comma = if labels.is_empty() { "" } else { "," };
                let _ = writeln!(text, "{metric}{{{common}{comma}{labels}}} {value}");
            }
        }
        text
    }
}

/// Seconds since 1970, with three decimals.
fn seconds(time: Timestamp) -> String {
    format!("{:.3}", time.as_millisecond() as f64 / 1000.0)
}

/// The value of a label.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guide_lists_every_metric() {
        let guide = include_str!("../../../docs/logs-and-metrics.md");
        for (metric, _) in METRICS {
            assert_eq!(guide.matches(&format!("| `{metric}` |")).count(), 1, "{metric}");
        }
    }

    #[test]
    fn values_are_as_the_format_wants_them() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
        assert_eq!(seconds("2026-11-22T13:34:19.5Z".parse().unwrap()), "1795354459.500");
        assert_eq!(seconds("1969-12-31T23:59:59.5Z".parse().unwrap()), "-0.500");
    }

    #[test]
    fn the_last_success_is_kept_for_the_same_lake_and_command() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("cdrlake.prom");
        let write = |lake: &str, command, outcome| {
            let location = LakeLocation::new(directory.path().join(lake));
            Metrics::create(&path, command, &location).unwrap().write(outcome);
            let text = fs::read_to_string(&path).unwrap();
            let line = text.lines().find(|line| line.starts_with(LAST_SUCCESS)).unwrap();
            line.rsplit(' ').next().unwrap().to_owned()
        };
        assert_eq!(write("a", "convert", Outcome::Failed), "0");
        let first = write("a", "convert", Outcome::Rejects);
        assert!(first.parse::<f64>().unwrap() > 1.7e9, "{first}");
        for outcome in [Outcome::Failed, Outcome::SourcesFailed, Outcome::TryLater, Outcome::Usage]
        {
            assert_eq!(write("a", "convert", outcome), first);
        }
        assert_eq!(write("a", "sync", Outcome::Failed), "0");
        fs::write(&path, "cdrlake_last_success_timestamp_seconds{} NaN\n\u{FFFD}").unwrap();
        assert_eq!(write("a", "convert", Outcome::Failed), "0");
    }
}
