//! What the ledger says of sources: which is meant, and whether it is loaded.

use std::collections::{BTreeMap, BTreeSet};

use roaring::RoaringTreemap;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::{Ledger, SourceId};
use crate::error::LakeError;
use crate::lake::{Delivery, Places};
use cdrlake_load::{KnownSource, KnownSources, LoadError, OpenRejects};
use cdrlake_source::CHANGED;

impl Ledger {
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

    /// The name of a loaded source that left duplicates out for the sake of one of these, if any
    /// but these did.
    pub(crate) fn has_left_out_duplicates(
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

    /// The name of a source, if it left duplicates out.
    pub(crate) fn left_duplicates_out(
        &self,
        SourceId(source): SourceId,
    ) -> Result<Option<String>, LakeError> {
        self.query(
            "SELECT name FROM sources WHERE source = ?1 AND records_duplicate > 0",
            [source],
            |row| row.get(0),
        )
        .map(|names| names.into_iter().next())
    }

    /// How many rejected lines of a source were waived.
    pub(crate) fn waived_rejects(&self, SourceId(source): SourceId) -> Result<u64, LakeError> {
        let count = self.query(
            "SELECT records_rejected FROM sources WHERE source = ?1 AND rejects_state = 'waived'",
            [source],
            |row| row.get::<_, i64>(0),
        )?;
        Ok(count.first().map_or(0, |&count| count as u64))
    }

    /// Whether any source is known as failed.
    pub(crate) fn has_failures(&self) -> Result<bool, LakeError> {
        self.query("SELECT 1 FROM sources WHERE status = 'failed' LIMIT 1", [], |_| Ok(()))
            .map(|found| !found.is_empty())
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

    /// The loaded sources that stand at this path, or have this name, source_file, carrier's name,
    /// or a content hash that begins so; with their names.
    pub(crate) fn loaded_as(&self, name: &str) -> Result<Vec<(SourceId, String)>, LakeError> {
        self.sources_as(name, &LOADED_AS)
    }

    /// Whether a source that is called so was unloaded.
    pub(crate) fn was_unloaded(&self, name: &str) -> Result<bool, LakeError> {
        self.sources_as(name, &UNLOADED_AS).map(|found| !found.is_empty())
    }

    fn sources_as(
        &self,
        name: &str,
        [by_carrier_name, by_content, by_file]: &[&str; 3],
    ) -> Result<Vec<(SourceId, String)>, LakeError> {
        /// Fewer digits may be a name as well.
        const MIN_HASH_LEN: usize = 8;
        let read = |row: &Row<'_>| Ok((SourceId(row.get(0)?), row.get(1)?));
        let mut found: BTreeMap<SourceId, String> = BTreeMap::new();
        found.extend(self.query(by_carrier_name, [name], read)?);
        if name.len() >= MIN_HASH_LEN && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            // The digits end before `g`.
            let digits = name.to_ascii_lowercase();
            found.extend(self.query(by_content, [&digits, &format!("{digits}g")], read)?);
        }
        let path = Places::default().path_of(name);
        let starts = name.match_indices('/').map(|(at, _)| at + 1);
        for start in [0].into_iter().chain(starts) {
            let source_file = name.get(start..).unwrap_or_default();
            found.extend(self.query(by_file, params![source_file, name, path], read)?);
        }
        Ok(found.into_iter().collect())
    }
}

/// Sources by the carrier's name; by content, from these digits to those; by what their names and
/// paths end in, if they are called so or stand there.
macro_rules! sources_as {
    ($status:literal, $content:literal) => {
        [
            concat!(
                "SELECT source, name FROM sources WHERE status = ",
                $status,
                " AND carrier_name = ?1"
            ),
            concat!(
                "SELECT source, name FROM sources WHERE status = ",
                $status,
                $content,
                " AND content_hash >= ?1 AND content_hash < ?2"
            ),
            concat!(
                "SELECT source, name FROM sources WHERE status = ",
                $status,
                " AND source_file = ?1 AND (source_file = ?2 OR name = ?2 OR path = ?3)"
            ),
        ]
    };
}

const LOADED_AS: [&str; 3] = sources_as!("'loaded'", " AND bytes_read > 0");

const UNLOADED_AS: [&str; 3] = sources_as!("'unloaded'", "");

/// What tells that two attempts were made at one delivery: its content, if it is known, the
/// carrier's name for it, or where it stood, or the archive that it stood in.
pub(super) struct Attempt<'a> {
    /// Whether the lake has it now.
    pub(super) is_loaded: bool,
    pub(super) content_hash: Option<String>,
    pub(super) carrier_name: Option<&'a str>,
    pub(super) path: Option<&'a str>,
}

