//! A lake: a directory of calls by partition, of rejects, and of the ledger that knows them.
//!
//! Opening a lake takes its lock and finishes, or clears away, what a run that died has left.

mod deduplicate;
mod deliveries;
mod load;
mod network;
mod places;
mod rewrite;
mod settings;
mod unload;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use self::deliveries::{Delivery, deliveries};
pub use self::load::{Duplicates, LakeOptions, convert_to_lake};
pub use self::network::NetworkFileSystem;
pub(crate) use self::places::Places;
pub use self::settings::LakeSettings;
pub(crate) use self::settings::{Settings, identities};
pub use self::unload::{Unloaded, unload};
use crate::error::LakeError;
use crate::ledger::{FileKind, Ledger};
use crate::lock::{Lock, Locked};
use crate::publish;
use cdrlake_run::Interrupt;
use cdrlake_run::Progress;
use cdrlake_run::new_run_id;
use cdrlake_source::INTERNAL;

const LEDGER: &str = "ledger.sqlite";

/// In the lake wherever the ledger is, so that there is one whatever the ledger is called.
const LOCK: &str = "ledger.sqlite.lock";

/// Holds what the ledger calls the lake.
const IDENTITY: &str = "identity";

const STAGING: &str = "staging";

/// Where a lake is, and how it is opened.
#[derive(Clone, Debug)]
pub struct LakeLocation {
    /// Its directory.
    pub root: PathBuf,
    /// The ledger's file, if it is kept elsewhere than in the lake.
    pub ledger: Option<PathBuf>,
    /// What to do while another run holds its lock.
    pub locked: Locked,
    /// Whether it may be on a network file system.
    pub network: NetworkFileSystem,
    /// What a run that loads nothing is called in the ledger and the lock; drawn by
    /// [`new_run_id`](crate::new_run_id) if none. One that loads has its own in
    /// [`LoadOptions`](crate::LoadOptions). A lake takes each once.
    pub run_id: Option<String>,
    /// Asks a run that waits for the lock, or rewrites files, to end.
    pub interrupt: Interrupt,
    /// Told how far an audit is, or a count of totals.
    pub progress: Progress,
}

impl LakeLocation {
    /// The lake in this directory, with its ledger in it.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            ledger: None,
            locked: Locked::default(),
            network: NetworkFileSystem::default(),
            run_id: None,
            interrupt: Interrupt::default(),
            progress: Progress::default(),
        }
    }

    /// The caller's, or a new one.
    pub(crate) fn run_id(&self) -> String {
        self.run_id.clone().unwrap_or_else(new_run_id)
    }

    pub(crate) fn ledger(&self) -> PathBuf {
        self.ledger.clone().unwrap_or_else(|| self.root.join(INTERNAL).join(LEDGER))
    }
}

/// A lake that this process alone may change.
#[derive(Debug)]
pub(crate) struct Lake {
    pub(crate) root: PathBuf,
    pub(crate) staging: PathBuf,
    pub(crate) ledger: Ledger,
    pub(crate) settings: LakeSettings,
    pub(crate) interrupt: Interrupt,
    _lock: Lock,
}

