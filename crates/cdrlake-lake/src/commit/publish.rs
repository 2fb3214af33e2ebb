//! A transaction made true of a lake that is a directory with a ledger.
//!
//! 1. Every file of the transaction is complete, synced and in the lake's staging directory.
//! 2. The ledger records the run and all that the transaction says, in one transaction. From here on the
//!    run will be published, by this process or by the next.
//! 3. Each file is renamed to its path, never onto another file; the directories are synced.
//! 4. Removed files are removed, and with the last one its partition's directory.
//! 5. The ledger's face is written anew.
//! 6. The ledger marks the run as published.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cdrlake_parquet::{directory, sync_directory, sync_each};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tempfile::TempPath;

use crate::error::LakeError;
use crate::ledger::{Ledger, PendingRun, is_sound_face, write_face};
use crate::model::Transaction;

/// Publishes a transaction in the lake at `root`, whose files are staged in `staging` and whose table of
/// sources stands at `face` in it.
pub(crate) fn publish(
    root: &Path,
    staging: &Path,
    face: &str,
    ledger: &Ledger,
    mut transaction: Transaction<TempPath>,
) -> Result<(), LakeError> {
    // From now on only the ledger knows whether they are needed. What it does not know of is left
    // in staging, where the next run removes it.
    for file in &mut transaction.add {
        file.staged.disable_cleanup(true);
    }
    sync_directory(staging)?;
    let pending = ledger.record(&transaction)?;
    finish(root, staging, face, ledger, &pending)
        .map_err(|error| LakeError::Unfinished(Box::new(error)))
}

/// Finishes what the ledger says is to be published.
pub(crate) fn finish(
    root: &Path,
    staging: &Path,
    face: &str,
    ledger: &Ledger,
    pending: &PendingRun,
) -> Result<(), LakeError> {
    let mut directories = BTreeSet::new();
    for (name, path) in &pending.add {
        let path = root.join(path);
        create_directories(root, directory(&path), &mut directories)?;
        rename_new(&staging.join(name), &path)?;
        directories.insert(directory(&path).to_owned());
    }
    sync_directories(std::mem::take(&mut directories))?;
    for path in &pending.remove {
        let path = root.join(path);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(LakeError::Write { path, error });
            }
            _ => {}
        }
        directories.insert(directory(&path).to_owned());
    }
    let left = directories.iter().map(|directory| remove_empty(root, directory));
    let mut left: BTreeSet<PathBuf> = left.map(Path::to_owned).collect();
    // Of two in one directory, the second may have taken it away.
    left.retain(|path| path.is_dir());
    sync_directories(left)?;
    publish_face(&root.join(face), staging, ledger)?;
    ledger.publish(pending.run)
}

/// Whether the ledger's face is there and can be read, and tells of this ledger's sources.
pub(crate) fn has_sound_face(face: &Path, ledger: &Ledger) -> Result<bool, LakeError> {
    is_sound_face(ledger, face)
}

/// Tells in the ledger's face what is true now.
pub(crate) fn publish_face(face: &Path, staging: &Path, ledger: &Ledger) -> Result<(), LakeError> {
    let above = directory(face);
    if !above.is_dir() {
        fs::create_dir_all(above).map_err(LakeError::write(above))?;
        sync_directory(directory(above))?;
    }
    write_face(ledger, staging, face)
}

/// Removes a directory in the lake, and those above it, but for that of its kind of files, as far
/// as they are empty. Gives the innermost one that is left. Nothing depends on it, so that it may
/// fail.
fn remove_empty<'p>(root: &Path, path: &'p Path) -> &'p Path {
    let mut path = path;
    while directory(path) != root && path.starts_with(root) {
        match fs::remove_dir(path) {
            Ok(()) => {}
            // An earlier attempt did it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => break,
        }
        path = directory(path);
    }
    path
}

fn sync_directories(directories: BTreeSet<PathBuf>) -> Result<(), LakeError> {
    let directories: Vec<_> = directories.into_iter().collect();
    Ok(sync_each(&directories, |directory| sync_directory(directory))?)
}

/// Creates a directory in the lake and those above it; adds those `to_sync` in which that changed
/// something.
fn create_directories(
    root: &Path,
    wanted: &Path,
    to_sync: &mut BTreeSet<PathBuf>,
) -> Result<(), LakeError> {
    let mut missing: Vec<PathBuf> = Vec::new();
    let mut path = wanted;
    while path != root && !path.is_dir() {
        missing.push(path.to_owned());
        path = directory(path);
    }
    for path in missing.into_iter().rev() {
        match fs::create_dir(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(LakeError::Write { path, error });
            }
            _ => to_sync.insert(directory(&path).to_owned()),
        };
    }
    Ok(())
}

/// Renames a staged file, unless an earlier attempt did. Never replaces another file.
fn rename_new(staged: &Path, path: &Path) -> Result<(), LakeError> {
    let renamed = match renameat_with(CWD, staged, CWD, path, RenameFlags::NOREPLACE) {
        // A file system without such renames: a link never replaces either.
        Err(Errno::INVAL | Errno::NOSYS) => {
            fs::hard_link(staged, path).and_then(|()| fs::remove_file(staged))
        }
        renamed => renamed.map_err(io::Error::from),
    };
    let Err(error) = renamed else { return Ok(()) };
    match error.kind() {
        io::ErrorKind::NotFound if path.is_file() => Ok(()),
        io::ErrorKind::NotFound if !staged.exists() => {
            Err(LakeError::StagedFileMissing(staged.into()))
        }
        // It was linked, and the staged name stayed.
        io::ErrorKind::AlreadyExists if is_one_file(staged, path) => {
            fs::remove_file(staged).map_err(LakeError::write(staged))
        }
        io::ErrorKind::AlreadyExists => Err(LakeError::OutputExists(path.into())),
        _ => Err(LakeError::Write { path: path.into(), error }),
    }
}

fn is_one_file(one: &Path, other: &Path) -> bool {
    let id = |path| fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()));
    matches!((id(one), id(other)), (Ok(one), Ok(other)) if one == other)
}
