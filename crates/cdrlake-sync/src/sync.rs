//! All steps in one.

use std::path::PathBuf;

use cdrlake_fetch::{Checks, Error, Offering, Options, Profile, Progress, today};
use cdrlake_lake::{LakeLocation, LakeOptions};
use cdrlake_load::LoadOptions;
use jiff::civil::Date;

use crate::error::SyncError;
use crate::fetch::fetch;
use crate::inbox::check_inbox;
use crate::load::load;
use crate::plan::{SyncPlan, plan};

/// What [`sync()`] asks for, from where, and what it loads into.
#[derive(Clone, Debug)]
pub struct SyncOptions {
    /// The reseller profile.
    pub profile: Profile,
    /// What to ask for; if none, the offerings of which the lake has files of the profile.
    pub offerings: Vec<Offering>,
    /// The day it is, also for the fetch, whatever that has.
    pub today: Date,
    /// The directory that files are fetched into and loaded from; it is made if it is not there.
    pub inbox: PathBuf,
    /// How to fetch.
    pub fetch: Options,
    /// How to load, and where the lake is. The inputs are the inbox, whatever is here.
    pub lake: LakeOptions,
}

impl SyncOptions {
    /// The defaults for these. The interrupt of the fetch also ends the load, and the wait for the
    /// lake's lock.
    #[must_use]
    pub fn new(
        profile: Profile,
        inbox: PathBuf,
        fetch: Options,
        mut location: LakeLocation,
    ) -> Self {
        let mut load = LoadOptions::new(Vec::new());
        load.interrupt = fetch.interrupt.clone();
        location.interrupt = fetch.interrupt.clone();
        Self {
            profile,
            offerings: Vec::new(),
            today: today(),
            inbox,
            fetch,
            lake: LakeOptions::new(load, location),
        }
    }
}

/// What came of a sync.
#[derive(Debug)]
pub struct Synced {
    /// What was asked for, and what there was to say before.
    pub plan: SyncPlan,
    /// What the carrier answered; the next sync asks again for what failed.
    pub fetched: cdrlake_fetch::Report,
    /// What the lake took; none if the inbox is empty.
    pub loaded: Option<cdrlake_load::Report>,
}

/// Plans what to ask for, fetches it, and loads what is in the inbox then.
///
/// # Errors
///
/// [`SyncError`], if a step as a whole cannot be done, or the fetch was interrupted. A request that
/// failed is none, nor is a source: the reports tell. What was fetched before an error stays in the
/// inbox, and the next sync loads it.
pub fn sync(
    options: &SyncOptions,
    checks: &dyn Checks,
    progress: &dyn Progress,
) -> Result<Synced, SyncError> {
    let SyncOptions { profile, offerings, today, inbox, fetch: fetching, lake } = options;
    check_inbox(inbox, &lake.lake)?;
    let plan = plan(&lake.lake, profile, offerings, *today)?;
    let fetching = Options { today: *today, ..fetching.clone() };
    let fetched = fetch(&plan.tasks, inbox, fetching, checks, progress)?;
    let mut results = fetched.tasks.iter().map(|task| &task.result);
    if results.any(|result| matches!(result, Err(Error::Interrupted))) {
        return Err(SyncError::Interrupted(inbox.clone()));
    }
    let loaded = load(inbox, lake.clone())?;
    Ok(Synced { plan, fetched, loaded })
}
