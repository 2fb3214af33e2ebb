//! Sequence numbers by profile: what came, and where numbers are missing, along the time.

use cdrlake::{Audit, Finding, Observation, SequenceSummary};
use jiff::civil::Date;
use maud::{Markup, html};

use super::cells::{Cells, known, table};
use super::counts::{counted, grouped};
use super::svg::{band, path};

/// Ranges that are told in a row.
const TOLD: usize = 20;
/// Units of the strip, however long the time is.
const WIDTH: u32 = 600;
const HEIGHT: u32 = 14;

pub(super) fn part(audit: &Audit) -> Markup {
    if audit.sequences.is_empty() {
        return html! { p { "No file's name has a sequence number." } };
    }
    let head = [
        ("profile", Cells::Text),
        ("product", Cells::Text),
        ("country", Cells::Text),
        ("numbers", Cells::Number),
        ("first", Cells::Number),
        ("last", Cells::Number),
        ("missing", Cells::Number),
        ("repeated", Cells::Number),
        ("wraps", Cells::Number),
        ("resets", Cells::Number),
        ("gaps along the time", Cells::Text),
    ];
    let rows: Vec<_> = audit.sequences.iter().map(|sequence| row(audit, sequence)).collect();
    table("Sequence numbers by profile and product", &head, &rows)
}

fn row(audit: &Audit, sequence: &SequenceSummary) -> Vec<Markup> {
    let series = &sequence.series;
    let gaps = gaps(audit, sequence);
    vec![
        known(series.profile.as_ref()),
        known(series.product_identifier.as_ref()),
        match &series.country {
            Some(country) => html! { (country) },
            None => html! { "all" },
        },
        html! { (grouped(sequence.deliveries)) },
        html! { (format!("{:04}", sequence.first)) },
        html! { (format!("{:04}", sequence.last)) },
        html! { (grouped(sequence.missing)) },
        html! { (grouped(sequence.repeated)) },
        html! { (grouped(sequence.wraps)) },
        html! { (grouped(sequence.resets)) },
        html! {
            @if let Some((from, to)) = span(audit, sequence) { (strip(from, to, &gaps)) }
            @if gaps.is_empty() { "none" } @else { (ranges(&gaps)) }
        },
    ]
}

/// Numbers that are missing, and the days between which.
struct Gap {
    numbers: (u16, u16),
    days: (Date, Date),
    is_accepted: bool,
}

fn gaps(audit: &Audit, sequence: &SequenceSummary) -> Vec<Gap> {
    let gap = |finding: &Finding, is_accepted| match finding.observation {
        Observation::MissingSequence { first, last, after, before, .. }
            if finding.series == sequence.series =>
        {
            Some(Gap { numbers: (first, last), days: (after, before), is_accepted })
        }
        _ => None,
    };
    let open = audit.findings.iter().filter_map(|finding| gap(finding, false));
    let accepted = audit.accepted.iter().filter_map(|accepted| gap(&accepted.finding, true));
    let mut gaps: Vec<Gap> = open.chain(accepted).collect();
    gaps.sort_by_key(|gap| gap.days);
    gaps
}

/// The first and last day of the deliveries that are numbered together.
fn span(audit: &Audit, sequence: &SequenceSummary) -> Option<(Date, Date)> {
    let wanted = &sequence.series;
    let schedules = || {
        audit.schedules.iter().filter(|schedule| {
            let series = &schedule.series;
            (&series.profile, &series.product_identifier)
                == (&wanted.profile, &wanted.product_identifier)
                && (wanted.country.is_none() || wanted.country == series.country)
        })
    };
    let first = schedules().map(|schedule| schedule.first.date()).min()?;
    let last = schedules().map(|schedule| schedule.last.date()).max()?;
    Some((first, last))
}

/// A line from the first day to the last, with marks where numbers are missing.
fn strip(from: Date, to: Date, gaps: &[Gap]) -> Markup {
    let days = (to - from).get_days().max(1) as f64;
    let place = |day: Date| {
        let share = f64::from((day - from).get_days()) / days;
        (share * f64::from(WIDTH)).round() as i64
    };
    let mut marks: Vec<String> = gaps
        .iter()
        .map(|gap| {
            let (left, right) = (place(gap.days.0), place(gap.days.1));
            format!("M{left} 0h{}v{HEIGHT}H{left}z", (right - left).max(4))
        })
        .collect();
    // Of years of gaps many fall on one place.
    marks.dedup();
    let title = format!("{from} to {to}: {}", counted(gaps.len() as u64, "gap", "gaps"));
    let content = html! {
        (path("line", &format!("M0 5H{WIDTH}v4H0z")))
        (path("mark", &marks.concat()))
    };
    band(&title, WIDTH, HEIGHT, &content)
}

fn ranges(gaps: &[Gap]) -> Markup {
    html! {
        ul.ranges {
            @for Gap { numbers: (first, last), days: (after, before), is_accepted } in gaps.iter().take(TOLD) {
                li {
                    (format!("{first:04}"))
                    @if first != last { " to " (format!("{last:04}")) }
                    ", between " (after) " and " (before)
                    @if *is_accepted { " (accepted)" }
                }
            }
            @if gaps.len() > TOLD {
                li { "… and " (grouped((gaps.len() - TOLD) as u64)) " more" }
            }
        }
    }
}
