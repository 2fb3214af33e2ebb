//! The lake's directories against the ledger: files that are missing, or unknown.

use std::collections::BTreeSet;

use cdrlake_lake::{FileFacts, FileState, LakeReader};

use crate::error::AuditError;
use crate::finding::{Finding, Observation};

/// Whether a file that the ledger knows is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    /// A run that is not published yet decides.
    Unsettled,
    Missing,
}

pub(super) fn presence(lake: &LakeReader, file: &FileFacts) -> Presence {
    match (lake.has(&file.path), file.state) {
        (_, FileState::Going) | (false, FileState::Coming) => Presence::Unsettled,
        (true, _) => Presence::There,
        (false, FileState::Settled) => Presence::Missing,
    }
}

/// Files that readers of the lake see and the ledger does not know.
pub(super) fn unknown(lake: &LakeReader, files: &[FileFacts]) -> Result<Vec<Finding>, AuditError> {
    let known: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let found = lake.visible_files()?;
    let unknown = found.into_iter().filter(|path| !known.contains(path.as_str()));
    Ok(unknown
        .map(|path| path.replace(char::is_control, "\u{FFFD}"))
        .map(|path| Finding::new(Default::default(), Observation::UnknownFile { path }))
        .collect())
}
