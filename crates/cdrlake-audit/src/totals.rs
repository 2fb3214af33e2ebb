//! Control totals: calls, seconds and zero-second calls by period, country, profile and product type.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use cdrlake_lake::{Facts, FileKind, LakeError, LakeReader, SourceFacts};
use cdrlake_load::Seconds;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::error::AuditError;
use crate::scan::{Call, CallColumns, OpenFile, date, sources_of};

/// How long a period of totals is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// As `2025-10`.
    Month,
    /// As `2025-10-19`.
    Day,
}

/// What decides to which period a call belongs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PeriodOf {
    /// The local time at which it started.
    #[default]
    Call,
    /// The time in the name of the file that delivered it.
    File,
}

/// Whose calls are totalled.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TotalsKey {
    /// The month or day; none if the file's name does not tell its time.
    pub period: Option<String>,
    /// The source's country.
    pub country: Option<String>,
    /// The source's profile.
    pub profile: Option<String>,
    /// The record's two digits.
    pub product_type: Option<String>,
}

/// Sums over calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TotalsSum {
    /// Records.
    pub calls: u64,
    /// Their durations.
    pub seconds: Seconds,
    /// Records with a duration of 0.
    pub zero_second_calls: u64,
}

impl AddAssign for TotalsSum {
    fn add_assign(&mut self, other: Self) {
        self.calls += other.calls;
        self.seconds = self.seconds.plus(other.seconds);
        self.zero_second_calls += other.zero_second_calls;
    }
}

/// A row of totals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TotalsRow {
    /// Whose.
    #[serde(flatten)]
    pub key: TotalsKey,
    /// How much.
    #[serde(flatten)]
    pub sum: TotalsSum,
}

/// Reads all calls of a lake.
pub(super) fn of_lake(
    lake: &LakeReader,
    facts: &Facts,
    period: Period,
    of: PeriodOf,
) -> Result<Vec<TotalsRow>, AuditError> {
    if let Some(run) = &facts.moment.publishing {
        return Err(AuditError::Unpublished { lake: lake.name(), run: run.clone() });
    }
    let calls = || facts.files.iter().filter(|file| file.kind == FileKind::Calls);
    lake.progress().begin(calls().map(|file| lake.bytes(&file.path)).sum());
    let mut totals = Totals::new(period, of);
    for file in calls() {
        let read = |open: OpenFile| {
            open.read(&CallColumns::NAMES, &mut |first_row, batch| {
                let columns = CallColumns::of(batch)?;
                for (source, rows) in sources_of(file, first_row, batch.num_rows()) {
                    let Some(source) = facts.sources.get(&source) else { continue };
                    rows.for_each(|row| totals.count(source, columns.call(row)));
                }
                Ok(())
            })
        };
        OpenFile::open(lake, &file.path).and_then(read).map_err(|error| {
            let error = std::io::Error::other(error);
            LakeError::Read { path: lake.locate(&file.path), error }
        })?;
    }
    Ok(totals.finish())
}

/// Which calls are counted together.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    source: i64,
    day: Option<Date>,
    product_type: Option<String>,
}

pub(super) struct Totals {
    period: Period,
    of: PeriodOf,
    sums: BTreeMap<TotalsKey, TotalsSum>,
    /// Calls of one kind follow each other, so they are summed before they are looked up.
    last: Option<(Cell, TotalsKey, TotalsSum)>,
}

impl Totals {
    pub(super) const fn new(period: Period, of: PeriodOf) -> Self {
        Self { period, of, sums: BTreeMap::new(), last: None }
    }

    pub(super) fn count(&mut self, source: &SourceFacts, call: Call<'_>) {
        let day = match self.of {
            PeriodOf::Call => Some(date(call.start)),
            PeriodOf::File => source.file_time.map(DateTime::date),
        };
        let sum = TotalsSum {
            calls: 1,
            seconds: Seconds::from_tenths(call.tenths),
            zero_second_calls: u64::from(call.tenths == 0),
        };
        if let Some((cell, _, last)) = &mut self.last
            && (cell.source, cell.day) == (source.id, day)
            && cell.product_type.as_deref() == call.product_type
        {
            *last += sum;
            return;
        }
        self.settle();
        let product_type = call.product_type.map(str::to_owned);
        let key = TotalsKey {
            period: day.map(|day| match self.period {
                Period::Day => day.to_string(),
                Period::Month => day.strftime("%Y-%m").to_string(),
            }),
            country: source.country.clone(),
            profile: source.profile.clone(),
            product_type: product_type.clone(),
        };
        self.last = Some((Cell { source: source.id, day, product_type }, key, sum));
    }

    fn settle(&mut self) {
        if let Some((_, key, sum)) = self.last.take() {
            *self.sums.entry(key).or_default() += sum;
        }
    }

    /// In the order of their keys.
    pub(super) fn finish(mut self) -> Vec<TotalsRow> {
        self.settle();
        self.sums.into_iter().map(|(key, sum)| TotalsRow { key, sum }).collect()
    }
}
