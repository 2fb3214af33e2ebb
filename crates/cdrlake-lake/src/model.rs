//! What a lake is made of, and what a change of it says: the words that the ledger, commits and audits
//! share.

use cdrlake_load::{Seconds, SourceReport};
use cdrlake_parquet::ColumnStatistics;
use cdrlake_source::Source;
use roaring::RoaringTreemap;
use tempfile::TempPath;

use crate::partition::Partition;

/// How often a lake was changed: 0 when it is made, one more with each commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u64);

/// A source that a lake knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub i64);

/// Row provenance of a file: the source of each run of rows, from the first to the last, and how many
/// rows it has.
pub type RowsBySource = Vec<(SourceId, u64)>;

/// What a file of a lake holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    /// Rows of the table of calls.
    Calls,
    /// Rejected lines.
    Rejects,
}

impl FileKind {
    /// Its name in the ledger, and that of its directory in a lake.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Rejects => "rejects",
        }
    }

    /// The kind of a name, which the ledger holds to these two.
    pub(crate) fn of_name(name: &str) -> Self {
        if name == Self::Rejects.name() { Self::Rejects } else { Self::Calls }
    }
}

/// A file that is part of a lake.
#[derive(Clone, Debug)]
pub struct LakeFile {
    /// What the lake knows it by.
    pub(crate) id: i64,
    /// Its path in the lake.
    pub path: String,
    /// What it holds.
    pub kind: FileKind,
    /// The partition of its calls; all of the lake for rejects.
    pub partition: Partition,
    /// Rows of the table.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of these bytes; none of files that versions before wrote.
    pub blake3: Option<blake3::Hash>,
}

/// What is known of a file before it is part of a lake.
#[derive(Debug)]
pub struct FileSummary {
    /// What it holds.
    pub kind: FileKind,
    /// The partition of its calls; all of the lake for rejects.
    pub partition: Partition,
    /// Rows of the table.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of these bytes.
    pub blake3: blake3::Hash,
    /// Tenths of seconds of its calls; 0 for rejects.
    pub tenths: u64,
    /// What each column holds; none are known of rejects.
    pub statistics: Vec<ColumnStatistics>,
    /// Row provenance, from the first row to the last.
    pub sources: Vec<(SourceRef, u64)>,
}

/// A complete and synced file on this machine that is to become part of a lake.
#[derive(Debug)]
pub struct CompleteFile {
    /// Where it is until it is staged.
    pub file: TempPath,
    /// Names it, together with its number: the same inputs and options give the same digest.
    pub digest: blake3::Hash,
    /// Its number among the files of its digest and kind, from 1.
    pub number: usize,
    /// What it holds.
    pub summary: FileSummary,
}

/// A file that is where the lake can take it from, and is not part of it yet.
#[derive(Debug)]
pub struct AddedFile<Staged> {
    /// How the lake finds it.
    pub staged: Staged,
    /// The path that it will have in the lake.
    pub path: String,
    /// What it holds.
    pub summary: FileSummary,
}

/// A change of a lake, all or nothing: what will be true of it, and nothing of how.
#[derive(Debug)]
pub struct Transaction<Staged> {
    /// The run that makes it.
    pub run_id: String,
    /// The command of the run.
    pub command: &'static str,
    /// The options of the run, as JSON.
    pub options: String,
    /// What came of the run, as JSON.
    pub report: String,
    /// Rejects first, for whoever sees records can then see what was rejected among them.
    pub add: Vec<AddedFile<Staged>>,
    /// Files that are part of the lake no more.
    pub remove: Vec<LakeFile>,
    /// What becomes true of sources.
    pub sources: Vec<SourceFact>,
    /// Sources that left duplicates out, and those that hold what was kept of them.
    pub left_out: Vec<(SourceRef, SourceRef)>,
}

impl<Staged> Transaction<Staged> {
    /// Whether it changes nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty()
            && self.remove.is_empty()
            && self.sources.is_empty()
            && self.left_out.is_empty()
    }
}

/// A source whose rows are in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceRef {
    /// One that the transaction adds, by its place among [`Transaction::sources`].
    Added(usize),
    /// One that the lake knows.
    Known(SourceId),
}

