//! Paths to files: directories are walked in the order of their entries' names.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::container::Unwrapper;
use super::file::WatchedFile;
use super::naming::Naming;
use super::{Opening, SourceError, Visitor};
use crate::lake::INTERNAL;

/// Visits a file, or every file below a directory.
///
/// Hidden entries of directories are left out, and so are the files that this run writes. A
/// directory that links lead to twice is walked once.
pub(super) fn visit_path<V: Visitor>(
    path: &Path,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    Walk { opening, visitor, directories: HashSet::new() }.path(path)
}

/// Whether a name begins with `.`: there are temporary files among such.
pub(super) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

struct Walk<'w, V> {
    opening: Opening<'w>,
    visitor: &'w mut V,
    /// Resolved, so that a loop of links is seen.
    directories: HashSet<PathBuf>,
}

impl<V: Visitor> Walk<'_, V> {
    fn path(&mut self, path: &Path) -> Result<(), V::Error> {
        match fs::metadata(path) {
            // A lake holds no deliveries, though it may stand among them.
            Ok(metadata) if metadata.is_dir() && path.join(INTERNAL).is_dir() => Ok(()),
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(metadata) if self.opening.written.holds(&metadata) => Ok(()),
            Ok(metadata) if metadata.is_file() => self.file(path),
            Ok(_) => self.failed(path, SourceError::SpecialFile),
            Err(error) => self.failed(path, SourceError::Open(error)),
        }
    }

    fn directory(&mut self, path: &Path) -> Result<(), V::Error> {
        match self.entries(path) {
            Ok(entries) => entries.iter().try_for_each(|entry| self.path(entry)),
            Err(error) => self.failed(path, SourceError::Open(error)),
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
            if !is_hidden(&entry.file_name()) {
                entries.push(entry.path());
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn file(&mut self, path: &Path) -> Result<(), V::Error> {
        match fs::File::open(path).and_then(WatchedFile::new) {
            Ok(file) => {
                let naming = Naming::of_path(path, self.opening.settings);
                Unwrapper::new(self.opening, self.visitor).file(&naming, file)
            }
            Err(error) => self.failed(path, SourceError::Open(error)),
        }
    }

    fn failed(&mut self, path: &Path, error: SourceError) -> Result<(), V::Error> {
        let naming = Naming::of_path(path, self.opening.settings);
        self.visitor.failed(naming.source(self.opening.settings), error)
    }
}
