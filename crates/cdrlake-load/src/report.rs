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
    /// Those of them that were not changed for a day: whoever wrote them has given up, or died.
    pub stale_inputs: Vec<String>,
    /// Files, and members of archives, that are not read: the caller has excluded them, or they are no
    /// deliveries.
    pub excluded_inputs: Vec<String>,
    /// How many of them the caller has excluded.
    #[serde(skip)]
    pub deselected_inputs: usize,
    /// Hidden files that are not read, though they hold sound records.
    pub hidden_inputs: Vec<String>,
    /// Checksum files in which no checksum can be read, so that what they are of was not checked.
    pub unread_checksums: Vec<String>,
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
        let LeftOut { empty_inputs, unfinished, stale, excluded, deselected, .. } = left_out;
        let rejects_not_written = 0;
        Self {
            run_id,
            totals,
            sources,
            empty_inputs,
            unfinished_inputs: unfinished,
            stale_inputs: stale,
            excluded_inputs: excluded,
            deselected_inputs: deselected,
            hidden_inputs: left_out.hidden,
            unread_checksums: left_out.unread_checksums,
            outputs,
            rejects_not_written,
        }
    }

    /// Whether something was left out that somebody must look at: uploads that were given up, and hidden
    /// files with records.
    #[must_use]
    pub fn has_forgotten(&self) -> bool {
        !self.stale_inputs.is_empty() || !self.hidden_inputs.is_empty()
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
    /// The source with the same content, for whose sake this one was left out; none if all its lines
    /// were replayed before. Of a version that was left out or superseded, the one in its place.
    pub same_as: Option<Arc<str>>,
    /// The version of its delivery whose place it took.
    pub supersedes: Option<Arc<str>>,
    /// The day in UTC, as `2025-11-30`, on which a content was unloaded, superseded or excluded that is
    /// left out for that.
    pub left_out_since: Option<Box<str>>,
    /// Whether an earlier run held or failed it just so.
    pub known_before: bool,
    /// Whether it was so before, and somebody has set it aside.
    #[serde(skip)]
    pub is_set_aside: bool,
    /// Whether its delivery is not the one under whose name its content is loaded.
    #[serde(skip)]
    pub is_other_delivery: bool,
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
            supersedes: None,
            left_out_since: None,
            known_before: false,
            is_set_aside: false,
            is_other_delivery: false,
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

    /// Nothing of it counts, though it was read.
    pub fn leave_out(&mut self, status: Status) {
        self.status = status;
        self.tally = Tally::default();
        (self.first_start_time, self.last_start_time) = (None, None);
    }

    /// Somebody must decide about it, for this reason.
    pub fn hold(&mut self, why: &SourceError) {
        self.leave_out(Status::Held);
        self.error_code = Some(why.code());
        self.error = Some(Chain(why).to_string().into());
    }

    /// Zeros followed the archive that it came from.
    pub(crate) fn note_trailing_zeros(&mut self) {
        if self.status == Status::Loaded {
            self.tally.warnings.set(TRAILING_ZEROS, 1);
        }
    }

    pub(crate) fn fail(&mut self, error: &SourceError) {
        // What it held counts no more; what was wrong with it is told.
        let rejects = std::mem::take(&mut self.tally.rejects);
        self.leave_out(Status::Failed);
        self.tally.rejects = rejects;
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
#[non_exhaustive]
pub enum Status {
    /// Its records are in the output.
    Loaded,
    /// Its content is loaded from another source, or was replayed before. Nothing of this one is in the
    /// output, and it is no failure: [`SourceReport::same_as`] names the other.
    Same,
    /// Another version of its delivery has its place, and it stays out.
    Superseded,
    /// Somebody must decide what is to become of it. Nothing of it is in the output.
    Held,
    /// It was unloaded, and stays out.
    Unloaded,
    /// It is never to be loaded.
    Excluded,
    /// It is not as it must be, so that it must be got again. Nothing of it is in the output.
    Failed,
}

impl Status {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 7] = [
        Self::Loaded,
        Self::Same,
        Self::Superseded,
        Self::Held,
        Self::Unloaded,
        Self::Excluded,
        Self::Failed,
    ];

    /// Returns its name in reports, ledgers and messages: one word in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loaded => "loaded",
            Self::Same => "same",
            Self::Superseded => "superseded",
            Self::Held => "held",
            Self::Unloaded => "unloaded",
            Self::Excluded => "excluded",
            Self::Failed => "failed",
        }
    }

    /// Whether it was left out on purpose, which is no fault of the source.
    #[must_use]
    pub const fn is_skipped(self) -> bool {
        matches!(self, Self::Same | Self::Superseded | Self::Unloaded | Self::Excluded)
    }
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
