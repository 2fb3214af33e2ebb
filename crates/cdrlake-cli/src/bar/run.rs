//! The line of a run that reads bytes: how many of them, how fast, and what is wrong so far.

use std::convert::Infallible;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use cdrlake::{LoadOptions, Progress, Stage, input_bytes};
use indicatif::{HumanBytes, HumanCount};

use super::{Bar, Showing, TICK};

/// Before, a line would only flash up.
const PATIENCE: Duration = Duration::from_millis(300);

/// Shows how far a run is, until this is dropped.
pub(crate) struct RunBar {
    /// None if nothing is shown. The thread draws until the other end of its channel is dropped.
    drawer: Option<(Sender<Infallible>, JoinHandle<()>)>,
}

impl RunBar {
    /// Of a run that reads the inputs of `options`.
    pub(crate) fn of_load(options: &LoadOptions, showing: Showing) -> Self {
        let whole = options.clone();
        Self::start(&options.progress, move || input_bytes(&whole), showing)
    }

    /// `whole` tells how many bytes there are to read, unless the run itself does.
    pub(crate) fn start(
        progress: &Progress,
        whole: impl FnOnce() -> Option<u64> + Send + 'static,
        showing: Showing,
    ) -> Self {
        if showing == Showing::Hidden {
            return Self { drawer: None };
        }
        let (run, ended) = mpsc::channel();
        let progress = progress.clone();
        let drawer = thread::spawn(move || {
            let started = Instant::now();
            // A walk over very many files may take a while, and the run does not wait for it.
            let mut whole = Some(thread::spawn(whole));
            let mut known = None;
            let goes_on_for = |time| ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if !goes_on_for(PATIENCE) {
                return;
            }
            let bar = Bar::new(Showing::Shown);
            loop {
                if let Some(walk) = whole.take_if(|walk| walk.is_finished()) {
                    known = walk.join().ok().flatten();
                }
                let whole = progress.whole().or(known);
                if let Some(whole) = whole {
                    bar.set_whole(whole);
                    bar.set_done(progress.bytes());
                }
                bar.set_text(told(&progress, whole, started) + &bar.tail(&progress));
                if !goes_on_for(TICK) {
                    break;
                }
            }
        });
        Self { drawer: Some((run, drawer)) }
    }
}

impl Drop for RunBar {
    fn drop(&mut self) {
        if let Some((run, drawer)) = self.drawer.take() {
            drop(run);
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

/// Bytes, records or bytes a second, and rejects.
fn told(progress: &Progress, whole: Option<u64>, started: Instant) -> String {
    let of = whole.map(|whole| format!(" of {}", HumanBytes(whole))).unwrap_or_default();
    let seconds = started.elapsed().as_secs_f64().max(0.1);
    let rate = |count: u64| (count as f64 / seconds) as u64;
    let rate = match progress.records() {
        0 => format!("{}/s", HumanBytes(rate(progress.bytes()))),
        records => format!("{} records/s", HumanCount(rate(records))),
    };
    let mut text = format!("{}{of}, {rate}", HumanBytes(progress.bytes()));
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
    fn sources_without_their_directories() {
        assert_eq!(file_name("in/month.zip!a/b.cdr"), "month.zip!a/b.cdr");
        assert_eq!(file_name("a.cdr"), "a.cdr");
    }
}
