//! Findings closed by someone who has looked at them.

use cdrlake_lake::{Acceptance, LakeLocation, SourceId};

use crate::ask::audit;
use crate::audit::{Audit, AuditOptions};
use crate::error::AuditError;
use crate::finding::{FILE_CHANGED, Finding};
use crate::sources;
use crate::verify::Verify;

/// Closes findings of a lake: they count no more, until they change. Open rejects are waived, and sources
/// that failed or are held are set aside.
/// Gives what was closed.
///
/// # Errors
///
/// [`AuditError`]: none of them is closed then. An identifier that no finding has is an error.
pub fn accept(
    location: &LakeLocation,
    options: &AuditOptions,
    ids: &[String],
    reason: &str,
) -> Result<Vec<Finding>, AuditError> {
    let mut options = *options;
    if ids.iter().any(|id| id.starts_with(FILE_CHANGED)) {
        options.verify = Verify::Whole;
    }
    let Audit { findings, accepted, .. } = audit(location, &options)?;
    let known = findings.into_iter().chain(accepted.into_iter().map(|accepted| accepted.finding));
    let known: Vec<Finding> = known.collect();
    let find = |id: &String| {
        let found = known.iter().find(|finding| finding.id == *id);
        found.cloned().ok_or_else(|| AuditError::NoFinding(id.clone()))
    };
    let found = ids.iter().map(find).collect::<Result<Vec<Finding>, _>>()?;
    let run_id = location.run_id();
    cdrlake_lake::accept(location, &run_id, |facts| {
        let waived = facts.sources.values().filter(|source| {
            sources::open_rejects(source).is_some_and(|finding| ids.contains(&finding.id))
        });
        let set_aside = facts.sources.values().filter(|source| {
            sources::failure(source, options.now.date())
                .is_some_and(|finding| ids.contains(&finding.id))
        });
        Acceptance {
            run_id: run_id.clone(),
            findings: ids.to_vec(),
            set_aside: set_aside.map(|source| SourceId(source.id)).collect(),
            waived: waived.map(|source| SourceId(source.id)).collect(),
            reason: reason.to_owned(),
        }
    })?;
    Ok(found)
}
