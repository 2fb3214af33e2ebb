//! Transactions of a lake written down.

use cdrlake_load::{LocalTime, Status};
use cdrlake_source::{Source, ToldBy};
use roaring::RoaringTreemap;
use rusqlite::{Transaction, params};
use serde_json::json;
use tempfile::TempPath;

use super::sources::Attempt;
use super::{Ledger, PendingRun, RunId};
use crate::arrival::instant;
use crate::error::LakeError;
use crate::machine::{host, user};
use crate::model::{
    Acceptance, AddedFile, AddedSource, Duplicates, Ending, Replayed, SourceFact, SourceId,
    SourceRef, Transaction as Change,
};

impl Ledger {
    /// Records a run and all that will be true once it is published; says what is left to do.
    pub(crate) fn record(&self, change: &Change<TempPath>) -> Result<PendingRun, LakeError> {
        let run = self.transact(|transaction| record(transaction, change))?;
        let pending = self.pending_run()?;
        pending
            .filter(|pending| pending.run == run)
            .ok_or(LakeError::Defect("a run is not pending"))
    }

    /// Notes that these contents came again today: once a day each, so that most runs write nothing.
    pub(crate) fn note_seen(&self, contents: &[blake3::Hash]) -> Result<(), LakeError> {
        if contents.is_empty() {
            return Ok(());
        }
        self.transact(|transaction| {
            let today: String =
                transaction
                    .query_row("SELECT strftime('%Y-%m-%d', 'now')", [], |row| row.get(0))?;
            let mut update = transaction.prepare(
                "UPDATE sources SET last_seen = ?1 WHERE content_hash = ?2 AND last_seen < ?1",
            )?;
            for hash in contents {
                update.execute([today.as_str(), hash.to_hex().as_str()])?;
            }
            Ok(())
        })
    }

    /// Marks a run as published: all its files are there.
    pub(crate) fn publish(&self, RunId(run): RunId) -> Result<(), LakeError> {
        self.transact(|transaction| {
            transaction.execute("DELETE FROM files WHERE removed_run = ?1", [run])?;
            transaction.execute("UPDATE files SET staged = NULL WHERE added_run = ?1", [run])?;
            transaction.execute("UPDATE runs SET status = 'published' WHERE run = ?1", [run])?;
            Ok(())
        })
    }

    /// Notes that someone has closed these findings in this run, waives the rejects of these sources, and
    /// sets those aside that are held or failed.
    pub(crate) fn accept(&self, acceptance: &Acceptance) -> Result<(), LakeError> {
        let Acceptance { run_id, findings, waived, set_aside, reason } = acceptance;
        let options = json!({ "findings": findings, "reason": reason }).to_string();
        self.transact(|transaction| {
            insert_run(transaction, run_id, "accept", "published", &options, "{}")?;
            for finding in findings {
                transaction.execute(
                    "INSERT INTO accepted_findings (finding, reason) VALUES (?1, ?2) \
                     ON CONFLICT (finding) DO UPDATE SET reason = excluded.reason",
                    [finding, reason],
                )?;
            }
            for SourceId(source) in set_aside {
                transaction.execute(
                    "UPDATE sources SET rejects_state = 'waived' \
                     WHERE source = ?1 AND status IN ('failed', 'held')",
                    params![source],
                )?;
            }
            for SourceId(source) in waived {
                transaction.execute(
                    "UPDATE sources SET rejects_state = 'waived' \
                     WHERE source = ?1 AND rejects_state = 'open'",
                    params![source],
                )?;
            }
            Ok(())
        })
    }
}

/// Adds a run by this program, user and machine, and returns its number.
pub(super) fn insert_run(
    transaction: &Transaction<'_>,
    run_id: &str,
    command: &str,
    status: &str,
    options: &str,
    report: &str,
) -> rusqlite::Result<i64> {
    let (version, rules) = (env!("CARGO_PKG_VERSION"), cdrlake_core::RULES_VERSION);
    transaction.execute(
        "INSERT INTO runs (run_id, command, status, tool_version, rules_version, options, report, \
         user, host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![run_id, command, status, version, rules, options, report, user(), host()],
    )?;
    Ok(transaction.last_insert_rowid())
}

