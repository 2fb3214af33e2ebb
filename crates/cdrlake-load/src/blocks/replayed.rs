//! What was replayed so far: which lines of which sources, and in which version.

use std::collections::HashMap;

use cdrlake_source::Source;

use super::versions::{Seen, Versions};
use crate::history::OpenRejects;

/// What was replayed so far.
#[derive(Debug, Default)]
pub(super) struct Replayed {
    /// By the hash of the source.
    pub(super) lines: HashMap<blake3::Hash, ReplayedLines>,
    /// The sources of the rejects file that is being replayed, by all that it tells of them: their
    /// lines may stand in several places of it.
    pub(super) sources: HashMap<blake3::Hash, FileSource>,
}

/// What was replayed of a source.
#[derive(Debug)]
pub(super) struct ReplayedLines {
    /// Others are done with, in whatever version, or never were rejected.
    pub(super) open: OpenRejects,
    /// In this run.
    pub(super) lines: Versions,
    /// In the rejects file that is being replayed, and so to forget if that fails.
    pub(super) fresh: Versions,
}

/// A source of the rejects file that is being replayed.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileSource {
    pub(super) index: usize,
    pub(super) hash: blake3::Hash,
    pub(super) state: State,
    /// Its lines that were replayed before.
    pub(super) duplicates: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// None of its lines was handed on yet.
    Met,
    /// Of its lines some were.
    Given,
    /// It is out.
    Failed,
}

impl ReplayedLines {
    /// Notes a line, and tells whether it was replayed before.
    pub(super) fn see(&mut self, number: u64, raw: &[u8]) -> Seen {
        if let OpenRejects::These(open) = &self.open
            && !open.contains(number)
        {
            return Seen::Same;
        }
        match self.lines.look_up(number, raw) {
            Seen::Never => self.fresh.insert(number, raw),
            seen => seen,
        }
    }
}

/// All that a rejects file tells of a source, in little room.
pub(super) fn identity(source: &Source, hash: &blake3::Hash) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    hasher.update(hash.as_bytes());
    hasher.update(format!("{:?}", source.metadata).as_bytes());
    hasher.update(source.source_file.as_bytes());
    hasher.finalize()
}
