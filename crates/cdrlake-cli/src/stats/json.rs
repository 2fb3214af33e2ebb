//! What was counted, as JSON.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde::Serialize;

use super::counted::Stats;
use super::print::{PERCENTILES, date, seconds};
use super::tally::{By, Count, product};
use crate::inspect::local_time;

#[derive(Serialize)]
struct Document {
    files: u64,
    failed: u64,
    records: u64,
    records_rejected: u64,
    blank_lines: u64,
    duration_seconds: String,
    first_start_time: Option<String>,
    last_start_time: Option<String>,
    /// Records by date.
    days: BTreeMap<String, u64>,
    countries: Vec<Row>,
    profiles: Vec<Row>,
    products: Vec<Row>,
    product_types: Vec<Row>,
    destination_codes: Vec<Row>,
    durations: Durations,
    numbers: Numbers,
    rejects: BTreeMap<String, u64>,
}

/// Records with one value; null where the column is.
#[derive(Serialize)]
struct Row {
    value: Option<String>,
    records: u64,
    duration_seconds: String,
}

#[derive(Serialize)]
struct Durations {
    /// Calls that lasted no time.
    zero: u64,
    /// Seconds, by the percentile.
    percentiles: BTreeMap<String, String>,
    longest: Option<String>,
}

#[derive(Serialize)]
struct Numbers {
    origins: u64,
    origins_masked: u64,
    origins_unnormalized: u64,
    destinations: u64,
    destinations_unnormalized: u64,
}

pub(super) fn to_text(stats: &Stats) -> Result<String> {
    let tally = &stats.tally;
    let durations = &tally.durations;
    let percentile = |percent: u64| {
        durations.percentile(percent).map(|tenths| (format!("p{percent}"), seconds(tenths.into())))
    };
    let document = Document {
        files: stats.files,
        failed: stats.failed,
        records: tally.all.records,
        records_rejected: tally.rejected(),
        blank_lines: tally.blank_lines,
        duration_seconds: seconds(tally.all.tenths),
        first_start_time: tally.span.map(|(first, _)| iso(first)),
        last_start_time: tally.span.map(|(_, last)| iso(last)),
        days: tally
            .days
            .iter()
            .map(|(&day, count)| (date(day).to_string(), count.records))
            .collect(),
        countries: rows(&tally.countries, String::clone),
        profiles: rows(&tally.profiles, String::clone),
        products: rows(&tally.products, |identifier| product(identifier)),
        product_types: rows(&tally.product_types, String::clone),
        destination_codes: rows(&tally.destinations, |code| format!("+{code}")),
        durations: Durations {
            zero: durations.zero(),
            percentiles: PERCENTILES.into_iter().filter_map(percentile).collect(),
            longest: durations.longest().map(|tenths| seconds(tenths.into())),
        },
        numbers: Numbers {
            origins: tally.origins,
            origins_masked: tally.masked,
            origins_unnormalized: tally.origins_unnormalized,
            destinations: tally.destinations_given,
            destinations_unnormalized: tally.destinations_unnormalized,
        },
        rejects: tally.rejects.clone(),
    };
    let text = serde_json::to_string_pretty(&document).context("cannot write JSON")?;
    Ok(text + "\n")
}

fn rows<K: Ord>(by: &By<K>, name: impl Fn(&K) -> String) -> Vec<Row> {
    let row = |(key, count): (&Option<K>, &Count)| Row {
        value: key.as_ref().map(&name),
        records: count.records,
        duration_seconds: seconds(count.tenths),
    };
    by.iter().map(row).collect()
}

fn iso(time: i64) -> String {
    local_time(time).replace(' ', "T")
}
