//! What a lake holds and how it came there, in one SQLite file.
//!
//! The journal is SQLite's rollback journal with `synchronous = EXTRA`: a commit is on disk when it
//! returns, the directory's entry of the journal included, and between runs the ledger is one file
//! that can be copied, or read where nothing can be written. A write-ahead log would be faster by
//! milliseconds a run, but keeps two more files beside it and shares memory among processes, which
//! network file systems cannot.
//!
//! What SQLite keeps aside while it works stays in memory: the temporary directory may be anywhere.
//!
//! A run is recorded in one transaction before its files become visible, with all that will be
//! true of the lake then, and marked as published in another, last. So what a run that died left
//! behind is either nothing, or everything that is needed to finish it.

mod audit;
mod face;
mod record;

use std::collections::BTreeMap;
use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use roaring::RoaringTreemap;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, Transaction, params};

use crate::error::LakeError;
use crate::known::{KnownSource, KnownSources, OpenRejects};
use crate::lake::Delivery;

pub(crate) use self::face::write_face;

/// The ledger tells names and counts: not for everybody.
const MODE: u32 = 0o640;

const SCHEMA: &str = include_str!("schema.sql");

/// Version of the tables, kept as `user_version`.
const VERSION: i64 = 1;

/// An open ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// A source in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SourceId(i64);

/// Whose a file's rows are, from the first to the last, and how many.
pub(crate) type RowsBySource = Vec<(SourceId, u64)>;

/// A run in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunId(i64);

/// A file of a lake, by its path in it.
#[derive(Clone, Debug)]
pub(crate) struct LedgerFile {
    id: i64,
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    pub(crate) rows: u64,
}

/// What a file of a lake holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Calls,
    Rejects,
}

impl FileKind {
    /// Its name in the ledger, and that of its directory in a lake.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Rejects => "rejects",
        }
    }

    /// The kind of a name, which the ledger holds to these two.
    fn of_name(name: &str) -> Self {
        if name == Self::Rejects.name() { Self::Rejects } else { Self::Calls }
    }
}

/// A run that died, or failed, while it was publishing: all that is left to do.
pub(crate) struct PendingRun {
    pub(crate) run: RunId,
    /// Names in the staging directory, and paths in the lake.
    pub(crate) add: Vec<(String, String)>,
    /// Paths in the lake.
    pub(crate) remove: Vec<String>,
}

impl Ledger {
    /// Opens the ledger at `path`, or makes an empty one.
    pub(crate) fn open(path: &Path) -> Result<Self, LakeError> {
        OpenOptions::new()
            .append(true)
            .create(true)
            .mode(MODE)
            .open(path)
            .and_then(|file| {
                let mode = file.metadata()?.permissions().mode();
                file.set_permissions(Permissions::from_mode(mode & MODE))
            })
            .map_err(LakeError::write(path))?;
        let ledger = Self::connect(path)?;
        ledger.create_tables()?;
        Ok(ledger)
    }

    /// Opens the ledger at `path`, where there is a file, for reading; none if another run is about
    /// to make it.
    ///
    /// The file is opened for writing nevertheless, where that is allowed: what a run that died
    /// left half written, SQLite must take back before it can be read.
    pub(crate) fn open_existing(path: &Path) -> Result<Option<Self>, LakeError> {
        let ledger = Self::connect(path)?;
        match ledger.version()? {
            0 => Ok(None),
            VERSION => Ok(Some(ledger)),
            version => Err(LakeError::LedgerVersion { path: path.to_owned(), version }),
        }
    }

