//! What the ledger says of sources: which is meant, and whether it is loaded.

use std::collections::BTreeMap;

use rusqlite::{Row, Transaction, params};

use super::Ledger;
use crate::error::LakeError;
use crate::model::{Delivery, SourceId};
use crate::places::Places;

impl Ledger {
    /// The deliveries that need not be fetched again, each once: all that came and did not fail.
    pub(crate) fn deliveries(&self) -> Result<Vec<Delivery>, LakeError> {
        self.query(
            "SELECT DISTINCT profile, product_identifier, file_time, sequence_number FROM sources \
             WHERE status IN ('loaded', 'same', 'held', 'unloaded', 'superseded', 'excluded') \
             AND profile IS NOT NULL AND product_identifier IS NOT NULL \
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

    pub(super) fn sources_as(
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

pub(super) const LOADED_AS: [&str; 3] = sources_as!("'loaded'", " AND bytes_read > 0");

pub(super) const UNLOADED_AS: [&str; 3] = sources_as!("'unloaded'", "");

/// What tells that two attempts were made at one delivery: its content, if it is known, the
/// carrier's name for it, or where it stood, or the archive that it stood in.
pub(super) struct Attempt<'a> {
    /// Whether it neither failed nor is held.
    pub(super) is_settled: bool,
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
            "DELETE FROM sources WHERE status IN ('failed', 'held') AND content_hash = ?1 \
             AND (?2 OR carrier_name = ?3 OR carrier_name IS NULL OR ?3 IS NULL)",
        )?;
        by_content.execute(params![self.content_hash, self.is_settled, self.carrier_name])?;
        let mut by_name = transaction.prepare_cached(
            "DELETE FROM sources WHERE status IN ('failed', 'held') AND status = 'failed' \
             AND carrier_name = ?1",
        )?;
        by_name.execute([self.carrier_name])?;
        let Some(path) = self.path else { return Ok(()) };
        let mut by_path = transaction.prepare_cached(
            "DELETE FROM sources WHERE status IN ('failed', 'held') AND path = ?1",
        )?;
        let archives = path.match_indices('!').filter_map(|(at, _)| path.get(..at));
        for path in archives.chain([path]) {
            by_path.execute([path])?;
        }
        Ok(())
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
