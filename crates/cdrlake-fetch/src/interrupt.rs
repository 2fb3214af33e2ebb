//! A request to end early: looked for in front of every request, between reads, and in every wait.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::Error;

/// A flag that asks a run to end. What is on its way then is dropped, unless it is an order.
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
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_requested() { Err(Error::Interrupted) } else { Ok(()) }
    }

    /// Sleeps, unless the run is to end meanwhile.
    pub(crate) fn sleep(&self, wait: Duration) -> Result<(), Error> {
        const LONGEST: Duration = Duration::from_millis(50);
        let began = Instant::now();
        loop {
            self.check()?;
            let left = wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left.min(LONGEST));
        }
    }

    /// A stream whose reads fail once the run is to end.
    pub(crate) fn watch<R>(&self, inner: R) -> Watched<R> {
        Watched { inner, interrupt: self.clone() }
    }
}

/// A stream whose reads fail once the run is to end.
pub(crate) struct Watched<R> {
    inner: R,
    interrupt: Interrupt,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // Not of the kind `Interrupted`: that would be tried again.
        self.interrupt.check().map_err(io::Error::other)?;
        self.inner.read(buffer)
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
        assert!(stream.read(&mut [0; 2]).is_err());
        assert!(matches!(interrupt.sleep(Duration::from_secs(3600)), Err(Error::Interrupted)));
    }
}
