//! Which part of a lake a row belongs to: the directories that Hive-style readers prune by.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{RecordBatch, UInt32Array};
use arrow_schema::ArrowError;
use arrow_select::take::take_record_batch;
use cdrlake_core::{Country, local_time};
use jiff::civil::Date;

/// By what a lake's calls are divided into directories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionBy {
    /// The month in which the call started, as `call_month=2025-10`.
    #[default]
    CallMonth,
    /// The day on which the call started, as `call_date=2025-10-19`.
    CallDate,
    /// The source's country and the month, as `country=GB/call_month=2025-10`.
    CountryCallMonth,
    /// Nothing.
    None,
}

impl PartitionBy {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::CallMonth, Self::CallDate, Self::CountryCallMonth, Self::None];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CallMonth => "call_month",
            Self::CallDate => "call_date",
            Self::CountryCallMonth => "country,call_month",
            Self::None => "none",
        }
    }

    /// Columns of the table that directories tell, so that files do not.
    pub(crate) const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::CountryCallMonth => &["country"],
            _ => &[],
        }
    }

    /// The rows of a batch of one source, by partition, each in its order.
    pub(crate) fn split(
        self,
        batch: RecordBatch,
        country: Option<Country>,
    ) -> Result<Pieces, ArrowError> {
        /// Fewer rows, on average, are not worth a batch, whose 35 arrays take more than they.
        const MIN_ROWS: usize = 64;
        let Some(times) = batch.column_by_name("start_time") else {
            return Err(ArrowError::SchemaError("no start_time".to_owned()));
        };
        let times = times.as_primitive::<TimestampMicrosecondType>().values().clone();
        let mut last = None;
        let mut partition_of = |time: i64| {
            let day = local_time::day_of(time);
            match last {
                Some((same, partition)) if same == day => partition,
                _ => last.insert((day, Partition::of(self, day, country))).1,
            }
        };
        let Some(first) = times.first().map(|&time| partition_of(time)) else {
            return Ok(Pieces::Apart(Vec::new()));
        };
        // Calls come roughly in the order of their times, so this is the rule.
        if times.iter().all(|&time| partition_of(time) == first) {
            return Ok(Pieces::Apart(vec![(first, batch)]));
        }
        let mut rows: BTreeMap<Partition, Vec<u32>> = BTreeMap::new();
        for (row, &time) in times.iter().enumerate() {
            rows.entry(partition_of(time)).or_default().push(row as u32);
        }
        if rows.len() * MIN_ROWS > batch.num_rows() {
            return Ok(Pieces::Mixed(batch, rows.into_iter().collect()));
        }
        // Copies, for a slice would keep all of the batch in memory.
        let pieces = rows.into_iter().map(|(partition, rows)| {
            Ok((partition, take_record_batch(&batch, &UInt32Array::from(rows))?))
        });
        pieces.collect::<Result<_, _>>().map(Pieces::Apart)
    }
}

/// The rows of a batch, by partition.
#[derive(Clone, Debug)]
pub(crate) enum Pieces {
    /// Each a batch of its own.
    Apart(Vec<(Partition, RecordBatch)>),
    /// In one batch, for there are few of each: the numbers of each one's rows.
    Mixed(RecordBatch, Vec<(Partition, Vec<u32>)>),
}

impl fmt::Display for PartitionBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for PartitionBy {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|by| by.name() == text).ok_or_else(|| {
            format!("expected {}, found {text:?}", Self::ALL.map(Self::name).join(" or "))
        })
    }
}

/// A part of a lake; displayed as the directory of its files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Partition {
    /// By its first day.
    Month(Date),
    /// By its date.
    Date(Date),
    /// By the country's code and the month's first day.
    CountryMonth(Option<&'static str>, Date),
    /// All of the lake.
    All,
}

impl Partition {
    /// What holds the same calls whatever country their sources are known to be of.
    pub(crate) const fn without_country(self) -> Self {
        match self {
            Self::CountryMonth(_, month) => Self::Month(month),
            other => other,
        }
    }

