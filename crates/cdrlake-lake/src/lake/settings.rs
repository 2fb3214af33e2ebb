//! What is fixed when a lake is made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cdrlake_core::RecordId;

use crate::error::LakeError;
use crate::ledger::{FileKind, Ledger};
use crate::partition::PartitionBy;
use crate::run::new_run_id;

/// The settings of a lake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LakeSettings {
    /// By what its calls are divided into directories.
    pub partition_by: PartitionBy,
    /// Whether its rows have a `record_id`.
    pub record_id: RecordId,
}

/// Settings that were asked for, where any were.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) partition_by: Option<PartitionBy>,
    pub(crate) record_id: Option<RecordId>,
}

/// Names of settings in the ledger.
const LAYOUT_VERSION: &str = "layout_version";
const PARTITION_BY: &str = "partition_by";
const RECORD_ID: &str = "record_id";

/// Version of the directories and names of a lake.
const VERSION: &str = "1";

impl Settings {
    /// The settings of the lake at `root`; those asked for, if it is made only now.
    pub(crate) fn of_lake(self, ledger: &Ledger, root: &Path) -> Result<LakeSettings, LakeError> {
        if ledger.settings()?.is_empty() {
            self.set(ledger, root)?;
        }
        self.of_known_lake(ledger, root)
    }

    fn set(self, ledger: &Ledger, root: &Path) -> Result<(), LakeError> {
        // Nor may one of another lake, or one that was emptied.
        if root.join(FileKind::Calls.name()).exists() {
            return Err(LakeError::LedgerMissing(root.to_owned()));
        }
        let settings = [
            (super::IDENTITY, new_run_id()),
            (LAYOUT_VERSION, VERSION.to_owned()),
            (PARTITION_BY, self.partition_by.unwrap_or_default().to_string()),
            (RECORD_ID, self.record_id.unwrap_or_default().to_string()),
        ];
        let settings = settings.map(|(name, value)| (name.to_owned(), value));
        ledger.set_settings(&settings.into_iter().collect())
    }

    /// The settings of a lake that was made before; those asked for must be the same.
    pub(crate) fn of_known_lake(
        self,
        ledger: &Ledger,
        root: &Path,
    ) -> Result<LakeSettings, LakeError> {
        let settings = ledger.settings()?;
        if settings.is_empty() {
            return Err(LakeError::LedgerMissing(root.to_owned()));
        }
        if settings.get(LAYOUT_VERSION).map(String::as_str) != Some(VERSION) {
            return Err(LakeError::LakeVersion(root.to_owned()));
        }
        Ok(LakeSettings {
            partition_by: agree(&settings, PARTITION_BY, self.partition_by, root)?,
            record_id: agree(&settings, RECORD_ID, self.record_id, root)?,
        })
    }
}

/// The lake's setting of this name, which must be the one that was asked for, if any was.
fn agree<T: FromStr + PartialEq + fmt::Display>(
    settings: &BTreeMap<String, String>,
    name: &'static str,
    wanted: Option<T>,
    root: &Path,
) -> Result<T, LakeError> {
    let value = settings.get(name).and_then(|value| value.parse::<T>().ok());
    let value = value.ok_or_else(|| LakeError::LakeVersion(root.to_owned()))?;
    match wanted {
        Some(wanted) if wanted != value => Err(LakeError::Contradiction {
            lake: root.to_owned(),
            setting: name,
            lakes: value.to_string(),
            wanted: wanted.to_string(),
        }),
        _ => Ok(value),
    }
}
