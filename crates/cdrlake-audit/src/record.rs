//! BLAKE3s of files that versions before wrote, recorded by whoever has verified them.

use cdrlake_lake::LakeLocation;

use crate::audit::Audit;
use crate::error::AuditError;

/// Records the BLAKE3s of files that have none, as an audit of the lake found them when it read files whole.
/// A file is left out if it cannot be read to its end, or if its rows or seconds, by file or by source, are
/// not those of the ledger. A BLAKE3 that is recorded is never replaced. Gives how many were recorded, and takes
/// these from the audit's count of unrecorded ones.
///
/// # Errors
///
/// [`AuditError`]: none is recorded then.
pub fn record(location: &LakeLocation, audit: &mut Audit) -> Result<u64, AuditError> {
    let Some(verified) = audit.verified.as_mut().filter(|found| !found.to_record.is_empty()) else {
        return Ok(0);
    };
    let hashes = std::mem::take(&mut verified.to_record);
    let recorded = cdrlake_lake::record_hashes(location, &location.run_id(), &hashes)?;
    verified.unrecorded = verified.unrecorded.saturating_sub(recorded);
    Ok(recorded)
}
