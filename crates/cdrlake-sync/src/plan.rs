//! What to ask the carrier for, from what a lake has.

use std::collections::BTreeSet;
use std::num::NonZero;

use cdrlake_fetch::{Deliveries, Offering, Plan, Profile, Task, Warning};
use cdrlake_lake::{LakeLocation, deliveries};
use jiff::civil::Date;

use crate::error::SyncError;
use crate::known::by_offering;

/// What to ask for, and what to say before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncPlan {
    /// Requests for a day each: of one offering after the other, the oldest days first.
    pub tasks: Vec<Task>,
    /// What the carrier will not have for long, with its offering.
    pub warnings: Vec<(Offering, Warning)>,
    /// Identifiers of products of which the lake has files of the profile, but for which there is no
    /// offering, so that they cannot be asked for.
    pub unknown_products: Vec<String>,
}

/// Plans what to ask for, so that a lake has all that the carrier still has of a profile: of
/// `offerings`, or else of those of which the lake has files. The lake need not be there yet; it is
/// not changed, and nothing is sent.
///
/// # Errors
///
/// [`SyncError::NoProduct`]: no offerings are given, and the lake tells none; [`SyncError::Lake`]: it
/// cannot be read.
pub fn plan(
    lake: &LakeLocation,
    profile: &Profile,
    offerings: &[Offering],
    today: Date,
) -> Result<SyncPlan, SyncError> {
    // The files that a request for several days brings may not tell their days.
    const ONE_DAY: NonZero<u32> = NonZero::<u32>::MIN;
    let known = by_offering(&deliveries(lake)?, profile);
    let unknown_products = known.unknown_products;
    let offerings = match offerings {
        [] if known.offerings.is_empty() => {
            let (lake, profile) = (lake.root.clone(), profile.clone());
            return Err(SyncError::NoProduct { lake, profile, unknown_products });
        }
        [] => known.offerings.values().map(|(offering, _)| *offering).collect(),
        given => given.to_vec(),
    };
    let (mut tasks, mut warnings) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for offering in offerings.into_iter().filter(|offering| seen.insert(offering.as_str())) {
        let none = Deliveries::default();
        let known = known.offerings.get(offering.as_str());
        let deliveries = known.map_or(&none, |(_, deliveries)| deliveries);
        let plan = Plan::new(profile, offering, deliveries, today, ONE_DAY);
        warnings.extend(plan.warnings.into_iter().map(|warning| (offering, warning)));
        tasks.extend(plan.tasks);
    }
    Ok(SyncPlan { tasks, warnings, unknown_products })
}

#[cfg(test)]
mod tests {
    use cdrlake_fetch::UNRATED_DAYS;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn an_offering_that_is_given_twice_is_asked_for_once() {
        let directory = tempfile::tempdir().unwrap();
        let lake = LakeLocation::new(directory.path().join("lake"));
        let profile = "ABC".parse().unwrap();
        let [sip, voice] = ["SIP Trunking", "Voice Line"].map(|name| name.parse().unwrap());
        let plan = plan(&lake, &profile, &[sip, voice, sip], date(2026, 11, 22)).unwrap();
        assert_eq!(plan.tasks.len(), 2 * (UNRATED_DAYS as usize + 1));
        assert!(plan.warnings.is_empty() && plan.unknown_products.is_empty(), "{plan:?}");
        assert!(!lake.root.exists());
    }
}
