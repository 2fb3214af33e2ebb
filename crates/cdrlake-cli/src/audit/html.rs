//! An audit as one page of HTML that needs nothing else: no network, no script, no font.
//!
//! Text is escaped by the templates, for names of files can hold anything; and should any of it get
//! through, the page's own policy forbids browsers to run or load it. Of charts each says in its
//! title what it shows, and tables have the same in words.

mod advice;
mod calendar;
mod cells;
mod counts;
mod days;
mod findings;
mod sequences;
mod svg;
mod tables;

use cdrlake::{Observation, Overview};
use jiff::civil::DateTime;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use self::counts::grouped;
use super::verified;

/// Nothing but the style that stands in the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; \
                      form-action 'none'";

const STYLE: &str = include_str!("html/style.css");

/// What a part of the page is about: a lake, or CDR files.
pub(super) struct Subject<'a> {
    pub(super) name: String,
    /// The lake's path, if it is one.
    pub(super) lake: Option<&'a str>,
    pub(super) overview: &'a Overview,
}

/// The page, of which all is as of `now`.
pub(super) fn page(now: DateTime, subjects: &[Subject<'_>]) -> String {
    let as_of = spaced(now);
    let names: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
    let title = format!("Audit of {} as of {as_of}", names.join(", "));
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "Audit: is everything here?" }
                    p { "Audit as of " time datetime=(now) { (as_of) } ", by cdrlake "
                        (env!("CARGO_PKG_VERSION")) ". Days and times are those of files and calls, \
                        as delivered." }
                }
                main {
                    @for (index, subject) in subjects.iter().enumerate() {
                        (section(now, index, subject))
                    }
                }
                footer {
                    p { "Durations are exact to a tenth of a second; a minute has sixty seconds, whatever \
                        the tariff rounds." }
                }
            }
        }
    };
    page.into_string()
}

fn section(now: DateTime, index: usize, subject: &Subject<'_>) -> Markup {
    let overview = subject.overview;
    let audit = &overview.audit;
    // Each part, its heading, and what stands under it.
    let parts = [
        ("findings", "Findings", findings::part(now, overview, subject.lake)),
        ("deliveries", "Deliveries by day", calendar::part(now, overview)),
        ("calls", "Calls and minutes by day", days::part(&overview.by_call_day)),
        ("rejects", "Rejected lines", tables::rejects(&overview.rejects)),
        ("sequences", "Sequence numbers", sequences::part(audit)),
        ("totals", "Control totals", tables::totals(overview)),
    ];
    html! {
        article aria-labelledby=(format!("about-{index}")) {
            h2 id=(format!("about-{index}")) { (subject.name) }
            nav aria-label=(format!("Parts about {}", subject.name)) {
                ul {
                    @for (id, heading, _) in &parts {
                        li { a href=(format!("#{id}-{index}")) { (heading) } }
                    }
                }
            }
            (glance(overview))
            @for note in &audit.notes {
                p.note { strong { "Note: " } (note) }
            }
            @if let Some(verified) = &audit.verified {
                p.note { strong { "Verified: " } (verified::told(verified, subject.lake)) }
            }
            @for (id, heading, part) in parts {
                section id=(format!("{id}-{index}")) aria-labelledby=(format!("{id}-heading-{index}")) {
                    h3 id=(format!("{id}-heading-{index}")) { (heading) }
                    (part)
                }
            }
        }
    }
}

/// The figures that are looked at first.
fn glance(overview: &Overview) -> Markup {
    let audit = &overview.audit;
    let counts = overview.counts;
    let calls: u64 = overview.by_call_day.iter().map(|row| row.sum.calls).sum();
    let tenths: u64 = overview.by_call_day.iter().map(|row| row.sum.seconds.tenths()).sum();
    // What was accepted is looked at no more.
    let open = |of: fn(&Observation) -> u64| {
        audit.findings.iter().map(|finding| of(&finding.observation)).sum::<u64>()
    };
    let tiles = [
        ("findings", audit.findings.len() as u64),
        ("short days", open(short_days)),
        ("missing numbers", open(missing_numbers)),
        ("open rejects", open(open_rejects)),
    ];
    let plain = [("files loaded", counts.loaded), ("calls", calls), ("minutes", tenths / 600)];
    html! {
        dl.glance {
            @for (name, count) in tiles {
                @let (state, mark) = if count == 0 { ("good", "✓") } else { ("bad", "✕") };
                div class=(state) {
                    dt { (name) }
                    dd { span aria-hidden="true" { (mark) " " } (grouped(count)) }
                }
            }
            @for (name, count) in plain {
                div { dt { (name) } dd { (grouped(count)) } }
            }
        }
    }
}

fn short_days(observation: &Observation) -> u64 {
    match observation {
        Observation::MissingDelivery { first_day, last_day, .. } => {
            u64::from((*last_day - *first_day).get_days().unsigned_abs()) + 1
        }
        _ => 0,
    }
}

fn missing_numbers(observation: &Observation) -> u64 {
    match observation {
        Observation::MissingSequence { first, last, .. } => u64::from(last - first) + 1,
        _ => 0,
    }
}

fn open_rejects(observation: &Observation) -> u64 {
    match observation {
        Observation::OpenRejects { rejects, .. } => *rejects,
        _ => 0,
    }
}

/// `2025-10-04 08:00:00`.
fn spaced(time: DateTime) -> String {
    format!("{} {}", time.date(), time.time())
}
