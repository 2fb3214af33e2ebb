//! Findings by kind, with what to do; then those that someone has accepted.

use cdrlake::{Accepted, Finding, Overview};
use jiff::civil::{Date, DateTime};
use maud::{Markup, html};

use super::advice::{accept, advice, fetch, heading};
use super::counts::{counted, grouped};
use crate::advice::of_finding;
use crate::quoted::quoted;

/// Findings of a kind that are seen at once; the others unfold.
const SHOWN: usize = 10;
/// Findings that unfold at the most.
const LISTED: usize = 500;

/// The findings of a lake, or of CDR files if `lake` is no path.
pub(super) fn part(now: DateTime, overview: &Overview, lake: Option<&str>) -> Markup {
    let audit = &overview.audit;
    // Kinds in the order in which they are found, which is that of what to look into first.
    let mut kinds: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in &audit.findings {
        let kind = finding.observation.kind();
        match kinds.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, findings)) => findings.push(finding),
            None => kinds.push((kind, vec![finding])),
        }
    }
    html! {
        @if kinds.is_empty() {
            p.verdict.good { span aria-hidden="true" { "✓ " } "No findings: nothing is known to be missing." }
        } @else {
            p.verdict.bad {
                span aria-hidden="true" { "✕ " }
                (counted(audit.findings.len() as u64, "finding", "findings")) " to look into."
            }
        }
        @for (_, findings) in &kinds {
            (kind(findings, now.date(), lake))
        }
        @if !audit.accepted.is_empty() {
            (accepted(&audit.accepted))
        }
    }
}

fn kind(findings: &[&Finding], today: Date, lake: Option<&str>) -> Markup {
    let Some(first) = findings.first() else { return html! {} };
    let (shown, hidden) = findings.split_at(findings.len().min(SHOWN));
    html! {
        section.kind {
            h4 { (heading(&first.observation)) " (" (grouped(findings.len() as u64)) ")" }
            p { strong { "What to do: " } (advice(&first.observation)) }
            @if let Some(lake) = lake {
                p.quiet { "To accept one: " code { (accept(lake)) } }
            }
            (list(shown, today))
            @if !hidden.is_empty() {
                details {
                    summary { (grouped(hidden.len() as u64)) " more" }
                    (list(hidden, today))
                }
            }
        }
    }
}

fn list(findings: &[&Finding], today: Date) -> Markup {
    html! {
        ul {
            @for finding in findings.iter().take(LISTED) {
                li {
                    @let series = finding.series.to_string();
                    @if !series.is_empty() { b { (series) } ": " }
                    (of_finding(finding))
                    " " code.quiet { (quoted(&finding.id)) }
                    @if let Some(command) = fetch(finding, today) { code.command { (command) } }
                }
            }
        }
        (others(findings.len()))
    }
}

fn accepted(all: &[Accepted]) -> Markup {
    html! {
        details {
            summary { (grouped(all.len() as u64)) " accepted" }
            ul {
                @for Accepted { finding, reason } in all.iter().take(LISTED) {
                    li {
                        (of_finding(finding)) " " code.quiet { (quoted(&finding.id)) } br;
                        strong { "Accepted: " } (reason)
                    }
                }
            }
            (others(all.len()))
        }
    }
}

fn others(count: usize) -> Markup {
    html! {
        @if count > LISTED {
            p { "… and " (grouped((count - LISTED) as u64)) " more, which cdrlake audit --json lists." }
        }
    }
}
