//! Finished files made visible: the only place that renames and removes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::error::LakeError;
use crate::staging::{StagedFile, directory};

/// What to do if there is a file under an output's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse to begin.
    #[default]
    Refuse,
    /// Replace it.
    Replace,
}

/// What a run publishes.
pub(crate) struct Plan {
    /// In the order in which they become visible; complete and synced.
    pub(crate) add: Vec<StagedFile>,
    /// Left over from an earlier run; need not be there.
    pub(crate) remove: Vec<PathBuf>,
}

/// Publishes a plan: each file becomes visible under its name at once and whole.
///
/// If a step fails, later ones are not taken; files published by then stay.
pub(crate) fn publish(plan: Plan, overwrite: Overwrite) -> Result<(), LakeError> {
    for StagedFile { file, path, .. } in plan.add {
        let persisted = match overwrite {
            Overwrite::Replace => file.persist(&path),
            Overwrite::Refuse => file.persist_noclobber(&path),
        };
        persisted.map_err(|error| match error.error.kind() {
            io::ErrorKind::AlreadyExists => LakeError::OutputExists(path.clone()),
            _ => LakeError::Write { path: path.clone(), error: error.error },
        })?;
        sync_directory(&path)?;
    }
    for path in plan.remove {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LakeError::Write { path, error });
            }
            _ => {}
        }
    }
    Ok(())
}

/// Makes a rename last through a loss of power.
fn sync_directory(path: &Path) -> Result<(), LakeError> {
    File::open(directory(path))
        .and_then(|directory| directory.sync_all())
        .map_err(LakeError::write(path))
}
