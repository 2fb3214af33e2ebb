//! How a file of a lake can be another than the one that was written.

use std::fmt;

/// How a file of a lake is not what the ledger says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileDamage {
    /// It is not there.
    Missing,
    /// It has more or fewer bytes, or others.
    Changed {
        /// How many it has.
        bytes: u64,
        /// How many it has by the ledger.
        ledger_bytes: u64,
        /// BLAKE3 of those that it has.
        blake3: blake3::Hash,
    },
    /// It has more or fewer rows.
    Rows {
        /// How many it has.
        rows: u64,
        /// How many it has by the ledger.
        ledger_rows: u64,
    },
    /// It cannot be read to its end.
    Unreadable(String),
}

impl fmt::Display for FileDamage {
    /// What stands behind the file's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("is missing"),
            Self::Changed { bytes, ledger_bytes, .. } if bytes != ledger_bytes => {
                write!(f, "has {bytes} bytes, and {ledger_bytes} by the ledger")
            }
            Self::Changed { .. } => {
                f.write_str("has other bytes than those that were written (its BLAKE3 differs)")
            }
            Self::Rows { rows, ledger_rows } => {
                write!(f, "has {rows} rows, and {ledger_rows} by the ledger")
            }
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
        }
    }
}
