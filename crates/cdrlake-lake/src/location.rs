//! Where a lake is, and how it is opened.

use std::path::PathBuf;

use cdrlake_run::{Interrupt, Progress, new_run_id};
use cdrlake_source::INTERNAL;

use crate::lock::Locked;
use crate::network::NetworkFileSystem;

const LEDGER: &str = "ledger.sqlite";

/// Where a lake is, and how it is opened.
#[derive(Clone, Debug)]
pub struct LakeLocation {
    /// Its directory.
    pub root: PathBuf,
    /// The ledger's file, if it is kept elsewhere than in the lake.
    pub ledger: Option<PathBuf>,
    /// What to do while another run holds its lock.
    pub locked: Locked,
    /// Whether it may be on a network file system.
    pub network: NetworkFileSystem,
    /// What a run that loads nothing is called in the ledger and the lock; drawn by
    /// [`new_run_id`](cdrlake_run::new_run_id) if none. One that loads has its own in
    /// [`LoadOptions`](cdrlake_load::LoadOptions). A lake takes each once.
    pub run_id: Option<String>,
    /// Asks a run that waits for the lock, or rewrites files, to end.
    pub interrupt: Interrupt,
    /// Told how far an audit is, or a count of totals.
    pub progress: Progress,
}

impl LakeLocation {
    /// The lake in this directory, with its ledger in it.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            ledger: None,
            locked: Locked::default(),
            network: NetworkFileSystem::default(),
            run_id: None,
            interrupt: Interrupt::default(),
            progress: Progress::default(),
        }
    }

    /// The caller's, or a new one.
    #[must_use]
    pub fn run_id(&self) -> String {
        self.run_id.clone().unwrap_or_else(new_run_id)
    }

    /// The ledger's file.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.ledger.clone().unwrap_or_else(|| self.root.join(INTERNAL).join(LEDGER))
    }
}
