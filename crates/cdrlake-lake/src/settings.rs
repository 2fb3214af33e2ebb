//! What is fixed when a lake is made.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use cdrlake_core::{Numbers, Privacy, PrivacyKey, RecordId};
use cdrlake_load::{ClearRejects, PrivacyOptions};
use cdrlake_run::new_run_id;

use crate::error::LakeError;
use crate::format::LakeFormat;
use crate::ledger::Ledger;
use crate::model::FileKind;
use crate::partition::PartitionBy;

/// The settings of a lake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LakeSettings {
    /// By what its calls are divided into directories.
    pub partition_by: PartitionBy,
    /// Whether its rows have a `record_id`.
    pub record_id: RecordId,
    /// What becomes of parties' numbers.
    pub numbers: Numbers,
    /// What names the key of tokens and `record_id`s; none if they are not keyed.
    pub key_id: Option<String>,
    /// Whether rejected lines are written where numbers are not clear.
    pub rejects: ClearRejects,
    /// Its tables, and where its files stand.
    pub format: LakeFormat,
}

impl LakeSettings {
    /// What holds for a run, which has the lake's key.
    pub(crate) fn privacy(
        &self,
        wanted: &PrivacyOptions,
    ) -> Result<(Privacy, ClearRejects), LakeError> {
        let numbers = Some(self.numbers);
        let privacy = PrivacyOptions { numbers, rejects: self.rejects, ..wanted.clone() };
        Ok(privacy.settle(self.record_id)?)
    }
}

/// Settings that were asked for, where any were.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) partition_by: Option<PartitionBy>,
    pub(crate) record_id: Option<RecordId>,
    pub(crate) privacy: PrivacyOptions,
}

/// Names of settings in the ledger. What the ledger calls the lake:
pub(crate) const IDENTITY: &str = "identity";
pub(crate) const LAYOUT_VERSION: &str = "layout_version";
const PARTITION_BY: &str = "partition_by";
const RECORD_ID: &str = "record_id";
pub(crate) const PRIVACY: &str = "privacy";
const KEY_ID: &str = "key_id";
const REJECTS: &str = "rejects";

/// Versions of directories, names and tables of a lake: of format one, of format one where numbers are not
/// clear, and of format two.
const FORMAT_1: &str = "1";
const FORMAT_1_PRIVATE: &str = "2";
const FORMAT_2: &str = "3";

impl Settings {
    /// The settings of the lake at `root`; those asked for, if it is made only now.
    pub(crate) fn of_lake(&self, ledger: &Ledger, root: &Path) -> Result<LakeSettings, LakeError> {
        if ledger.settings()?.is_empty() {
            self.set(ledger, root)?;
        }
        let settings = self.of_known_lake(ledger, root)?;
        let key_id = self.privacy.key.as_ref().map(PrivacyKey::id);
        match (&settings.key_id, key_id) {
            (None, None) => Ok(settings),
            (Some(lakes), Some(id)) if *lakes == id => Ok(settings),
            (Some(lakes), Some(given)) => {
                let lakes = lakes.clone();
                Err(LakeError::OtherKey { lake: root.to_owned(), lakes, given })
            }
            (Some(key_id), None) => {
                Err(LakeError::LakeKeyMissing { lake: root.to_owned(), key_id: key_id.clone() })
            }
            (None, Some(_)) => Err(LakeError::LakeWithoutKey(root.to_owned())),
        }
    }

    /// Refuses what no new lake can have.
    pub(crate) fn check(&self) -> Result<(), LakeError> {
        self.privacy.settle(self.record_id.unwrap_or_default())?;
        Ok(())
    }

    fn set(&self, ledger: &Ledger, root: &Path) -> Result<(), LakeError> {
        // Nor may one of another lake, or one that was emptied.
        if root.join(FileKind::Calls.name()).exists() {
            return Err(LakeError::LedgerMissing(root.to_owned()));
        }
        self.check()?;
        let numbers = self.privacy.numbers.unwrap_or_default();
        let mut settings = vec![
            (IDENTITY, new_run_id()),
            (LAYOUT_VERSION, FORMAT_2.to_owned()),
            (PARTITION_BY, self.partition_by.unwrap_or_default().to_string()),
            (RECORD_ID, self.record_id.unwrap_or_default().to_string()),
        ];
        if !numbers.are_clear() {
            settings.push((PRIVACY, numbers.to_string()));
            settings.push((REJECTS, self.privacy.rejects.to_string()));
            settings.extend(self.privacy.key.iter().map(|key| (KEY_ID, key.id())));
        }
        let settings = settings.into_iter().map(|(name, value)| (name.to_owned(), value));
        ledger.set_settings(&settings.collect())
    }

    /// The settings of a lake that was made before; those asked for must be the same.
    pub(crate) fn of_known_lake(
        &self,
        ledger: &Ledger,
        root: &Path,
    ) -> Result<LakeSettings, LakeError> {
        let mut settings = ledger.settings()?;
        if settings.is_empty() {
            return Err(LakeError::LedgerMissing(root.to_owned()));
        }
        let numbers = self.privacy.numbers;
        let rejects = Some(self.privacy.rejects).filter(|&wanted| wanted == ClearRejects::Write);
        let Some(format) = format(&settings) else {
            return Err(LakeError::LakeVersion(root.to_owned()));
        };
        // Told only where numbers are not clear.
        settings.entry(PRIVACY.to_owned()).or_insert_with(|| Numbers::Clear.to_string());
        settings.entry(REJECTS.to_owned()).or_insert_with(|| ClearRejects::Write.to_string());
        Ok(LakeSettings {
            partition_by: agree(&settings, PARTITION_BY, self.partition_by, root)?,
            record_id: agree(&settings, RECORD_ID, self.record_id, root)?,
            numbers: agree(&settings, PRIVACY, numbers, root)?,
            rejects: agree(&settings, REJECTS, rejects, root)?,
            key_id: settings.remove(KEY_ID),
            format,
        })
    }
}

/// The format of a lake of these settings; none if it is of a later version of this program.
pub(crate) fn format(settings: &BTreeMap<String, String>) -> Option<LakeFormat> {
    match settings.get(LAYOUT_VERSION)?.as_str() {
        FORMAT_1 | FORMAT_1_PRIVATE => Some(LakeFormat::One),
        FORMAT_2 => Some(LakeFormat::Two),
        _ => None,
    }
}

/// What became of numbers by which calls are told apart in a lake of these settings; clear, if a
/// `record_id` tells them.
pub(crate) fn identities(settings: &BTreeMap<String, String>) -> Numbers {
    let numbers = settings.get(PRIVACY).and_then(|numbers| numbers.parse().ok());
    let record_id = settings.get(RECORD_ID).and_then(|value| value.parse().ok());
    numbers.filter(|_| record_id != Some(RecordId::Fill)).unwrap_or_default()
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
        Some(wanted) if wanted != value => {
            Err(contradiction(root, name, value.to_string(), wanted.to_string()))
        }
        _ => Ok(value),
    }
}

fn contradiction(root: &Path, setting: &'static str, lakes: String, wanted: String) -> LakeError {
    LakeError::Contradiction { lake: root.to_owned(), setting, lakes, wanted }
}
