//! What a run has to do, and what came of each part of it.

use std::path::PathBuf;

use crate::error::Error;
use crate::inbox::Stored;
use crate::parameters::{OrderId, Profile};
use crate::request::{Operation, Usage};

/// Something to fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Task {
    /// Download what one request brings.
    Download(Operation),
    /// The same, but an earlier run that brought its files is no reason to leave it out.
    Again(Operation),
    /// Order a consolidated file, wait for it, download it.
    Order(Usage),
    /// Wait for a file that was ordered before, and download it.
    Resume {
        /// `serviceProfile`.
        profile: Profile,
        /// `orderID`.
        order_id: OrderId,
    },
}

impl Task {
    /// Its first request.
    #[must_use]
    pub fn operation(&self) -> Operation {
        match self {
            Self::Download(operation) | Self::Again(operation) => operation.clone(),
            Self::Order(usage) => Operation::Order(usage.clone()),
            Self::Resume { profile, order_id } => {
                Operation::Consolidated { profile: profile.clone(), order_id: order_id.clone() }
            }
        }
    }
}

/// What came of a task, or of a part of it.
#[derive(Debug)]
pub struct TaskReport {
    /// What was asked for.
    pub operation: Operation,
    /// What came.
    pub result: Result<Fetched, Error>,
}

/// What a request brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fetched {
    /// Files, most often one.
    Files(Vec<Stored>),
    /// There is nothing to download.
    Nothing,
    /// It was not asked for, for an earlier run brought these files, and they are final.
    Earlier(Vec<PathBuf>),
}
