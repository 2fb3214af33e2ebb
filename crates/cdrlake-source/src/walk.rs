//! Paths to files: directories are walked in the order of their entries' names.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use cdrlake_core::{is_bystander, is_unfinished};

use crate::container::Unwrapper;
use crate::error::SourceError;
use crate::excluded::Excluded;
use crate::file::WatchedFile;
use crate::lake_directory::is_lake;
use crate::naming::Naming;
use crate::opening::Opening;
use crate::visitor::Visitor;

/// Visits a file, or every file below a directory.
pub(crate) fn visit_path<V: Visitor>(
    path: &Path,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    walk(path, opening.excluded, &mut |path, found| {
        let naming = Naming::of_path(path, opening.settings);
        if let Ok(metadata) = &found {
            if opening.selection.leaves_out(naming.name()) {
                visitor.excluded(naming.name().to_owned());
                return Ok(());
            }
            if is_unfinished(naming.file_name()) {
                let age = metadata.modified().ok().and_then(|modified| modified.elapsed().ok());
                visitor.unfinished(naming.name().to_owned(), age.unwrap_or_default());
                return Ok(());
            }
        }
        let opened = found.and_then(|metadata| {
            let file = fs::File::open(path).and_then(WatchedFile::new);
            file.map(|file| (metadata, file)).map_err(SourceError::Open)
        });
        let (metadata, file) = match opened {
            Ok(opened) => opened,
            Err(error) => return visitor.failed(naming.source(opening.settings), error),
        };
        let before = opening.progress.bytes();
        Unwrapper::new(opening, visitor).file(&naming, file)?;
        opening.progress.set_bytes(before + metadata.len());
        Ok(())
    })
}

/// Gives `on_file` a file, or every file below a directory, and whatever cannot be one.
///
/// Hidden entries of directories and what systems leave there are left out, and so are lakes and
/// `excluded` files. A
/// directory that links lead to twice is walked once.
///
/// # Errors
///
/// What `on_file` gives.
pub fn walk<E>(
    path: &Path,
    excluded: &Excluded,
    on_file: &mut impl FnMut(&Path, Result<Metadata, SourceError>) -> Result<(), E>,
) -> Result<(), E> {
    Walk { excluded, on_file, directories: HashSet::new() }.path(path)
}

/// Whether a name begins with `.`: there are temporary files among such.
pub(crate) fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

struct Walk<'w, F> {
    excluded: &'w Excluded,
    on_file: &'w mut F,
    /// Resolved, so that a loop of links is seen.
    directories: HashSet<PathBuf>,
}

impl<E, F: FnMut(&Path, Result<Metadata, SourceError>) -> Result<(), E>> Walk<'_, F> {
    fn path(&mut self, path: &Path) -> Result<(), E> {
        match fs::metadata(path) {
            // A lake holds no deliveries, though it may stand among them.
            Ok(metadata) if metadata.is_dir() && is_lake(path) => Ok(()),
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(metadata) if self.excluded.holds(&metadata) => Ok(()),
            Ok(metadata) if metadata.is_file() => (self.on_file)(path, Ok(metadata)),
            Ok(_) => (self.on_file)(path, Err(SourceError::SpecialFile)),
            Err(error) => (self.on_file)(path, Err(SourceError::Open(error))),
        }
    }

    fn directory(&mut self, path: &Path) -> Result<(), E> {
        match self.entries(path) {
            Ok(entries) => entries.iter().try_for_each(|entry| self.path(entry)),
            Err(error) => (self.on_file)(path, Err(SourceError::Open(error))),
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
            if !is_bystander(&entry.file_name().to_string_lossy()) {
                entries.push(entry.path());
            }
        }
        entries.sort();
        Ok(entries)
    }
}
