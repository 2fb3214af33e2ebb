//! Paths to files: directories are walked in the order of their entries' names.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cdrlake_core::{Metadata, parse_file_name};

use super::container::visit_file;
use super::{Source, SourceError, Visitor, label};
use crate::written::Written;

/// Visits a file, or every file below a directory.
///
/// Entries of directories whose names begin with `.` are left out, for there are temporary files
/// among them; so are the files that this run writes. A directory that links lead to twice is walked once.
pub(super) fn visit_path<V: Visitor>(
    path: &Path,
    settings: &Metadata,
    written: &Written,
    visitor: &mut V,
) -> Result<(), V::Error> {
    Walk { settings, written, visitor, directories: HashSet::new() }.path(path)
}

struct Walk<'w, V> {
    settings: &'w Metadata,
    written: &'w Written,
    visitor: &'w mut V,
    /// Resolved, so that a loop of links is seen.
    directories: HashSet<PathBuf>,
}

impl<V: Visitor> Walk<'_, V> {
    fn path(&mut self, path: &Path) -> Result<(), V::Error> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => self.directory(path),
            Ok(metadata) if self.written.holds(&metadata) => Ok(()),
            Ok(metadata) if metadata.is_file() => self.file(path),
            Ok(_) => self.visitor.failed(self.source(path), SourceError::SpecialFile),
            Err(error) => self.visitor.failed(self.source(path), SourceError::Open(error)),
        }
    }

    fn directory(&mut self, path: &Path) -> Result<(), V::Error> {
        match self.entries(path) {
            Ok(entries) => entries.iter().try_for_each(|entry| self.path(entry)),
            Err(error) => self.visitor.failed(self.source(path), SourceError::Open(error)),
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
            if !entry.file_name().as_encoded_bytes().starts_with(b".") {
                entries.push(entry.path());
            }
        }
        entries.sort();
        Ok(entries)
    }

    fn file(&mut self, path: &Path) -> Result<(), V::Error> {
        let source = self.source(path);
        match fs::File::open(path) {
            Ok(file) => visit_file(source, file, self.visitor),
            Err(error) => self.visitor.failed(source, SourceError::Open(error)),
        }
    }

    fn source(&self, path: &Path) -> Source {
        let source_file = label(&path.file_name().unwrap_or_default().to_string_lossy());
        let metadata = parse_file_name(&source_file, self.settings.profile.as_deref());
        Source {
            name: label(&path.display().to_string()),
            metadata: metadata.or(self.settings),
            source_file,
        }
    }
}