/// What becomes true of a source.
#[derive(Debug)]
pub enum SourceFact {
    /// It came: it was loaded, failed, is held, or is out for a reason that is to be remembered.
    Added(Box<AddedSource>),
    /// Its rows are gone.
    Ended {
        /// Which.
        source: SourceId,
        /// How it ended.
        how: Ending,
    },
    /// Some of its rejected lines were accepted.
    Replayed(Replayed),
    /// It came again, though perhaps not where it was loaded from.
    Repeated {
        /// As it came now.
        source: Box<Source>,
        /// From the root on; none of standard input.
        path: Option<String>,
        /// Of its content.
        content_hash: blake3::Hash,
    },
}

/// A source that came, and what came of it.
#[derive(Debug)]
pub struct AddedSource {
    /// Its names, and what they tell.
    pub source: Source,
    /// From the root on; none of standard input.
    pub path: Option<String>,
    /// What came of it.
    pub report: SourceReport,
    /// Whose clocks its local times are of, as far as that was asked for, and what tells it: `flag`, `country`
    /// or `configuration`.
    pub time_zone: Option<(String, &'static str)>,
    /// The record numbers of its rejected lines.
    pub open_rejects: RoaringTreemap,
}

/// How a loaded source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was loaded anew.
    Replaced,
    /// Its rows were removed.
    Unloaded,
    /// Another version of its delivery took its place.
    Superseded,
}

/// What was replayed of a source.
#[derive(Debug)]
pub struct Replayed {
    /// Which.
    pub source: SourceId,
    /// The lines that are still rejected.
    pub open_rejects: RoaringTreemap,
    /// How many lines this run accepted as records.
    pub records: u64,
    /// How many it accepted as blank lines.
    pub blank_lines: u64,
    /// Sum of the records' durations.
    pub duration: Seconds,
    /// How many more lines were left out, for other sources hold them.
    pub left_out: u64,
    /// Whether such lines are left out.
    pub duplicates: Duplicates,
}

impl Replayed {
    /// So many of the records are left out.
    pub(crate) fn leave_out(&mut self, records: u64, duration: Seconds) {
        self.records -= records;
        self.left_out += records;
        self.duration = self.duration.minus(duration);
    }
}

/// A source that is loaded and holds a version of a delivery.
#[derive(Clone, Debug)]
pub struct LoadedVersion {
    /// Which.
    pub source: SourceId,
    /// Its path as the user gave it, and `!member`.
    pub name: String,
    /// Of its content.
    pub content_hash: blake3::Hash,
    /// Its rows.
    pub records: u64,
    /// Its rejected lines.
    pub rejected: u64,
    /// When it was fetched, in microseconds since 1970 in UTC; none if no inbox knew.
    pub arrived: Option<i64>,
    /// Whether it is loaded under the delivery's name; it may be loaded under another, if the same content
    /// came so first.
    pub is_own: bool,
    /// Whether it is loaded as another delivery.
    pub is_of_other: bool,
}

/// What is known of a source that failed, or is held, before it does so again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// Nothing.
    No,
    /// It did just so before.
    Before,
    /// It did so, and somebody has set it aside.
    SetAside,
}

/// What to do with a record whose wire bytes another source holds as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Duplicates {
    /// Load it.
    #[default]
    Keep,
    /// Drop and count it, beyond the largest number of copies that any one source holds. The lake
    /// must have been made with [`RecordId::Fill`](cdrlake_core::RecordId::Fill).
    Drop,
}

/// A file of the carrier that a lake has, by what its name tells:
/// `<country>_<profile>_<product identifier>_<sequence>_<YYYYMMDDHHmmss>.cdr`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// The reseller's profile, 1 to 5 letters or digits.
    pub profile: String,
    /// The product identifier, 1 or 2 letters or digits.
    pub product_identifier: String,
    /// The file's own time, local as delivered, as `2025-10-19T09:01:22`.
    pub file_time: String,
    /// The rolling number, 0 to 9999.
    pub sequence_number: u16,
}

/// Findings that someone has closed.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// The run that closes them.
    pub run_id: String,
    /// By their identifiers.
    pub findings: Vec<String>,
    /// Sources whose open rejects are waived.
    pub waived: Vec<SourceId>,
    /// Held and failed sources that are set aside.
    pub set_aside: Vec<SourceId>,
    /// Why.
    pub reason: String,
}
