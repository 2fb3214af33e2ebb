//! Local times as the table has them: microseconds since 1970-01-01T00:00:00, without a zone.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};

/// Microseconds of a day, which has no change of clocks here.
pub const MICROSECONDS_OF_DAY: i64 = 86_400_000_000;

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Returns the day of a time, counted from 1970-01-01, which is 0.
#[must_use]
pub const fn day_of(microseconds: i64) -> i64 {
    microseconds.div_euclid(MICROSECONDS_OF_DAY)
}

/// Returns the date of a day that is counted from 1970-01-01; the first or the last date there is, if
/// it is beyond.
#[must_use]
pub fn date_of_day(day: i64) -> Date {
    /// More than there are in the years -9999 to 9999.
    const MOST: i64 = 8_000_000;
    EPOCH.date().saturating_add(SignedDuration::from_hours(24 * day.clamp(-MOST, MOST)))
}

/// Returns a time as date and time; none beyond the years -9999 to 9999.
#[must_use]
pub fn date_time(microseconds: i64) -> Option<DateTime> {
    EPOCH.checked_add(SignedDuration::from_micros(microseconds)).ok()
}

/// Returns the microseconds of a date and time, less what is finer.
#[must_use]
pub fn microseconds(time: DateTime) -> i64 {
    // No date and time that there is goes beyond.
    i64::try_from(time.duration_since(EPOCH).as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn times_are_counted_from_1970() {
        for (time, day, count) in [
            (date(1970, 1, 1).at(0, 0, 0, 0), 0, 0),
            (date(1969, 12, 31).at(23, 59, 59, 999_999_000), -1, -1),
            (date(2025, 10, 19).at(9, 1, 22, 0), 20_380, 1_760_864_482_000_000),
        ] {
            assert_eq!(microseconds(time), count);
            assert_eq!(date_time(count), Some(time));
            assert_eq!((day_of(count), date_of_day(day)), (day, time.date()));
        }
        assert_eq!(date_time(i64::MAX), None);
        assert_eq!(date_of_day(i64::MAX), Date::MAX);
    }
}
