//! What a lake is and what came of it, in a few figures that the ledger alone tells.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde::{Serialize, Serializer};

/// What a lake is, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LakeInfo {
    /// Version of the ledger's tables.
    pub ledger_version: i64,
    /// The version that the next run makes of it.
    pub current_ledger_version: i64,
    /// Version of the lake's directories and names.
    pub layout_version: Option<String>,
    /// Version of the table of calls, as the latest file of calls that can be read has it.
    pub schema_version: Option<String>,
    /// What is fixed since the lake was made, by name.
    pub settings: BTreeMap<String, String>,
    /// The version of this program.
    pub tool_version: &'static str,
    /// The version of the rules by which this program decodes.
    pub rules_version: u32,
    /// The programs that wrote it, from the first to the last.
    pub written_by: Vec<Writer>,
    /// Runs that changed it.
    pub runs: u64,
    /// The run that is publishing, or died at it.
    pub publishing: Option<String>,
    /// Files of calls.
    pub calls: FileCounts,
    /// Files of rejected lines.
    pub rejects: FileCounts,
    /// Rejected lines that were neither replayed nor waived.
    pub open_rejects: u64,
    /// Sources by what came of them.
    pub sources: BTreeMap<String, u64>,
    /// Loaded sources that were decoded under older rules than this program's.
    pub older_rules: u64,
    /// The earliest time that the name of a loaded source tells, local as delivered.
    #[serde(serialize_with = "as_text")]
    pub first_file_time: Option<DateTime>,
    /// The latest.
    #[serde(serialize_with = "as_text")]
    pub last_file_time: Option<DateTime>,
}

/// A version of the program that changed a lake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// The program's version.
    pub tool_version: String,
    /// The version of its rules.
    pub rules_version: u32,
    /// Its runs.
    pub runs: u64,
    /// Sources that are loaded and that it loaded.
    pub loaded_sources: u64,
}

/// Files of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FileCounts {
    /// How many there are.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many have no recorded BLAKE3, for a version before wrote them.
    pub unrecorded: u64,
}

fn as_text<S: Serializer>(time: &Option<DateTime>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(time),
        None => serializer.serialize_none(),
    }
}
