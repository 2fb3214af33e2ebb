//! A line of a journal: what an answer brought.

use serde::{Deserialize, Serialize};

/// What an answer brought, or that something was ordered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The URL with its query, if it would bring no other files later, so that it need not be sent
    /// again while they are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// What was asked for. Lines of the first journals do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
    /// The files that came; none yet of what was ordered.
    pub files: Vec<FileEntry>,
}

/// What was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Asked {
    /// What the carrier's API calls it, such as `unratedCallDetailRecord`.
    pub resource: String,
    /// The reseller profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The product, by the name that the API has for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// The first day, as 2026-11-01.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The order that a consolidated file was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
}

/// A file that came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the inbox.
    pub file: String,
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its bytes as they stand, in hexadecimal. Lines of the first journals do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
    /// When it came, in UTC, as 2026-11-30T19:48:12.5Z; none if it stood there before, since nobody
    /// knows when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<String>,
}

impl FileEntry {
    /// When it came, in microseconds since 1970 in UTC.
    #[must_use]
    pub fn arrived(&self) -> Option<i64> {
        let came: jiff::Timestamp = self.came.as_deref()?.parse().ok()?;
        Some(came.as_microsecond())
    }

    /// The hash, if it is one.
    #[must_use]
    pub fn content_hash(&self) -> Option<blake3::Hash> {
        blake3::Hash::from_hex(self.hash.as_deref()?).ok()
    }
}
