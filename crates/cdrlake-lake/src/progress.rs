//! How far a run is, for whoever shows it: counts that the run keeps and anybody may look at.

use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::interrupt::Interrupt;
use crate::publish::Overwrite;
use crate::run::LoadOptions;
use crate::source::{self, Input};
use crate::written::Written;

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

    /// More bytes are read. [`read_sources`](crate::read_sources) counts those of its inputs itself.
    pub fn add_bytes(&self, bytes: u64) {
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// A file is done of which some bytes may not have been looked at.
    pub(crate) fn set_bytes(&self, bytes: u64) {
        self.0.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Begins anew, with so many bytes to read.
    pub(crate) fn begin(&self, whole: u64) {
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

    pub(crate) fn enter(&self, stage: Stage) {
        self.0.stage.store(stage as u8, Ordering::Relaxed);
    }
}

/// How many bytes the inputs of `options` have, as a run over them would count them; none if that
/// cannot be known: standard input, or a run that ends meanwhile.
///
/// Directories are walked, and nothing is opened.
#[must_use]
pub fn input_bytes(options: &LoadOptions) -> Option<u64> {
    // What is wrong with them, the run tells.
    let written = Written::check(options, &[], Overwrite::Refuse).unwrap_or_default();
    let len = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    options.inputs.iter().try_fold(0, |sum, input| {
        let bytes = match input {
            Input::Stdin | Input::Stream(_) => None,
            Input::Path(path) => bytes_of(path, &written, &options.interrupt),
            Input::Rejects(path) => {
                let files = source::rejects_files(path).unwrap_or_default();
                Some(files.iter().map(|path| len(path)).sum())
            }
        };
        Some(sum + bytes?)
    })
}

fn bytes_of(path: &Path, written: &Written, interrupt: &Interrupt) -> Option<u64> {
    let mut sum = 0;
    source::walk(path, written, &mut |_, found| {
        if let Ok(metadata) = found {
            sum += metadata.len();
        }
        if interrupt.is_requested() { Err(()) } else { Ok(()) }
    })
    .ok()
    .map(|()| sum)
}
