//! Ranges of days, and how they are cut into requests.

use std::fmt;
use std::num::NonZero;

use cdrlake_run::ErrorKind;
use jiff::ToSpan;
use jiff::civil::Date;

/// Days from one to another, both included.
///
/// ```
/// use cdrlake_fetch::Days;
///
/// let days = Days::new("2026-11-01".parse()?, "2026-11-05".parse()?)?;
/// assert_eq!(days.count(), 5);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Days {
    from: Date,
    to: Date,
}

impl Days {
    /// # Errors
    ///
    /// [`DaysError`] if `to` is before `from`, or either has not four digits of the year.
    pub fn new(from: Date, to: Date) -> Result<Self, DaysError> {
        let is_plain = |date: Date| (1900..=2100).contains(&date.year());
        if from > to {
            Err(DaysError::Backwards { from, to })
        } else if !is_plain(from) || !is_plain(to) {
            Err(DaysError::Year)
        } else {
            Ok(Self { from, to })
        }
    }

    /// The first day.
    #[must_use]
    pub fn from(&self) -> Date {
        self.from
    }

    /// The last day.
    #[must_use]
    pub fn to(&self) -> Date {
        self.to
    }

    /// How many days, at least one.
    #[must_use]
    pub fn count(&self) -> u32 {
        let between = self.to.duration_since(self.from).as_hours() / 24;
        u32::try_from(between).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// Ranges of `len` days, the last may be shorter; the first day first.
    pub fn chunks(self, len: NonZero<u32>) -> impl Iterator<Item = Self> {
        let mut next = Some(self.from);
        std::iter::from_fn(move || {
            let from = next.filter(|from| *from <= self.to)?;
            let to = plus(from, i64::from(len.get()) - 1).unwrap_or(self.to).min(self.to);
            next = plus(to, 1);
            Some(Self { from, to })
        })
    }

    /// Two ranges of about half the days; none if there is only one day.
    #[must_use]
    pub fn halves(self) -> Option<[Self; 2]> {
        let middle = plus(self.from, i64::from(self.count()) / 2 - 1)?;
        let after = plus(middle, 1)?;
        (self.count() > 1)
            .then_some([Self { from: self.from, to: middle }, Self { from: after, to: self.to }])
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.from == self.to {
            write!(f, "{}", self.from)
        } else {
            write!(f, "{} to {}", self.from, self.to)
        }
    }
}

/// So many days later; none at the end of the calendar.
pub(crate) fn plus(date: Date, days: i64) -> Option<Date> {
    date.checked_add(days.days()).ok()
}

/// Why two dates are no range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DaysError {
    /// The last day is before the first.
    #[error("the range ends on {to}, before it begins on {from}")]
    Backwards {
        /// The first day.
        from: Date,
        /// The last day.
        to: Date,
    },
    /// A year outside 1900 to 2100.
    #[error("expected years of 1900 to 2100")]
    Year,
}

impl DaysError {
    /// Returns the kind of failure: [`ErrorKind::Usage`], for other dates would do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(from: (i8, i8), to: (i8, i8)) -> Days {
        Days::new(date(2026, from.0, from.1), date(2026, to.0, to.1)).unwrap()
    }

    #[test]
    fn chunks_cover_the_range_once() {
        for last in 1..=30 {
            let range = days((10, 1), (10, last));
            assert_eq!(range.count(), last as u32);
            for len in 1..=31 {
                let chunks: Vec<Days> = range.chunks(NonZero::new(len).unwrap()).collect();
                assert_eq!(chunks.iter().map(Days::count).sum::<u32>(), range.count());
                assert_eq!(chunks[0].from(), range.from());
                assert_eq!(chunks.last().unwrap().to(), range.to());
                assert!(
                    chunks.windows(2).all(|pair| plus(pair[0].to(), 1) == Some(pair[1].from()))
                );
                assert!(chunks.iter().all(|chunk| chunk.count() <= len));
            }
        }
    }

    #[test]
    fn halves_until_a_day_is_left() {
        assert_eq!(days((10, 31), (10, 31)).halves(), None);
        assert_eq!(
            days((10, 31), (11, 1)).halves(),
            Some([days((10, 31), (10, 31)), days((11, 1), (11, 1))])
        );
        assert_eq!(
            days((10, 30), (11, 1)).halves(),
            Some([days((10, 30), (10, 30)), days((10, 31), (11, 1))])
        );
    }

    #[test]
    fn ranges_that_are_none() {
        assert!(Days::new(date(2026, 11, 2), date(2026, 11, 1)).is_err());
        assert_eq!(Days::new(date(20, 1, 1), date(20, 1, 1)), Err(DaysError::Year));
    }
}
