//! Instants at which files were fetched, as they are written down.

use jiff::{Timestamp, Unit};

/// Microseconds since 1970 in UTC, as 2026-11-30T19:48:12.5Z.
pub(crate) fn instant(microseconds: i64) -> Option<String> {
    Timestamp::from_microsecond(microseconds).ok().map(|instant| instant.to_string())
}

/// The same, to the second.
pub(crate) fn second(microseconds: i64) -> String {
    let instant = Timestamp::from_microsecond(microseconds).ok();
    let instant = instant.and_then(|instant| instant.round(Unit::Second).ok());
    instant.map(|instant| instant.to_string()).unwrap_or_default()
}

/// What [`instant`] was made of.
pub(crate) fn microseconds(instant: &str) -> Option<i64> {
    instant.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}
