//! What came of a run, as data; printing is the caller's.

use std::path::PathBuf;
use std::sync::Arc;

use cdrlake_core::{Counts, Warning};
use cdrlake_run::Chain;
use cdrlake_source::SourceError;
use serde::{Serialize, Serializer};

use crate::codes::Codes;
use crate::left_out::LeftOut;
use crate::quantities::{LocalTime, Seconds};

/// What came of a run. Totals cover the sources that were loaded.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Random; 32 hexadecimal digits.
    pub run_id: String,
    /// Sums over the loaded sources.
    #[serde(flatten)]
    pub totals: Tally,
    /// One for each source that was met, in input order.
    pub sources: Vec<SourceReport>,
    /// Inputs in which there was no source: empty directories and archives. Also tables of calls that
    /// stand beside rejects files which are replayed.
    pub empty_inputs: Vec<String>,
    /// Files, and members of archives, that were skipped, for their names say that they are still being
    /// written.
    pub unfinished_inputs: Vec<String>,
    /// The files published; none if no source was loaded, or if the sink is the caller's.
    pub outputs: Vec<Output>,
    /// Rejected lines that were counted and not written, for they hold numbers in clear.
    pub rejects_not_written: u64,
}

impl Report {
    /// The report of a run, with the sums of its loaded sources.
    #[must_use]
    pub fn new(
        run_id: String,
        sources: Vec<SourceReport>,
        left_out: LeftOut,
        outputs: Vec<Output>,
    ) -> Self {
        let mut totals = Tally::default();
        for source in &sources {
            if source.status == Status::Loaded {
                totals.add(&source.tally);
            }
        }
        let LeftOut { empty_inputs, unfinished: unfinished_inputs } = left_out;
        let rejects_not_written = 0;
        Self {
            run_id,
            totals,
            sources,
            empty_inputs,
            unfinished_inputs,
            outputs,
            rejects_not_written,
        }
    }

    /// How many sources have this status.
    #[must_use]
    pub fn count(&self, status: Status) -> usize {
        self.sources.iter().filter(|source| source.status == status).count()
    }
}

/// Counts of a source or of a run:
/// `records_read = records_written + records_rejected + records_duplicate + records_filtered`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Lines that are not blank.
    pub records_read: u64,
    /// Rows of the output.
    pub records_written: u64,
    /// Lines that are no sound record.
    pub records_rejected: u64,
    /// Records left out because another source holds them, or because they were replayed before; 0
    /// unless asked for.
    pub records_duplicate: u64,
    /// Sound records left out by a filter; 0 unless asked for.
    pub records_filtered: u64,
    /// Lines that are empty, or only a carriage return.
    pub blank_lines: u64,
    /// Decompressed bytes.
    pub bytes_read: u64,
    /// Rejected lines by code.
    pub rejects: Codes,
    /// Warnings by code.
    pub warnings: Codes,
    /// Sum of the written rows' durations.
    pub duration_seconds: Seconds,
}

impl Tally {
    /// The tally of a source whose sound records are written, but for some that were filtered.
    pub(crate) fn loaded(counts: &Counts, filtered: u64, bytes: u64, duration: Seconds) -> Self {
        Self {
            records_read: counts.records + counts.rejected(),
            records_written: counts.records - filtered,
            records_filtered: filtered,
            records_rejected: counts.rejected(),
            blank_lines: counts.blank_lines,
            bytes_read: bytes,
            rejects: counts.rejects().map(|(code, count)| (code.as_str(), count)).collect(),
            warnings: counts.warnings().map(|(code, count)| (code.as_str(), count)).collect(),
            duration_seconds: duration,
            ..Self::default()
        }
    }

    /// The tally of a source that failed: nothing of it counts, but its rejects are told.
    pub(crate) fn failed(counts: &Counts) -> Self {
        let rejects = counts.rejects().map(|(code, count)| (code.as_str(), count)).collect();
        Self { rejects, ..Self::default() }
    }

    /// Records that were counted as written prove to be duplicates.
    pub fn drop_duplicates(&mut self, records: u64, duration: Seconds) {
        self.records_written -= records;
        self.records_duplicate += records;
        self.duration_seconds = self.duration_seconds.minus(duration);
    }

    /// Adds lines that are left out, for they were replayed before.
    pub(crate) fn add_duplicates(&mut self, lines: u64) {
        self.records_read += lines;
        self.records_duplicate += lines;
    }