    /// The partition of a file at this path in a lake; none if the path is not of that form.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let (directory, _) = path.rsplit_once('/')?;
        let Some((_, partition)) = directory.split_once('/') else { return Some(Self::All) };
        let value = |part: &str, column: &str| {
            Some(part.strip_prefix(column)?.strip_prefix('=')?.to_owned())
        };
        let month = |part: &str| format!("{}-01", value(part, "call_month")?).parse().ok();
        match partition.split_once('/') {
            Some((country, part)) => {
                let country = value(country, "country")?;
                let country = country.parse::<Country>().ok().map(Country::code);
                Some(Self::CountryMonth(country, month(part)?))
            }
            None => match value(partition, "call_date") {
                Some(date) => date.parse().ok().map(Self::Date),
                None => month(partition).map(Self::Month),
            },
        }
    }

    /// Of a call on a day, counted from 1970-01-01.
    fn of(by: PartitionBy, day: i64, country: Option<Country>) -> Self {
        let date = local_time::date_of_day(day);
        match by {
            PartitionBy::CallMonth => Self::Month(date.first_of_month()),
            PartitionBy::CallDate => Self::Date(date),
            PartitionBy::CountryCallMonth => {
                Self::CountryMonth(country.map(Country::code), date.first_of_month())
            }
            PartitionBy::None => Self::All,
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month(month) => write!(f, "call_month={}", month.strftime("%Y-%m")),
            Self::Date(date) => write!(f, "call_date={date}"),
            Self::CountryMonth(country, month) => write!(
                f,
                "country={}/call_month={}",
                country.unwrap_or("__HIVE_DEFAULT_PARTITION__"),
                month.strftime("%Y-%m")
            ),
            Self::All => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, TimestampMicrosecondArray};

    use super::*;

    /// Partitions of calls that start at these seconds, and how many rows each has.
    fn split(by: PartitionBy, country: &str, seconds: &[i64]) -> Vec<(String, usize)> {
        let times = seconds.iter().map(|second| second * 1_000_000);
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times));
        let batch = RecordBatch::try_from_iter([("start_time", times)]).unwrap();
        match by.split(batch, country.parse().ok()).unwrap() {
            Pieces::Apart(pieces) => {
                let pieces = pieces.into_iter();
                pieces.map(|(key, batch)| (key.to_string(), batch.num_rows())).collect()
            }
            Pieces::Mixed(_, parts) => {
                parts.into_iter().map(|(key, rows)| (key.to_string(), rows.len())).collect()
            }
        }
    }

    #[test]
    fn rows_go_to_the_partition_of_their_start() {
        let new_year = 1_767_225_600;
        let seconds = [new_year - 1, new_year, new_year - 2, new_year + 86_400, -1];
        let of = |by, country| split(by, country, &seconds);
        let parts = |parts: &[(&str, usize)]| -> Vec<(String, usize)> {
            parts.iter().map(|&(key, rows)| (key.to_owned(), rows)).collect()
        };
        let months =
            [("call_month=1969-12", 1), ("call_month=2025-12", 2), ("call_month=2026-01", 2)];
        assert_eq!(of(PartitionBy::CallMonth, "GB"), parts(&months));
        let dates = [
            ("call_date=1969-12-31", 1),
            ("call_date=2025-12-31", 2),
            ("call_date=2026-01-01", 1),
            ("call_date=2026-01-02", 1),
        ];
        assert_eq!(of(PartitionBy::CallDate, "GB"), parts(&dates));
        assert_eq!(of(PartitionBy::None, "GB"), parts(&[("", 5)]));
        let first = |country| of(PartitionBy::CountryCallMonth, country).swap_remove(0).0;
        assert_eq!(first("GB"), "country=GB/call_month=1969-12");
        assert_eq!(first(""), "country=__HIVE_DEFAULT_PARTITION__/call_month=1969-12");
        // The first and last day that a record can have.
        let ends = split(PartitionBy::CallDate, "", &[-2_208_988_800, 4_133_980_799]);
        assert_eq!(ends, parts(&[("call_date=1900-01-01", 1), ("call_date=2100-12-31", 1)]));
    }

    #[test]
    fn a_path_tells_its_partition() {
        let month = Partition::Month(jiff::civil::date(2025, 10, 1));
        let of = |path| Partition::of_path(path);
        assert_eq!(of("calls/call_month=2025-10/x.parquet"), Some(month));
        assert_eq!(of("calls/x.parquet"), Some(Partition::All));
        for wrong in ["x", "calls/call_month=2025-13/x", "calls/other=1/x", "calls/a/b/c/x"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
        let day = jiff::civil::date(1999, 12, 31);
        for partition in [
            month,
            Partition::Date(day),
            Partition::CountryMonth(Some("GB"), day.first_of_month()),
            Partition::CountryMonth(None, day.first_of_month()),
        ] {
            let path = format!("calls/{partition}/x.parquet");
            assert_eq!(Partition::of_path(&path), Some(partition));
        }
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for by in PartitionBy::ALL {
            assert_eq!(by.name().parse(), Ok(by));
        }
        assert!("month".parse::<PartitionBy>().is_err());
    }
}
