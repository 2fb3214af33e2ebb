//! Which deliveries of the carrier a lake has.

use super::{LakeLocation, refuse_foreign};
use crate::error::LakeError;
use crate::ledger::Ledger;

/// A file of the carrier that a lake has, by what its name tells:
/// `<country>_<profile>_<product identifier>_<sequence>_<YYYYMMDDHHmmss>.cdr`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Delivery {
    /// The reseller's profile, 1 to 5 letters or digits.
    pub profile: String,
    /// The product identifier, 1 or 2 letters or digits.
    pub product_identifier: String,
    /// The file's own time, local as delivered, as `2025-10-19T09:01:22`.
    pub file_time: String,
    /// The rolling number, 0 to 9999.
    pub sequence_number: u16,
}

/// The deliveries that are loaded, in order, each once; none if there is no lake yet.
///
/// It takes no lock: while a run changes the lake, it tells what was true before or after that.
///
/// # Errors
///
/// [`LakeError`]: there is something else in the lake's place, or its ledger cannot be read.
pub fn deliveries(location: &LakeLocation) -> Result<Vec<Delivery>, LakeError> {
    refuse_foreign(&location.root)?;
    let path = location.ledger();
    if !path.exists() {
        return Ok(Vec::new());
    }
    location.network.check(cdrlake_parquet::directory(&path))?;
    Ledger::open_existing(&path)?.map_or_else(|| Ok(Vec::new()), |ledger| ledger.deliveries())
}