fn record(transaction: &Transaction<'_>, change: &Change<TempPath>) -> rusqlite::Result<RunId> {
    let Change { run_id, command, options, report, .. } = change;
    let run = insert_run(transaction, run_id, command, "publishing", options, report)?;
    let mut added = Vec::new();
    // What ends makes room for the same content.
    for fact in &change.sources {
        if let SourceFact::Ended { source, how } = fact {
            end(transaction, run, *source, *how)?;
        }
    }
    for fact in &change.sources {
        added.push(match fact {
            SourceFact::Added(source) => Some(add_source(transaction, run, source)?),
            SourceFact::Replayed(replayed) => {
                replay(transaction, replayed)?;
                None
            }
            SourceFact::Repeated { source, path, content_hash } => {
                attempt(source, path, Status::Loaded, Some(content_hash))
                    .settle_failures(transaction)?;
                None
            }
            SourceFact::Ended { .. } => None,
        });
    }
    for (source, kept) in &change.left_out {
        let [source, kept] = [source, kept].map(|source| id_of(*source, &added));
        transaction
            .prepare_cached("INSERT OR IGNORE INTO left_out (source, kept) VALUES (?1, ?2)")?
            .execute([source, kept])?;
    }
    for file in &change.add {
        add_file(transaction, run, file, &added)?;
    }
    for file in &change.remove {
        transaction.execute("UPDATE files SET removed_run = ?1 WHERE file = ?2", [run, file.id])?;
    }
    Ok(RunId(run))
}

fn end(
    transaction: &Transaction<'_>,
    run: i64,
    SourceId(source): SourceId,
    how: Ending,
) -> rusqlite::Result<()> {
    let status = match how {
        Ending::Replaced => "replaced",
        Ending::Unloaded => "unloaded",
        Ending::Superseded => "superseded",
    };
    transaction
        .execute(
            "UPDATE sources SET status = ?1, ended_run = ?2 WHERE source = ?3",
            params![status, run, source],
        )
        .map(drop)
}

fn add_source(
    transaction: &Transaction<'_>,
    run: i64,
    AddedSource { source, path, report, time_zone, open_rejects }: &AddedSource,
) -> rusqlite::Result<SourceId> {
    let (metadata, tally) = (&source.metadata, &report.tally);
    attempt(source, path, report.status, report.content_hash.as_ref())
        .settle_failures(transaction)?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO sources (run, name, source_file, carrier_name, content_hash, status, \
         error_code, error, country, profile, product_identifier, sequence_number, file_time, \
         records_read, records_written, records_rejected, records_duplicate, blank_lines, \
         bytes_read, duration_tenths, first_start_time, last_start_time, rejects_state, \
         open_rejects, path, arrived, country_told_by, profile_told_by, product_told_by, time_zone, \
         time_zone_told_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
         ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)",
    )?;
    insert.execute(params![
        run,
        &*source.name,
        source.source_file,
        source.carrier_name,
        report.content_hash.map(|hash| hash.to_hex().to_string()),
        report.status.name(),
        report.error_code,
        report.error.as_deref(),
        metadata.country.map(cdrlake_core::Country::code),
        metadata.profile,
        metadata.product_identifier,
        metadata.sequence_number,
        metadata.file_time.map(|time| LocalTime(time).to_string()),
        tally.records_read as i64,
        tally.records_written as i64,
        tally.records_rejected as i64,
        tally.records_duplicate as i64,
        tally.blank_lines as i64,
        tally.bytes_read as i64,
        tally.duration_seconds.tenths() as i64,
        report.first_start_time.map(|time| time.to_string()),
        report.last_start_time.map(|time| time.to_string()),
        if tally.records_rejected > 0 { "open" } else { "none" },
        if open_rejects.is_empty() { None } else { Some(serialized(open_rejects)?) },
        path,
        source.arrived.and_then(instant),
        source.told_by.country.map(ToldBy::name),
        source.told_by.profile.map(ToldBy::name),
        source.told_by.product_identifier.map(ToldBy::name),
        time_zone.as_ref().map(|(name, _)| name),
        time_zone.as_ref().map(|(_, told_by)| told_by),
    ])?;
    let added = SourceId(transaction.last_insert_rowid());
    if report.supersedes.is_some() {
        // What other sources hold for the delivery is its current version no more.
        transaction
            .prepare_cached(
                "UPDATE sources SET ended_run = ?1 \
                 WHERE carrier_name = ?2 AND status = 'same' AND ended_run IS NULL",
            )?
            .execute(params![run, source.carrier_name])?;
    }
    Ok(added)
}

