//! What is asked for of parties' numbers, and what of it goes together.
//!
//! How they are treated is `cdrlake-core`'s. Here it is settled by whom: a lake's settings come before
//! what a run asks for, and may not be contradicted; and rejected lines, whose bytes hold numbers in
//! clear, are counted and not written, unless that is asked for.

use std::fmt;
use std::str::FromStr;

use cdrlake_core::{Numbers, Privacy, PrivacyError, PrivacyKey, RecordId};

use crate::error::LoadError;

/// What is asked for of parties' numbers.
#[derive(Clone, Debug, Default)]
pub struct PrivacyOptions {
    /// What becomes of them; if none, what the lake has, or clear.
    pub numbers: Option<Numbers>,
    /// The key of tokens, and of the `record_id` of masked records.
    pub key: Option<PrivacyKey>,
    /// Whether rejected lines are written where numbers are not clear.
    pub rejects: ClearRejects,
}

/// Whether rejected lines, which hold numbers in clear, are written where numbers are not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClearRejects {
    /// They are only counted.
    #[default]
    Omit,
    /// They are written as ever.
    Write,
}

impl PrivacyOptions {
    /// Returns what holds for an output that is made by this run.
    ///
    /// # Errors
    ///
    /// [`LoadError::NoKey`], [`LoadError::KeyForNothing`] or [`LoadError::UnkeyedRecordIds`], if what is
    /// asked for does not go together.
    pub fn settle(&self, record_id: RecordId) -> Result<(Privacy, ClearRejects), LoadError> {
        let numbers = self.numbers.unwrap_or_default();
        let privacy = Privacy::new(numbers, self.key.clone()).map_err(|error| match error {
            PrivacyError::MissingKey => LoadError::NoKey,
            PrivacyError::UnusedKey => LoadError::KeyForNothing,
        })?;
        match (numbers, record_id) {
            (Numbers::Masked { .. }, RecordId::Fill) if !privacy.has_record_ids() => {
                Err(LoadError::UnkeyedRecordIds)
            }
            (Numbers::Masked { .. }, RecordId::Omit) if privacy.key().is_some() => {
                Err(LoadError::KeyForNothing)
            }
            _ => Ok((privacy, self.rejects.of(numbers))),
        }
    }
}

impl ClearRejects {
    /// Whether rejected lines are written beside numbers that are treated so.
    #[must_use]
    pub const fn of(self, numbers: Numbers) -> Self {
        if numbers.are_clear() { Self::Write } else { self }
    }
}

impl fmt::Display for ClearRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Omit => "omit",
            Self::Write => "write",
        })
    }
}

impl FromStr for ClearRejects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "omit" => Ok(Self::Omit),
            "write" => Ok(Self::Write),
            _ => Err("expected omit or write".to_owned()),
        }
    }
}
