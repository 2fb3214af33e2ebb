//! Control totals of rows: how many tenths of seconds, and when calls began.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};

use crate::quantities::{LocalTime, Seconds};

/// Control totals of rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    tenths: u64,
    first_start_time: Option<i64>,
    last_start_time: Option<i64>,
}

impl Totals {
    pub(crate) fn add_batch(&mut self, batch: &RecordBatch) {
        self.tenths += tenths(batch);
        if let Some(times) = batch.column_by_name("start_time") {
            let times = times.as_primitive::<TimestampMicrosecondType>().values();
            self.add_times(times.iter().min().copied(), times.iter().max().copied());
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.tenths += other.tenths;
        self.add_times(other.first_start_time, other.last_start_time);
    }

    fn add_times(&mut self, first: Option<i64>, last: Option<i64>) {
        self.first_start_time = self.first_start_time.into_iter().chain(first).min();
        self.last_start_time = self.last_start_time.max(last);
    }

    pub(crate) const fn duration(self) -> Seconds {
        Seconds::from_tenths(self.tenths)
    }

    pub(crate) fn first_start_time(self) -> Option<LocalTime> {
        self.first_start_time.map(LocalTime)
    }

    pub(crate) fn last_start_time(self) -> Option<LocalTime> {
        self.last_start_time.map(LocalTime)
    }
}

/// Returns the sum of the durations of a batch's calls, in tenths of a second
/// ([`Seconds::from_tenths`]); 0 if the batch has no such column.
#[must_use]
pub fn tenths(batch: &RecordBatch) -> u64 {
    let durations = batch.column_by_name("duration");
    durations.map_or(0, |durations| {
        durations
            .as_primitive::<Decimal128Type>()
            .values()
            .iter()
            .map(|&tenths| tenths as u64)
            .sum()
    })
}