impl Attempt<'_> {
    /// Forgets failed attempts at the same: the last one counts.
    ///
    /// Of two contents under one name, what comes of one says nothing of the other. One content
    /// under two names may be what a server said in place of two deliveries.
    pub(super) fn settle_failures(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut by_content = transaction.prepare_cached(
            "DELETE FROM sources WHERE status = 'failed' AND content_hash = ?1 \
             AND (?2 OR carrier_name = ?3 OR carrier_name IS NULL OR ?3 IS NULL)",
        )?;
        by_content.execute(params![self.content_hash, self.is_loaded, self.carrier_name])?;
        let mut by_name = transaction.prepare_cached(
            "DELETE FROM sources WHERE status = 'failed' AND carrier_name = ?1 \
             AND error_code <> ?2",
        )?;
        by_name.execute(params![self.carrier_name, CHANGED])?;
        let Some(path) = self.path else { return Ok(()) };
        let mut by_path = transaction
            .prepare_cached("DELETE FROM sources WHERE status = 'failed' AND path = ?1")?;
        let archives = path.match_indices('!').filter_map(|(at, _)| path.get(..at));
        for path in archives.chain([path]) {
            by_path.execute([path])?;
        }
        Ok(())
    }
}

impl KnownSources for Ledger {
    fn of_content(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LoadError> {
        let sources = self.query(
            "SELECT name, CASE rejects_state WHEN 'open' THEN records_rejected ELSE 0 END \
             FROM sources WHERE content_hash = ?1 AND status = 'loaded' AND bytes_read > 0",
            [hash.to_hex().as_str()],
            |row| Ok(KnownSource { name: row.get(0)?, open_rejects: row.get::<_, i64>(1)? as u64 }),
        )?;
        Ok(sources.into_iter().next())
    }

    fn contents_of_name(&self, carrier_name: &str) -> Result<Vec<blake3::Hash>, LoadError> {
        let hashes = self.query(
            "SELECT content_hash FROM sources WHERE carrier_name = ?1 AND status = 'loaded'",
            [carrier_name],
            |row| row.get::<_, String>(0),
        )?;
        Ok(hashes.iter().filter_map(|hash| blake3::Hash::from_hex(hash).ok()).collect())
    }

    fn open_rejects(&self, hash: &blake3::Hash) -> Result<Option<OpenRejects>, LoadError> {
        let Some(source) = self.loaded(hash)? else { return Ok(None) };
        Ok(Some(OpenRejects::These(self.open_rejects_of(source)?)))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A lake of millions of sources is asked about one of them in no time.
    #[test]
    fn sources_are_found_by_indexes() {
        let directory = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(&directory.path().join("ledger.sqlite")).unwrap();
        ledger.set_settings(&BTreeMap::new()).unwrap();
        for sql in LOADED_AS.iter().chain(&UNLOADED_AS) {
            let explain = format!("EXPLAIN QUERY PLAN {sql}");
            let parameters = vec!["x"; sql.matches('?').count().min(3)];
            let count = ["?1", "?2", "?3"].iter().filter(|at| sql.contains(**at)).count();
            let parameters = rusqlite::params_from_iter(&parameters[..count]);
            let plan = ledger.query(&explain, parameters, |row| row.get::<_, String>(3)).unwrap();
            let is_search = |step: &String| step.starts_with("SEARCH") && step.contains("INDEX");
            assert!(!plan.is_empty() && plan.iter().all(is_search), "{sql}: {plan:?}");
        }
    }
}
