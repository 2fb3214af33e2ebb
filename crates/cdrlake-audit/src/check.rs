//! All questions of an audit, asked of one moment's facts and of the files.

use cdrlake_core::Numbers;
use cdrlake_lake::{Facts, FileFacts, FileKind, LakeReader};

use crate::audit::{Accepted, Audit, AuditOptions};
use crate::error::AuditError;
use crate::files::{self, Presence};
use crate::finding::{Finding, Measure, Observation, Series};
use crate::overlaps::{self, Unreadable};
use crate::rows::Rows;
use crate::scan::{OnCall, OpenFile};
use crate::verify::{Verified, Verify};
use crate::{schedule, sequences, sources};

/// How many bytes of files an audit reads, as often as it reads them.
pub(crate) fn bytes_to_read(lake: &LakeReader, facts: &Facts, options: &AuditOptions) -> u64 {
    let calls = || facts.files.iter().filter(|file| file.kind == FileKind::Calls);
    let bytes = |file: &FileFacts| lake.bytes(&file.path);
    let whole = match options.verify {
        Verify::Omit => 0,
        Verify::Whole => facts.files.iter().map(bytes).sum(),
    };
    calls().map(bytes).sum::<u64>() + overlaps::bytes_read(calls(), overlaps::MEMORY, bytes) + whole
}

/// Asks everything that an audit asks.
pub(crate) fn audit_facts(
    lake: &LakeReader,
    facts: &Facts,
    options: &AuditOptions,
    on_call: OnCall<'_>,
) -> Result<Audit, AuditError> {
    let today = options.now.date();
    let sources = || facts.sources.values();
    // A delivery is what was loaded, or is accounted for; what failed is a finding of its own.
    let loaded = || sources().filter(|source| source.is_loaded());
    let deliveries = || loaded().chain(&facts.accounted_for);
    let (sequences, mut findings) = sequences::check(deliveries(), today);
    let (schedules, found) = schedule::check(deliveries(), options.now, options.max_age);
    findings.extend(found);
    findings.extend(sources::check(sources(), today));
    let mut verified = match options.verify {
        Verify::Omit => None,
        Verify::Whole => Some(Verified::default()),
    };
    findings.extend(check_files(lake, facts, verified.as_mut(), on_call)?);
    findings.extend(files::unknown(lake, &facts.files)?);
    let publishing = facts.moment.publishing.iter().map(|run| {
        format!(
            "run {run} is publishing, or died at it: its files may be here or not; the next run on \
             the lake finishes it"
        )
    });
    let uncertain = uncertain_overlaps(facts, &findings).map(str::to_owned);
    let notes = publishing.chain(uncertain).collect();
    let (mut open, mut accepted) = (Vec::new(), Vec::new());
    for finding in findings {
        // Whether rejects are open, their state says.
        let is_rejects = matches!(finding.observation, Observation::OpenRejects { .. });
        match facts.accepted.get(&finding.id).filter(|_| !is_rejects) {
            Some(reason) => accepted.push(Accepted { finding, reason: reason.clone() }),
            None => open.push(finding),
        }
    }
    Ok(Audit { schedules, sequences, findings: open, accepted, notes, verified })
}

/// What is to be known of overlaps where nothing but treated numbers tells calls apart.
fn uncertain_overlaps(facts: &Facts, findings: &[Finding]) -> Option<&'static str> {
    let is_overlap = |finding: &Finding| matches!(finding.observation, Observation::Overlap { .. });
    let loaded = || facts.sources.values().filter(|source| source.is_loaded());
    match facts.identities {
        Numbers::Masked { .. } if findings.iter().any(is_overlap) => Some(
            "numbers are masked and there is no record_id, so overlaps may count calls that differ in \
             masked digits alone",
        ),
        Numbers::Pseudonymized
            if loaded().any(|source| source.country.is_none())
                && loaded().any(|source| source.country.is_some()) =>
        {
            Some(
                "numbers are pseudonymized and there is no record_id, so overlaps of sources with a \
                 country and sources without may not be found: their national numbers have other tokens",
            )
        }
        _ => None,
    }
}

/// Reads all files of a lake, and holds them against the ledger.
fn check_files(
    lake: &LakeReader,
    facts: &Facts,
    mut verified: Option<&mut Verified>,
    on_call: OnCall<'_>,
) -> Result<Vec<Finding>, AuditError> {
    let mut findings = Vec::new();
    let mut found = |observation| findings.push(Finding::new(Series::default(), observation));
    let mut rows = Rows::new(facts);
    let mut sound = Vec::new();
    for file in &facts.files {
        let path = file.path.clone();
        let problem = match files::presence(lake, file) {
            Presence::Unsettled => None,
            Presence::Missing => Some(Observation::MissingFile { path, rows: file.rows }),
            Presence::There => {
                let verified = verified.as_deref_mut();
                let found = judge_file(lake, facts, file, verified, &mut rows, on_call)?;
                if found.is_none() {
                    if file.kind == FileKind::Calls {
                        sound.push(file);
                    }
                    continue;
                }
                found
            }
        };
        rows.leave_out(file);
        problem.into_iter().for_each(&mut found);
    }
    let overlaps = loop {
        match overlaps::check(lake, facts, &sound, overlaps::MEMORY) {
            Ok(overlaps) => break overlaps,
            Err(Unreadable { path, error }) => {
                sound.retain(|file| file.path != path);
                found(Observation::DamagedFile { path, error: error.to_string() });
            }
        }
    };
    if let Some(verified) = verified {
        verified.leave_out(&rows.differing_files(facts));
    }
    findings.extend(rows.findings());
    findings.extend(overlaps);
    Ok(findings)
}

/// What keeps a file's rows from being told apart, if anything: its bytes, if they are to be verified, or
/// what the reader says.
fn judge_file(
    lake: &LakeReader,
    facts: &Facts,
    file: &FileFacts,
    verified: Option<&mut Verified>,
    rows: &mut Rows<'_>,
    on_call: OnCall<'_>,
) -> Result<Option<Observation>, AuditError> {
    if let Some(verified) = verified
        && let Some(found) = verified.read(lake, facts, file)?
    {
        return Ok(Some(found));
    }
    Ok(check_file(lake, file, rows, on_call).unwrap_or_else(|error| {
        Some(Observation::DamagedFile { path: file.path.clone(), error: error.to_string() })
    }))
}

/// What keeps a file's rows from being told apart, if anything, by its footer and the columns that most
/// questions are about.
fn check_file(
    lake: &LakeReader,
    file: &FileFacts,
    rows: &mut Rows<'_>,
    on_call: OnCall<'_>,
) -> parquet::errors::Result<Option<Observation>> {
    let open = OpenFile::open(lake, &file.path)?;
    if open.rows() != file.rows {
        return Ok(Some(Observation::FileDiffers {
            path: file.path.clone(),
            what: Measure::Rows,
            ledger: file.rows.to_string(),
            found: open.rows().to_string(),
        }));
    }
    if file.kind == FileKind::Calls {
        rows.read(file, open, on_call)?;
    }
    Ok(None)
}
