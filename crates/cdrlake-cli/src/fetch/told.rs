//! What a person sees while a fetch goes on: a bar on a terminal, and a line for what is unusual.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicU64, Ordering};

use cdrlake_fetch::{Event, Progress, TaskReport};
use indicatif::{ProgressBar, ProgressStyle};

use crate::summary;

/// Tells a person on standard error.
#[derive(Debug)]
pub(crate) struct Told {
    bar: ProgressBar,
    bytes: AtomicU64,
    is_quiet: bool,
}

impl Told {
    /// A bar only where there is a terminal for it.
    pub(crate) fn new(is_quiet: bool, has_bar: bool) -> Self {
        let bar = if has_bar && !is_quiet && stderr().is_terminal() {
            let style = ProgressStyle::with_template("{pos}/{len} requests  {msg}  {elapsed}");
            ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        } else {
            ProgressBar::hidden()
        };
        Self { bar, bytes: 0.into(), is_quiet }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, line: std::fmt::Arguments<'_>) {
        if !self.is_quiet {
            self.bar.suspend(|| summary::line(line));
        }
    }
}

impl Progress for Told {
    fn planned(&self, tasks: usize) {
        self.bar.inc_length(tasks as u64);
        self.bar.tick();
    }

    fn received(&self, bytes: u64) {
        let sum = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.bar.set_message(indicatif::HumanBytes(sum).to_string());
    }

    fn finished(&self, _: &TaskReport) {
        self.bar.inc(1);
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Retrying { name, error, wait } => {
                self.line(format_args!("{name}: {error}; again in {:.1} s", wait.as_secs_f64()));
            }
            Event::Halved { operation } => {
                self.line(format_args!("{operation}: too large, so asked for in two halves"));
            }
            Event::NotNoted { operation, error } => {
                self.line(format_args!("warning: {operation}: stored, but {error}"));
            }
            Event::Ordered { operation, order_id } => self.line(format_args!(
                "{operation}: order {order_id} is placed; --order-id {order_id} resumes it"
            )),
            Event::Waiting { order_id, wait } => self.line(format_args!(
                "order {order_id} is not ready yet; again in {} s",
                wait.as_secs()
            )),
            _ => {}
        }
    }
}
