//! Which kind of archive a file is.

/// A kind of archive, as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Zip.
    Zip,
    /// Gzip.
    Gzip,
}

impl Format {
    /// The kind that a file is which begins with these bytes.
    pub(crate) fn of(first: &[u8]) -> Option<Self> {
        match first {
            [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => Some(Self::Zip),
            [0x1F, 0x8B, ..] => Some(Self::Gzip),
            _ => None,
        }
    }
}
