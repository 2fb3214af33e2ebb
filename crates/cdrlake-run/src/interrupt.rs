//! A request to end early: looked for where work can stop, between reads, and in every wait.

use std::error::Error;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::{fmt, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// A flag that asks a run to end.
///
/// Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

/// The run was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl Error for Interrupted {}

impl From<Interrupted> for io::Error {
    /// Not of the kind [`io::ErrorKind::Interrupted`]: a read that fails so would be tried again.
    fn from(interrupted: Interrupted) -> Self {
        Self::other(interrupted)
    }
}

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

    /// Returns an error if the run is to end.
    ///
    /// # Errors
    ///
    /// [`Interrupted`], once the flag is set.
    pub fn check(&self) -> Result<(), Interrupted> {
        if self.is_requested() { Err(Interrupted) } else { Ok(()) }
    }

    /// Sleeps, unless the run is to end meanwhile.
    ///
    /// # Errors
    ///
    /// [`Interrupted`], once the flag is set.
    pub fn sleep(&self, wait: Duration) -> Result<(), Interrupted> {
        const LONGEST: Duration = Duration::from_millis(50);
        let began = Instant::now();
        loop {
            self.check()?;
            let left = wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            thread::sleep(left.min(LONGEST));
        }
    }

    /// A stream whose reads fail once the run is to end.
    pub fn watch<R>(&self, inner: R) -> Watched<R> {
        Watched { inner, interrupt: self.clone() }
    }
}

/// A stream whose reads fail with [`Interrupted`] once the run is to end.
#[derive(Debug)]
pub struct Watched<R> {
    inner: R,
    interrupt: Interrupt,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt.check()?;
        self.inner.read(buffer)
    }
}

/// A stream that may have nothing to give for long, such as standard input: it is read only when
/// there is something, so that the run can end meanwhile.
#[derive(Debug)]
pub struct Awaited<R> {
    inner: R,
    interrupt: Interrupt,
}

impl<R> Awaited<R> {
    /// `inner`, which must not buffer: the system is asked whether there is something to read.
    pub fn new(inner: R, interrupt: &Interrupt) -> Self {
        Self { inner, interrupt: interrupt.clone() }
    }
}

impl<R: Read + AsFd> Read for Awaited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        const PAUSE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        loop {
            self.interrupt.check()?;
            match poll(&mut [PollFd::new(&self.inner, PollFlags::IN)], Some(&PAUSE)) {
                Ok(0) | Err(Errno::INTR) => {}
                // Whatever else it is, the read will tell.
                _ => return self.inner.read(buffer),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_and_reads_end_early() {
        let flag = Arc::new(AtomicBool::new(false));
        let interrupt = Interrupt::new(Arc::clone(&flag));
        let mut stream = interrupt.watch(&b"abc"[..]);
        assert_eq!(stream.read(&mut [0; 2]).unwrap(), 2);
        assert!(interrupt.sleep(Duration::from_millis(1)).is_ok());
        flag.store(true, Ordering::Relaxed);
        let error = stream.read(&mut [0; 2]).unwrap_err();
        assert_ne!(error.kind(), io::ErrorKind::Interrupted);
        assert!(error.downcast::<Interrupted>().is_ok());
        assert_eq!(interrupt.sleep(Duration::from_secs(3600)), Err(Interrupted));
    }
}
