//! What the ledger says, at one moment.

use std::collections::BTreeMap;

use cdrlake_core::Numbers;
use jiff::civil::DateTime;
use roaring::RoaringTreemap;

use super::finding::Series;
use crate::ledger::FileKind;

/// What the ledger says of a lake.
pub(crate) struct Facts {
    /// Loaded and failed sources, by their numbers in the ledger.
    pub(crate) sources: BTreeMap<i64, SourceFacts>,
    /// By path.
    pub(crate) files: Vec<FileFacts>,
    /// Closed findings, and why.
    pub(crate) accepted: BTreeMap<String, String>,
    pub(crate) moment: Moment,
    /// What became of numbers by which calls are told apart; clear, if a `record_id` tells them.
    pub(crate) identities: Numbers,
}

/// When a ledger was read: it stays the same while no run changes the lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// The run that is publishing, or died at it.
    pub(crate) publishing: Option<String>,
    /// The last run that is published.
    pub(crate) published: Option<String>,
}

pub(crate) struct SourceFacts {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) path: Option<String>,
    pub(crate) carrier_name: Option<String>,
    pub(crate) content_hash: Option<String>,
    pub(crate) status: SourceStatus,
    pub(crate) country: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) product_identifier: Option<String>,
    pub(crate) sequence_number: Option<u16>,
    pub(crate) file_time: Option<DateTime>,
    pub(crate) records_written: u64,
    pub(crate) records_rejected: u64,
    /// Left out, for another source has them.
    pub(crate) records_duplicate: u64,
    /// Whether lines were replayed though other sources may have them.
    pub(crate) has_plain_replays: bool,
    pub(crate) tenths: u64,
    pub(crate) rejects: RejectsState,
    /// The record numbers of rejected lines that were not replayed, waived ones among them.
    pub(crate) open_rejects: RoaringTreemap,
}

impl SourceFacts {
    pub(crate) fn series(&self) -> Series {
        Series {
            country: self.country.clone(),
            profile: self.profile.clone(),
            product_identifier: self.product_identifier.clone(),
        }
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.status == SourceStatus::Loaded
    }

    /// What a finding calls it: the first digits of its hash, which no renaming changes.
    pub(crate) fn key(&self) -> &str {
        self.short_hash().unwrap_or(&self.name)
    }

    /// What a finding calls it if it failed: the carrier's name for it and the first digits of its
    /// hash, as far as these are known, else where it stood.
    pub(crate) fn failure_key(&self) -> String {
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

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SourceStatus {
    Loaded,
    Failed { code: String, error: String },
}

/// Whether someone must still look at rejected lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RejectsState {
    Open,
    /// There are none, or they were replayed or waived.
    Closed,
}

pub(crate) struct FileFacts {
    /// In the lake.
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    pub(crate) state: FileState,
    pub(crate) rows: u64,
    pub(crate) tenths: u64,
    /// Whose its rows are, from the first to the last.
    pub(crate) sources: Vec<FileRows>,
}

/// What a run that is not published yet does with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileState {
    Settled,
    /// It may not be there yet.
    Coming,
    /// It may be gone.
    Going,
}

/// Consecutive rows of a file that come from one source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FileRows {
    pub(crate) first_row: u64,
    pub(crate) rows: u64,
    pub(crate) source: i64,
}
