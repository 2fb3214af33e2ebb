//! Checks the files that a run writes: no two may be one, and none may be an input or another's file.

use std::fs;
use std::path::{Path, PathBuf};

use cdrlake_parquet::directory;
use cdrlake_source::{Excluded, Input, rejects_files};

use crate::error::LoadError;
use crate::options::LoadOptions;
use crate::publish::Overwrite;
use crate::writable::{FileContent, check_place, check_writable};

/// Checks `outputs`, which only `overwrite` lets exist, and what the caller writes besides. Gives those
/// that exist: they are left out where inputs are walked.
///
/// # Errors
///
/// [`LoadError`]: an output exists, is an input, is written twice, has no directory, stands in a lake, has a
/// delivery's name, or would replace a file of other content.
pub fn check_outputs(
    options: &LoadOptions,
    outputs: &[(&Path, FileContent)],
    overwrite: Overwrite,
) -> Result<Excluded, LoadError> {
    for &(path, _) in outputs {
        if !directory(path).is_dir() {
            return Err(LoadError::NoDirectory(directory(path).to_owned()));
        }
        match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => {
                return Err(LoadError::NotAFile(path.to_owned()));
            }
            // Whatever else is wrong with the path shows when it is written.
            _ if overwrite == Overwrite::Refuse && fs::symlink_metadata(path).is_ok() => {
                return Err(LoadError::OutputExists(path.to_owned()));
            }
            _ => {}
        }
    }
    let also = options.also_written.iter().map(PathBuf::as_path);
    for path in also.clone() {
        check_place(path)?;
    }
    let all: Vec<&Path> = outputs.iter().map(|&(path, _)| path).chain(also).collect();
    for (index, path) in all.iter().enumerate() {
        if all[..index].iter().any(|other| resolved(other) == resolved(path)) {
            return Err(LoadError::SameOutput(path.to_path_buf()));
        }
    }
    let written = Excluded::existing(&all);
    for input in &options.inputs {
        let files = match input {
            Input::Path(path) => vec![path.clone()],
            // What cannot be listed fails when it is read.
            Input::Rejects(path) => rejects_files(path).unwrap_or_default(),
            Input::Stdin | Input::Stream(_) => Vec::new(),
        };
        let is_written =
            |path: &PathBuf| fs::metadata(path).is_ok_and(|metadata| written.holds(&metadata));
        if let Some(path) = files.into_iter().find(is_written) {
            return Err(LoadError::OutputIsInput(path));
        }
    }
    for &(path, content) in outputs {
        check_writable(path, content)?;
    }
    Ok(written)
}

/// The path without links and dots, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let directory = directory(path);
    let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
    path.file_name().map_or_else(|| directory.clone(), |name| directory.join(name))
}
