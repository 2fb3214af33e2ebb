//! What a person is told at the end of a run: that every line of every source is accounted for.

use std::fmt::Write as _;

use cdrlake::{LocalTime, Report, SourceReport, Status, Tally};

use crate::message::{self, Event, Message};
use crate::outcome::Outcome;
use crate::{advice, standard_error};

/// Sources in the table at the most; those that are not plainly loaded are preferred.
const MAX_ROWS: usize = 30;

/// What failed and why; unless quiet also a table of the sources, and the totals. Quiet says nothing of a
/// run that is done with all accepted.
pub(crate) fn print(report: &Report, quiet: bool, outcome: Outcome) {
    if !quiet {
        print_table(report);
    }
    for source in &report.sources {
        let SourceReport { source: name, error, .. } = source;
        match (source.status, error) {
            // It was told when it was news.
            (Status::Failed | Status::Held, _) if source.known_before => {}
            (Status::Failed, Some(error)) => {
                let text = format_args!("{name} {}", advice::with_advice(error));
                Message::new(Event::SourceFailed, text).with_all(source).tell();
            }
            (Status::Held, Some(error)) => {
                let text = format_args!("{name} {}", advice::with_advice(error));
                Message::new(Event::SourceHeld, text).with_all(source).tell();
            }
            (Status::Loaded, _) if !quiet => {
                let message = Message::new(Event::SourceLoaded, format_args!("{name} was loaded"));
                message.with_all(source).tell_machines();
            }
            _ => {}
        }
    }
    let mut undecided = report.sources.iter().filter(|s| s.known_before && !s.is_set_aside);
    if let Some(first) = undecided.next() {
        let (first, others) = (&first.source, undecided.count());
        let others = if others == 0 { String::new() } else { format!(" and {others} more") };
        let text = format_args!(
            "{first}{others} failed, or held, as in an earlier run; cdrlake audit says why, and with --accept \
             sets aside"
        );
        Message::new(Event::SourcesUndecided, text).with("source", first).tell();
    }
    for input in report.empty_inputs.iter().filter(|_| !quiet || outcome != Outcome::Done) {
        let text = format_args!("nothing to read in {input}");
        Message::new(Event::InputEmpty, text).with("input", input).tell();
    }
    for input in &report.stale_inputs {
        let text = format_args!(
            "{input} is skipped, for its name says that it is still being written, but it was not changed \
             for a day: get it again, or give it its final name"
        );
        Message::new(Event::InputStale, text).with("input", input).tell();
    }
    for input in &report.hidden_inputs {
        let text = format_args!(
            "{input} is skipped, for it is hidden, but it holds records: give it a name that begins with no \
             dot, or remove it"
        );
        Message::new(Event::InputHidden, text).with("input", input).tell();
    }
    if !quiet {
        let is_young = |input: &&String| !report.stale_inputs.contains(input);
        for input in report.unfinished_inputs.iter().filter(is_young) {
            let text = format_args!(
                "{input} is skipped, for its name says that it is still being written; it is read \
                 once it has its final name"
            );
            Message::new(Event::InputUnfinished, text).with("input", input).tell();
        }
    }
    if !quiet {
        for input in &report.unread_checksums {
            let text = format_args!(
                "{input} holds no checksum that can be read, so what it is of was not checked"
            );
            Message::new(Event::ChecksumUnread, text).with("input", input).tell();
        }
        print_excluded(report);
        print_totals(report);
    }
}

/// How many inputs are left out, and by what.
fn print_excluded(report: &Report) {
    let deselected = report.deselected_inputs;
    let others = report.excluded_inputs.len().saturating_sub(deselected);
    if deselected > 0 {
        let text = format_args!("left out by --include and --exclude: {deselected}");
        Message::new(Event::InputsExcluded, text).with("inputs", deselected).tell();
    }
    if others > 0 {
        let text = format_args!(
            "left out, for they are no deliveries: {others} (rated and non-usage files, checksums that \
             stand alone)"
        );
        Message::new(Event::InputsExcluded, text).with("inputs", others).tell();
    }
}

/// A row a source, and the sum.
fn print_table(report: &Report) {
    if report.sources.is_empty() || standard_error::is_json() {
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
    let mut text = String::new();
    for row in &rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            if (column == DUPLICATES && report.totals.records_duplicate == 0)
                || (column == FILTERED && report.totals.records_filtered == 0)
            {
                continue;
            }
            let _ = if NUMBERS.contains(&column) {
                write!(line, "{cell:>width$}  ")
            } else {
                write!(line, "{cell:<width$}  ")
            };
        }
        let _ = writeln!(text, "{}", line.trim_end());
    }
    message::show(&text);
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

const COLUMNS: usize = 12;

const HEAD: [&str; COLUMNS] = [
    "source",
    "status",
    "lines",
    "written",
    "rejected",
    "duplicate",
    "filtered",
    "blank",
    "seconds",
    "first call",
    "last call",
    "rejected for",
];

/// The columns that are set to the right.
const NUMBERS: std::ops::Range<usize> = 2..9;

/// The columns that are left out if there are none.
const DUPLICATES: usize = 5;
const FILTERED: usize = 6;

