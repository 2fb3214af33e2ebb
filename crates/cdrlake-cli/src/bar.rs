//! The one line on a terminal that tells how far a run is.

use std::io::{IsTerminal, stderr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cdrlake_lake::{LoadOptions, Progress, Stage, input_bytes};
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::{Width, terminal_size_of};

use crate::message;

/// How often the line is drawn.
const TICK: Duration = Duration::from_millis(100);

/// With how much is known of the whole.
const KNOWN: &str = "{bar:16} {percent:>3}%  {msg}";

/// With nothing known of the whole.
const UNKNOWN: &str = "{spinner}  {msg}";

/// Columns that the line leaves to what stands before the text, and to what a terminal may echo: `^C`
/// at the end of a full line would go to the next.
const OTHERS: usize = 16 + 1 + 4 + 2 + 4;

/// The line that is drawn now, if any.
static CURRENT: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Does something without the line, such as writing another one.
pub(crate) fn suspend<T>(work: impl FnOnce() -> T) -> T {
    // The lock is let go first: work may take long.
    let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match current {
        Some(bar) => bar.suspend(work),
        None => work(),
    }
}

/// Takes the line away for good.
pub(crate) fn clear() {
    let current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(bar) = current {
        bar.finish_and_clear();
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
        match is_quiet || no_progress || message::is_json() || !stderr().is_terminal() {
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
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
        bar.set_style(style(UNKNOWN));
        // A line that stands still looks like a run that does.
        bar.enable_steady_tick(TICK);
        *CURRENT.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
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
    pub(crate) fn set_text(&self, mut text: String) {
        let width = terminal_size_of(stderr()).map_or(80, |(Width(width), _)| usize::from(width));
        if let Some((end, _)) = text.char_indices().nth(width.saturating_sub(OTHERS)) {
            text.truncate(end);
        }
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
            clear();
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

/// Shows how far a load is, until this is dropped.
pub(crate) struct LoadBar {
    /// None if nothing is shown.
    drawer: Option<(Arc<Mutex<bool>>, JoinHandle<()>)>,
}

impl LoadBar {
    pub(crate) fn start(options: &LoadOptions, showing: Showing) -> Self {
        if showing == Showing::Hidden {
            return Self { drawer: None };
        }
        let (ended, options) = (Arc::new(Mutex::new(false)), options.clone());
        let is_ended = {
            let ended = Arc::clone(&ended);
            move || *ended.lock().unwrap_or_else(PoisonError::into_inner)
        };
        let drawer = thread::spawn(move || {
            let (bar, started) = (Bar::new(showing), Instant::now());
            // A walk over very many files may take a while, and ends with the run at the latest.
            let whole = thread::scope(|scope| {
                let whole = scope.spawn(|| input_bytes(&options));
                while !whole.is_finished() && !is_ended() {
                    bar.set_text(told(&options.progress, None, started));
                    thread::park_timeout(TICK);
                }
                whole.join().ok().flatten()
            });
            if let Some(whole) = whole {
                bar.set_whole(whole);
            }
            while !is_ended() {
                bar.set_done(options.progress.bytes());
                bar.set_text(
                    told(&options.progress, whole, started) + &bar.tail(&options.progress),
                );
                thread::park_timeout(TICK);
            }
        });
        Self { drawer: Some((ended, drawer)) }
    }
}

impl Drop for LoadBar {
    fn drop(&mut self) {
        if let Some((ended, drawer)) = self.drawer.take() {
            *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
            drawer.thread().unpark();
            let _ = drawer.join();
        }
    }
}

impl Bar {
    /// Time left and the current source; or what comes after reading.
    fn tail(&self, progress: &Progress) -> String {
        match progress.stage() {
            Stage::Reading => {
                let source = progress.source().map(|source| format!(", {}", file_name(&source)));
                self.left() + &source.unwrap_or_default()
            }
            Stage::Finishing => ", finishing".to_owned(),
            Stage::Publishing => ", publishing".to_owned(),
        }
    }
}

/// Bytes, records a second and rejects.
fn told(progress: &Progress, whole: Option<u64>, started: Instant) -> String {
    let of = whole.map(|whole| format!(" of {}", HumanBytes(whole))).unwrap_or_default();
    let seconds = started.elapsed().as_secs_f64().max(0.1);
    let rate = (progress.records() as f64 / seconds) as u64;
    let mut text = format!("{}{of}, {} records/s", HumanBytes(progress.bytes()), HumanCount(rate));
    if progress.rejected() > 0 {
        text += &format!(", {} rejected", HumanCount(progress.rejected()));
    }
    text
}

/// The path's last part, and the member of the archive.
fn file_name(source: &str) -> &str {
    let archive = source.split('!').next().unwrap_or(source).len();
    let start = source[..archive].rfind('/').map_or(0, |slash| slash + 1);
    &source[start..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_left() {
        let shown = [5, 65, 7265].map(|seconds| clock(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0:05", "1:05", "2:01:05"]);
    }

    #[test]
    fn sources_without_their_directories() {
        assert_eq!(file_name("in/month.zip!a/b.cdr"), "month.zip!a/b.cdr");
        assert_eq!(file_name("a.cdr"), "a.cdr");
    }
}
