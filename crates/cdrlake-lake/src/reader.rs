//! A lake that is only read: without a lock, while others may write it.

use std::path::PathBuf;
use std::{fs, io};

use cdrlake_run::{Interrupt, Progress};
use cdrlake_source::is_lake;

use crate::commit::{DirectoryLake, FileChunks};
use crate::deliveries::deliveries;
use crate::error::LakeError;
use crate::facts::{Facts, Moment};
use crate::ledger::Ledger;
use crate::location::LakeLocation;
use crate::model::{Acceptance, FileKind};
use crate::snapshot::Snapshot;

/// A lake that is only read.
#[derive(Debug)]
pub struct LakeReader {
    location: LakeLocation,
    ledger: Ledger,
}

impl LakeReader {
    /// Opens a lake that must be there, and takes no lock.
    ///
    /// # Errors
    ///
    /// [`LakeError::NoLake`], [`LakeError::LedgerMissing`], or why the ledger cannot be read.
    pub fn open(location: &LakeLocation) -> Result<Self, LakeError> {
        let (root, path) = (&location.root, location.ledger());
        if !is_lake(root) {
            return Err(LakeError::NoLake(root.clone()));
        }
        if !path.is_file() {
            return Err(LakeError::LedgerMissing(root.clone()));
        }
        Ok(Self { location: location.clone(), ledger: Ledger::open_to_read(&path)? })
    }

    /// Everything that is true of the lake at this moment.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if the ledger cannot be read.
    pub fn facts(&self) -> Result<Facts, LakeError> {
        self.ledger.facts()
    }

    /// What tells whether the lake changed since.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if the ledger cannot be read.
    pub fn moment(&self) -> Result<Moment, LakeError> {
        self.ledger.moment()
    }

    /// The bytes of the file at a path in the lake.
    ///
    /// # Errors
    ///
    /// What the operating system says.
    pub fn read(&self, path: &str) -> io::Result<FileChunks> {
        fs::File::open(self.locate(path)).map(FileChunks::File)
    }

    /// Whether there is a file at a path in the lake.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.locate(path).is_file()
    }

    /// How many bytes a file has; 0 if it is not there.
    #[must_use]
    pub fn bytes(&self, path: &str) -> u64 {
        self.locate(path).metadata().map_or(0, |metadata| metadata.len())
    }

    /// What messages call the lake.
    #[must_use]
    pub fn name(&self) -> PathBuf {
        self.location.root.clone()
    }

    /// Where a path in the lake is, for messages.
    #[must_use]
    pub fn locate(&self, path: &str) -> PathBuf {
        self.location.root.join(path)
    }

    /// The paths of all files in the lake's directories of calls and of rejects, sorted, but for those whose
    /// names begin with a dot or an underscore: readers leave them out.
    ///
    /// # Errors
    ///
    /// [`LakeError::Read`], if a directory cannot be read.
    pub fn visible_files(&self) -> Result<Vec<String>, LakeError> {
        let (format, mut found) = (self.ledger.format()?, Vec::new());
        for kind in [FileKind::Calls, FileKind::Rejects] {
            self.walk(&format.directory(kind), &mut found)?;
        }
        found.sort();
        Ok(found)
    }

    fn walk(&self, directory: &str, found: &mut Vec<String>) -> Result<(), LakeError> {
        let path = self.locate(directory);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(LakeError::Read { path, error }),
        };
        for entry in entries {
            let entry = entry.map_err(LakeError::read(&path))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(['.', '_']) {
                continue;
            }
            let inner = format!("{directory}/{name}");
            let kind = entry.file_type().map_err(LakeError::read(&path))?;
            if kind.is_dir() { self.walk(&inner, found)? } else { found.push(inner) }
        }
        Ok(())
    }

    /// Asks the reading to end.
    #[must_use]
    pub const fn interrupt(&self) -> &Interrupt {
        &self.location.interrupt
    }

    /// Told how far the reading is.
    #[must_use]
    pub const fn progress(&self) -> &Progress {
        &self.location.progress
    }
}

/// Everything that is true of a lake at this moment; none if there is no lake yet.
///
/// # Errors
///
/// [`LakeError`]: there is something else in the lake's place, or its ledger cannot be read.
pub fn facts_if_there(location: &LakeLocation) -> Result<Option<Facts>, LakeError> {
    let path = location.ledger();
    // It knows what may stand in a lake's place, and where a ledger may be.
    deliveries(location)?;
    if !path.exists() {
        return Ok(None);
    }
    Ledger::open_to_read(&path)?.facts().map(Some)
}

/// Closes findings of an audit, under the lake's lock: what is closed, `what` says, which is given what
/// is true of the lake then.
///
/// # Errors
///
/// [`LakeError`]: none of them is closed then.
pub fn accept(
    location: &LakeLocation,
    run_id: &str,
    what: impl FnOnce(&Facts) -> Acceptance,
) -> Result<(), LakeError> {
    let lake = DirectoryLake::open_known(location, run_id)?;
    let facts = lake.facts()?;
    lake.accept(&what(&facts))
}
