//! Sources that failed, and rejected lines that nobody has looked at.

use std::collections::BTreeSet;

use cdrlake_lake::{RejectsState, SourceFacts, SourceStatus};
use cdrlake_source::CHANGED;
use jiff::civil::Date;

use crate::finding::{DaysLeft, Finding, Observation, Series};

/// Failed sources and open rejects. A failed delivery whose content is loaded, or that was loaded
/// under the carrier's name, is settled; the ledger forgets other settled ones.
pub(super) fn check<'s>(
    sources: impl Iterator<Item = &'s SourceFacts> + Clone,
    today: Date,
) -> Vec<Finding> {
    let loaded = || sources.clone().filter(|source| source.is_loaded());
    let names: BTreeSet<&str> = loaded().filter_map(|s| s.carrier_name.as_deref()).collect();
    let contents: BTreeSet<&str> = loaded().filter_map(|s| s.content_hash.as_deref()).collect();
    let is_among = |known: &BTreeSet<&str>, key: &Option<String>| {
        key.as_deref().is_some_and(|key| known.contains(key))
    };
    let is_settled = |source: &SourceFacts, code: &str| {
        // Of two contents under one name, that one is loaded says nothing of the other.
        (code != CHANGED && is_among(&names, &source.carrier_name))
            || is_among(&contents, &source.content_hash)
    };
    sources
        .filter_map(|source| match &source.status {
            SourceStatus::Failed { code, .. } if is_settled(source, code) => None,
            SourceStatus::Failed { .. } => failure(source, today),
            SourceStatus::Loaded => open_rejects(source),
        })
        .collect()
}

/// What is found of a source that failed or is held.
pub(super) fn failure(source: &SourceFacts, today: Date) -> Option<Finding> {
    let SourceStatus::Failed { code, error } = &source.status else { return None };
    Some(Finding::new(
        Series::of(source),
        Observation::FailedSource {
            source: source.name.clone(),
            key: source.failure_key(),
            code: code.clone(),
            error: error.clone(),
            days_left: source.file_time.map(|time| DaysLeft::of(time.date(), today)),
        },
    ))
}

pub(super) fn open_rejects(source: &SourceFacts) -> Option<Finding> {
    let is_open = source.is_loaded() && source.rejects == RejectsState::Open;
    is_open.then(|| {
        Finding::new(
            Series::of(source),
            Observation::OpenRejects {
                source: source.name.clone(),
                content_hash: source.key().to_owned(),
                rejects: source.records_rejected,
            },
        )
    })
}
