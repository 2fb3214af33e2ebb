//! Files that are sources as they stand, for callers that read parts of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use crate::container::is_plain;
use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::inboxes::Inboxes;
use crate::naming::{Naming, Settings};
use crate::source::Source;

/// A file without a container around its records.
pub struct PlainFile {
    /// Its name, and what is known of it.
    pub source: Source,
    file: WatchedFile,
    modified: Duration,
}

impl PlainFile {
    /// Opens the file at `path`; none if that is anything else.
    ///
    /// # Errors
    ///
    /// [`SourceError::Open`], if it cannot be opened.
    pub fn open(path: &Path, settings: &Settings) -> Result<Option<Self>, SourceError> {
        let open = || -> io::Result<Option<Self>> {
            // A fifo would block.
            if !path.metadata()?.is_file() {
                return Ok(None);
            }
            let ordered = Inboxes::default().ordered(path, path.metadata()?.len());
            let naming = Naming::of_file(path, ordered, settings);
            let file = File::open(path)?;
            let modified = file.metadata()?.modified()?;
            let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
            let mut file = WatchedFile::new(file)?;
            let is_plain = is_plain(&mut file, &naming)?;
            Ok(is_plain.then(|| Self { source: naming.source(settings), file, modified }))
        };
        open().map_err(SourceError::Open)
    }

    /// Its length when it was opened.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.file.len()
    }

    /// When it was written to last, since 1970.
    #[must_use]
    pub fn modified(&self) -> Duration {
        self.modified
    }

    /// Its bytes from `start` to `end`; at their end it fails if the file has changed meanwhile.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn bytes(&self, start: u64, end: u64) -> io::Result<impl Read> {
        let mut file = self.file.clone();
        file.seek(SeekFrom::Start(start))?;
        Ok(self.file.watch(file.take(end - start)))
    }
}
