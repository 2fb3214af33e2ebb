//! Standard error, of which the process has one: who reads it, the line of progress that is drawn on
//! it, and writing without that line.

use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};

use clap::ValueEnum;
use indicatif::ProgressBar;

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line: time, level, run_id, event, message, and what else the event has.
    Json,
}

/// Text, unless decided otherwise.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// The line that is drawn now, if any.
static LINE: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Decides, once, how messages are written.
pub(crate) fn begin(format: LogFormat) {
    let _ = FORMAT.set(format);
}

/// Whether messages are for machines.
pub(crate) fn is_json() -> bool {
    FORMAT.get() == Some(&LogFormat::Json)
}

/// Says which line is drawn from now on.
pub(crate) fn set_line(line: ProgressBar) {
    *LINE.lock().unwrap_or_else(PoisonError::into_inner) = Some(line);
}

/// Takes the line away for good.
pub(crate) fn clear_line() {
    let line = LINE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(line) = line {
        line.finish_and_clear();
    }
}

/// Does something without the line, such as writing another one.
pub(crate) fn without_line<T>(work: impl FnOnce() -> T) -> T {
    // The lock is let go first: work may take long.
    let line = LINE.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match line {
        Some(line) => line.suspend(work),
        None => work(),
    }
}

/// In one write, so that lines of several threads do not mix. That standard error may be closed is no
/// reason to fail.
pub(crate) fn write(text: &str) {
    without_line(|| {
        let _ = io::stderr().write_all(text.as_bytes());
    });
}
