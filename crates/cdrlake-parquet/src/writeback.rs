//! A file's way to the disk, begun while more of it is made: the sync at its end then finds little
//! left to wait for.

use std::fs::File;

/// Bytes that are worth being sent on: enough for the disk to write them in one go.
const STEP: u64 = 8 << 20;

/// How much of a file was sent on.
#[derive(Clone, Debug, Default)]
pub(super) struct Writeback {
    begun: u64,
}

impl Writeback {
    /// Sends on what was written of `file`, which is `len` bytes long, if it is worth it.
    ///
    /// This is advice: nothing depends on it, and the sync at the end tells what failed.
    pub(super) fn advance(&mut self, file: &File, len: u64) {
        if len >= self.begun + STEP {
            begin(file, self.begun, len - self.begun);
            self.begun = len;
        }
    }

    /// Sends on the rest of `file`, which is complete.
    pub(super) fn finish(self, file: &File, len: u64) {
        begin(file, self.begun, len - self.begun);
    }

    /// The file was cut to `len` bytes.
    pub(super) fn cut(&mut self, len: u64) {
        self.begun = self.begun.min(len);
    }
}

/// Linux begins to write dirty pages when told that they are not needed; until they are written
/// they stay.
#[cfg(target_os = "linux")]
fn begin(file: &File, offset: u64, len: u64) {
    use rustix::fs::{Advice, fadvise};
    let _ = fadvise(file, offset, std::num::NonZeroU64::new(len), Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn begin(_: &File, _: u64, _: u64) {}
