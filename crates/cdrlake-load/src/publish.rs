//! The files of a run that writes no lake: each is published by itself, under the name that the
//! user gave it.

use std::path::PathBuf;
use std::{fs, io};

use cdrlake_parquet::{Existing, StagedFile, persist};

use crate::error::LoadError;

/// What to do if there is a file under an output's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Overwrite {
    /// Refuse to begin.
    #[default]
    Refuse,
    /// Replace it.
    Replace,
}

/// Publishes files in this order: each becomes visible under its name at once and whole. Then
/// removes what is left over from an earlier run, if it is there.
///
/// If a step fails, later ones are not taken; files published by then stay.
pub(crate) fn publish_files(
    add: Vec<StagedFile>,
    remove: &[PathBuf],
    overwrite: Overwrite,
) -> Result<(), LoadError> {
    for StagedFile { file, path, .. } in add {
        let existing = match overwrite {
            Overwrite::Replace => Existing::Replace,
            Overwrite::Refuse => Existing::Keep,
        };
        persist(file, &path, existing).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => LoadError::OutputExists(path.clone()),
            _ => LoadError::Write { path: path.clone(), error },
        })?;
    }
    for path in remove {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LoadError::Write { path: path.clone(), error });
            }
            _ => {}
        }
    }
    Ok(())
}
