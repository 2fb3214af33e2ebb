//! Sources taken out of a lake.

use std::collections::{BTreeMap, BTreeSet};

use cdrlake_parquet::Compression;
use serde_json::json;

use crate::commit::{Commit, DirectoryLake};
use crate::error::LakeError;
use crate::location::LakeLocation;
use crate::model::{Ending, SourceFact, SourceId, Transaction};
use crate::open_lake::OpenLake;
use crate::snapshot::Snapshot;

/// What [`unload`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unloaded {
    /// The paths, as they were given, of the sources that are gone now.
    pub now: Vec<String>,
    /// Names of sources that were gone already.
    pub before: Vec<String>,
}

/// Removes every row, and every rejected line, of these loaded sources: each named by its path, as
/// it was given when it was loaded or any other that leads there, its `source_file`, the carrier's
/// name for it, or the first digits of its content's hash. What was unloaded before stays so, so that a run that died can be
/// done again.
///
/// # Errors
///
/// [`LakeError`]: none of them is removed then. A name that no source has, or several loaded ones,
/// is an error.
pub fn unload(
    location: &LakeLocation,
    names: &[String],
    compression: Compression,
) -> Result<Unloaded, LakeError> {
    let run_id = location.run_id();
    let lake = DirectoryLake::open_known(location, &run_id)?;
    unload_from(lake.opened(), run_id, names, compression)
}

/// The same, from any kind of lake.
pub(crate) fn unload_from<C: Commit>(
    open: OpenLake<'_, C>,
    run_id: String,
    names: &[String],
    compression: Compression,
) -> Result<Unloaded, LakeError> {
    let snapshot = open.snapshot()?;
    let mut sources: BTreeMap<SourceId, String> = BTreeMap::new();
    let mut before = Vec::new();
    for name in names {
        let mut found = snapshot.loaded_as(name)?;
        match (found.pop(), found.is_empty()) {
            (None, _) if snapshot.was_unloaded(name)? => before.push(name.clone()),
            (None, _) => return Err(LakeError::SourceNotLoaded(name.clone())),
            (Some(_), false) => return Err(LakeError::SourceAmbiguous(name.clone())),
            (Some((source, name)), true) => {
                sources.insert(source, name);
            }
        }
    }
    let (ids, now): (BTreeSet<_>, Vec<_>) = sources.into_iter().unzip();
    if ids.is_empty() {
        return Ok(Unloaded { now, before });
    }
    let ended = |&source| SourceFact::Ended { source, how: Ending::Unloaded };
    let mut transaction = Transaction {
        run_id,
        command: "unload",
        options: json!({ "sources": now }).to_string(),
        report: "{}".to_owned(),
        add: Vec::new(),
        remove: Vec::new(),
        sources: ids.iter().map(ended).collect(),
        left_out: Vec::new(),
    };
    open.leave_out(&snapshot, &ids, &mut transaction, compression)?;
    open.commit(snapshot.version()?, transaction)?;
    Ok(Unloaded { now, before })
}
