//! How inputs are opened: what is the same for all of a run.

use cdrlake_run::{Interrupt, Progress};

use crate::excluded::Excluded;
use crate::inboxes::Inboxes;
use crate::limits::Limits;
use crate::naming::Settings;
use crate::selection::Selection;

/// How inputs are opened.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'o> {
    /// What is known of sources whose names do not tell.
    pub settings: &'o Settings,
    /// Caps against archives that are bombs.
    pub limits: Limits,
    /// Bytes of a zip inside another archive that may be held in memory.
    pub zip_buffer: u64,
    /// What is read, by its name.
    pub selection: &'o Selection,
    /// Files that are left out wherever they are met, such as those that the run writes.
    pub excluded: &'o Excluded,
    /// What was asked for of files that stand in inboxes.
    pub inboxes: &'o Inboxes,
    /// Looked at while standard input has nothing to give.
    pub interrupt: &'o Interrupt,
    /// Told of the bytes that are read.
    pub progress: &'o Progress,
}