impl Lake {
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
        location.network.check(cdrlake_parquet::directory(&ledger))?;
        let lock = root.join(INTERNAL).join(LOCK);
        let lock = Lock::take(&lock, location.locked, run_id, &location.interrupt)?;
        let ledger = Ledger::open(&ledger)?;
        let settings = settings(&ledger)?;
        check_identity(root, &ledger)?;
        let staging = root.join(INTERNAL).join(STAGING);
        let interrupt = location.interrupt.clone();
        let lake = Self { root: root.clone(), staging, ledger, settings, interrupt, _lock: lock };
        lake.recover()?;
        Ok(lake)
    }

    /// Finishes a run that was recorded and not published, and clears away all that other runs
    /// left in staging.
    fn recover(&self) -> Result<(), LakeError> {
        if let Some(pending) = self.ledger.pending_run()? {
            publish::finish(&self.root, &self.staging, &self.ledger, &pending)?;
        }
        let entries = fs::read_dir(&self.staging).map_err(LakeError::write(&self.staging))?;
        for entry in entries {
            let entry = entry.map_err(LakeError::write(&self.staging))?;
            let (path, kind) = (entry.path(), entry.file_type());
            let removed = match kind.is_ok_and(|kind| kind.is_dir()) {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed.map_err(LakeError::write(path))?;
        }
        // The first run will publish it: in a new lake it would tell of nothing.
        if self.ledger.runs()? == 0 { Ok(()) } else { self.ensure_face() }
    }

    /// Writes the ledger's face, unless it is there already.
    fn ensure_face(&self) -> Result<(), LakeError> {
        match publish::has_sound_face(&self.root, &self.ledger)? {
            true => Ok(()),
            false => self.write_face(),
        }
    }

    /// Publishes a plan, unless the run is to end; once it is recorded, nothing can stop it.
    pub(crate) fn publish(&self, plan: publish::Plan) -> Result<(), LakeError> {
        self.interrupt.check()?;
        publish::publish(&self.root, &self.staging, &self.ledger, plan)
    }

    /// Tells in the ledger's face what is true now.
    pub(crate) fn write_face(&self) -> Result<(), LakeError> {
        publish::publish_face(&self.root, &self.staging, &self.ledger)
    }

    /// The path in the lake of the file of this number among those of the next run.
    pub(crate) fn new_path(
        &self,
        kind: FileKind,
        partition: &str,
        number: usize,
        digest: &blake3::Hash,
    ) -> Result<String, LakeError> {
        let run = self.ledger.runs()? + 1;
        let directory = kind.name();
        let separator = if partition.is_empty() { "" } else { "/" };
        let digest = &digest.to_hex()[..16];
        Ok(format!("{directory}{separator}{partition}/{run:06}-{digest}-{number:04}.parquet"))
    }
}

/// A ledger that was lost must not be taken for a new lake's, and so made anew.
fn refuse_lost_ledger(location: &LakeLocation) -> Result<(), LakeError> {
    let root = &location.root;
    let has_data = [FileKind::Calls.name(), FileKind::Rejects.name(), publish::FACE];
    match has_data.iter().any(|name| root.join(name).exists()) && !location.ledger().exists() {
        true => Err(LakeError::LedgerMissing(root.clone())),
        false => Ok(()),
    }
}

/// Lake and ledger know each other by a name that was drawn when the lake was made: another lake's
/// ledger would take its sources for loaded.
fn check_identity(root: &Path, ledger: &Ledger) -> Result<(), LakeError> {
    let path = root.join(INTERNAL).join(IDENTITY);
    let expected = ledger.settings()?.remove(IDENTITY).unwrap_or_default();
    match fs::read_to_string(&path) {
        Ok(found) if found.trim() == expected => Ok(()),
        Ok(_) => Err(LakeError::OtherLedger(root.to_owned())),
        // A run that made the lake died before this.
        Err(error) if error.kind() == io::ErrorKind::NotFound && ledger.runs()? == 0 => {
            let staging = root.join(INTERNAL).join(STAGING);
            let mut file = cdrlake_parquet::temporary_in(&staging, 0o640)
                .map_err(LakeError::write(&staging))?;
            file.write_all(expected.as_bytes())
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| file.persist(&path).map_err(|error| error.error))
                .and_then(|_| fs::File::open(root.join(INTERNAL))?.sync_all())
                .map_err(LakeError::write(&path))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(LakeError::OtherLedger(root.to_owned()))
        }
        Err(error) => Err(LakeError::Write { path, error }),
    }
}

/// A lake is made only where nothing else is.
fn refuse_foreign(root: &Path) -> Result<(), LakeError> {
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
        Err(error) => Err(LakeError::Write { path: root.to_owned(), error }),
    }
}
