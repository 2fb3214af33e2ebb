//! What a block is, and what gathering tells besides.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use cdrlake_core::{Position, SourceOptions};
use cdrlake_source::{LineEnd, Source, SourceError};

use super::buffer::Buffer;
use crate::history::KnownSource;
use crate::report::Status;

/// Sources of a block at the most: a million empty files must not gather forever.
///
/// A source's blocks count as its own though empty sources precede it in the first of them: they
/// have no rows that could be dropped with its row group.
pub(super) const MAX_PARTS: usize = 4096;

/// A run of lines for one worker.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) bytes: Buffer,
    pub(crate) parts: Vec<Part>,
}

/// What of a block comes from one source: whole lines, or all the source has left.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) source: Arc<OpenSource>,
    pub(crate) range: Range<usize>,
    pub(crate) lines: Lines,
    /// Bytes that follow `range` and were left out: the rest of a line longer than a block, which
    /// is then all that the part holds. Unless the source ends here, a line feed follows them.
    pub(crate) left_out: u64,
    /// Whether the source begins with this part.
    pub(crate) begins: bool,
    /// If the source ends with this part.
    pub(crate) end: Option<SourceEnd>,
}

impl Part {
    /// Whether the part is all of its source.
    pub(crate) fn is_whole(&self) -> bool {
        self.begins && self.end.is_some()
    }
}

/// Where the lines of a part stand in their source.
#[derive(Debug)]
pub(crate) enum Lines {
    /// One after the other, from here on.
    Run(Position),
    /// Each at a place of its own; each ends in a line feed, its own or not, but for one that was
    /// cut.
    Picked(Vec<PickedLine>),
}

/// A line that was picked from its source.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PickedLine {
    pub(crate) position: Position,
    /// How it ended in its source.
    pub(crate) end: LineEnd,
}

/// A source, as the workers need to know it.
#[derive(Debug)]
pub struct OpenSource {
    /// Its index among the sources of the run, from 0, as in [`Report::sources`](crate::Report::sources).
    pub index: usize,
    /// Its path as the user gave it, and `!member`, as in [`SourceReport::source`](crate::SourceReport::source).
    pub name: Arc<str>,
    /// How it is decoded, and what its name tells.
    pub options: SourceOptions,
    /// Whether it comes as it was delivered.
    pub kind: SourceKind,
}

/// Whether a source comes as it was delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceKind {
    /// All of its lines.
    Delivered,
    /// Lines that were rejected when it was delivered.
    Replayed,
}

/// What is known of a source at its end.
#[derive(Clone, Copy, Debug)]
pub struct SourceEnd {
    /// BLAKE3 of the decompressed bytes; of those delivered, if this is a replay.
    pub hash: blake3::Hash,
    /// Decompressed bytes read.
    pub bytes: u64,
}

/// What gathering has to tell, in order.
#[derive(Debug)]
pub(crate) enum Gathered {
    /// The next source was met; the others speak of it by its index.
    Met(Source),
    Block(Block),
    /// A source is out: of its blocks, if it has any, nothing may stay.
    Failed {
        index: usize,
        error: SourceError,
        /// If it was read to its end.
        end: Option<SourceEnd>,
    },
    /// What comes next depends on the verdicts on what came so far.
    Awaited,
    /// A source is out, for the one at `same_as` has the same content.
    Skipped {
        index: usize,
        same_as: usize,
        end: SourceEnd,
    },
    /// A source is out, for an earlier run loaded the same content, or left it out.
    Known {
        index: usize,
        earlier: KnownSource,
        is_other_delivery: bool,
        end: SourceEnd,
    },
    /// A source is out, for another version of its delivery came first.
    Changed {
        index: usize,
        earlier: blake3::Hash,
        status: Status,
        end: SourceEnd,
    },
    /// A source is out, for it is empty, and its name is no delivery's.
    Empty {
        index: usize,
        end: SourceEnd,
    },
    /// A source is out, for all its lines were replayed before.
    ReplayedBefore {
        index: usize,
        end: SourceEnd,
    },
    /// Zeros followed the gzip that a source came from.
    TrailingZeros {
        index: usize,
    },
    /// So many lines of a source are left out, for they were replayed before.
    Duplicates {
        index: usize,
        lines: u64,
    },
    /// What follows is released only when the archive has ended well.
    ArchiveBegan,
    /// The archive that began last has ended. If it failed, all its sources are out; its name says
    /// why.
    ArchiveEnded {
        failed: Option<String>,
    },
}

/// The sources of the run that failed by their content, as far as it is known.
#[derive(Debug, Default)]
pub(crate) struct Verdicts(Mutex<HashSet<usize>>);

impl Verdicts {
    pub(crate) fn note_failed(&self, index: usize) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(index);
    }

    pub(super) fn has_failed(&self, index: usize) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&index)
    }
}
