//! How far a run is, for whoever shows it: counts that the run keeps and anybody may look at.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How far a run is. Clones share what they tell, so one is given to the run and another is looked
/// at, from any thread and as often as one likes.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<State>);

#[derive(Debug, Default)]
struct State {
    bytes: AtomicU64,
    /// 0 if unknown.
    whole: AtomicU64,
    sources: AtomicU64,
    records: AtomicU64,
    rejected: AtomicU64,
    source: Mutex<Option<Arc<str>>>,
    stage: AtomicU8,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Inputs are read; nothing is visible yet.
    Reading,
    /// All inputs are read, and what is left is encoded, compared and synced.
    Finishing,
    /// Files are becoming visible: it is too late for an interrupt.
    Publishing,
}

impl Progress {
    /// Bytes that are read: of files as they are, packed or not. An audit counts a file as often as
    /// it reads it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// Bytes that there are to read, where the run itself tells, as an audit does.
    #[must_use]
    pub fn whole(&self) -> Option<u64> {
        Some(self.0.whole.load(Ordering::Relaxed)).filter(|&whole| whole > 0)
    }

    /// Sources met so far.
    #[must_use]
    pub fn sources(&self) -> u64 {
        self.0.sources.load(Ordering::Relaxed)
    }

    /// Sound records decoded so far; those of a source that fails later count, too.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.0.records.load(Ordering::Relaxed)
    }

    /// Lines rejected so far.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.0.rejected.load(Ordering::Relaxed)
    }

    /// The source that is being read, or was read last: the path as the user gave it, and `!member`.
    #[must_use]
    pub fn source(&self) -> Option<Arc<str>> {
        self.0.source.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the run is at.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.0.stage.load(Ordering::Relaxed) {
            0 => Stage::Reading,
            1 => Stage::Finishing,
            _ => Stage::Publishing,
        }
    }

    /// Counts bytes that were read, for callers that read inputs themselves.
    pub fn add_bytes(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Says how many bytes are done: of a file that is done, some may not have been looked at.
    pub fn set_bytes(&self, bytes: u64) {
        self.0.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Begins counting bytes again from 0, with so many to read.
    pub fn begin(&self, whole: u64) {
        self.0.bytes.store(0, Ordering::Relaxed);
        self.0.whole.store(whole, Ordering::Relaxed);
    }

    /// Another source is being read, for callers that read them themselves.
    pub fn meet(&self, source: impl Into<Arc<str>>) {
        self.0.sources.fetch_add(1, Ordering::Relaxed);
        *self.0.source.lock().unwrap_or_else(PoisonError::into_inner) = Some(source.into());
    }

    /// More lines are read, for callers that read them themselves.
    pub fn add_lines(&self, records: u64, rejected: u64) {
        self.0.records.fetch_add(records, Ordering::Relaxed);
        self.0.rejected.fetch_add(rejected, Ordering::Relaxed);
    }

    /// Says what the run is at now.
    pub fn enter(&self, stage: Stage) {
        self.0.stage.store(stage as u8, Ordering::Relaxed);
    }
}
