//! Signals: the first asks the run to end, a second ends it at once.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use cdrlake_lake::Interrupt;
use signal_hook::consts::{SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

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

/// The exit status of a run that was interrupted.
pub(crate) fn status() -> u8 {
    128 + SIGNAL.load(Ordering::SeqCst) as u8
}
