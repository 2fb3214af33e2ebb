//! The one line on a terminal that tells how far a run is.

mod run;
mod terminal;

use std::io::{self, IsTerminal, Write, stderr};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use self::run::RunBar;
use self::terminal::Terminal;
use crate::standard_error;

/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(100);

/// With how much is known of the whole.
const KNOWN: &str = "{bar:16} {percent:>3}%  {msg}";

/// With nothing known of the whole.
const UNKNOWN: &str = "{spinner}  {msg}";

/// Writes without the line, to standard output where that is the same terminal.
pub(crate) struct Aside<W>(pub(crate) W);

impl<W: Write> Write for Aside<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        standard_error::without_line(|| self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Whether there is a line at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Showing {
    Shown,
    Hidden,
}

impl Showing {
    /// Only where a person watches: on a terminal, unless asked not to.
    pub(crate) fn of(is_quiet: bool, no_progress: bool) -> Self {
        let is_asked = is_quiet || no_progress || standard_error::is_json();
        match is_asked || !stderr().is_terminal() || Terminal::is_dumb() {
            true => Self::Hidden,
            false => Self::Shown,
        }
    }
}

/// A line that is drawn until this is dropped.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Bar {
    pub(crate) fn new(showing: Showing) -> Self {
        if showing == Showing::Hidden {
            return Self(ProgressBar::hidden());
        }
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(Terminal::default()), 10);
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_style(style(UNKNOWN));
        // A line that stands still looks like a run that does.
        bar.enable_steady_tick(TICK);
        standard_error::set_line(bar.clone());
        Self(bar)
    }

    /// How much there is in all.
    pub(crate) fn set_whole(&self, whole: u64) {
        if self.0.length().is_none() {
            self.0.set_style(style(KNOWN));
        }
        self.0.set_length(whole);
    }

    /// How much of it is done.
    pub(crate) fn set_done(&self, done: u64) {
        self.0.set_position(done.min(self.0.length().unwrap_or(u64::MAX)));
    }

    /// What else there is to tell; it is cut where the window ends, so what matters most comes first.
    pub(crate) fn set_text(&self, text: String) {
        self.0.set_message(text);
    }

    /// `, 1:05 left`, once that can be told.
    pub(crate) fn left(&self) -> String {
        /// Before, the estimate jumps.
        const SETTLED: Duration = Duration::from_secs(2);
        let is_known = self.0.length().is_some_and(|len| len > self.0.position());
        if !is_known || self.0.position() == 0 || self.0.elapsed() < SETTLED {
            return String::new();
        }
        format!(", {} left", clock(self.0.eta()))
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if !self.0.is_hidden() {
            standard_error::clear_line();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

/// `1:05`, or `2:01:05`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_left() {
        let shown = [5, 65, 7265].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0:05", "1:05", "2:01:05"]);
    }
}
