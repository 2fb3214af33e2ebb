//! The reseller whose calls they are.

use std::fmt;
use std::str::FromStr;

use cdrlake_core::is_profile;
use thiserror::Error;

/// A reseller's profile: 1 to 5 ASCII letters or digits.
///
/// ```
/// use cdrlake_generate::Profile;
///
/// assert!("ABC12".parse::<Profile>().is_ok());
/// assert!("ÄBC".parse::<Profile>().is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile(String);

/// Not 1 to 5 ASCII letters or digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected 1 to 5 letters or digits")]
pub struct InvalidProfile;

impl Profile {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What of it stands in each record.
    pub(crate) fn carrier(&self) -> &str {
        self.0.get(..3).unwrap_or(&self.0)
    }
}

impl FromStr for Profile {
    type Err = InvalidProfile;

    fn from_str(text: &str) -> Result<Self, InvalidProfile> {
        if is_profile(text) { Ok(Self(text.to_owned())) } else { Err(InvalidProfile) }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
