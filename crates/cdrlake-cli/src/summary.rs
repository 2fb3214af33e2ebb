//! What a person is told at the end of a run: that every line of every source is accounted for.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};

use cdrlake_lake::{LocalTime, Report, SourceReport, Status, Tally};

/// Sources in the table at the most; those that are not plainly loaded are preferred.
const MAX_ROWS: usize = 30;

/// A line on standard error. That it may be closed is no reason to fail.
pub(crate) fn line(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// What failed and why; unless quiet also a table of the sources, and the totals.
pub(crate) fn print(report: &Report, quiet: bool) {
    if !quiet {
        print_table(report);
    }
    for source in &report.sources {
        if let (Status::Failed, Some(error)) = (source.status, &source.error) {
            line(format_args!("failed: {} {error}", source.source));
        }
    }
    for input in &report.empty_inputs {
        line(format_args!("nothing to read in {input}"));
    }
    if !quiet {
        print_totals(report);
    }
}

/// A row a source, and the sum.
fn print_table(report: &Report) {
    if report.sources.is_empty() {
        return;
    }
    let shown = shown(report);
    let mut rows = vec![HEAD.map(str::to_owned)];
    rows.extend(shown.iter().map(|source| source_row(source)));
    let hidden = report.sources.len() - shown.len();
    if hidden > 0 {
        rows.push(row(format!("… and {hidden} more"), "", None, [None, None]));
    }
    rows.push(total_row(report));
    let mut widths = [0; COLUMNS];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in &rows {
        let mut text = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            if column == DUPLICATES && report.totals.records_duplicate == 0 {
                continue;
            }
            let _ = if NUMBERS.contains(&column) {
                write!(text, "{cell:>width$}  ")
            } else {
                write!(text, "{cell:<width$}  ")
            };
        }
        line(format_args!("{}", text.trim_end()));
    }
}

/// The sources that the table shows, in input order: all, or first those that are not plainly
/// loaded.
fn shown(report: &Report) -> Vec<&SourceReport> {
    let is_plain = |source: &SourceReport| {
        source.status == Status::Loaded
            && source.tally.records_rejected == 0
            && source.tally.bytes_read > 0
    };
    let mut indices: Vec<usize> = (0..report.sources.len()).collect();
    indices.sort_by_key(|&index| (is_plain(&report.sources[index]), index));
    indices.truncate(MAX_ROWS);
    indices.sort_unstable();
    indices.into_iter().map(|index| &report.sources[index]).collect()
}

const COLUMNS: usize = 11;

const HEAD: [&str; COLUMNS] = [
    "source",
    "status",
    "lines",
    "written",
    "rejected",
    "duplicate",
    "blank",
    "seconds",
    "first call",
    "last call",
    "rejected for",
];

/// The columns that are set to the right.
const NUMBERS: std::ops::Range<usize> = 2..8;

/// The column that is left out if there are none.
const DUPLICATES: usize = 5;

/// A row of the table.
type Row = [String; COLUMNS];

fn source_row(source: &SourceReport) -> Row {
    let status = match source.status {
        Status::Loaded if source.tally.bytes_read == 0 => "empty",
        Status::Loaded => "loaded",
        Status::Skipped => "skipped",
        Status::Failed => "FAILED",
    };
    // Nothing of a source that is left out counts.
    let tally = (source.status == Status::Loaded).then_some(&source.tally);
    row(shortened(&source.source), status, tally, [source.first_start_time, source.last_start_time])
}

fn total_row(report: &Report) -> Row {
    let first = report.sources.iter().filter_map(|source| source.first_start_time).min();
    let last = report.sources.iter().filter_map(|source| source.last_start_time).max();
    row("total".to_owned(), "", Some(&report.totals), [first, last])
}

fn row(name: String, status: &str, tally: Option<&Tally>, times: [Option<LocalTime>; 2]) -> Row {
    let number =
        |count: fn(&Tally) -> u64| tally.map(count).map(|n| n.to_string()).unwrap_or_default();
    let [first, last] =
        times.map(|time| time.map(|time| time.to_string().replace('T', " ")).unwrap_or_default());
    [
        name,
        status.to_owned(),
        number(|tally| tally.records_read + tally.blank_lines),
        number(|tally| tally.records_written),
        number(|tally| tally.records_rejected),
        number(|tally| tally.records_duplicate),
        number(|tally| tally.blank_lines),
        tally.map(|tally| tally.duration_seconds.to_string()).unwrap_or_default(),
        first,
        last,
        tally.map(codes).unwrap_or_default(),
    ]
}

/// Rejects by code: `2 invalid_date, 1 short_record`.
fn codes(tally: &Tally) -> String {
    let codes: Vec<_> =
        tally.rejects.iter().map(|(code, count)| format!("{count} {code}")).collect();
    codes.join(", ")
}

/// The end of a long name, which tells sources apart.
fn shortened(name: &str) -> String {
    const LEN: usize = 48;
    match name.chars().count().checked_sub(LEN) {
        Some(cut) if cut > 0 => format!("…{}", name.chars().skip(cut + 1).collect::<String>()),
        _ => name.to_owned(),
    }
}

fn print_totals(report: &Report) {
    let of_status = |status| report.count(status);
    line(format_args!(
        "sources: {} loaded, {} skipped, {} failed",
        of_status(Status::Loaded),
        of_status(Status::Skipped),
        of_status(Status::Failed)
    ));
    let reopened = report.sources.iter().filter(|source| source.reopened_rejects > 0);
    for SourceReport { source, reopened_rejects, .. } in reopened {
        line(format_args!(
            "rejects: {reopened_rejects} of {source} are open again; before it was replaced they were \
             waived"
        ));
    }
    let mut skipped = report.sources.iter().filter(|source| source.status == Status::Skipped);
    for SourceReport { source, same_as, .. } in skipped.by_ref().take(MAX_ROWS) {
        match same_as {
            Some(first) => line(format_args!("skipped: {source} has the same content as {first}")),
            None => line(format_args!("skipped: {source} was replayed before")),
        }
    }
    let others = skipped.count();
    if others > 0 {
        line(format_args!("skipped: {others} others"));
    }
    for (code, count) in report.totals.warnings.iter() {
        let advice = match code {
            "unknown_country" => {
                ": national numbers of so many sources stay unnormalized; give --country, or the \
                 profile's country in cdrlake.toml"
            }
            "trailing_zeros" => ": zeros follow the gzip of so many sources",
            _ => "",
        };
        line(format_args!("warning: {count} {code}{advice}"));
    }
    for output in &report.outputs {
        line(format_args!(
            "{}: {} rows, {} bytes",
            output.path.display(),
            output.rows,
            output.bytes
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_keep_their_ends() {
        assert_eq!(shortened("in/a.cdr"), "in/a.cdr");
        let long = shortened(&format!("{}/é.cdr", "directory/".repeat(9)));
        assert_eq!(long.chars().count(), 48);
        assert!(long.starts_with('…') && long.ends_with("/é.cdr"), "{long}");
    }
}
