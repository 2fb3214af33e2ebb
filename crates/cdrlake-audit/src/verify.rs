//! Files read whole, and held against the ledger byte by byte.

use std::collections::BTreeSet;

use cdrlake_lake::{Facts, FileDamage, FileFacts, LakeReader};
use serde::Serialize;

use crate::error::AuditError;
use crate::finding::{Measure, Observation};

/// How closely an audit looks at files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verify {
    /// Their rows are counted and summed.
    #[default]
    Omit,
    /// They are read whole, too, and held against the ledger byte by byte.
    Whole,
}

/// What came of reading files whole.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verified {
    /// Files that were read.
    pub files: u64,
    /// Bytes that these have by the ledger.
    pub bytes: u64,
    /// Files whose BLAKE3 no run has recorded, for a version before wrote them: of these only the number of
    /// their bytes and rows is known, and that they can be read.
    pub unrecorded: u64,
    /// What can be recorded of those that are as the ledger says, by their paths in the lake.
    #[serde(skip)]
    pub(crate) to_record: Vec<(String, blake3::Hash)>,
}

impl Verified {
    /// Reads a file whole; gives what is found of it, if anything.
    pub(crate) fn read(
        &mut self,
        lake: &LakeReader,
        facts: &Facts,
        file: &FileFacts,
    ) -> Result<Option<Observation>, AuditError> {
        self.files += 1;
        self.bytes += file.bytes;
        self.unrecorded += u64::from(file.blake3.is_none());
        Ok(match lake.verify(file)? {
            Err(damage) => Some(observation(facts, file, damage)),
            Ok(hash) => {
                if file.blake3.is_none() {
                    self.to_record.push((file.path.clone(), hash));
                }
                None
            }
        })
    }

    /// Nothing is recorded of these files.
    pub(crate) fn leave_out(&mut self, paths: &BTreeSet<&str>) {
        self.to_record.retain(|(path, _)| !paths.contains(path.as_str()));
    }
}

fn observation(facts: &Facts, file: &FileFacts, damage: FileDamage) -> Observation {
    let path = file.path.clone();
    match damage {
        FileDamage::Missing => Observation::MissingFile { path, rows: file.rows },
        FileDamage::Changed { bytes, ledger_bytes, blake3 } => {
            let held: BTreeSet<i64> = file.sources.iter().map(|rows| rows.source).collect();
            let held = held.iter().filter_map(|source| facts.sources.get(source));
            Observation::FileChanged {
                path,
                bytes,
                ledger_bytes,
                blake3: blake3.to_hex().to_string(),
                sources: held.map(|source| source.name.clone()).collect(),
            }
        }
        FileDamage::Rows { rows, ledger_rows } => Observation::FileDiffers {
            path,
            what: Measure::Rows,
            ledger: ledger_rows.to_string(),
            found: rows.to_string(),
        },
        FileDamage::Unreadable(error) => Observation::DamagedFile { path, error },
    }
}
