//! A lake that is a directory: calls by partition, rejects, and a ledger that knows them.
//!
//! Opening it takes its lock and finishes, or clears away, what a run that died has left. The lock's
//! holder is the only writer, so that a commit meets a conflict only if somebody removed the lock.

use std::fs;
use std::io::{self, Write};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use cdrlake_parquet::{Existing, directory, persist};
use cdrlake_run::Interrupt;
use cdrlake_source::INTERNAL;
use tempfile::TempPath;

use super::publish;
use super::{Commit, FileChunks, Outcome};
use crate::error::LakeError;
use crate::facts::Facts;
use crate::format::LakeFormat;
use crate::ledger::Ledger;
use crate::location::LakeLocation;
use crate::lock::Lock;
use crate::model::{Acceptance, AddedFile, CompleteFile, FileKind, Transaction, Version};
use crate::open_lake::OpenLake;
use crate::settings::{IDENTITY, LakeSettings, Settings};
use crate::snapshot::Snapshot;

/// In the lake wherever the ledger is, so that there is one whatever the ledger is called.
const LOCK: &str = "ledger.sqlite.lock";

/// Holds what the ledger calls the lake.
const IDENTITY_FILE: &str = "identity";

const STAGING: &str = "staging";

/// A lake that this process alone may change.
#[derive(Debug)]
pub(crate) struct DirectoryLake {
    pub(crate) root: PathBuf,
    pub(crate) staging: PathBuf,
    pub(crate) ledger: Ledger,
    pub(crate) settings: LakeSettings,
    pub(crate) interrupt: Interrupt,
    _lock: Lock,
}

impl DirectoryLake {
    /// Opens a lake, or makes one where there is nothing. `wanted` are the settings that were asked
    /// for: those of a new lake, and of an old one they must be true.
    pub(crate) fn open(
        location: &LakeLocation,
        wanted: &Settings,
        run_id: &str,
    ) -> Result<Self, LakeError> {
        let root = &location.root;
        refuse_foreign(root)?;
        refuse_lost_ledger(location)?;
        let internal = root.join(INTERNAL);
        if !internal.is_dir() {
            wanted.check()?;
        }
        let staging = internal.join(STAGING);
        fs::create_dir_all(&staging).map_err(LakeError::write(&staging))?;
        Self::open_existing(location, run_id, |ledger| wanted.of_lake(ledger, root))
    }

    /// Opens a lake that must be there.
    pub(crate) fn open_known(location: &LakeLocation, run_id: &str) -> Result<Self, LakeError> {
        let root = &location.root;
        if !root.join(INTERNAL).is_dir() {
            return Err(LakeError::NoLake(root.clone()));
        }
        refuse_lost_ledger(location)?;
        Self::open_existing(location, run_id, |ledger| {
            Settings::default().of_known_lake(ledger, root)
        })
    }

    fn open_existing(
        location: &LakeLocation,
        run_id: &str,
        settings: impl FnOnce(&Ledger) -> Result<LakeSettings, LakeError>,
    ) -> Result<Self, LakeError> {
        let (root, ledger) = (&location.root, location.ledger());
        location.network.check(root)?;
        location.network.check(directory(&ledger))?;
        let lock = root.join(INTERNAL).join(LOCK);
        let lock = Lock::take(&lock, location.locked, run_id, &location.interrupt)?;
        let ledger = Ledger::open(&ledger)?;
        let settings = settings(&ledger)?;
        check_identity(root, &ledger)?;
        // Copies of lakes may lack it, for it is empty between runs.
        let staging = root.join(INTERNAL).join(STAGING);
        fs::create_dir_all(&staging).map_err(LakeError::write(&staging))?;
        let interrupt = location.interrupt.clone();
        let lake = Self { root: root.clone(), staging, ledger, settings, interrupt, _lock: lock };
        lake.recover()?;
        Ok(lake)
    }

    /// Writes the ledger's face, unless it is there already.
    fn ensure_face(&self) -> Result<(), LakeError> {
        match publish::has_sound_face(&self.face(), &self.ledger)? {
            true => Ok(()),
            false => publish::publish_face(&self.face(), &self.staging, &self.ledger),
        }
    }

    /// Where the ledger's face stands.
    fn face(&self) -> PathBuf {
        self.root.join(self.settings.format.sources_table())
    }

    /// This lake, open for a change.
    pub(crate) fn opened(&self) -> OpenLake<'_, Self> {
        OpenLake { lake: self, settings: &self.settings, interrupt: &self.interrupt }
    }

    /// Everything that is true of the lake now.
    pub(crate) fn facts(&self) -> Result<Facts, LakeError> {
        self.ledger.facts()
    }

    /// Records BLAKE3s of files that have none, and gives how many.
    pub(crate) fn record_hashes(
        &self,
        run_id: &str,
        hashes: &[(String, blake3::Hash)],
    ) -> Result<u64, LakeError> {
        self.ledger.record_hashes(run_id, hashes)
    }

    /// Closes findings of an audit.
    pub(crate) fn accept(&self, acceptance: &Acceptance) -> Result<(), LakeError> {
        self.ledger.accept(acceptance)?;
        publish::publish_face(&self.face(), &self.staging, &self.ledger)
    }
}

impl Commit for DirectoryLake {
    /// The ledger itself: while the lock is held, nobody else changes it.
    type Snapshot = Ledger;
    type Staged = TempPath;

