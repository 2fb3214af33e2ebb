//! BLAKE3s of files that versions before wrote, recorded once somebody has read them.

use rusqlite::params;
use serde_json::json;

use super::Ledger;
use super::record::insert_run;
use crate::error::LakeError;

impl Ledger {
    /// Records these of files, by their paths in the lake, that have none; gives how many. One that
    /// is recorded stays.
    pub(crate) fn record_hashes(
        &self,
        run_id: &str,
        hashes: &[(String, blake3::Hash)],
    ) -> Result<u64, LakeError> {
        self.transact(|transaction| {
            let mut recorded = 0;
            for (path, hash) in hashes {
                recorded += transaction
                    .prepare_cached(
                        "UPDATE files SET blake3 = ?2 WHERE path = ?1 AND blake3 IS NULL",
                    )?
                    .execute(params![path, hash.to_hex().as_str()])?;
            }
            if recorded > 0 {
                let report = json!({ "files": recorded }).to_string();
                insert_run(transaction, run_id, "record", "published", "{}", &report)?;
            }
            Ok(recorded as u64)
        })
    }
}
