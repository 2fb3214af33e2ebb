//! A lake that is only read: without a lock, while others may write it.

use std::path::PathBuf;
use std::{fs, io};

use cdrlake_run::{Interrupt, Progress};
use cdrlake_source::is_lake;
use parquet::file::metadata::ParquetMetaDataReader;

use crate::commit::{DirectoryLake, FileChunks};
use crate::deliveries::deliveries;
use crate::error::LakeError;
use crate::facts::{Facts, FileFacts, Moment};
use crate::file_damage::FileDamage;
use crate::info::LakeInfo;
use crate::ledger::Ledger;
use crate::location::LakeLocation;
use crate::model::{Acceptance, FileKind};
use crate::settings::Settings;
use crate::snapshot::Snapshot;
use crate::verify::{Failed, verify};

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

    /// Reads a file whole, and returns its BLAKE3, or how it is not what the ledger says. Of a file whose
    /// BLAKE3 the ledger does not have, every value is read.
    ///
    /// # Errors
    ///
    /// [`LakeError::Interrupted`].
    pub fn verify(&self, file: &FileFacts) -> Result<Result<blake3::Hash, FileDamage>, LakeError> {
        self.progress().meet(self.locate(&file.path).display().to_string());
        let content = match self.read(&file.path) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Err(FileDamage::Missing));
            }
            Err(error) => return Ok(Err(FileDamage::Unreadable(error.to_string()))),
        };
        let mut on_bytes = |bytes| self.progress().add_bytes(bytes);
        match verify(&content, file.into(), self.interrupt(), &mut on_bytes) {
            Ok(hash) => Ok(Ok(hash)),
            Err(Failed::Damaged(damage)) => Ok(Err(damage)),
            Err(Failed::Interrupted) => Err(LakeError::Interrupted),
        }
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

/// What a lake is and what it holds, as its ledger says. No lock is taken and nothing is written, so a
/// lake of an earlier version stays as it is.
///
/// # Errors
///
/// [`LakeError`]: there is no lake, or its ledger cannot be read; [`LakeError::LedgerVersion`] or
/// [`LakeError::LakeVersion`], if it is a newer program's.
pub fn info(location: &LakeLocation) -> Result<LakeInfo, LakeError> {
    let lake = LakeReader::open(location)?;
    // Of what this version does not know it cannot tell what it means.
    Settings::default().of_known_lake(&lake.ledger, &location.root)?;
    let (mut info, latest) = lake.ledger.info()?;
    info.schema_version = latest.iter().find_map(|path| schema_version(&lake, path));
    Ok(info)
}

/// As the file's key has it.
fn schema_version(lake: &LakeReader, path: &str) -> Option<String> {
    const KEY: &str = "cdrlake.schema_version";
    let file = lake.read(path).ok()?;
    let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).ok()?;
    let told = metadata.file_metadata().key_value_metadata()?;
    told.iter().find(|told| told.key == KEY)?.value.clone()
}

/// Records the BLAKE3s of files of a lake that have none, by their paths in it, in one transaction and
/// under the lake's lock; gives how many. One that is recorded is never replaced.
///
/// # Errors
///
/// [`LakeError`]: none is recorded then.
pub fn record_hashes(
    location: &LakeLocation,
    run_id: &str,
    hashes: &[(String, blake3::Hash)],
) -> Result<u64, LakeError> {
    DirectoryLake::open_known(location, run_id)?.record_hashes(run_id, hashes)
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
