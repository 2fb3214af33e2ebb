//! Caps against archives that are bombs: counted while streaming, for declared sizes may lie.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use cdrlake_run::Progress;
use thiserror::Error;

/// What one input may unwrap to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes unwrapped for each byte read.
    pub ratio: u64,
    /// Members of all archives together.
    pub entries: u64,
    /// Archives and compressions inside each other; a `.tar.gz` counts as one.
    pub depth: u32,
    /// Bytes unwrapped in all.
    pub total: u64,
}

impl Default for Limits {
    /// Records compress to a tenth or so, and the same record over and over to a hundredth.
    fn default() -> Self {
        Self { ratio: 250, entries: 1_000_000, depth: 3, total: 1 << 40 }
    }
}

/// More than the limits allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LimitExceeded {
    /// [`Limits::ratio`].
    #[error("unwraps to more than {0} times its size")]
    Ratio(u64),
    /// [`Limits::entries`].
    #[error("has more than {0} members")]
    Entries(u64),
    /// [`Limits::depth`].
    #[error("is wrapped more than {0} deep")]
    Depth(u32),
    /// [`Limits::total`].
    #[error("unwraps to more than {0} bytes")]
    Total(u64),
}

/// What has been read and unwrapped of one input.
pub(crate) struct Budget {
    limits: Limits,
    /// Told what is read.
    progress: Progress,
    read: Cell<u64>,
    unwrapped: Cell<u64>,
    entries: Cell<u64>,
}

impl Budget {
    /// Bytes that any input may unwrap to, whatever the ratio.
    const FREE: u64 = 16 << 20;

    pub(crate) fn new(limits: Limits, progress: &Progress) -> Rc<Self> {
        let (read, unwrapped, entries) = (Cell::new(0), Cell::new(0), Cell::new(0));
        Rc::new(Self { limits, progress: progress.clone(), read, unwrapped, entries })
    }

    /// Counts a member of an archive.
    pub(crate) fn enter(&self) -> Result<(), LimitExceeded> {
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() > self.limits.entries {
            return Err(LimitExceeded::Entries(self.limits.entries));
        }
        Ok(())
    }

    /// Whether so many members more may be met.
    pub(crate) fn check_entries(&self, entries: u64) -> Result<(), LimitExceeded> {
        if self.entries.get().saturating_add(entries) > self.limits.entries {
            return Err(LimitExceeded::Entries(self.limits.entries));
        }
        Ok(())
    }

    pub(crate) fn check_depth(&self, depth: u32) -> Result<(), LimitExceeded> {
        if depth > self.limits.depth {
            return Err(LimitExceeded::Depth(self.limits.depth));
        }
        Ok(())
    }

    /// Does what unwraps something that will be unwrapped again, and then counts.
    pub(crate) fn uncounted<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.unwrapped.get();
        let done = work();
        self.unwrapped.set(before);
        done
    }

    fn unwrap(&self, bytes: usize) -> io::Result<()> {
        let unwrapped = self.unwrapped.get() + bytes as u64;
        self.unwrapped.set(unwrapped);
        let allowed = self.read.get().saturating_mul(self.limits.ratio).max(Self::FREE);
        if unwrapped > self.limits.total {
            return Err(io::Error::other(LimitExceeded::Total(self.limits.total)));
        }
        if unwrapped > allowed {
            return Err(io::Error::other(LimitExceeded::Ratio(self.limits.ratio)));
        }
        Ok(())
    }
}

/// Counts what is read of an input: each of its bytes once, for an archive's headers are read over
/// and over.
pub(crate) struct Counted<R> {
    inner: R,
    budget: Rc<Budget>,
    /// Bytes of the input that may yet be counted.
    left: u64,
}

impl<R> Counted<R> {
    /// Of an input of this length, as far as it is known.
    pub(crate) fn new(inner: R, budget: &Rc<Budget>, len: Option<u64>) -> Self {
        Self { inner, budget: Rc::clone(budget), left: len.unwrap_or(u64::MAX) }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let counted = self.left.min(read as u64);
        self.left -= counted;
        self.budget.read.set(self.budget.read.get() + counted);
        self.budget.progress.add_bytes(counted);
        Ok(read)
    }
}

impl<R: Seek> Seek for Counted<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// Counts what a decompressor gives, and fails when it is too much.
pub(crate) struct Metered<R> {
    pub(crate) inner: R,
    pub(crate) budget: Rc<Budget>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.budget.unwrap(read)?;
        Ok(read)
    }
}
