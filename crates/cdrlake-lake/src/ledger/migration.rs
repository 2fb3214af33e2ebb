//! Ledgers of earlier versions, made into ones of this version before a run writes them.
//!
//! It is done in one transaction, and a copy of the ledger as it was stays beside it.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use cdrlake_parquet::{Existing, directory, persist, temporary_in};

use super::{EARLIER_VERSIONS, Ledger, MODE, SOURCES, VERSION};
use crate::error::LakeError;

/// The statuses of version 2 were `loaded`, `failed`, `replaced` and `unloaded`; what is held now had
/// failed as `changed`.
const FROM_2: [&str; 2] = [
    "DROP INDEX loaded_content; DROP INDEX loaded_name; DROP INDEX unloaded_content; \
     DROP INDEX unloaded_name; DROP INDEX failed_content; DROP INDEX failed_name; \
     DROP INDEX failed_path; DROP INDEX source_name; ALTER TABLE sources RENAME TO sources_2;",
    "INSERT INTO sources (source, run, name, path, source_file, carrier_name, content_hash, status, \
     ended_run, error_code, error, country, profile, product_identifier, sequence_number, \
     file_time, records_read, records_written, records_rejected, records_duplicate, blank_lines, \
     bytes_read, duration_tenths, first_start_time, last_start_time, rejects_state, open_rejects, \
     has_plain_replays, first_seen, last_seen) SELECT source, run, name, path, source_file, carrier_name, content_hash, \
     CASE WHEN status = 'failed' AND error_code = 'changed' THEN 'held' ELSE status END, \
     ended_run, error_code, error, country, profile, product_identifier, sequence_number, \
     file_time, records_read, records_written, records_rejected, records_duplicate, blank_lines, \
     bytes_read, duration_tenths, first_start_time, last_start_time, rejects_state, open_rejects, \
     has_plain_replays, (SELECT recorded_at FROM runs WHERE runs.run = sources_2.run), \
     (SELECT substr(recorded_at, 1, 10) FROM runs WHERE runs.run = sources_2.run) \
     FROM sources_2; DROP TABLE sources_2; \
     ALTER TABLE runs ADD COLUMN user TEXT; ALTER TABLE runs ADD COLUMN host TEXT; \
     ALTER TABLE files ADD COLUMN blake3 TEXT \
     CHECK (length(blake3) = 64 AND blake3 NOT GLOB '*[^0-9a-f]*');",
];

impl Ledger {
    /// Makes an earlier version's ledger one of this version; the lake's lock is held.
    pub(super) fn migrate(&mut self) -> Result<(), LakeError> {
        let version = self.schema_version()?;
        if !EARLIER_VERSIONS.contains(&version) {
            return Ok(());
        }
        self.keep_copy(version)?;
        // References to the table are by its name, which the new one has again.
        self.execute("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON;")?;
        let migrated = self.transact(|transaction| {
            let [before, after] = FROM_2;
            transaction.execute_batch(before)?;
            transaction.execute_batch(SOURCES)?;
            transaction.execute_batch(after)?;
            transaction.pragma_update(None, "user_version", VERSION)
        });
        self.execute("PRAGMA legacy_alter_table = OFF; PRAGMA foreign_keys = ON;")?;
        migrated
    }

    /// Keeps the ledger as it is, as `ledger.sqlite.v2` beside it.
    fn keep_copy(&self, version: i64) -> Result<(), LakeError> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".v{version}"));
        let copy = self.path.with_file_name(name);
        if copy.exists() {
            return Ok(());
        }
        let failed = |error| LakeError::Write { path: copy.clone(), error };
        let file = temporary_in(directory(&copy), MODE).map_err(failed)?;
        fs::copy(&self.path, file.path()).map_err(failed)?;
        fs::set_permissions(file.path(), Permissions::from_mode(MODE)).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        persist(file, &copy, Existing::Replace).map_err(failed)
    }
}
