//! The ledger's figures of a lake.

use std::collections::BTreeMap;

use cdrlake_core::{Numbers, RULES_VERSION};
use jiff::civil::DateTime;
use rusqlite::Row;

use super::{Ledger, VERSION};
use crate::error::LakeError;
use crate::info::{FileCounts, LakeInfo, Writer};
use crate::model::FileKind;
use crate::settings::{IDENTITY, LAYOUT_VERSION, PRIVACY};

impl Ledger {
    /// What the lake is and holds, but for the version of its table; and the paths of the latest files
    /// of calls, some of which will tell that. At one moment: a run that ends meanwhile waits for it.
    pub(crate) fn info(&self) -> Result<(LakeInfo, Vec<String>), LakeError> {
        self.execute("BEGIN")?;
        let info = self.read_info();
        self.execute("ROLLBACK")?;
        info
    }

    fn read_info(&self) -> Result<(LakeInfo, Vec<String>), LakeError> {
        let mut settings = self.settings()?;
        settings.remove(IDENTITY);
        let layout_version = settings.remove(LAYOUT_VERSION);
        settings.entry(PRIVACY.to_owned()).or_insert_with(|| Numbers::Clear.to_string());
        let written_by = self.writers()?;
        let of_older_rules = |writer: &&Writer| writer.rules_version < RULES_VERSION;
        let older_rules = written_by.iter().filter(of_older_rules);
        let span = self.query(
            "SELECT min(file_time), max(file_time) FROM sources WHERE status = 'loaded'",
            [],
            |row| Ok([time(row, 0)?, time(row, 1)?]),
        )?;
        let [first_file_time, last_file_time] = span.first().copied().unwrap_or_default();
        let info = LakeInfo {
            ledger_version: self.schema_version()?,
            current_ledger_version: VERSION,
            layout_version,
            schema_version: None,
            settings,
            tool_version: env!("CARGO_PKG_VERSION"),
            rules_version: RULES_VERSION,
            runs: written_by.iter().map(|writer| writer.runs).sum(),
            older_rules: older_rules.map(|writer| writer.loaded_sources).sum(),
            written_by,
            publishing: self.moment()?.publishing,
            calls: self.file_counts(FileKind::Calls)?,
            rejects: self.file_counts(FileKind::Rejects)?,
            open_rejects: self.count(
                "SELECT coalesce(sum(records_rejected), 0) FROM sources \
                 WHERE status = 'loaded' AND rejects_state = 'open'",
            )?,
            sources: self.sources_by_status()?,
            first_file_time,
            last_file_time,
        };
        let latest = self.query(
            "SELECT path FROM files WHERE kind = 'calls' AND staged IS NULL ORDER BY file DESC LIMIT 3",
            [],
            |row| row.get(0),
        )?;
        Ok((info, latest))
    }

    fn writers(&self) -> Result<Vec<Writer>, LakeError> {
        self.query(
            "SELECT tool_version, rules_version, count(*), coalesce(sum(loaded), 0) FROM runs \
             LEFT JOIN (SELECT run, count(*) AS loaded FROM sources WHERE status = 'loaded' \
             GROUP BY run) USING (run) GROUP BY tool_version, rules_version ORDER BY max(run)",
            [],
            |row| {
                Ok(Writer {
                    tool_version: row.get(0)?,
                    rules_version: row.get(1)?,
                    runs: number(row, 2)?,
                    loaded_sources: number(row, 3)?,
                })
            },
        )
    }

    /// What is held now had failed as `changed` in version 2.
    fn sources_by_status(&self) -> Result<BTreeMap<String, u64>, LakeError> {
        let counts = self.query(
            "SELECT CASE WHEN status = 'failed' AND error_code = 'changed' THEN 'held' \
             ELSE status END, count(*) FROM sources GROUP BY 1",
            [],
            |row| Ok((row.get(0)?, number(row, 1)?)),
        )?;
        Ok(counts.into_iter().collect())
    }

    /// Those that will be there when what is being published is.
    fn file_counts(&self, kind: FileKind) -> Result<FileCounts, LakeError> {
        let sql = format!(
            "SELECT count(*), coalesce(sum(rows), 0), coalesce(sum(bytes), 0), \
             count(*) - count({}) FROM files WHERE kind = ?1 AND removed_run IS NULL",
            self.blake3_column()?
        );
        let counts = self.query(&sql, [kind.name()], |row| {
            Ok(FileCounts {
                files: number(row, 0)?,
                rows: number(row, 1)?,
                bytes: number(row, 2)?,
                unrecorded: number(row, 3)?,
            })
        })?;
        Ok(counts.first().copied().unwrap_or_default())
    }

    fn count(&self, sql: &str) -> Result<u64, LakeError> {
        let counts = self.query(sql, [], |row| number(row, 0))?;
        Ok(counts.first().copied().unwrap_or_default())
    }
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|count| count as u64)
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<DateTime>> {
    let time: Option<String> = row.get(column)?;
    Ok(time.and_then(|time| time.parse().ok()))
}