fn attempt<'a>(
    source: &'a Source,
    path: &'a Option<String>,
    status: Status,
    content_hash: Option<&blake3::Hash>,
) -> Attempt<'a> {
    Attempt {
        is_settled: !matches!(status, Status::Failed | Status::Held),
        content_hash: content_hash.map(|hash| hash.to_hex().to_string()),
        carrier_name: source.carrier_name.as_deref(),
        path: path.as_deref(),
    }
}

/// None if it was not added after all.
fn id_of(source: SourceRef, added: &[Option<SourceId>]) -> Option<i64> {
    let source = match source {
        SourceRef::Known(source) => Some(source),
        SourceRef::Added(place) => added.get(place).copied().flatten(),
    };
    source.map(|SourceId(source)| source)
}

fn replay(transaction: &Transaction<'_>, replayed: &Replayed) -> rusqlite::Result<()> {
    transaction
        .execute(
            "UPDATE sources SET open_rejects = ?1, \
             records_read = records_read - ?3, \
             records_written = records_written + ?2, \
             records_duplicate = records_duplicate + ?6, \
             records_rejected = records_rejected - ?2 - ?3 - ?6, \
             blank_lines = blank_lines + ?3, \
             duration_tenths = duration_tenths + ?4, \
             has_plain_replays = has_plain_replays OR (?2 > 0 AND ?7), \
             rejects_state = CASE records_rejected - ?2 - ?3 - ?6 WHEN 0 THEN 'replayed' \
             ELSE rejects_state END WHERE source = ?5",
            params![
                serialized(&replayed.open_rejects)?,
                replayed.records as i64,
                replayed.blank_lines as i64,
                replayed.duration.tenths() as i64,
                replayed.source.0,
                replayed.left_out as i64,
                replayed.duplicates == Duplicates::Keep,
            ],
        )
        .map(drop)
}

fn serialized(numbers: &RoaringTreemap) -> rusqlite::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    numbers
        .serialize_into(&mut bytes)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok(bytes)
}

fn add_file(
    transaction: &Transaction<'_>,
    run: i64,
    file: &AddedFile<TempPath>,
    added: &[Option<SourceId>],
) -> rusqlite::Result<()> {
    let AddedFile { staged, path, summary } = file;
    transaction.execute(
        "INSERT INTO files (path, kind, rows, bytes, blake3, duration_tenths, added_run, staged) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            path,
            summary.kind.name(),
            summary.rows as i64,
            summary.bytes as i64,
            summary.blake3.to_hex().as_str(),
            summary.tenths as i64,
            run,
            staged.file_name().map(|name| name.to_string_lossy())
        ],
    )?;
    let file_id = transaction.last_insert_rowid();
    let mut first_row = 0;
    for (source, rows) in &summary.sources {
        let source = id_of(*source, added);
        transaction
            .prepare_cached(
                "INSERT INTO file_sources (file, first_row, rows, source) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![file_id, first_row, *rows as i64, source])?;
        first_row += *rows as i64;
    }
    Ok(())
}
