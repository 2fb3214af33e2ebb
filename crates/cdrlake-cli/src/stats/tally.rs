//! What rows of the table amount to: counts, whatever the number of rows.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, anyhow, bail};
use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int8Type, Int32Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, DictionaryArray, PrimitiveArray, StringArray};
use cdrlake_core::{RecordBatch, local_time, product_name};

use super::calling_code::calling_code;
use super::durations::Durations;

/// The columns that are looked at.
pub(super) const COLUMNS: [&str; 11] = [
    "country",
    "profile",
    "product_identifier",
    "product_type",
    "start_time",
    "duration",
    "origin",
    "origin_e164",
    "origin_masked_digits",
    "destination",
    "destination_e164",
];

/// Values of columns that are not in a file, for its directories tell them.
pub(super) type Known = BTreeMap<String, Option<String>>;

/// Records, and how long they lasted together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) records: u64,
    pub(super) tenths: u64,
}

impl Count {
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.tenths += other.tenths;
    }
}

/// Counts by what a column holds; none where it is null.
pub(super) type By<K> = BTreeMap<Option<K>, Count>;

/// What is counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) all: Count,
    /// By days since 1970.
    pub(super) days: BTreeMap<i64, Count>,
    /// Microseconds since 1970, of the first call and the last.
    pub(super) span: Option<(i64, i64)>,
    pub(super) countries: By<String>,
    pub(super) profiles: By<String>,
    pub(super) products: By<String>,
    pub(super) product_types: By<String>,
    /// By the country code of the destination.
    pub(super) destinations: By<u16>,
    pub(super) durations: Durations,
    /// Records with an origin, those where its end is masked, and those of which there is no E.164.
    pub(super) origins: u64,
    pub(super) masked: u64,
    pub(super) origins_unnormalized: u64,
    pub(super) destinations_given: u64,
    pub(super) destinations_unnormalized: u64,
    pub(super) rejects: BTreeMap<String, u64>,
    pub(super) blank_lines: u64,
}

impl Tally {
    pub(super) fn rejected(&self) -> u64 {
        self.rejects.values().sum()
    }

    /// Counts rows of the table. `known` stands in for columns that they have not.
    pub(super) fn add_rows(&mut self, rows: &RecordBatch, known: &Known) -> Result<()> {
        let times = column(rows, "start_time")?.as_primitive_opt::<TimestampMicrosecondType>();
        let durations = column(rows, "duration")?.as_primitive_opt::<Decimal128Type>();
        let (Some(times), Some(durations)) = (times, durations) else {
            bail!("start_time or duration is of another type");
        };
        let tenths: Vec<u32> = (0..rows.num_rows()).map(|row| tenths(durations, row)).collect();
        let count = |range: Range<usize>| Count {
            records: range.len() as u64,
            tenths: tenths[range].iter().map(|&tenths| u64::from(tenths)).sum(),
        };
        self.all.add(count(0..rows.num_rows()));
        for &tenths in &tenths {
            self.durations.add(tenths);
        }
        for (row, &time) in times.values().iter().enumerate() {
            if !times.is_null(row) {
                self.days.entry(local_time::day_of(time)).or_default().add(count(row..row + 1));
                let (first, last) = self.span.unwrap_or((time, time));
                self.span = Some((first.min(time), last.max(time)));
            }
        }
        for (name, by) in [
            ("country", &mut self.countries),
            ("profile", &mut self.profiles),
            ("product_identifier", &mut self.products),
            ("product_type", &mut self.product_types),
        ] {
            let texts = match (rows.column_by_name(name), known.get(name)) {
                (None, Some(value)) => Texts::Constant(value.as_deref()),
                _ => Texts::of(rows, name)?,
            };
            texts.for_runs(rows.num_rows(), |text, range| {
                match by.get_mut(&text.map(str::to_owned)) {
                    Some(sum) => sum.add(count(range)),
                    None => by.entry(text.map(str::to_owned)).or_default().add(count(range)),
                }
            });
        }
        self.add_numbers(rows, count)
    }

