//! What of the table a single file is to have: some of its columns, the calls of some days.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{BooleanArray, RecordBatch};
use arrow_schema::ArrowError;
use arrow_select::filter::filter_record_batch;
use cdrlake_core::local_time::{self, MICROSECONDS_OF_DAY};
use jiff::civil::{Date, Time};
use thiserror::Error;

/// Columns of the table, in its order; all of them by default.
///
/// ```
/// use cdrlake_load::Columns;
///
/// let columns: Columns = "duration,start_time".parse()?;
/// assert_eq!(columns.to_string(), "start_time,duration");
/// assert!("duration,start".parse::<Columns>().is_err());
/// # Ok::<(), cdrlake_load::UnknownColumn>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns(Vec<String>);

/// A name that no column of the table has.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("there is no column {0:?}")]
pub struct UnknownColumn(pub String);

impl Default for Columns {
    fn default() -> Self {
        Self(cdrlake_core::schema().fields().iter().map(|field| field.name().clone()).collect())
    }
}

impl Columns {
    /// Those of the table that are not among these.
    pub(crate) fn left_out(&self) -> Vec<String> {
        Self::default().0.into_iter().filter(|name| !self.0.contains(name)).collect()
    }
}

impl FromStr for Columns {
    type Err = UnknownColumn;

    /// Names with commas between them, in any order.
    fn from_str(names: &str) -> Result<Self, UnknownColumn> {
        let names: Vec<&str> = names.split(',').map(str::trim).collect();
        let Self(all) = Self::default();
        if let Some(unknown) = names.iter().find(|name| !all.iter().any(|known| known == *name)) {
            return Err(UnknownColumn((*unknown).to_owned()));
        }
        Ok(Self(all.into_iter().filter(|known| names.contains(&known.as_str())).collect()))
    }
}

impl fmt::Display for Columns {
    /// As it is parsed, in the table's order.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

/// Days on which calls start, by their local time; both ends belong to it, and either may be open.
///
/// ```
/// use cdrlake_load::DateRange;
///
/// let month: DateRange = "2025-10-01..2025-10-31".parse()?;
/// assert_eq!(month.to_string(), "2025-10-01..2025-10-31");
/// assert_eq!("2025-10-19".parse::<DateRange>()?.to_string(), "2025-10-19..2025-10-19");
/// assert!("2025-10-01..".parse::<DateRange>().is_ok());
/// assert!("2025-10-31..2025-10-01".parse::<DateRange>().is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateRange {
    first: Option<Date>,
    last: Option<Date>,
}

impl DateRange {
    /// Microseconds since 1970 of local time.
    fn microseconds(self) -> Range<i64> {
        let start_of = |date: Date| local_time::microseconds(date.to_datetime(Time::midnight()));
        let start = self.first.map_or(i64::MIN, start_of);
        let end = self.last.map_or(i64::MAX, |last| start_of(last) + MICROSECONDS_OF_DAY);
        start..end
    }

    /// The rows of a batch that start on these days.
    pub(crate) fn keep(self, batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let Some(times) = batch.column_by_name("start_time") else {
            return Err(ArrowError::SchemaError("no start_time".to_owned()));
        };
        let times = times.as_primitive::<TimestampMicrosecondType>().values();
        let range = self.microseconds();
        // Calls come roughly in the order of their times, so this is the rule.
        if times.iter().all(|time| range.contains(time)) {
            return Ok(batch);
        }
        let keep: BooleanArray = times.iter().map(|time| Some(range.contains(time))).collect();
        filter_record_batch(&batch, &keep)
    }
}

impl FromStr for DateRange {
    type Err = String;

    /// `A..B`, `A..`, `..B`, or a single day.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "expected days like 2025-10-01..2025-10-31, of which either may be left out, found \
                 {text:?}"
            )
        };
        let date = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse::<Date>().map(Some).map_err(|_| wrong()),
        };
        let (first, last) = match text.split_once("..") {
            Some((first, last)) => (date(first)?, date(last)?),
            None => (date(text)?, date(text)?),
        };
        match (first, last) {
            (None, None) => Err(wrong()),
            (Some(first), Some(last)) if last < first => Err(format!(
                "{first} is after {last}, so there is no day from the one to the other"
            )),
            _ => Ok(Self { first, last }),
        }
    }
}

impl fmt::Display for DateRange {
    /// As it is parsed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |date: Option<Date>| date.map(|date| date.to_string()).unwrap_or_default();
        write!(f, "{}..{}", end(self.first), end(self.last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_are_none() {
        for wrong in ["", "..", "2025-10", "2025-02-30..", "2025-10-01...2025-10-02", "a..b"] {
            assert!(wrong.parse::<DateRange>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn both_ends_belong_to_it() {
        let range = |text: &str| text.parse::<DateRange>().unwrap().microseconds();
        // By another calendar: the days since 1970 are 20,380 and 20,381.
        const DAY: i64 = 86_400_000_000;
        assert_eq!(range("2025-10-19..2025-10-20"), 20_380 * DAY..20_382 * DAY);
        assert_eq!(range("..2025-10-19"), i64::MIN..20_381 * DAY);
        assert_eq!(range("2025-10-19.."), 20_380 * DAY..i64::MAX);
        assert_eq!(range("1969-12-31"), -DAY..0);
    }

    #[test]
    fn columns_come_in_the_tables_order_and_once() {
        let columns: Columns = "duration, origin,origin".parse().unwrap();
        assert_eq!(columns.to_string(), "origin,duration");
        assert_eq!(columns.left_out().len(), Columns::default().0.len() - 2);
        assert!(Columns::default().left_out().is_empty());
        assert_eq!("origin,".parse::<Columns>(), Err(UnknownColumn(String::new())));
    }
}
