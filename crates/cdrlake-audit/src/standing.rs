//! Where a lake stands, as its ledger alone tells: quick enough to be asked after every run.

use cdrlake_lake::{LakeLocation, RejectsState, SourceFacts, facts_if_there};
use jiff::civil::DateTime;

use crate::audit::AuditOptions;
use crate::error::AuditError;
use crate::finding::Observation;
use crate::{sequences, sources};

/// Where a lake stands; findings that someone has closed do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Sources that are loaded.
    pub loaded_sources: u64,
    /// Sources that could not be loaded, and were not since.
    pub failed_sources: u64,
    /// Rejected lines of loaded sources that were neither replayed nor waived.
    pub open_rejects: u64,
    /// Ranges of sequence numbers that did not come, though later ones did.
    pub open_gaps: u64,
    /// Sequence numbers in these ranges.
    pub missing_numbers: u64,
    /// The latest time that the name of a loaded file tells, local as delivered.
    pub newest_file_time: Option<DateTime>,
}

/// Where a lake stands; none if there is none yet.
///
/// No lock is taken, nothing is written, and no file but the ledger is read.
///
/// # Errors
///
/// [`AuditError`]: there is something else in the lake's place, or its ledger cannot be read.
pub fn standing(location: &LakeLocation) -> Result<Option<Standing>, AuditError> {
    let Some(facts) = facts_if_there(location)? else { return Ok(None) };
    let today = AuditOptions::default().now.date();
    let all = || facts.sources.values();
    let loaded = || all().filter(|source| source.is_loaded());
    let is_open_rejects = |source: &&SourceFacts| source.rejects == RejectsState::Open;
    let mut standing = Standing {
        loaded_sources: loaded().count() as u64,
        open_rejects: loaded().filter(is_open_rejects).map(|source| source.records_rejected).sum(),
        newest_file_time: loaded().filter_map(|source| source.file_time).max(),
        ..Standing::default()
    };
    let (_, mut findings) = sequences::check(loaded().chain(&facts.accounted_for), today);
    findings.extend(sources::check(all(), today));
    for finding in findings.iter().filter(|finding| !facts.accepted.contains_key(&finding.id)) {
        match finding.observation {
            Observation::FailedSource { .. } => standing.failed_sources += 1,
            Observation::MissingSequence { first, last, .. } => {
                standing.open_gaps += 1;
                // A range ends at the latest where the numbers do.
                standing.missing_numbers += u64::from(last.saturating_sub(first)) + 1;
            }
            _ => {}
        }
    }
    Ok(Some(standing))
}