    fn snapshot(&self) -> Result<impl Deref<Target = Ledger>, LakeError> {
        Ok(&self.ledger)
    }

    fn staging(&self) -> &Path {
        &self.staging
    }

    /// The file is where it can be renamed from already.
    fn stage(&self, base: Version, file: CompleteFile) -> Result<AddedFile<TempPath>, LakeError> {
        let CompleteFile { file: staged, digest, number, summary } = file;
        let (run, digest) = (base.0 + 1, &digest.to_hex()[..16]);
        let name = format!("{run:06}-{digest}-{number:04}");
        let path = self.settings.format.path(summary.kind, summary.partition, &name);
        Ok(AddedFile { staged, path, summary })
    }

    fn commit(
        &self,
        base: Version,
        transaction: Transaction<TempPath>,
    ) -> Result<Outcome, LakeError> {
        let version = self.ledger.version()?;
        if version != base {
            return Ok(Outcome::Conflict(version));
        }
        if transaction.is_empty() {
            self.ensure_face()?;
            return Ok(Outcome::Committed(base));
        }
        // Once it is recorded, nothing can stop it.
        self.interrupt.check()?;
        let face = self.settings.format.sources_table();
        publish::publish(&self.root, &self.staging, face, &self.ledger, transaction)?;
        Ok(Outcome::Committed(Version(base.0 + 1)))
    }

    fn note_seen(&self, contents: &[blake3::Hash]) -> Result<(), LakeError> {
        self.ledger.note_seen(contents)
    }

    /// Finishes a run that was recorded and not published, and clears away all that other runs
    /// left in staging.
    fn recover(&self) -> Result<(), LakeError> {
        if let Some(pending) = self.ledger.pending_run()? {
            let face = self.settings.format.sources_table();
            publish::finish(&self.root, &self.staging, face, &self.ledger, &pending)?;
        }
        let entries = fs::read_dir(&self.staging).map_err(LakeError::read(&self.staging))?;
        for entry in entries {
            let entry = entry.map_err(LakeError::read(&self.staging))?;
            let (path, kind) = (entry.path(), entry.file_type());
            let removed = match kind.is_ok_and(|kind| kind.is_dir()) {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(LakeError::write(path))?;
        }
        // The first run will publish it: in a new lake it would tell of nothing.
        if self.ledger.version()? == Version(0) { Ok(()) } else { self.ensure_face() }
    }

    fn read(&self, path: &str) -> Result<FileChunks, LakeError> {
        let path = self.root.join(path);
        let file = fs::File::open(&path).map_err(LakeError::read(path))?;
        Ok(FileChunks::File(file))
    }

    fn name(&self) -> PathBuf {
        self.root.clone()
    }

    fn locate(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }
}

/// A ledger that was lost must not be taken for a new lake's, and so made anew.
fn refuse_lost_ledger(location: &LakeLocation) -> Result<(), LakeError> {
    let root = &location.root;
    let data = LakeFormat::ALL.into_iter().flat_map(|format| {
        let directories = [FileKind::Calls, FileKind::Rejects].map(|kind| format.directory(kind));
        directories.into_iter().chain([format.sources_table().to_owned()])
    });
    let has_data = data.into_iter().any(|name| root.join(name).exists());
    match has_data && !location.ledger().exists() {
        true => Err(LakeError::LedgerMissing(root.clone())),
        false => Ok(()),
    }
}

/// Lake and ledger know each other by a name that was drawn when the lake was made: another lake's
/// ledger would take its sources for loaded.
fn check_identity(root: &Path, ledger: &Ledger) -> Result<(), LakeError> {
    let path = root.join(INTERNAL).join(IDENTITY_FILE);
    let expected = ledger.settings()?.remove(IDENTITY).unwrap_or_default();
    match fs::read_to_string(&path) {
        Ok(found) if found.trim() == expected => Ok(()),
        Ok(_) => Err(LakeError::OtherLedger(root.to_owned())),
        // A run that made the lake died before this.
        Err(error)
            if error.kind() == io::ErrorKind::NotFound && ledger.version()? == Version(0) =>
        {
            let staging = root.join(INTERNAL).join(STAGING);
            let mut file = cdrlake_parquet::temporary_in(&staging, 0o640)
                .map_err(LakeError::write(&staging))?;
            file.write_all(expected.as_bytes())
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| persist(file, &path, Existing::Replace))
                .map_err(LakeError::write(&path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(LakeError::OtherLedger(root.to_owned()))
        }
        Err(error) => Err(LakeError::Read { path, error }),
    }
}

/// A lake is made only where nothing else is.
pub(crate) fn refuse_foreign(root: &Path) -> Result<(), LakeError> {
    if root.join(INTERNAL).is_dir() {
        return Ok(());
    }
    match fs::read_dir(root) {
        Ok(mut entries) => match entries.next() {
            None => Ok(()),
            // Another run may be making it just now.
            Some(_) if root.join(INTERNAL).is_dir() => Ok(()),
            Some(_) => Err(LakeError::NotALake(root.to_owned())),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound && root.is_symlink() => {
            Err(LakeError::DanglingLink(root.to_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            Err(LakeError::NotALake(root.to_owned()))
        }
        Err(error) => Err(LakeError::Read { path: root.to_owned(), error }),
    }
}