    fn add_numbers(
        &mut self,
        rows: &RecordBatch,
        count: impl Fn(Range<usize>) -> Count,
    ) -> Result<()> {
        let masked = column(rows, "origin_masked_digits")?.as_primitive_opt::<Int8Type>();
        let masked = masked.ok_or_else(|| anyhow!("origin_masked_digits is of another type"))?;
        self.masked += masked.values().iter().filter(|&&digits| digits > 0).count() as u64;
        let given =
            |name| column(rows, name).map(|array| (array.len() - array.null_count()) as u64);
        let (origins, destinations) = (given("origin")?, given("destination")?);
        self.origins += origins;
        self.origins_unnormalized += origins.saturating_sub(given("origin_e164")?);
        self.destinations_given += destinations;
        self.destinations_unnormalized += destinations.saturating_sub(given("destination_e164")?);
        let numbers = Texts::of(rows, "destination_e164")?;
        for row in 0..rows.num_rows() {
            let code = numbers.value(row).and_then(calling_code);
            self.destinations.entry(code).or_default().add(count(row..row + 1));
        }
        Ok(())
    }

    /// Counts rejected lines of a rejects table.
    pub(super) fn add_rejects(&mut self, rows: &RecordBatch) -> Result<()> {
        Texts::of(rows, "code")?.for_runs(rows.num_rows(), |code, range| {
            let code = code.unwrap_or_default().to_owned();
            *self.rejects.entry(code).or_default() += range.len() as u64;
        });
        Ok(())
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.all.add(other.all);
        merge(&mut self.days, other.days);
        self.span = match (self.span, other.span) {
            (Some((first, last)), Some((a, b))) => Some((first.min(a), last.max(b))),
            (one, another) => one.or(another),
        };
        merge(&mut self.countries, other.countries);
        merge(&mut self.profiles, other.profiles);
        merge(&mut self.products, other.products);
        merge(&mut self.product_types, other.product_types);
        merge(&mut self.destinations, other.destinations);
        self.durations.merge(&other.durations);
        self.origins += other.origins;
        self.masked += other.masked;
        self.origins_unnormalized += other.origins_unnormalized;
        self.destinations_given += other.destinations_given;
        self.destinations_unnormalized += other.destinations_unnormalized;
        for (code, count) in other.rejects {
            *self.rejects.entry(code).or_default() += count;
        }
        self.blank_lines += other.blank_lines;
    }
}

fn merge<K: Ord>(sums: &mut BTreeMap<K, Count>, others: BTreeMap<K, Count>) {
    for (key, count) in others {
        sums.entry(key).or_default().add(count);
    }
}

/// What a person calls a product identifier.
pub(super) fn product(identifier: &str) -> String {
    match product_name(identifier) {
        Some(name) => format!("{identifier} {name}"),
        None => identifier.to_owned(),
    }
}

fn tenths(durations: &PrimitiveArray<Decimal128Type>, row: usize) -> u32 {
    if durations.is_null(row) { 0 } else { u32::try_from(durations.value(row)).unwrap_or_default() }
}

fn column<'b>(rows: &'b RecordBatch, name: &str) -> Result<&'b ArrayRef> {
    rows.column_by_name(name).ok_or_else(|| anyhow!("there is no column {name}"))
}

/// A column of text, however it is stored.
enum Texts<'b> {
    Plain(&'b StringArray),
    Codes(&'b DictionaryArray<Int32Type>, &'b StringArray),
    Constant(Option<&'b str>),
}

impl<'b> Texts<'b> {
    fn of(rows: &'b RecordBatch, name: &str) -> Result<Self> {
        let array = column(rows, name)?;
        if let Some(plain) = array.as_string_opt() {
            return Ok(Self::Plain(plain));
        }
        let codes = array.as_dictionary_opt::<Int32Type>();
        codes
            .and_then(|codes| Some(Self::Codes(codes, codes.values().as_string_opt()?)))
            .ok_or_else(|| anyhow!("column {name} holds no text"))
    }

    fn value(&self, row: usize) -> Option<&'b str> {
        match self {
            Self::Plain(array) => (!array.is_null(row)).then(|| array.value(row)),
            Self::Codes(array, values) => array.key(row).map(|key| values.value(key)),
            Self::Constant(value) => *value,
        }
    }

    /// Calls `on_run` for each run of equal values.
    fn for_runs(&self, rows: usize, mut on_run: impl FnMut(Option<&'b str>, Range<usize>)) {
        let mut start = 0;
        while start < rows {
            let value = self.value(start);
            let end = (start + 1..rows).find(|&row| self.value(row) != value).unwrap_or(rows);
            on_run(value, start..end);
            start = end;
        }
    }
}
