//! Signals: the first asks the run to end, a second ends it at once.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, LazyLock};
use std::thread;
use std::time::Duration;

use cdrlake::Interrupt;
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::message::{Event, tell};
use crate::standard_error;

/// Whether a run is to end. Signals are the process's, and so is this.
static REQUESTED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// The signal that asked for it.
static SIGNAL: LazyLock<Arc<AtomicUsize>> = LazyLock::new(Arc::default);

/// Listens for signals.
pub(crate) fn listen() -> io::Result<()> {
    for signal in [SIGINT, SIGTERM] {
        // In this order: only what came before makes the next the second.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&REQUESTED))?;
        flag::register_usize(signal, Arc::clone(&SIGNAL), signal as usize)?;
        flag::register(signal, Arc::clone(&REQUESTED))?;
    }
    // A write over a limit of the file's size shall fail, not kill.
    flag::register(SIGXFSZ, Arc::default())?;
    Ok(())
}

/// What a run looks at to find out.
pub(crate) fn request() -> Interrupt {
    Interrupt::new(Arc::clone(&REQUESTED))
}

/// Whether a signal asked for the end.
pub(crate) fn is_requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Reads until a signal asks for the end, and then gives an error.
pub(crate) struct Interruptible<R>(pub(crate) R);

impl<R: Read> Read for Interruptible<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if is_requested() {
            return Err(io::Error::other("interrupted"));
        }
        self.0.read(buffer)
    }
}

/// From now on, until what this gives is dropped, a signal ends the process within a moment even
/// where nobody looks: a fetch that waits for the network. Whatever is stored by then is whole.
pub(crate) fn end_soon() -> Sender<()> {
    const LOOK: Duration = Duration::from_millis(100);
    const MOMENT: Duration = Duration::from_secs(2);
    let (armed, disarmed) = channel::<()>();
    thread::spawn(move || {
        let is_armed = |wait| disarmed.recv_timeout(wait) == Err(RecvTimeoutError::Timeout);
        while is_armed(LOOK) {
            if REQUESTED.load(Ordering::Relaxed) {
                if is_armed(MOMENT) {
                    standard_error::clear_line();
                    tell(Event::Interrupted, "interrupted; what was on its way is dropped");
                    std::process::exit(status().into());
                }
                return;
            }
        }
    });
    armed
}

/// The exit status of a run that was interrupted.
pub(crate) fn status() -> u8 {
    128 + SIGNAL.load(Ordering::SeqCst) as u8
}
