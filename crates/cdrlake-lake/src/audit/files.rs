//! The lake's directories against the ledger: files that are missing, or unknown.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use super::facts::{FileFacts, FileState};
use super::finding::{Finding, Observation};
use crate::error::LakeError;
use crate::ledger::FileKind;

/// Whether a file that the ledger knows is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    There,
    /// A run that is not published yet decides.
    Unsettled,
    Missing,
}

pub(super) fn presence(root: &Path, file: &FileFacts) -> Presence {
    match (root.join(&file.path).is_file(), file.state) {
        (_, FileState::Going) | (false, FileState::Coming) => Presence::Unsettled,
        (true, _) => Presence::There,
        (false, FileState::Settled) => Presence::Missing,
    }
}

/// How many bytes a file has; 0 if it is not there.
pub(super) fn bytes(root: &Path, file: &FileFacts) -> u64 {
    root.join(&file.path).metadata().map_or(0, |metadata| metadata.len())
}

/// Files that readers of the lake see and the ledger does not know. What begins with a dot or an
/// underscore readers leave out.
pub(super) fn unknown(root: &Path, files: &[FileFacts]) -> Result<Vec<Finding>, LakeError> {
    let known: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut found = Vec::new();
    for kind in [FileKind::Calls, FileKind::Rejects] {
        walk(root, kind.name(), &mut found)?;
    }
    found.sort();
    let unknown = found.into_iter().filter(|path| !known.contains(path.as_str()));
    Ok(unknown
        .map(|path| path.replace(char::is_control, "\u{FFFD}"))
        .map(|path| Finding::new(Default::default(), Observation::UnknownFile { path }))
        .collect())
}

fn walk(root: &Path, directory: &str, found: &mut Vec<String>) -> Result<(), LakeError> {
    let path = root.join(directory);
    let entries = match fs::read_dir(&path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(LakeError::Read { path, error }),
    };
    for entry in entries {
        let entry = entry.map_err(LakeError::read(&path))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let inner = format!("{directory}/{name}");
        let kind = entry.file_type().map_err(LakeError::read(&path))?;
        if kind.is_dir() { walk(root, &inner, found)? } else { found.push(inner) }
    }
    Ok(())
}
