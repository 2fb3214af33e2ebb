//! Finished files made visible: the only place that renames and removes.
//!
//! A lake is changed by a [`Plan`], which says what will be true of it and nothing of how.

mod directory;

use roaring::RoaringTreemap;
use tempfile::TempPath;

pub(crate) use self::directory::{FACE, finish, has_sound_face, publish, publish_face};
use crate::lake::Duplicates;
use crate::ledger::{FileKind, LedgerFile, SourceId};
use cdrlake_load::{Seconds, SourceReport};
use cdrlake_source::Source;

/// A change of a lake, all or nothing.
pub(crate) struct Plan {
    /// The run that makes it.
    pub(crate) run_id: String,
    pub(crate) command: &'static str,
    /// As JSON.
    pub(crate) options: String,
    /// As JSON.
    pub(crate) report: String,
    /// Rejects first, for whoever sees records can then see what was rejected among them.
    pub(crate) add: Vec<AddedFile>,
    pub(crate) remove: Vec<LedgerFile>,
    pub(crate) sources: Vec<SourceFact>,
    /// Sources that left duplicates out, and those that hold what was kept of them.
    pub(crate) left_out: Vec<(SourceRef, SourceRef)>,
}

/// A complete and synced file that is to become part of a lake.
pub(crate) struct AddedFile {
    /// In the lake.
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    pub(crate) staged: TempPath,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// Tenths of seconds of its calls; 0 for rejects.
    pub(crate) tenths: u64,
    /// Whose its rows are, from the first to the last.
    pub(crate) sources: Vec<(SourceRef, u64)>,
}

/// A source whose rows are in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum SourceRef {
    /// One that the plan adds, by its place among [`Plan::sources`].
    Added(usize),
    Known(SourceId),
}

/// What becomes true of a source.
pub(crate) enum SourceFact {
    /// It was loaded, or failed.
    Added(Box<AddedSource>),
    /// Its rows are gone.
    Ended { source: SourceId, how: Ending },
    /// Some of its rejected lines were accepted.
    Replayed(Replayed),
    /// It came again, though perhaps not where it was loaded from.
    Repeated { source: Box<Source>, path: Option<String>, content_hash: blake3::Hash },
}

pub(crate) struct AddedSource {
    pub(crate) source: Source,
    /// From the root on; none of standard input.
    pub(crate) path: Option<String>,
    pub(crate) report: SourceReport,
    /// The record numbers of its rejected lines.
    pub(crate) open_rejects: RoaringTreemap,
}

/// How a loaded source ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was loaded anew.
    Replaced,
    Unloaded,
}

pub(crate) struct Replayed {
    pub(crate) source: SourceId,
    /// The lines that are still rejected.
    pub(crate) open_rejects: RoaringTreemap,
    /// How many lines this run accepted: as records, and as blank lines.
    pub(crate) records: u64,
    pub(crate) blank_lines: u64,
    pub(crate) duration: Seconds,
    /// How many more lines were left out, for other sources hold them.
    pub(crate) left_out: u64,
    /// Whether such lines are left out.
    pub(crate) duplicates: Duplicates,
}

impl Replayed {
    /// So many of the records are left out.
    pub(crate) fn leave_out(&mut self, records: u64, duration: Seconds) {
        self.records -= records;
        self.left_out += records;
        self.duration = self.duration.minus(duration);
    }
}