    /// Opens a file that is there.
    fn connect(path: &Path) -> Result<Self, LakeError> {
        let ledger_error = |error| LakeError::Ledger { path: path.to_owned(), error };
        let flags = OpenFlags::default() & !OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags(path, flags).map_err(ledger_error)?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; \
                 PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; \
                 PRAGMA temp_store = MEMORY;",
            )
            .map_err(ledger_error)?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    fn version(&self) -> Result<i64, LakeError> {
        let version = self.query("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(version.first().copied().unwrap_or_default())
    }

    fn create_tables(&self) -> Result<(), LakeError> {
        match self.version()? {
            0 => self.transact(|transaction| {
                transaction.execute_batch(SCHEMA)?;
                transaction.pragma_update(None, "user_version", VERSION)
            }),
            VERSION => Ok(()),
            version => Err(LakeError::LedgerVersion { path: self.path.clone(), version }),
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self) -> impl Fn(rusqlite::Error) -> LakeError {
        let path = self.path.clone();
        move |error| LakeError::Ledger { path: path.clone(), error }
    }

    /// The lake's settings by name; none if the ledger is new.
    pub(crate) fn settings(&self) -> Result<BTreeMap<String, String>, LakeError> {
        self.query("SELECT name, value FROM lake", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map(|rows| rows.into_iter().collect())
    }

    /// Makes the ledger that of a new lake.
    pub(crate) fn set_settings(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), LakeError> {
        self.transact(|transaction| {
            for (name, value) in settings {
                transaction.execute("INSERT INTO lake VALUES (?1, ?2)", [name, value])?;
            }
            Ok(())
        })
    }

    /// How many runs have changed the lake.
    pub(crate) fn runs(&self) -> Result<u64, LakeError> {
        let count = self.query("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0))?;
        Ok(count.first().map_or(0, |&count| count as u64))
    }

    /// The run that is not published yet, if any.
    pub(crate) fn pending_run(&self) -> Result<Option<PendingRun>, LakeError> {
        let runs = self.query("SELECT run FROM runs WHERE status = 'publishing'", [], |row| {
            row.get::<_, i64>(0)
        })?;
        let Some(&run) = runs.first() else { return Ok(None) };
        let add = self.query(
            "SELECT staged, path FROM files WHERE added_run = ?1 AND staged IS NOT NULL \
             ORDER BY kind DESC, file",
            [run],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        let remove = self.query(
            "SELECT path FROM files WHERE removed_run = ?1 ORDER BY file",
            [run],
            |row| row.get(0),
        )?;
        Ok(Some(PendingRun { run: RunId(run), add, remove }))
    }

    /// The loaded source of this content.
    pub(crate) fn loaded(&self, hash: &blake3::Hash) -> Result<Option<SourceId>, LakeError> {
        self.query(
            "SELECT source FROM sources WHERE content_hash = ?1 AND status = 'loaded' \
             AND bytes_read > 0",
            [hash.to_hex().as_str()],
            |row| row.get(0).map(SourceId),
        )
        .map(|ids| ids.first().copied())
    }

    /// The name of a loaded source that left out duplicates, if any does but these; none if these
    /// are none.
    pub(crate) fn has_left_out_duplicates(
        &self,
        leaving: &[SourceId],
    ) -> Result<Option<String>, LakeError> {
        if leaving.is_empty() {
            return Ok(None);
        }
        let found = self.query(
            "SELECT source, name FROM sources WHERE status = 'loaded' AND records_duplicate > 0",
            [],
            |row| Ok((SourceId(row.get(0)?), row.get(1)?)),
        )?;
        Ok(found.into_iter().find(|(source, _)| !leaving.contains(source)).map(|(_, name)| name))
    }

    /// Whether an empty source of this name is loaded.
    pub(crate) fn has_empty(&self, source_file: &str) -> Result<bool, LakeError> {
        self.query(
            "SELECT 1 FROM sources WHERE source_file = ?1 AND status = 'loaded' AND bytes_read = 0",
            [source_file],
            |_| Ok(()),
        )
        .map(|found| !found.is_empty())
    }

    /// The loaded sources whose names are of the carrier's form for a delivery, each once.
    pub(crate) fn deliveries(&self) -> Result<Vec<Delivery>, LakeError> {
        self.query(
            "SELECT DISTINCT profile, product_identifier, file_time, sequence_number FROM sources \
             WHERE status = 'loaded' AND profile IS NOT NULL AND product_identifier IS NOT NULL \
             AND file_time IS NOT NULL AND sequence_number IS NOT NULL ORDER BY 1, 2, 3, 4",
            [],
            |row| {
                Ok(Delivery {
                    profile: row.get(0)?,
                    product_identifier: row.get(1)?,
                    file_time: row.get(2)?,
                    sequence_number: row.get(3)?,
                })
            },
        )
    }

    /// The loaded sources that have this name, source_file, carrier's name, or a content hash that
    /// begins so; with their names.
    pub(crate) fn loaded_as(&self, name: &str) -> Result<Vec<(SourceId, String)>, LakeError> {
        self.sources_as(name, "loaded")
    }

    /// Whether a source that is called so was unloaded.
    pub(crate) fn was_unloaded(&self, name: &str) -> Result<bool, LakeError> {
        self.sources_as(name, "unloaded").map(|found| !found.is_empty())
    }

    fn sources_as(&self, name: &str, status: &str) -> Result<Vec<(SourceId, String)>, LakeError> {
        /// Fewer digits may be a name as well.
        const MIN_HASH_LEN: usize = 8;
        let is_hash =
            name.len() >= MIN_HASH_LEN && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.query(
            "SELECT source, name FROM sources WHERE status = ?4 AND (name = ?1 OR \
             source_file = ?1 OR carrier_name = ?1 OR (?2 AND substr(content_hash, 1, ?3) = ?1)) \
             ORDER BY source",
            params![name, is_hash, name.len() as i64, status],
            |row| Ok((SourceId(row.get(0)?), row.get(1)?)),
        )
    }

    /// The files that hold rows of any of these sources, and for each file whose its rows are.
    pub(crate) fn files_of(
        &self,
        sources: &[SourceId],
    ) -> Result<Vec<(LedgerFile, RowsBySource)>, LakeError> {
        let mut files = BTreeMap::new();
        for SourceId(source) in sources {
            let found = self.query(
                "SELECT file, path, kind, rows FROM files \
                 WHERE file IN (SELECT file FROM file_sources WHERE source = ?1)",
                [source],
                ledger_file,
            )?;
            files.extend(found.into_iter().map(|file| (file.id, file)));
        }
        files.into_values().map(|file| Ok((file.clone(), self.rows_of(&file)?))).collect()
    }

    /// Whose a file's rows are, from the first to the last.
    pub(crate) fn rows_of(&self, file: &LedgerFile) -> Result<RowsBySource, LakeError> {
        self.query(
            "SELECT source, rows FROM file_sources WHERE file = ?1 ORDER BY first_row",
            [file.id],
            |row| Ok((SourceId(row.get(0)?), row.get::<_, i64>(1)? as u64)),
        )
    }

    /// All files of a kind.
    pub(crate) fn files(&self, kind: FileKind) -> Result<Vec<LedgerFile>, LakeError> {
        self.query(
            "SELECT file, path, kind, rows FROM files WHERE kind = ?1 ORDER BY path",
            [kind.name()],
            ledger_file,
        )
    }

    fn query<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LakeError> {
        let connection = self.connection();
        let mut statement = connection.prepare(sql).map_err(self.error())?;
        let rows = statement.query_map(parameters, read).map_err(self.error())?;
        rows.collect::<rusqlite::Result<_>>().map_err(self.error())
    }

    /// Does all of `work`, or nothing.
    fn transact<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, LakeError> {
        let mut connection = self.connection();
        let transaction = connection.transaction().map_err(self.error())?;
        let done = work(&transaction).map_err(self.error())?;
        transaction.commit().map_err(self.error())?;
        Ok(done)
    }
}

fn ledger_file(row: &Row<'_>) -> rusqlite::Result<LedgerFile> {
    let kind = FileKind::of_name(row.get_ref(2)?.as_str()?);
    Ok(LedgerFile { id: row.get(0)?, path: row.get(1)?, kind, rows: row.get::<_, i64>(3)? as u64 })
}

impl KnownSources for Ledger {
    fn of_content(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LakeError> {
        let sources = self.query(
            "SELECT name, CASE rejects_state WHEN 'open' THEN records_rejected ELSE 0 END \
             FROM sources WHERE content_hash = ?1 AND status = 'loaded' AND bytes_read > 0",
            [hash.to_hex().as_str()],
            |row| Ok(KnownSource { name: row.get(0)?, open_rejects: row.get::<_, i64>(1)? as u64 }),
        )?;
        Ok(sources.into_iter().next())
    }

    fn contents_of_name(&self, carrier_name: &str) -> Result<Vec<blake3::Hash>, LakeError> {
        let hashes = self.query(
            "SELECT content_hash FROM sources WHERE carrier_name = ?1 AND status = 'loaded'",
            [carrier_name],
            |row| row.get::<_, String>(0),
        )?;
        Ok(hashes.iter().filter_map(|hash| blake3::Hash::from_hex(hash).ok()).collect())
    }

    fn open_rejects(&self, hash: &blake3::Hash) -> Result<Option<OpenRejects>, LakeError> {
        let Some(source) = self.loaded(hash)? else { return Ok(None) };
        self.open_rejects_of(source).map(OpenRejects::These).map(Some)
    }
}

impl Ledger {
    /// The record numbers of a source's rejected lines that were not replayed yet.
    pub(crate) fn open_rejects_of(
        &self,
        SourceId(source): SourceId,
    ) -> Result<RoaringTreemap, LakeError> {
        let connection = self.connection();
        let blob = connection
            .query_row("SELECT open_rejects FROM sources WHERE source = ?1", [source], |row| {
                row.get::<_, Option<Vec<u8>>>(0)
            })
            .optional()
            .map_err(self.error())?;
        match blob.flatten() {
            None => Ok(RoaringTreemap::new()),
            Some(blob) => RoaringTreemap::deserialize_from(&blob[..])
                .map_err(|error| LakeError::Write { path: self.path.clone(), error }),
        }
    }
}
