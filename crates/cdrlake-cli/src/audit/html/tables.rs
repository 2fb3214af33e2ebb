//! Rejected lines by code, and control totals, a table each; of totals one a year.

use std::collections::BTreeMap;

use cdrlake::{Overview, RejectsRow, Seconds, TotalsKey, TotalsRow};
use cdrlake_core::{RejectCode, product_type_name};
use maud::{Markup, html};

use super::cells::{Cells, known, table};
use super::counts::grouped;
use super::svg::{band, path};

pub(super) fn rejects(rows: &[RejectsRow]) -> Markup {
    let Some(most) = rows.iter().map(|row| row.lines).max() else {
        return html! { p { "No line was rejected." } };
    };
    let head = [
        ("code", Cells::Text),
        ("what was expected", Cells::Text),
        ("lines", Cells::Number),
        ("still open", Cells::Number),
        ("share", Cells::Text),
    ];
    let row = |row: &RejectsRow| {
        let code = RejectCode::ALL.into_iter().find(|code| code.as_str() == row.code);
        let expected = code.map_or("", RejectCode::expectation);
        vec![
            html! { code { (row.code) } },
            html! { (expected) },
            html! { (grouped(row.lines)) },
            html! { (grouped(row.open)) },
            share(row, most),
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    table("Rejected lines by code", &head, &rows)
}

/// A bar for the lines, beside those of the most frequent code.
fn share(row: &RejectsRow, most: u64) -> Markup {
    const WIDTH: u32 = 200;
    let length = |lines: u64| (lines as f64 / most.max(1) as f64 * f64::from(WIDTH)).ceil();
    let title = format!("{} lines, {} of them open", grouped(row.lines), grouped(row.open));
    let content = html! {
        (path("line", &format!("M0 2h{}v10h-{0}z", length(row.lines))))
        @if row.open > 0 {
            (path("mark", &format!("M0 2h{}v10h-{0}z", length(row.open))))
        }
    };
    band(&title, WIDTH, 14, &content)
}

pub(super) fn totals(overview: &Overview) -> Markup {
    let counts = overview.counts;
    let head = [("by the ledger", Cells::Text), ("records", Cells::Number)];
    let delivered = counts.records_written + counts.records_rejected + counts.records_duplicate;
    let accounts = [
        ("delivered", delivered),
        ("in the lake", counts.records_written),
        ("rejected, and not replayed", counts.records_rejected),
        ("left out, for another file has them", counts.records_duplicate),
    ];
    let accounts = accounts.map(|(name, count)| vec![html! { (name) }, html! { (grouped(count)) }]);
    html! {
        (table("Every record that was delivered", &head, &accounts))
        h4 { "By the month of the call" }
        (by_year(&by_month(&overview.by_call_day)))
        h4 { "By the month of the delivery" }
        p { "Of the file that delivered the call, as the carrier's rated month counts." }
        (by_year(&overview.by_file_month))
    }
}

/// Days summed by month.
fn by_month(days: &[TotalsRow]) -> Vec<TotalsRow> {
    let mut months: BTreeMap<TotalsKey, TotalsRow> = BTreeMap::new();
    for row in days {
        let mut key = row.key.clone();
        // The month of 2025-10-19.
        key.period = key
            .period
            .map(|day| day.rsplit_once('-').map_or(day.as_str(), |(month, _)| month).to_owned());
        months
            .entry(key.clone())
            .and_modify(|month| month.sum += row.sum)
            .or_insert(TotalsRow { key, sum: row.sum });
    }
    months.into_values().collect()
}

/// A table a year, of which the last is open.
fn by_year(rows: &[TotalsRow]) -> Markup {
    let year = |row: &TotalsRow| {
        row.key
            .period
            .as_deref()
            .and_then(|period| period.split_once('-'))
            .map(|(year, _)| year.to_owned())
    };
    let mut years: Vec<(Option<String>, &[TotalsRow])> = rows
        .chunk_by(|a, b| year(a) == year(b))
        .map(|rows| (rows.first().and_then(year), rows))
        .collect();
    years.reverse();
    html! {
        @if years.is_empty() { p { "No calls." } }
        @for (index, (year, rows)) in years.iter().enumerate() {
            @let calls: u64 = rows.iter().map(|row| row.sum.calls).sum();
            @let name = year.as_deref().unwrap_or("not known when");
            details open[index == 0] {
                summary { (name) ": " (grouped(calls)) " calls" }
                (year_table(name, rows))
            }
        }
    }
}

fn year_table(name: &str, rows: &[TotalsRow]) -> Markup {
    let head = [
        ("month", Cells::Text),
        ("country", Cells::Text),
        ("profile", Cells::Text),
        ("product type", Cells::Text),
        ("calls", Cells::Number),
        ("seconds", Cells::Number),
        ("zero-second calls", Cells::Number),
    ];
    let row = |TotalsRow { key, sum }: &TotalsRow| {
        let product = key.product_type.as_deref().and_then(product_type_name);
        vec![
            known(key.period.as_ref()),
            known(key.country.as_ref()),
            known(key.profile.as_ref()),
            html! { (known(key.product_type.as_ref())) @if let Some(name) = product { " " (name) } },
            html! { (grouped(sum.calls)) },
            html! { (seconds(sum.seconds)) },
            html! { (grouped(sum.zero_second_calls)) },
        ]
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    table(&format!("Control totals, {name}"), &head, &rows)
}

fn seconds(seconds: Seconds) -> String {
    format!("{}.{}", grouped(seconds.tenths() / 10), seconds.tenths() % 10)
}
