//! The ledger's answers to what runs and audits ask.

use std::collections::{BTreeMap, BTreeSet};

use cdrlake_load::KnownSource;
use roaring::RoaringTreemap;
use rusqlite::OptionalExtension;

use super::sources::{LOADED_AS, UNLOADED_AS};
use super::{Ledger, ledger_file};
use crate::error::LakeError;
use crate::facts::Facts;
use crate::model::{FileKind, LakeFile, RowsBySource, SourceId, Version};
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
        self.query("SELECT 1 FROM sources WHERE status = 'failed' LIMIT 1", [], |_| Ok(()))
            .map(|found| !found.is_empty())
    }

    fn has_empty(&self, source_file: &str) -> Result<bool, LakeError> {
        self.query(
            "SELECT 1 FROM sources WHERE source_file = ?1 AND status = 'loaded' AND bytes_read = 0",
            [source_file],
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
        for SourceId(kept) in leaving {
            let found = self.query(
                "SELECT source, name FROM left_out JOIN sources USING (source) \
                 WHERE kept = ?1 AND status = 'loaded' ORDER BY source",
                [kept],
                |row| Ok((SourceId(row.get(0)?), row.get(1)?)),
            )?;
            let found = found.into_iter().find(|(source, _)| !leaving.contains(source));
            if let Some((_, name)) = found {
                return Ok(Some(name));
            }
        }
        Ok(None)
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
                "SELECT file, path, kind, rows FROM files \
                 WHERE file IN (SELECT file FROM file_sources WHERE source = ?1)",
                [source],
                ledger_file,
            )?;
            files.extend(found.into_iter().map(|file| (file.id, file)));
        }
        files.into_values().map(|file| Ok((file.clone(), self.rows_of(&file)?))).collect()
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
            "SELECT file, path, kind, rows FROM files WHERE kind = ?1 ORDER BY path",
            [kind.name()],
            ledger_file,
        )
    }
}
