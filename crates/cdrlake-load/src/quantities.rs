//! Seconds and local times, as reports tell them.

use std::fmt;

use cdrlake_core::local_time;
use serde::{Serialize, Serializer};

/// Seconds, exact to a tenth; displayed, and in JSON as a string, with one decimal: `216.0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seconds(u64);

impl Seconds {
    /// So many tenths of a second.
    #[must_use]
    pub const fn from_tenths(tenths: u64) -> Self {
        Self(tenths)
    }

    /// The sum.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// The difference, of which `other` is a part.
    ///
    /// # Panics
    ///
    /// In debug builds, if `other` is more.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    /// Tenths of a second.
    #[must_use]
    pub const fn tenths(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A date and time without zone; in JSON as `2025-10-19T09:01:22`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalTime(
    /// Microseconds since 1970-01-01T00:00:00.
    pub i64,
);

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match local_time::date_time(self.0) {
            Some(time) => time.strftime("%Y-%m-%dT%H:%M:%S").fmt(f),
            None => f.write_str("out of range"),
        }
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_text() {
        assert_eq!(Seconds::from_tenths(1234).to_string(), "123.4");
        assert_eq!(LocalTime(1_760_864_482_000_000).to_string(), "2025-10-19T09:01:22");
        // What is finer than a second is not told, and a year always has four digits.
        assert_eq!(LocalTime(1_760_864_482_900_000).to_string(), "2025-10-19T09:01:22");
        assert_eq!(LocalTime(-62_135_596_800_000_000).to_string(), "0001-01-01T00:00:00");
        assert_eq!(LocalTime(i64::MAX).to_string(), "out of range");
    }
}
