//! What must be known of a source to decode it.

use crate::file_name::{Metadata, parse_file_name};
use crate::privacy::Privacy;
use crate::record_id::RecordId;
use crate::time_zone::TimeZone;
use crate::validate::Strictness;

/// Rows of a batch, unless set otherwise: few enough for a batch to stay in the second-level
/// cache.
pub const DEFAULT_BATCH_SIZE: usize = 4096;

/// The most rows of a batch: text columns count bytes in 32 bits.
pub const MAX_BATCH_SIZE: usize = 1 << 20;

/// What must be known of a source to decode it.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// Value of the column `source_file`.
    pub source_file: String,
    /// What is known from outside the records.
    pub metadata: Metadata,
    /// Whose clocks the records' times are of: fills `start_time_utc` and `start_time_ambiguous`,
    /// which are null without.
    pub time_zone: Option<TimeZone>,
    /// Whether warnings reject.
    pub strictness: Strictness,
    /// Whether rows have a `record_id`.
    pub record_id: RecordId,
    /// What becomes of parties' numbers.
    pub privacy: Privacy,
    /// Rows of a batch, from 1 to [`MAX_BATCH_SIZE`]; all batches of a source have as many but the
    /// last.
    pub batch_size: usize,
}

impl SourceOptions {
    /// Options for a source of this name that is known by nothing else.
    #[must_use]
    pub fn new(source_file: impl Into<String>) -> Self {
        Self {
            source_file: source_file.into(),
            metadata: Metadata::default(),
            time_zone: None,
            strictness: Strictness::default(),
            record_id: RecordId::default(),
            privacy: Privacy::CLEAR,
            batch_size: DEFAULT_BATCH_SIZE,
        }
    }

    /// Options for a source of this name, and what the name tells.
    #[must_use]
    pub fn from_file_name(name: &str) -> Self {
        Self { metadata: parse_file_name(name, None), ..Self::new(name) }
    }
}
