//! Sources that failed, and rejected lines that nobody has looked at.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::facts::{RejectsState, SourceFacts, SourceStatus};
use super::finding::{DaysLeft, Finding, Observation};

/// Failed sources and open rejects. A failed delivery that was loaded since, under whatever path,
/// is settled.
pub(super) fn check<'s>(
    sources: impl Iterator<Item = &'s SourceFacts> + Clone,
    today: Date,
) -> Vec<Finding> {
    let loaded = sources.clone().filter(|source| source.is_loaded());
    let loaded: BTreeSet<&str> =
        loaded.filter_map(|source| source.carrier_name.as_deref()).collect();
    let is_settled = |source: &SourceFacts| {
        source.carrier_name.as_deref().is_some_and(|name| loaded.contains(name))
    };
    sources
        .filter_map(|source| match &source.status {
            // Of two contents under one name, that one is loaded says nothing of the other.
            SourceStatus::Failed { code, .. } if code != "changed" && is_settled(source) => None,
            SourceStatus::Failed { code, error } => Some(Finding::new(
                source.series(),
                Observation::FailedSource {
                    source: source.name.clone(),
                    code: code.clone(),
                    error: error.clone(),
                    days_left: source.file_time.map(|time| DaysLeft::of(time.date(), today)),
                },
            )),
            SourceStatus::Loaded => open_rejects(source),
        })
        .collect()
}

pub(super) fn open_rejects(source: &SourceFacts) -> Option<Finding> {
    let is_open = source.is_loaded() && source.rejects == RejectsState::Open;
    is_open.then(|| {
        Finding::new(
            source.series(),
            Observation::OpenRejects {
                source: source.name.clone(),
                content_hash: source.key().to_owned(),
                rejects: source.records_rejected,
            },
        )
    })
}
