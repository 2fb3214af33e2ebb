//! What identifies a record by its bytes alone.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::layout::RECORD_LEN;

/// Bytes of a `record_id`.
pub const RECORD_ID_LEN: usize = 16;

/// Whether rows have a `record_id`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordId {
    /// It is null.
    #[default]
    Omit,
    /// It is [`record_id`], or as [`Privacy::record_id`](crate::Privacy::record_id) says.
    Fill,
}

/// The first 128 bits of BLAKE3 of a record's 228 wire bytes: the same for identical records,
/// wherever they stand.
///
/// ```
/// let record = [b' '; cdrlake_core::RECORD_LEN];
/// assert_eq!(cdrlake_core::record_id(&record), cdrlake_core::record_id(&record));
/// ```
#[must_use]
pub fn record_id(record: &[u8; RECORD_LEN]) -> [u8; RECORD_ID_LEN] {
    let mut id = [0; RECORD_ID_LEN];
    id.copy_from_slice(&blake3::hash(record).as_bytes()[..RECORD_ID_LEN]);
    id
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Omit => "omit",
            Self::Fill => "fill",
        })
    }
}

/// Neither `omit` nor `fill`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected omit or fill")]
pub struct UnknownRecordId;

impl FromStr for RecordId {
    type Err = UnknownRecordId;

    fn from_str(text: &str) -> Result<Self, UnknownRecordId> {
        match text {
            "omit" => Ok(Self::Omit),
            "fill" => Ok(Self::Fill),
            _ => Err(UnknownRecordId),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_reads_as_it_is_shown() {
        for setting in [RecordId::Omit, RecordId::Fill] {
            assert_eq!(setting.to_string().parse(), Ok(setting));
        }
        assert_eq!("fill".parse(), Ok(RecordId::Fill));
        assert_eq!("Fill".parse::<RecordId>(), Err(UnknownRecordId));
    }
}
