//! A request to end early: looked for where work can stop, and not once a run is recorded.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::error::LakeError;

/// A flag that asks a run to end: nothing is published then, unless it is too late.
///
/// Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// A request that is made by setting this flag, from a signal handler for instance.
    #[must_use]
    pub fn new(flag: Arc<AtomicBool>) -> Self {
        Self(flag)
    }

    /// Whether the run is to end.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error if the run is to end.
    pub(crate) fn check(&self) -> Result<(), LakeError> {
        if self.is_requested() { Err(LakeError::Interrupted) } else { Ok(()) }
    }

    /// A stream whose reads fail once the run is to end.
    pub(crate) fn watch<R>(&self, inner: R) -> Watched<'_, R> {
        Watched { inner, interrupt: self }
    }
}

/// A stream whose reads fail once the run is to end.
pub(crate) struct Watched<'i, R> {
    inner: R,
    interrupt: &'i Interrupt,
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not `Interrupted`: that would be tried again.
        if self.interrupt.is_requested() {
            return Err(io::Error::other(LakeError::Interrupted));
        }
        self.inner.read(buffer)
    }
}

/// A stream that may have nothing to give for long, such as standard input: it is read only when
/// there is something, so that the run can end meanwhile.
pub(crate) struct Awaited<'i, R> {
    inner: R,
    interrupt: &'i Interrupt,
}

impl<'i, R> Awaited<'i, R> {
    pub(crate) fn new(inner: R, interrupt: &'i Interrupt) -> Self {
        Self { inner, interrupt }
    }
}

impl<R: Read + AsFd> Read for Awaited<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        loop {
            if self.interrupt.is_requested() {
                return Err(io::Error::other(LakeError::Interrupted));
            }
            match poll(&mut [PollFd::new(&self.inner, PollFlags::IN)], Some(&PAUSE)) {
                Ok(0) | Err(Errno::INTR) => {}
                // Whatever else it is, the read will tell.
                _ => return self.inner.read(buffer),
            }
        }
    }
}
