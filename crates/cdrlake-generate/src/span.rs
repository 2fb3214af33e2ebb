//! A stretch of time, and how calls are spread over it: by the curves of a day and a week.

use jiff::civil::{DateTime, Weekday};
use thiserror::Error;

/// Hours in which calls are made.
#[derive(Clone, Debug)]
pub struct Span {
    hours: Vec<Hour>,
}

#[derive(Clone, Copy, Debug)]
struct Hour {
    date: (u16, u8, u8),
    hour: u8,
    /// Its share of the calls, and that of all up to its end.
    share: u64,
    ends: u64,
}

/// A minute in a span.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    /// Year, month, day.
    pub(crate) date: (u16, u8, u8),
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    /// Hours of the span that have not ended.
    pub(crate) hours_left: u32,
}

/// A span in which no valid call could be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SpanError {
    /// It leaves the years 1900 to 2100.
    #[error(
        "records have dates of the years 1900 to 2100; choose another first day, or fewer days or files"
    )]
    OutOfRange,
    /// It has no hours.
    #[error("a span has an hour at least")]
    Empty,
}

impl Span {
    /// So many hours.
    ///
    /// # Errors
    ///
    /// [`SpanError`], if there are none, or unless all are within the years 1900 to 2100.
    pub fn new(start: DateTime, hours: u32) -> Result<Self, SpanError> {
        if hours == 0 {
            return Err(SpanError::Empty);
        }
        let mut ends = 0;
        let hours = (0..hours).map(|hour| {
            let later = jiff::Span::new().try_hours(hour).map_err(|_| SpanError::OutOfRange)?;
            let at = start.checked_add(later).map_err(|_| SpanError::OutOfRange)?;
            if !(1900..=2100).contains(&at.year()) {
                return Err(SpanError::OutOfRange);
            }
            let share = share(at);
            ends += share;
            let date = (at.year() as u16, at.month() as u8, at.day() as u8);
            Ok(Hour { date, hour: at.hour() as u8, share, ends })
        });
        Ok(Self { hours: hours.collect::<Result<_, _>>()? })
    }

    /// Its share of calls, in the unit of all other spans.
    #[must_use]
    pub fn share(&self) -> u64 {
        self.hours.last().map_or(0, |hour| hour.ends)
    }

    /// When one of `records` calls that follow each other begins.
    pub(crate) fn moment(&self, index: u64, records: u64) -> Moment {
        const MINUTES: u128 = 60;
        let total = u128::from(self.share()) * MINUTES;
        let place = u128::from(index) * total / u128::from(records.max(1));
        let at = self.hours.partition_point(|hour| u128::from(hour.ends) * MINUTES <= place);
        let Some(hour) = self.hours.get(at) else { return Moment::default() };
        let begins = u128::from(hour.ends - hour.share) * MINUTES;
        let minute = place.saturating_sub(begins) / u128::from(hour.share);
        Moment {
            date: hour.date,
            hour: hour.hour,
            minute: minute as u8,
            hours_left: (self.hours.len() - at) as u32,
        }
    }
}

/// Calls in an hour: of the office's hours on working days, a fifth of them at the weekend.
fn share(at: DateTime) -> u64 {
    const OF_DAY: [u64; 24] =
        [1, 1, 1, 1, 1, 2, 4, 9, 17, 20, 21, 20, 17, 18, 20, 21, 20, 18, 14, 11, 9, 5, 3, 2];
    let of_week = match at.weekday() {
        Weekday::Saturday | Weekday::Sunday => 1,
        _ => 5,
    };
    OF_DAY[at.hour() as usize % 24] * of_week
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn moments_follow_each_other_through_the_whole_span() {
        // A Thursday.
        let span = Span::new(date(2025, 10, 30).at(16, 0, 0, 0), 96).unwrap();
        let moments: Vec<_> = (0..100_000)
            .map(|index| span.moment(index, 100_000))
            .map(|moment| (moment.date, moment.hour, moment.minute, moment.hours_left))
            .collect();
        assert!(moments.is_sorted());
        assert_eq!(moments[0], ((2025, 10, 30), 16, 0, 96));
        assert_eq!(moments[99_999], ((2025, 11, 3), 15, 59, 1));
        let on = |day| moments.iter().filter(|moment| moment.0 == day).count();
        let (friday, sunday) = (on((2025, 10, 31)), on((2025, 11, 2)));
        assert!((friday / 5).abs_diff(sunday) <= 2, "{friday} {sunday}");
        let hours: std::collections::BTreeSet<u8> = moments.iter().map(|moment| moment.1).collect();
        assert_eq!(hours.len(), 24);
    }

    #[test]
    fn years_that_no_record_can_have() {
        assert!(Span::new(date(2100, 12, 31).at(0, 0, 0, 0), 24).is_ok());
        assert_eq!(
            Span::new(date(2100, 12, 31).at(1, 0, 0, 0), 24).unwrap_err(),
            SpanError::OutOfRange
        );
        assert_eq!(Span::new(date(2025, 12, 31).at(1, 0, 0, 0), 0).unwrap_err(), SpanError::Empty);
        assert!(Span::new(date(1899, 12, 31).at(23, 0, 0, 0), 2).is_err());
        assert!(Span::new(date(9999, 12, 31).at(23, 0, 0, 0), 2).is_err());
    }
}
