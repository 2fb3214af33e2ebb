//! The ledger's answers to what runs and audits ask.

use std::collections::{BTreeMap, BTreeSet};

use cdrlake_load::{ContentStanding, KnownSource, SourceReport};
use roaring::RoaringTreemap;
use rusqlite::{OptionalExtension, params};

use super::sources::{LOADED_AS, UNLOADED_AS};
use super::{Ledger, ledger_file};
use crate::arrival::microseconds;
use crate::error::LakeError;
use crate::facts::Facts;
use crate::model::{FileKind, LakeFile, LoadedVersion, Noted, RowsBySource, SourceId, Version};
use crate::snapshot::Snapshot;

impl Snapshot for Ledger {
    fn version(&self) -> Result<Version, LakeError> {
        let count = self.query("SELECT count(*) FROM runs", [], |row| row.get::<_, i64>(0))?;
        Ok(Version(count.first().map_or(0, |&count| count as u64)))
    }

    /// At one moment: a run that ends meanwhile waits for it.
    fn facts(&self) -> Result<Facts, LakeError> {
        self.execute("BEGIN")?;
        let facts = self.read_facts();
        self.execute("ROLLBACK")?;
        facts
    }

    fn known_source(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LakeError> {
        let hash = hash.to_hex();
        let loaded = self.query(
            "SELECT name, carrier_name, CASE rejects_state WHEN 'open' THEN records_rejected ELSE 0 \
             END FROM sources WHERE content_hash = ?1 AND status = 'loaded' AND bytes_read > 0",
            [hash.as_str()],
            |row| {
                Ok(KnownSource {
                    name: row.get(0)?,
                    carrier_name: row.get(1)?,
                    standing: ContentStanding::Loaded,
                    open_rejects: row.get::<_, i64>(2)? as u64,
                })
            },
        )?;
        if let Some(loaded) = loaded.into_iter().next() {
            return Ok(Some(loaded));
        }
        let left_out = self.query(
            "SELECT name, carrier_name, sources.status, substr(recorded_at, 1, 10) FROM sources \
             JOIN runs ON runs.run = coalesce(ended_run, sources.run) WHERE content_hash = ?1 \
             AND sources.status IN ('unloaded', 'superseded', 'excluded') \
             ORDER BY source DESC LIMIT 1",
            [hash.as_str()],
            |row| {
                let (status, on) = (row.get::<_, String>(2)?, row.get(3)?);
                Ok(KnownSource {
                    name: row.get(0)?,
                    carrier_name: row.get(1)?,
                    standing: match status.as_str() {
                        "unloaded" => ContentStanding::Unloaded { on },
                        "superseded" => ContentStanding::Superseded { on },
                        _ => ContentStanding::Excluded { on },
                    },
                    open_rejects: 0,
                })
            },
        )?;
        Ok(left_out.into_iter().next())
    }

    fn versions_of(&self, carrier_name: &str) -> Result<Vec<LoadedVersion>, LakeError> {
        let versions = self.query(
            "SELECT source, name, content_hash, records_written, records_rejected, arrived, FALSE, \
             TRUE
             FROM sources WHERE carrier_name = ?1 AND status = 'loaded' \
             UNION SELECT held.source, held.name, held.content_hash, held.records_written, \
             held.records_rejected, held.arrived, held.carrier_name IS NOT NULL, FALSE FROM sources AS noted \
             JOIN sources AS held ON held.content_hash = noted.content_hash \
             AND held.status = 'loaded' AND held.bytes_read > 0 \
             WHERE noted.carrier_name = ?1 AND noted.status = 'same' AND noted.ended_run IS NULL \
             AND held.carrier_name IS NOT ?1 ORDER BY 1",
            [carrier_name],
            |row| {
                let hash: Option<String> = row.get(2)?;
                let hash = hash.and_then(|hash| blake3::Hash::from_hex(hash).ok());
                let (source, name) = (SourceId(row.get(0)?), row.get(1)?);
                let arrived = row.get::<_, Option<String>>(5)?.as_deref().and_then(microseconds);
                let [records, rejected] = [row.get::<_, i64>(3)?, row.get(4)?].map(|n| n as u64);
                let (is_of_other, is_own) = (row.get(6)?, row.get(7)?);
                Ok(hash.map(|content_hash| LoadedVersion {
                    source,
                    name,
                    content_hash,
                    records,
                    rejected,
                    arrived,
                    is_own,
                    is_of_other,
                }))
            },
        )?;
        Ok(versions.into_iter().flatten().collect())
    }

    fn knows_delivery(&self, carrier_name: &str, hash: &blake3::Hash) -> Result<bool, LakeError> {
        let hash = hash.to_hex();
        for sql in [
            "SELECT 1 FROM sources WHERE carrier_name = ?1 AND content_hash = ?2 \
             AND status = 'loaded'",
            "SELECT 1 FROM sources WHERE carrier_name = ?1 AND content_hash = ?2 \
             AND status = 'same'",
        ] {
            if !self.query(sql, [carrier_name, hash.as_str()], |_| Ok(()))?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn knows_left_out(&self, carrier_name: &str, hash: &blake3::Hash) -> Result<bool, LakeError> {
        let known = self.query(
            "SELECT 1 FROM sources WHERE carrier_name = ?1 AND content_hash = ?2 \
             AND status IN ('unloaded', 'superseded', 'excluded')",
            [carrier_name, hash.to_hex().as_str()],
            |_| Ok(()),
        )?;
        Ok(!known.is_empty())
    }

    fn noted(&self, path: Option<&str>, report: &SourceReport) -> Result<Noted, LakeError> {
        let hash = report.content_hash.map(|hash| hash.to_hex().to_string());
        let states = self.query(
            "SELECT rejects_state FROM sources WHERE path IS ?1 AND status IN ('failed', 'held') \
             AND status = ?2 AND content_hash IS ?3 AND error_code IS ?4 AND error IS ?5",
            params![path, report.status.name(), hash, report.error_code, report.error.as_deref()],
            |row| row.get::<_, String>(0),
        )?;
        Ok(match states.first().map(String::as_str) {
            None => Noted::No,
            Some("waived") => Noted::SetAside,
            Some(_) => Noted::Before,
        })
    }

    fn loaded(&self, hash: &blake3::Hash) -> Result<Option<SourceId>, LakeError> {
        self.query(
            "SELECT source FROM sources WHERE content_hash = ?1 AND status = 'loaded' \
             AND bytes_read > 0",
            [hash.to_hex().as_str()],
            |row| row.get(0).map(SourceId),
        )
        .map(|ids| ids.first().copied())
    }

    fn has_failures(&self) -> Result<bool, LakeError> {
        self.query("SELECT 1 FROM sources WHERE status IN ('failed', 'held') LIMIT 1", [], |_| {
            Ok(())
        })
        .map(|found| !found.is_empty())
    }

    fn has_empty(&self, carrier_name: &str) -> Result<bool, LakeError> {
        // Each has an index of its own.
        for sql in [
            "SELECT 1 FROM sources WHERE carrier_name = ?1 AND status = 'loaded' AND bytes_read = 0",
            "SELECT 1 FROM sources WHERE carrier_name = ?1 AND status = 'unloaded' AND bytes_read = 0",
        ] {
            if !self.query(sql, [carrier_name], |_| Ok(()))?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn has_excluded(&self, source_file: &str, hash: &blake3::Hash) -> Result<bool, LakeError> {
        self.query(
            "SELECT 1 FROM sources WHERE source_file = ?1 AND content_hash = ?2 \
             AND status = 'excluded' LIMIT 1",
            [source_file, hash.to_hex().as_str()],
            |_| Ok(()),
        )
        .map(|found| !found.is_empty())
    }

    fn waived_rejects(&self, SourceId(source): SourceId) -> Result<u64, LakeError> {
        let count = self.query(
            "SELECT records_rejected FROM sources WHERE source = ?1 AND rejects_state = 'waived'",
            [source],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(count.first().map_or(0, |&count| count as u64))
    }

    fn left_duplicates_out(&self, SourceId(source): SourceId) -> Result<Option<String>, LakeError> {
        self.query(
            "SELECT name FROM sources WHERE source = ?1 AND records_duplicate > 0",
            [source],
            |row| row.get(0),
        )
        .map(|names| names.into_iter().next())
    }

    fn has_left_out_duplicates(
        &self,
        leaving: &BTreeSet<SourceId>,
    ) -> Result<Option<String>, LakeError> {
        let mut first: Option<(SourceId, String)> = None;
        for SourceId(kept) in leaving {
            let found = self.query(
                "SELECT source, name FROM left_out JOIN sources USING (source) \
                 WHERE kept = ?1 AND status = 'loaded' ORDER BY source",
                [kept],
                |row| Ok((SourceId(row.get(0)?), row.get(1)?)),
            )?;
            let found = found.into_iter().find(|(source, _)| !leaving.contains(source));
            first = first.into_iter().chain(found).min();
        }
        Ok(first.map(|(_, name)| name))
    }

    fn loaded_as(&self, name: &str) -> Result<Vec<(SourceId, String)>, LakeError> {
        self.sources_as(name, &LOADED_AS)
    }

    fn was_unloaded(&self, name: &str) -> Result<bool, LakeError> {
        self.sources_as(name, &UNLOADED_AS).map(|found| !found.is_empty())
    }

    fn open_rejects_of(&self, SourceId(source): SourceId) -> Result<RoaringTreemap, LakeError> {
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
                .map_err(|error| LakeError::Read { path: self.path.clone(), error }),
        }
    }

    fn files_of(
        &self,
        sources: &BTreeSet<SourceId>,
    ) -> Result<Vec<(LakeFile, RowsBySource)>, LakeError> {
        let mut files = BTreeMap::new();
        for SourceId(source) in sources {
            let found = self.query(
                "SELECT file, path, kind, rows, bytes, blake3 FROM files \
                 WHERE file IN (SELECT file FROM file_sources WHERE source = ?1)",
                [source],
                ledger_file,
            )?;
            files.extend(found.into_iter().map(|file| (file.id, file)));
        }
        files.into_values().map(|file| Ok((file.clone(), self.rows_of(&file)?))).collect()
    }

    fn identity(
        &self,
        SourceId(source): SourceId,
    ) -> Result<(String, Option<blake3::Hash>), LakeError> {
        let found = self.query(
            "SELECT source_file, content_hash FROM sources WHERE source = ?1",
            [source],
            |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)),
        )?;
        let Some((source_file, hash)) = found.into_iter().next() else {
            return Err(LakeError::Defect("a row of a source that the ledger does not know"));
        };
        Ok((source_file, hash.and_then(|hash| blake3::Hash::from_hex(hash).ok())))
    }

    fn rows_of(&self, file: &LakeFile) -> Result<RowsBySource, LakeError> {
        self.query(
            "SELECT source, rows FROM file_sources WHERE file = ?1 ORDER BY first_row",
            [file.id],
            |row| Ok((SourceId(row.get(0)?), row.get::<_, i64>(1)? as u64)),
        )
    }

    fn files(&self, kind: FileKind) -> Result<Vec<LakeFile>, LakeError> {
        self.query(
            "SELECT file, path, kind, rows, bytes, blake3 FROM files WHERE kind = ?1 \
             ORDER BY path",
            [kind.name()],
            ledger_file,
        )
    }
}
