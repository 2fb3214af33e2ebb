//! Files that are sources as they stand, for callers that read parts of them.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::container::is_plain;
use super::file::WatchedFile;
use super::naming::Naming;
use super::{Settings, Source, SourceError};

/// A file without a container around its records.
pub(crate) struct PlainFile {
    pub(crate) source: Source,
    file: WatchedFile,
    modified: Duration,
}

impl PlainFile {
    /// None if the path is anything else.
    pub(crate) fn open(path: &Path, settings: &Settings) -> Result<Option<Self>, SourceError> {
        let naming = Naming::of_path(path, settings);
        let open = || -> io::Result<Option<Self>> {
            // A fifo would block.
            if !path.metadata()?.is_file() {
                return Ok(None);
            }
            let file = File::open(path)?;
            let modified = file.metadata()?.modified()?;
            let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
            let mut file = WatchedFile::new(file)?;
            let is_plain = is_plain(&mut file, &naming)?;
            Ok(is_plain.then(|| Self { source: naming.source(settings), file, modified }))
        };
        open().map_err(SourceError::Open)
    }

    pub(crate) fn len(&self) -> u64 {
        self.file.len()
    }

    /// When it was written to last, since 1970.
    pub(crate) fn modified(&self) -> Duration {
        self.modified
    }

    /// Its bytes from `start` to `end`; at their end it fails if the file has changed meanwhile.
    pub(crate) fn bytes(&self, start: u64, end: u64) -> io::Result<impl Read> {
        let mut file = self.file.clone();
        file.seek(SeekFrom::Start(start))?;
        Ok(self.file.watch(file.take(end - start)))
    }
}
