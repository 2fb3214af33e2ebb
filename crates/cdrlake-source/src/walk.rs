//! Paths to files: directories are walked in the order of their entries' names.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use cdrlake_core::is_bystander;
use cdrlake_inbox::ROOMS;

use crate::error::SourceError;
use crate::excluded::Excluded;
use crate::lake_directory::is_lake;

/// What stands at a path that is met.
#[derive(Debug)]
pub enum Met {
    /// A file that may be read.
    File(Metadata),
    /// A hidden file, which is left out.
    Hidden(Metadata),
    /// A directory of an inbox whose files are no call detail records, which is left out.
    Room,
    /// What cannot be a file, or not be looked at.
    Fault(SourceError),
}

/// Gives `on_met` a file, or every file below a directory, and whatever cannot be one.
///
/// Hidden directories and what systems leave beside files are left out, and so are lakes and
/// `excluded` files. A directory that links lead to twice is walked once.
///
/// # Errors
///
/// What `on_met` gives.
pub fn walk<E>(
    path: &Path,
    excluded: &Excluded,
    on_met: &mut impl FnMut(&Path, Met) -> Result<(), E>,
) -> Result<(), E> {
    let mut walk = Walk { excluded, on_met, directories: HashSet::new() };
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() && !is_lake(path) => walk.root(path),
        _ => walk.path(path),
    }
}

/// Whether a name begins with `.`: there are temporary files among such.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

struct Walk<'w, F> {
    excluded: &'w Excluded,
    on_met: &'w mut F,
    /// Resolved, so that a loop of links is seen.
    directories: HashSet<PathBuf>,
}

impl<E, F: FnMut(&Path, Met) -> Result<(), E>> Walk<'_, F> {
    /// The directory that the user named, which may be an inbox.
    fn root(&mut self, path: &Path) -> Result<(), E> {
        let entries = match self.entries(path) {
            Ok(entries) => entries,
            Err(error) => return (self.on_met)(path, Met::Fault(SourceError::Open(error))),
        };
        entries.iter().try_for_each(|entry| {
            let is_room = ROOMS.iter().any(|room| entry.file_name() == Some(OsStr::new(room)));
            match is_room && entry.is_dir() {
                true => (self.on_met)(entry, Met::Room),
                false => self.entry(entry),
            }
        })
    }

    fn path(&mut self, path: &Path) -> Result<(), E> {
        match fs::metadata(path) {
            // A lake holds no deliveries, though it may stand among them.
            Ok(metadata) if metadata.is_dir() && is_lake(path) => Ok(()),
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(metadata) if self.excluded.holds(&metadata) => Ok(()),
            Ok(metadata) if metadata.is_file() => (self.on_met)(path, Met::File(metadata)),
            Ok(_) => (self.on_met)(path, Met::Fault(SourceError::SpecialFile)),
            Err(error) => (self.on_met)(path, Met::Fault(SourceError::Open(error))),
        }
    }

    fn directory(&mut self, path: &Path) -> Result<(), E> {
        match self.entries(path) {
            Ok(entries) => entries.iter().try_for_each(|entry| self.entry(entry)),
            Err(error) => (self.on_met)(path, Met::Fault(SourceError::Open(error))),
        }
    }

    /// What stands in a directory.
    fn entry(&mut self, path: &Path) -> Result<(), E> {
        if !path.file_name().is_some_and(is_hidden) {
            return self.path(path);
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() && !self.excluded.holds(&metadata) => {
                (self.on_met)(path, Met::Hidden(metadata))
            }
            _ => Ok(()),
        }
    }

    /// The entries of a directory, sorted; none if it was walked before.
    fn entries(&mut self, path: &Path) -> io::Result<Vec<PathBuf>> {
        if !self.directories.insert(path.canonicalize()?) {
            return Ok(Vec::new());
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            if is_hidden(&name) || !is_bystander(&name.to_string_lossy()) {
                entries.push(entry.path());
            }
        }
        entries.sort();
        Ok(entries)
    }
}
