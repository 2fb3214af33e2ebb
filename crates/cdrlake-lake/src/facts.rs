//! Everything that is true of a lake at one moment, for audits.

use std::collections::BTreeMap;

use cdrlake_core::Numbers;
use jiff::civil::DateTime;
use roaring::RoaringTreemap;

use crate::format::LakeFormat;
use crate::model::FileKind;

/// What is true of a lake.
#[derive(Debug)]
pub struct Facts {
    /// Loaded and failed sources, by their numbers in the ledger.
    pub sources: BTreeMap<i64, SourceFacts>,
    /// Deliveries that are not loaded under their names and are not missing, each once: their content is loaded
    /// from another source, or they are to stay out.
    pub accounted_for: Vec<SourceFacts>,
    /// By path.
    pub files: Vec<FileFacts>,
    /// Closed findings, and why.
    pub accepted: BTreeMap<String, String>,
    /// When that was.
    pub moment: Moment,
    /// What became of numbers by which calls are told apart; clear, if a `record_id` tells them.
    pub identities: Numbers,
    /// The tables of its files, and where they stand.
    pub format: LakeFormat,
}

/// When a ledger was read: it stays the same while no run changes the lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The run that is publishing, or died at it.
    pub publishing: Option<String>,
    /// The last run that is published.
    pub published: Option<String>,
}

/// A source that a lake knows as loaded or failed.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// Its number.
    pub id: i64,
    /// Its path as the user gave it, and `!member`.
    pub name: String,
    /// The same, from the root on; none of standard input.
    pub path: Option<String>,
    /// The carrier's name for it, if its name has that form.
    pub carrier_name: Option<String>,
    /// BLAKE3 of its content in hexadecimal digits, if it was read to its end.
    pub content_hash: Option<String>,
    /// Whether it is loaded.
    pub status: SourceStatus,
    /// As names and settings tell.
    pub country: Option<String>,
    /// As names and settings tell.
    pub profile: Option<String>,
    /// As names and settings tell.
    pub product_identifier: Option<String>,
    /// From its name.
    pub sequence_number: Option<u16>,
    /// From its name, local.
    pub file_time: Option<DateTime>,
    /// Its rows.
    pub records_written: u64,
    /// Its lines that were rejected and not replayed.
    pub records_rejected: u64,
    /// Left out, for another source has them.
    pub records_duplicate: u64,
    /// Whether lines were replayed though other sources may have them.
    pub has_plain_replays: bool,
    /// Tenths of seconds of its calls.
    pub tenths: u64,
    /// Whether someone must still look at them.
    pub rejects: RejectsState,
    /// The record numbers of rejected lines that were not replayed, waived ones among them.
    pub open_rejects: RoaringTreemap,
}

impl SourceFacts {
    /// Whether its rows are in the lake.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.status == SourceStatus::Loaded
    }

    /// What a finding calls it: the first digits of its hash, which no renaming changes.
    #[must_use]
    pub fn key(&self) -> &str {
        self.short_hash().unwrap_or(&self.name)
    }

    /// What a finding calls it if it failed: the carrier's name for it and the first digits of its
    /// hash, as far as these are known, else where it stood.
    #[must_use]
    pub fn failure_key(&self) -> String {
        match (self.carrier_name.as_deref(), self.short_hash()) {
            (Some(name), Some(hash)) => format!("{name}:{hash}"),
            (Some(key), None) | (None, Some(key)) => key.to_owned(),
            (None, None) => self.path.as_ref().unwrap_or(&self.name).clone(),
        }
    }

    fn short_hash(&self) -> Option<&str> {
        const LEN: usize = 16;
        self.content_hash.as_deref().and_then(|hash| hash.get(..LEN))
    }
}

/// Whether a source is loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceStatus {
    /// Its rows are in the lake.
    Loaded,
    /// It could not be loaded, or is held.
    Failed {
        /// Why, in a word.
        code: String,
        /// Why.
        error: String,
    },
}

/// Whether someone must still look at rejected lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectsState {
    /// Someone must.
    Open,
    /// There are none, or they were replayed or waived.
    Closed,
}

/// A file that a lake knows.
#[derive(Debug)]
pub struct FileFacts {
    /// In the lake.
    pub path: String,
    /// What it holds.
    pub kind: FileKind,
    /// Whether it is there for certain.
    pub state: FileState,
    /// Rows of the table.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of these bytes; none of files that versions before wrote.
    pub blake3: Option<blake3::Hash>,
    /// Tenths of seconds of its calls.
    pub tenths: u64,
    /// Whose its rows are, from the first to the last.
    pub sources: Vec<FileRows>,
}

/// What a run that is not published yet does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileState {
    /// Nothing.
    Settled,
    /// It may not be there yet.
    Coming,
    /// It may be gone.
    Going,
}

/// Consecutive rows of a file that come from one source.
#[derive(Clone, Copy, Debug)]
pub struct FileRows {
    /// The number of the first, from 0.
    pub first_row: u64,
    /// How many they are.
    pub rows: u64,
    /// The source's number.
    pub source: i64,
}
