//! Everything that the ledger says, at one moment and without a lock.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use cdrlake_parquet::directory;
use jiff::civil::DateTime;
use roaring::RoaringTreemap;
use rusqlite::types::Type;
use rusqlite::{Connection, ErrorCode, OpenFlags, Row};

use super::{Ledger, hash, ledger_error};
use crate::error::LakeError;
use crate::facts::{
    Facts, FileFacts, FileRows, FileState, Moment, RejectsState, SourceFacts, SourceStatus,
};
use crate::format::LakeFormat;
use crate::model::FileKind;

impl Ledger {
    /// Opens a ledger that is there, to read it while others may write it.
    pub(crate) fn open_to_read(path: &Path) -> Result<Self, LakeError> {
        let flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        match Self::open_with(path, flags | OpenFlags::SQLITE_OPEN_READ_ONLY) {
            // A process died amidst a commit, and what it wrote must be taken back first.
            Err(LakeError::Ledger { error, .. })
                if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) =>
            {
                Self::open_with(path, flags | OpenFlags::SQLITE_OPEN_READ_WRITE)
            }
            result => result,
        }
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Self, LakeError> {
        let connection = Connection::open_with_flags(path, flags).map_err(ledger_error(path))?;
        connection.execute_batch("PRAGMA busy_timeout = 10000;").map_err(ledger_error(path))?;
        let ledger = Self { path: path.to_owned(), connection: Mutex::new(connection) };
        match ledger.has_tables()? {
            true => Ok(ledger),
            false => Err(LakeError::LedgerVersion { path: path.to_owned(), version: 0 }),
        }
    }

    pub(super) fn execute(&self, sql: &str) -> Result<(), LakeError> {
        self.connection().execute_batch(sql).map_err(self.error())
    }

    pub(super) fn read_facts(&self) -> Result<Facts, LakeError> {
        let sources_of = |which: &str| {
            let sql = format!(
                "SELECT source, name, carrier_name, content_hash, status, error_code, error, \
                 country, profile, product_identifier, sequence_number, file_time, \
                 records_written, records_rejected, duration_tenths, rejects_state, \
                 records_duplicate, path, has_plain_replays, open_rejects FROM sources \
                 WHERE {which} ORDER BY source"
            );
            self.query(&sql, [], source_facts)
        };
        let sources = sources_of("status IN ('loaded', 'held', 'failed')")?;
        // A delivery once, though it came with several contents.
        let accounted_for = sources_of(
            "source IN (SELECT max(source) FROM sources \
             WHERE status IN ('same', 'unloaded', 'excluded', 'superseded') \
             AND carrier_name IS NOT NULL \
             GROUP BY carrier_name) AND carrier_name NOT IN (SELECT carrier_name FROM sources \
             WHERE status = 'loaded' AND carrier_name IS NOT NULL)",
        )?;
        let sql = format!(
            "SELECT file, path, kind, rows, duration_tenths, staged, removed_run, bytes, {} \
             FROM files ORDER BY path",
            self.blake3_column()?
        );
        let mut files =
            self.query(&sql, [], |row| Ok((row.get::<_, i64>(0)?, file_facts(row)?)))?;
        let places: BTreeMap<i64, usize> =
            files.iter().enumerate().map(|(place, (file, _))| (*file, place)).collect();
        self.query(
            "SELECT file, first_row, rows, source FROM file_sources ORDER BY file, first_row",
            [],
            |row| {
                let place = places.get(&row.get(0)?);
                if let Some((_, file)) = place.and_then(|&place| files.get_mut(place)) {
                    file.sources.push(FileRows {
                        first_row: row.get::<_, i64>(1)? as u64,
                        rows: row.get::<_, i64>(2)? as u64,
                        source: row.get(3)?,
                    });
                }
                Ok(())
            },
        )?;
        let accepted = self.query("SELECT finding, reason FROM accepted_findings", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
        let settings = self.settings()?;
        Ok(Facts {
            sources: sources.into_iter().map(|source| (source.id, source)).collect(),
            accounted_for,
            files: files.into_iter().map(|(_, file)| file).collect(),
            accepted: accepted.into_iter().collect(),
            moment: self.moment()?,
            identities: crate::settings::identities(&settings),
            format: self.format()?,
        })
    }

    /// The format of the lake.
    pub(crate) fn format(&self) -> Result<LakeFormat, LakeError> {
        let format = crate::settings::format(&self.settings()?);
        format.ok_or_else(|| LakeError::LakeVersion(directory(&self.path).to_owned()))
    }

    /// What tells whether the lake changed since.
    pub(crate) fn moment(&self) -> Result<Moment, LakeError> {
        let run = |status| {
            self.query(
                "SELECT run_id FROM runs WHERE status = ?1 ORDER BY run DESC LIMIT 1",
                [status],
                |row| row.get(0),
            )
            .map(|ids: Vec<String>| ids.into_iter().next())
        };
        Ok(Moment { publishing: run("publishing")?, published: run("published")? })
    }
}

fn source_facts(row: &Row<'_>) -> rusqlite::Result<SourceFacts> {
    let count = |index| row.get::<_, i64>(index).map(|count| count as u64);
    let time: Option<String> = row.get(11)?;
    Ok(SourceFacts {
        id: row.get(0)?,
        name: row.get(1)?,
        carrier_name: row.get(2)?,
        content_hash: row.get(3)?,
        status: match row.get_ref(4)?.as_str()? {
            "failed" | "held" => SourceStatus::Failed {
                code: row.get::<_, Option<String>>(5)?.unwrap_or_default(),
                error: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
            },
            _ => SourceStatus::Loaded,
        },
        country: row.get(7)?,
        profile: row.get(8)?,
        product_identifier: row.get(9)?,
        sequence_number: row.get(10)?,
        file_time: time.and_then(|time| time.parse::<DateTime>().ok()),
        records_written: count(12)?,
        records_rejected: count(13)?,
        records_duplicate: count(16)?,
        path: row.get(17)?,
        has_plain_replays: row.get(18)?,
        tenths: count(14)?,
        rejects: match row.get_ref(15)?.as_str()? {
            "open" => RejectsState::Open,
            _ => RejectsState::Closed,
        },
        open_rejects: open_rejects(row, 19)?,
    })
}

fn open_rejects(row: &Row<'_>, column: usize) -> rusqlite::Result<RoaringTreemap> {
    let blob: Option<Vec<u8>> = row.get(column)?;
    let numbers = blob.map(|blob| RoaringTreemap::deserialize_from(&blob[..])).transpose();
    numbers.map(Option::unwrap_or_default).map_err(|error| {
        rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
    })
}

fn file_facts(row: &Row<'_>) -> rusqlite::Result<FileFacts> {
    let kind = FileKind::of_name(row.get_ref(2)?.as_str()?);
    let state = match (row.get::<_, Option<String>>(5)?, row.get::<_, Option<i64>>(6)?) {
        (_, Some(_)) => FileState::Going,
        (Some(_), None) => FileState::Coming,
        (None, None) => FileState::Settled,
    };
    Ok(FileFacts {
        path: row.get(1)?,
        kind,
        state,
        rows: row.get::<_, i64>(3)? as u64,
        bytes: row.get::<_, i64>(7)? as u64,
        blake3: hash(row, 8)?,
        tenths: row.get::<_, i64>(4)? as u64,
        sources: Vec::new(),
    })
}
