//! One stream of records, and lines of one that come again.

use std::sync::Arc;

use cdrlake_core::{Metadata, Position};

use crate::told_by::MetadataToldBy;

/// One stream of records: a file, or a member of an archive.
#[derive(Clone, Debug)]
pub struct Source {
    /// For messages: the path as the user gave it, and `!member`.
    pub name: Arc<str>,
    /// For the column: the file's name without directories, and `!member`.
    pub source_file: String,
    /// Its own name without `.cdr` and what follows, if it has one of the carrier's forms.
    pub carrier_name: Option<String>,
    /// Its own name's, then the archive's, then what was asked for when it was fetched, then the
    /// settings'.
    pub metadata: Metadata,
    /// Where that comes from.
    pub told_by: MetadataToldBy,
    /// When it, or the archive that it stands in, was fetched, in microseconds since 1970 in UTC; none if
    /// no inbox knows.
    pub arrived: Option<i64>,
}

/// A line that an earlier run rejected.
#[derive(Clone, Debug)]
pub struct RejectedLine {
    /// Its place in the source that it came from.
    pub position: Position,
    /// Its bytes without the line feed, cut at [`RAW_LIMIT`](cdrlake_core::RAW_LIMIT).
    pub raw: Vec<u8>,
    /// Its true length.
    pub raw_length: u64,
    /// How it ended.
    pub end: LineEnd,
}

/// How a rejected line ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// With a line feed.
    LineFeed,
    /// With its source.
    EndOfSource,
}
