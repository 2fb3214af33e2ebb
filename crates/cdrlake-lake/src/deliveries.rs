//! Which deliveries of the carrier a lake has.

use crate::commit::refuse_foreign;
use crate::error::LakeError;
use crate::ledger::Ledger;
use crate::location::LakeLocation;
use crate::model::Delivery;

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
