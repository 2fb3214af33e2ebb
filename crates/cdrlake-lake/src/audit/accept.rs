//! Findings closed by someone who has looked at them.

use super::{Audit, AuditOptions, Finding, audit, sources};
use crate::error::LakeError;
use crate::lake::{Lake, LakeLocation};

/// Closes findings of a lake: they count no more, until they change. Open rejects are waived.
/// Gives what was closed.
///
/// # Errors
///
/// [`LakeError`]: none of them is closed then. An identifier that no finding has is an error.
pub fn accept(
    location: &LakeLocation,
    options: &AuditOptions,
    ids: &[String],
    reason: &str,
) -> Result<Vec<Finding>, LakeError> {
    let Audit { findings, accepted, .. } = audit(location, options)?;
    let known = findings.into_iter().chain(accepted.into_iter().map(|accepted| accepted.finding));
    let known: Vec<Finding> = known.collect();
    let find = |id: &String| {
        let found = known.iter().find(|finding| finding.id == *id);
        found.cloned().ok_or_else(|| LakeError::NoFinding(id.clone()))
    };
    let found = ids.iter().map(find).collect::<Result<Vec<Finding>, _>>()?;
    let run_id = location.run_id();
    let lake = Lake::open_known(location, &run_id)?;
    let facts = lake.ledger.facts()?;
    let waived = facts.sources.values().filter(|source| {
        sources::open_rejects(source).is_some_and(|finding| ids.contains(&finding.id))
    });
    let waived: Vec<i64> = waived.map(|source| source.id).collect();
    lake.ledger.accept(&run_id, ids, &waived, reason)?;
    lake.write_face()?;
    Ok(found)
}