/// A row of the table.
type Row = [String; COLUMNS];

fn source_row(source: &SourceReport) -> Row {
    let status = match source.status {
        Status::Loaded if source.tally.bytes_read == 0 => "empty",
        Status::Failed => "FAILED",
        Status::Held => "HELD",
        status => status.name(),
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
        number(|tally| tally.records_filtered),
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
    let counts = Status::ALL.map(|status| (status, report.count(status)));
    let count = |status| report.count(status);
    let skipped = report.sources.iter().filter(|source| source.status.is_skipped()).count();
    let held = match count(Status::Held) {
        0 => String::new(),
        held => format!(", {held} held"),
    };
    let (loaded, failed) = (count(Status::Loaded), count(Status::Failed));
    let run = &report.run_id;
    let text =
        format!("sources: {loaded} loaded, {skipped} skipped{held}, {failed} failed (run {run})");
    let mut message = Message::new(Event::Summary, text);
    for (status, count) in counts {
        message = message.with(&format!("sources_{}", status.name()), count);
    }
    message.with("sources_skipped", skipped).with_all(&report.totals).tell();
    for SourceReport { source, supersedes, .. } in &report.sources {
        if let Some(earlier) = supersedes {
            let text = format_args!("{source} takes the place of {earlier}, another version of it");
            Message::new(Event::SourceSuperseded, text)
                .with("source", source)
                .with("supersedes", earlier)
                .tell();
        }
    }
    let reopened = report.sources.iter().filter(|source| source.reopened_rejects > 0);
    for SourceReport { source, reopened_rejects, .. } in reopened {
        let text = format_args!(
            "{reopened_rejects} of {source} are open again; before it was replaced they were waived"
        );
        Message::new(Event::RejectsReopened, text)
            .with("source", source)
            .with("open_rejects", reopened_rejects)
            .tell();
    }
    let not_written = report.rejects_not_written;
    if not_written > 0 {
        let text = format_args!(
            "{not_written} counted and not written, for they hold numbers in clear; cdrlake inspect \
             --rejected shows them where they are, and --rejects-in-clear writes them (fixed when a \
             lake is made)"
        );
        Message::new(Event::RejectsNotWritten, text).with("records_rejected", not_written).tell();
    }
    let mut skipped = report.sources.iter().filter(|source| source.status.is_skipped());
    for source in skipped.by_ref().take(MAX_ROWS) {
        Message::new(Event::SourceSkipped, format!("skipped: {}", why_skipped(source)))
            .with("source", &source.source)
            .with("status", source.status.name())
            .with("same_as", &source.same_as)
            .with("since", &source.left_out_since)
            .with("open_rejects", source.open_rejects)
            .tell();
    }
    let open: u64 = report.sources.iter().map(|source| source.open_rejects).sum();
    if open > 0 {
        let text = format_args!(
            "still open in sources that were skipped: rejected lines: {open}; cdrlake audit names them"
        );
        Message::new(Event::RejectsOpen, text).with("open_rejects", open).tell();
    }
    let others = skipped.count();
    if others > 0 {
        let text = format_args!("skipped: {others} others");
        Message::new(Event::SourceSkipped, text).with("sources", others).tell();
    }
    for (code, count) in report.totals.warnings.iter() {
        let advice = match code {
            "unknown_country" => {
                ": national numbers of so many sources stay unnormalized; give --country, or the \
                 profile's country in cdrlake.toml"
            }
            "trailing_zeros" => ": zeros follow the archive of so many sources",
            _ => "",
        };
        Message::new(Event::SourceWarning, format_args!("{count} {code}{advice}"))
            .with("code", code)
            .with("count", count)
            .tell();
    }
    for output in &report.outputs {
        let (path, rows, bytes) = (output.path.display(), output.rows, output.bytes);
        let text = format_args!("{path}: {rows} rows, {bytes} bytes");
        Message::new(Event::OutputWritten, text).with_all(output).tell();
    }
}

/// Why a source is left out, and how it would come in.
fn why_skipped(source: &SourceReport) -> String {
    let SourceReport { source: name, same_as, left_out_since, .. } = source;
    let since = left_out_since.as_deref().map(|day| format!(" on {day}")).unwrap_or_default();
    match (source.status, same_as) {
        (Status::Unloaded, _) => format!("{name} was unloaded{since}; --replace loads it again"),
        (Status::Superseded, _) if left_out_since.is_some() => {
            format!("{name} was superseded{since}; name it with --replace to bring it back")
        }
        (Status::Superseded, Some(other)) => format!("{name} is superseded by {other}"),
        (Status::Excluded, _) if left_out_since.is_some() => {
            let day = left_out_since.as_deref().unwrap_or_default();
            format!("{name} is left out since {day}; name it with --replace to load it")
        }
        (Status::Excluded, Some(other)) => {
            format!("{name} is left out for good, for {other} is another version of it")
        }
        (Status::Excluded, None) => {
            format!("{name} is empty, and its name is not that of a delivery")
        }
        (_, Some(first)) => format!("{name} has the same content as {first}"),
        (_, None) => format!("{name} was replayed before"),
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
