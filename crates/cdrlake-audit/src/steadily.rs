//! A lake read at one moment, though others may write it.

use cdrlake_lake::{Facts, LakeLocation, LakeReader};

use crate::error::AuditError;

/// Whether a lake stayed as it was while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Steadiness {
    Steady,
    Changed,
}

/// Reads a lake, again if it was changed meanwhile.
pub(crate) fn steadily<T>(
    location: &LakeLocation,
    read: impl Fn(&LakeReader, &Facts) -> Result<T, AuditError>,
) -> Result<(T, Steadiness), AuditError> {
    const ATTEMPTS: usize = 3;
    let lake = LakeReader::open(location)?;
    let mut attempt = 1;
    loop {
        let facts = lake.facts()?;
        let result = read(&lake, &facts);
        // Nor can what was read till then be trusted.
        lake.interrupt().check()?;
        if lake.moment()? == facts.moment {
            return result.map(|read| (read, Steadiness::Steady));
        }
        if attempt == ATTEMPTS {
            return result.map(|read| (read, Steadiness::Changed));
        }
        attempt += 1;
    }
}
