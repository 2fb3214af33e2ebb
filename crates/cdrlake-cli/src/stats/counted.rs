//! What is counted of all inputs.

use super::tally::Tally;

/// What was counted.
#[derive(Default)]
pub(super) struct Stats {
    pub(super) tally: Tally,
    /// Sources and Parquet files that were read to their end.
    pub(super) files: u64,
    /// Those that were not; nothing of them counts.
    pub(super) failed: u64,
}
