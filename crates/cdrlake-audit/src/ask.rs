//! What can be asked of a lake as a whole.

use cdrlake_lake::LakeLocation;

use crate::audit::{Audit, AuditOptions};
use crate::check::{audit_facts, bytes_to_read};
use crate::error::AuditError;
use crate::overview::{self, Overview};
use crate::steadily::{Steadiness, steadily};
use crate::totals::{self, Period, PeriodOf, TotalsRow};

/// Audits a lake.
///
/// # Errors
///
/// [`AuditError`], if the lake or its ledger cannot be read; a file of it that cannot is a finding.
pub fn audit(location: &LakeLocation, options: &AuditOptions) -> Result<Audit, AuditError> {
    let (mut audit, steadiness) = steadily(location, |lake, facts| {
        location.progress.begin(bytes_to_read(lake, facts, options));
        audit_facts(lake, facts, options, &mut |_, _| {})
    })?;
    note(&mut audit, steadiness);
    Ok(audit)
}

/// Audits a lake, and counts by day what it holds. Calls are read once for both.
///
/// # Errors
///
/// As [`audit`].
pub fn overview(location: &LakeLocation, options: &AuditOptions) -> Result<Overview, AuditError> {
    let (mut overview, steadiness) =
        steadily(location, |lake, facts| overview::of_lake(lake, facts, options))?;
    note(&mut overview.audit, steadiness);
    Ok(overview)
}

/// Control totals of a lake, in the order of their keys.
///
/// # Errors
///
/// [`AuditError`], if the lake, its ledger or any of its files of calls cannot be read, or a run is
/// publishing.
pub fn totals(
    location: &LakeLocation,
    period: Period,
    of: PeriodOf,
) -> Result<Vec<TotalsRow>, AuditError> {
    steadily(location, |lake, facts| totals::of_lake(lake, facts, period, of))
        .map(|(totals, _)| totals)
}

fn note(audit: &mut Audit, steadiness: Steadiness) {
    if steadiness == Steadiness::Changed {
        audit.notes.push(
            "the lake was changed again and again while it was read: audit it once more".to_owned(),
        );
    }
}
