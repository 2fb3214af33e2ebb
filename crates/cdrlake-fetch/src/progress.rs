//! What a run tells while it goes on.

use std::time::Duration;

use crate::disk::StoreError;
use crate::error::Error;
use crate::parameters::OrderId;
use crate::request::Operation;
use crate::task::TaskReport;

/// Who is told what happens; from several threads.
pub trait Progress: Sync {
    /// So many more tasks are to be done.
    fn planned(&self, tasks: usize) {
        let _ = tasks;
    }

    /// So many bytes of files arrived.
    fn received(&self, bytes: u64) {
        let _ = bytes;
    }

    /// A task has ended.
    fn finished(&self, report: &TaskReport) {
        let _ = report;
    }

    /// Something happened that a person may want to know.
    fn event(&self, event: &Event<'_>) {
        let _ = event;
    }
}

/// What may happen besides success and failure.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is repeated after a wait.
    Retrying {
        /// What a person calls it.
        name: &'a str,
        /// Why.
        error: &'a Error,
        /// How long is waited.
        wait: Duration,
    },
    /// A range is asked for in two halves, for its answer would be too large.
    Halved {
        /// Which.
        operation: &'a Operation,
    },
    /// Files are stored, but what was asked for, and whether they are final, could not be noted: a rerun
    /// asks for them again.
    NotNoted {
        /// Which.
        operation: &'a Operation,
        /// Why.
        error: &'a StoreError,
    },
    /// An order was placed.
    Ordered {
        /// Which.
        operation: &'a Operation,
        /// Its number.
        order_id: &'a OrderId,
    },
    /// An order's file is not there yet.
    Waiting {
        /// The order.
        order_id: &'a OrderId,
        /// How long is waited before it is asked for again.
        wait: Duration,
    },
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {}
