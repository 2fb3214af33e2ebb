//! What a person sees while a fetch goes on: a bar on a terminal, and a line for what is unusual.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use cdrlake_fetch::{Event as Happened, Progress, TaskReport};
use indicatif::HumanBytes;

use crate::bar::{Bar, Showing};
use crate::message::{Event, Message};

/// Tells a person on standard error.
#[derive(Debug)]
pub(crate) struct Told {
    bar: Bar,
    started: Instant,
    /// Requests that there are, that are done, and of these those that failed.
    planned: AtomicU64,
    done: AtomicU64,
    failed: AtomicU64,
    bytes: AtomicU64,
    is_quiet: bool,
}

impl Told {
    pub(crate) fn new(is_quiet: bool, showing: Showing) -> Self {
        Self {
            bar: Bar::new(showing),
            started: Instant::now(),
            planned: 0.into(),
            done: 0.into(),
            failed: 0.into(),
            bytes: 0.into(),
            is_quiet,
        }
    }

    fn tell(&self, message: Message) {
        if !self.is_quiet {
            message.tell();
        }
    }

    fn draw(&self) {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (done, planned, failed) = (of(&self.done), of(&self.planned), of(&self.failed));
        let bytes = of(&self.bytes);
        let rate = (bytes as f64 / self.started.elapsed().as_secs_f64().max(0.1)) as u64;
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        self.bar.set_done(done);
        self.bar.set_text(format!(
            "{done} of {planned} requests, {}, {}/s{failed}{}",
            HumanBytes(bytes),
            HumanBytes(rate),
            self.bar.left()
        ));
    }
}

impl Progress for Told {
    fn planned(&self, tasks: usize) {
        let before = self.planned.fetch_add(tasks as u64, Ordering::Relaxed);
        self.bar.set_whole(before + tasks as u64);
        self.draw();
    }

    fn received(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.draw();
    }

    fn finished(&self, report: &TaskReport) {
        self.done.fetch_add(1, Ordering::Relaxed);
        self.failed.fetch_add(u64::from(report.result.is_err()), Ordering::Relaxed);
        self.draw();
    }

    fn event(&self, event: &Happened<'_>) {
        let message = match event {
            Happened::Retrying { name, error, wait } => {
                let wait = wait.as_secs_f64();
                let text = format_args!("{name}: {error}; again in {wait:.1} s");
                Message::new(Event::RequestRetried, text)
                    .with("request", name)
                    .with("wait_seconds", wait)
            }
            Happened::Halved { operation } => {
                let text = format_args!("{operation}: too large, so asked for in two halves");
                Message::new(Event::RequestHalved, text).with("request", operation.to_string())
            }
            Happened::NotNoted { operation, error } => {
                let text = format_args!("{operation}: stored, but {error}");
                Message::new(Event::Warned, text).with("request", operation.to_string())
            }
            Happened::Ordered { operation, order_id } => {
                let text = format_args!(
                    "{operation}: order {order_id} is placed; --order-id {order_id} resumes it"
                );
                Message::new(Event::OrderPlaced, text)
                    .with("request", operation.to_string())
                    .with("order_id", order_id.to_string())
            }
            Happened::Waiting { order_id, wait } => {
                let wait = wait.as_secs();
                let text = format_args!("order {order_id} is not ready yet; again in {wait} s");
                Message::new(Event::OrderAwaited, text)
                    .with("order_id", order_id.to_string())
                    .with("wait_seconds", wait)
            }
            _ => return,
        };
        self.tell(message);
    }
}
