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

/// Bytes of a value of the column `source_hash`.
pub const SOURCE_HASH_LEN: usize = 16;

/// What the column `source_hash` has of a source whose decompressed bytes have this BLAKE3 hash.
///
/// ```
/// let hash = blake3::hash(b"the bytes of a source");
/// assert_eq!(cdrlake_core::source_hash(&hash)[..], hash.as_bytes()[..16]);
/// ```
#[must_use]
pub fn source_hash(hash: &blake3::Hash) -> [u8; SOURCE_HASH_LEN] {
    let [first @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *hash.as_bytes();
    first
}

/// What must be known of a source to decode it.
#[derive(Clone, Debug)]
pub struct SourceOptions {
    /// Value of the column `source_file`.
    pub source_file: String,
    /// Value of the column `source_hash`: the first 128 bits of BLAKE3 of all bytes of the source, decompressed
    /// ([`source_hash`]). A decoder that is given the bytes piece by piece cannot know it before their end;
    /// where it is not told, the column holds 16 zeros.
    pub source_hash: [u8; SOURCE_HASH_LEN],
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
            source_hash: [0; SOURCE_HASH_LEN],
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