    fn add(&mut self, other: &Self) {
        self.records_read += other.records_read;
        self.records_written += other.records_written;
        self.records_rejected += other.records_rejected;
        self.records_duplicate += other.records_duplicate;
        self.records_filtered += other.records_filtered;
        self.blank_lines += other.blank_lines;
        self.bytes_read += other.bytes_read;
        self.duration_seconds = self.duration_seconds.plus(other.duration_seconds);
        self.rejects.add(&other.rejects);
        self.warnings.add(&other.warnings);
    }
}

/// The warning that zeros followed the archive that a source came from: one a source, as `unknown_country`
/// is.
const TRAILING_ZEROS: &str = "trailing_zeros";

/// What came of one source. There may be a million of them in memory, so it is kept small.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// Its path as the user gave it, and `!member`.
    pub source: Arc<str>,
    /// BLAKE3 of the decompressed bytes, if it was read to its end; in JSON 64 hexadecimal digits.
    #[serde(serialize_with = "hexadecimal")]
    pub content_hash: Option<blake3::Hash>,
    /// What became of it.
    pub status: Status,
    /// Why it failed, in a word: `not_cdr`, `too_many_rejects`, `cannot_read` and so on.
    pub error_code: Option<&'static str>,
    /// Why it failed.
    pub error: Option<Box<str>>,
    /// The source with the same content, for whose sake this one was skipped; none if all its lines
    /// were replayed before.
    pub same_as: Option<Arc<str>>,
    /// Rejected lines of that source, if it was loaded by an earlier run, that were neither
    /// replayed nor waived.
    pub open_rejects: u64,
    /// Rejected lines that are open again, though those of the source that it replaced were waived.
    pub reopened_rejects: u64,
    /// Its counts. For a source that failed or was skipped all are 0, for nothing of it counts; but
    /// what rejects were found before it failed is told by code.
    #[serde(flatten)]
    pub tally: Tally,
    /// Earliest start of a call, local time.
    pub first_start_time: Option<LocalTime>,
    /// Latest start of a call, local time.
    pub last_start_time: Option<LocalTime>,
}

impl SourceReport {
    pub(crate) fn new(source: Arc<str>, status: Status) -> Self {
        Self {
            source,
            content_hash: None,
            status,
            error_code: None,
            error: None,
            same_as: None,
            open_rejects: 0,
            reopened_rejects: 0,
            tally: Tally::default(),
            first_start_time: None,
            last_start_time: None,
        }
    }

    /// Adds what came of more lines of the same source.
    pub(crate) fn merge(&mut self, more: &Self) {
        self.tally.add(&more.tally);
        // A warning of the source, not of its lines.
        let unknown_country = Warning::UnknownCountry.as_str();
        if self.tally.warnings.contains_key(unknown_country) {
            self.tally.warnings.set(unknown_country, 1);
        }
        let earliest = self.first_start_time.into_iter().chain(more.first_start_time).min();
        self.first_start_time = earliest;
        self.last_start_time = self.last_start_time.max(more.last_start_time);
    }

    /// Zeros followed the archive that it came from.
    pub(crate) fn note_trailing_zeros(&mut self) {
        if self.status == Status::Loaded {
            self.tally.warnings.set(TRAILING_ZEROS, 1);
        }
    }

    pub(crate) fn fail(&mut self, error: &SourceError) {
        self.status = Status::Failed;
        // What it held counts no more; what was wrong with it is told.
        let rejects = std::mem::take(&mut self.tally.rejects);
        self.tally = Tally { rejects, ..Tally::default() };
        (self.first_start_time, self.last_start_time) = (None, None);
        self.error_code = Some(error.code());
        self.error = Some(Chain(error).to_string().into());
    }
}

fn hexadecimal<S: Serializer>(hash: &Option<blake3::Hash>, to: S) -> Result<S::Ok, S::Error> {
    hash.map(|hash| hash.to_hex().to_string()).serialize(to)
}

/// What became of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its records are in the output.
    Loaded,
    /// An earlier source has the same content. Nothing of this one is in the output, and it is no
    /// failure: [`SourceReport::same_as`] names the other.
    Skipped,
    /// Nothing of it is in the output.
    Failed,
}

/// A published file.
#[derive(Clone, Debug, Serialize)]
pub struct Output {
    /// What it holds.
    pub kind: OutputKind,
    /// Where it is.
    pub path: PathBuf,
    /// Rows of the table.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// What a published file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputKind {
    /// The table of calls.
    Calls,
    /// The table of rejected lines.
    Rejects,
}
