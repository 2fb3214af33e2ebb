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

mod facts;
mod hashes;
mod info;
mod migration;
mod record;
mod snapshot;
mod sources;
mod sources_table;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use cdrlake_source::INTERNAL;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction};

use crate::error::LakeError;
use crate::model::{FileKind, LakeFile};
use crate::partition::Partition;

pub(crate) use self::sources_table::{is_sound_face, write_face};

/// The ledger tells names and counts: not for everybody.
const MODE: u32 = 0o640;

const SCHEMA: &str = include_str!("schema.sql");

/// The table of sources and its indexes, apart from the others since [migration] makes it, too.
const SOURCES: &str = include_str!("sources.sql");

/// Version of the tables, kept as `user_version`.
const VERSION: i64 = 3;

/// Versions of which a ledger can be read, and is [migrated](migration) before it is written.
const EARLIER_VERSIONS: std::ops::Range<i64> = 2..VERSION;

/// An open ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    connection: Mutex<Connection>,
}

/// A run in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunId(i64);

/// A run that died, or failed, while it was publishing: all that is left to do.
pub(crate) struct PendingRun {
    pub(crate) run: RunId,
    /// Names in the staging directory, and paths in the lake.
    pub(crate) add: Vec<(String, String)>,
    /// Paths in the lake.
    pub(crate) remove: Vec<String>,
}

impl Ledger {
    /// Opens the ledger at `path`, or makes an empty one, which has tables from its
    /// [settings](Self::set_settings) on.
    pub(crate) fn open(path: &Path) -> Result<Self, LakeError> {
        let created = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path);
        match created {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(LakeError::Write { path: path.to_owned(), error });
            }
            _ => drop(created),
        }
        let mut ledger = Self::connect(path)?;
        ledger.has_tables()?;
        ledger.migrate()?;
        fs::metadata(path)
            .and_then(|metadata| {
                let mode = metadata.permissions().mode();
                fs::set_permissions(path, Permissions::from_mode(mode & MODE))
            })
            .map_err(LakeError::write(path))?;
        Ok(ledger)
    }

    /// Opens the ledger at `path`, where there is a file, for reading; none if another run is about
    /// to make it.
    ///
    /// The file is opened for writing nevertheless, where that is allowed: what a run that died
    /// left half written, SQLite must take back before it can be read.
    pub(crate) fn open_existing(path: &Path) -> Result<Option<Self>, LakeError> {
        let ledger = Self::connect(path)?;
        Ok(ledger.has_tables()?.then_some(ledger))
    }

    /// Opens a file that is there.
    fn connect(path: &Path) -> Result<Self, LakeError> {
        let flags = OpenFlags::default() & !OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags(path, flags).map_err(ledger_error(path))?;
        connection
            .execute_batch(
                "PRAGMA journal_mode = DELETE; PRAGMA synchronous = EXTRA; \
                 PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 10000; \
                 PRAGMA temp_store = MEMORY;",
            )
            .map_err(ledger_error(path))?;
        Ok(Self { path: path.to_owned(), connection: Mutex::new(connection) })
    }

    /// The expression for a file's BLAKE3, which a ledger that was not migrated does not have.
    fn blake3_column(&self) -> Result<&'static str, LakeError> {
        const SINCE: i64 = 3;
        Ok(if self.schema_version()? < SINCE { "NULL" } else { "blake3" })
    }

    fn schema_version(&self) -> Result<i64, LakeError> {
        let version = self.query("PRAGMA user_version", [], |row| row.get(0))?;
        Ok(version.first().copied().unwrap_or_default())
    }

    /// Whether it is more than an empty file. A database without a version that has tables is
    /// someone else's.
    fn has_tables(&self) -> Result<bool, LakeError> {
        match self.schema_version()? {
            0 => {
                let tables = self.query("SELECT 1 FROM sqlite_schema LIMIT 1", [], |_| Ok(()))?;
                match tables.is_empty() {
                    true => Ok(false),
                    false => Err(LakeError::NotALedger(self.path.clone())),
                }
            }
            VERSION => Ok(true),
            version if EARLIER_VERSIONS.contains(&version) => Ok(true),
            version => Err(LakeError::LedgerVersion { path: self.path.clone(), version }),
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self) -> impl Fn(rusqlite::Error) -> LakeError {
        ledger_error(&self.path)
    }

    /// The lake's settings by name; none if the ledger is new.
    pub(crate) fn settings(&self) -> Result<BTreeMap<String, String>, LakeError> {
        if !self.has_tables()? {
            return Ok(BTreeMap::new());
        }
        self.query("SELECT name, value FROM lake", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .map(|rows| rows.into_iter().collect())
    }

    /// Makes the ledger that of a new lake, all at once.
    pub(crate) fn set_settings(
        &self,
        settings: &BTreeMap<String, String>,
    ) -> Result<(), LakeError> {
        let has_tables = self.has_tables()?;
        self.transact(|transaction| {
            if !has_tables {
                transaction.execute_batch(SCHEMA)?;
                transaction.execute_batch(SOURCES)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            for (name, value) in settings {
                transaction.execute("INSERT INTO lake VALUES (?1, ?2)", [name, value])?;
            }
            Ok(())
        })
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

/// What SQLite says of the ledger at a path. In the lake's own place it is damaged if it is none.
fn ledger_error(path: &Path) -> impl Fn(rusqlite::Error) -> LakeError {
    let path = path.to_owned();
    let is_own = path.parent().is_some_and(|directory| directory.ends_with(INTERNAL));
    move |error| match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) if !is_own => LakeError::NotALedger(path.clone()),
        _ => LakeError::Ledger { path: path.clone(), error },
    }
}

fn ledger_file(row: &Row<'_>) -> rusqlite::Result<LakeFile> {
    let kind = FileKind::of_name(row.get_ref(2)?.as_str()?);
    let path: String = row.get(1)?;
    let partition = match kind {
        FileKind::Calls => Partition::of_path(&path).unwrap_or(Partition::All),
        FileKind::Rejects => Partition::All,
    };
    let (id, rows) = (row.get(0)?, row.get::<_, i64>(3)? as u64);
    let (bytes, blake3) = (row.get::<_, i64>(4)? as u64, hash(row, 5)?);
    Ok(LakeFile { id, path, kind, partition, rows, bytes, blake3 })
}

/// A BLAKE3 in hexadecimal digits, if there is one.
fn hash(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<blake3::Hash>> {
    let digits: Option<String> = row.get(column)?;
    let hash = digits.map(blake3::Hash::from_hex).transpose();
    hash.map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
    })
}
