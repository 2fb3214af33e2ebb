//! Questions to a lake and its ledger: is every delivery here, once, and as it was delivered?
//!
//! An audit takes no lock and writes nothing, so that it can be asked while a run writes the lake,
//! and where nothing can be written. It reads the ledger at one moment and the files after it; if a
//! run changed the lake meanwhile it begins again.

mod accept;
mod expected;
mod facts;
mod files;
mod finding;
mod inputs;
mod overlaps;
mod overview;
mod rows;
mod scan;
mod schedule;
mod sequences;
mod sources;
mod standing;
#[cfg(test)]
mod tests;
mod totals;

use cdrlake_core::Numbers;
use jiff::SignedDuration;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Serialize;

pub use self::accept::accept;
pub use self::expected::{Difference, ExpectedTotals};
pub(crate) use self::facts::{
    Facts, FileFacts, FileRows, FileState, Moment, RejectsState, SourceFacts, SourceStatus,
};
use self::files::Presence;
pub use self::finding::{DaysLeft, Finding, GapState, Measure, Observation, Series};
pub use self::inputs::ScratchLake;
use self::overlaps::Unreadable;
pub use self::overview::{Overview, RejectsRow, SourceCounts};
use self::rows::Rows;
use self::scan::{Call, LakeFile};
pub use self::schedule::{DeliveryDays, ScheduleSummary};
pub use self::sequences::SequenceSummary;
pub use self::standing::{Standing, standing};
pub use self::totals::{Period, PeriodOf, TotalsKey, TotalsRow, TotalsSum};
use crate::error::LakeError;
use crate::lake::LakeLocation;
use crate::ledger::{FileKind, Ledger};
use cdrlake_source::is_lake;

/// What an audit goes by.
#[derive(Clone, Copy, Debug)]
pub struct AuditOptions {
    /// Date and time without zone, to compare with those of files' names.
    pub now: DateTime,
    /// How old the latest delivery of each country, profile and product may be; any age if none.
    pub max_age: Option<SignedDuration>,
}

impl Default for AuditOptions {
    /// The clock's time, UTC: an hour or two before the carrier's.
    fn default() -> Self {
        let now = jiff::Timestamp::now().to_zoned(TimeZone::UTC).datetime();
        Self { now, max_age: None }
    }
}

/// What an audit has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// Deliveries by country, profile and product, as the files' times tell.
    pub schedules: Vec<ScheduleSummary>,
    /// Deliveries by profile and product, as their numbers tell.
    pub sequences: Vec<SequenceSummary>,
    /// What nobody has closed yet.
    pub findings: Vec<Finding>,
    /// What someone has.
    pub accepted: Vec<Accepted>,
    /// What else is to be known.
    pub notes: Vec<String>,
}

/// A finding that someone has closed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Accepted {
    /// What was found.
    #[serde(flatten)]
    pub finding: Finding,
    /// Why it is closed.
    pub reason: String,
}
/// Audits a lake.
///
/// # Errors
///
/// [`LakeError`], if the lake or its ledger cannot be read; a file of it that cannot is a finding.
pub fn audit(location: &LakeLocation, options: &AuditOptions) -> Result<Audit, LakeError> {
    let (mut audit, steadiness) = steadily(location, |facts| {
        location.progress.begin(bytes_to_read(location, facts));
        audit_facts(location, facts, options, &mut |_, _| {})
    })?;
    audit.note(steadiness);
    Ok(audit)
}

/// Audits a lake, and counts by day what it holds. Calls are read once for both.
///
/// # Errors
///
/// As [`audit`].
pub fn overview(location: &LakeLocation, options: &AuditOptions) -> Result<Overview, LakeError> {
    let (mut overview, steadiness) =
        steadily(location, |facts| overview::of_lake(location, facts, options))?;
    overview.audit.note(steadiness);
    Ok(overview)
}

impl Audit {
    fn note(&mut self, steadiness: Steadiness) {
        if steadiness == Steadiness::Changed {
            self.notes.push(
                "the lake was changed again and again while it was read: audit it once more"
                    .to_owned(),
            );
        }
    }
}

/// Control totals of a lake, in the order of their keys.
///
/// # Errors
///
/// [`LakeError`], if the lake, its ledger or any of its files of calls cannot be read, or a run is
/// publishing.
pub fn totals(
    location: &LakeLocation,
    period: Period,
    of: PeriodOf,
) -> Result<Vec<TotalsRow>, LakeError> {
    steadily(location, |facts| totals::of_lake(location, facts, period, of))
        .map(|(totals, _)| totals)
}

/// Whether a lake stayed as it was while it was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Steadiness {
    Steady,
    Changed,
}

/// Reads a lake, again if it was changed meanwhile.
fn steadily<T>(
    location: &LakeLocation,
    read: impl Fn(&Facts) -> Result<T, LakeError>,
) -> Result<(T, Steadiness), LakeError> {
    const ATTEMPTS: usize = 3;
    let (root, path) = (&location.root, location.ledger());
    if !is_lake(root) {
        return Err(LakeError::NoLake(root.clone()));
    }
    if !path.is_file() {
        return Err(LakeError::LedgerMissing(root.clone()));
    }
    let ledger = Ledger::open_to_read(&path)?;
    let mut attempt = 1;
    loop {
        let facts = ledger.facts()?;
        let result = read(&facts);
        // Nor can what was read till then be trusted.
        location.interrupt.check()?;
        if ledger.moment()? == facts.moment {
            return result.map(|read| (read, Steadiness::Steady));
        }
        if attempt == ATTEMPTS {
            return result.map(|read| (read, Steadiness::Changed));
        }
        attempt += 1;
    }
}

/// How many bytes of files an audit reads, as often as it reads them.
fn bytes_to_read(lake: &LakeLocation, facts: &Facts) -> u64 {
    let calls = || facts.files.iter().filter(|file| file.kind == FileKind::Calls);
    let bytes = |file: &FileFacts| files::bytes(&lake.root, file);
    calls().map(bytes).sum::<u64>() + overlaps::bytes_read(calls(), overlaps::MEMORY, bytes)
}

/// Told of every call that can be read, and whose it is.
type OnCall<'c> = &'c mut dyn FnMut(&SourceFacts, Call<'_>);

fn audit_facts(
    lake: &LakeLocation,
    facts: &Facts,
    options: &AuditOptions,
    on_call: OnCall<'_>,
) -> Result<Audit, LakeError> {
    let today = options.now.date();
    let sources = || facts.sources.values();
    // A delivery is what was loaded; what failed is a finding of its own.
    let deliveries = || sources().filter(|source| source.is_loaded());
    let (sequences, mut findings) = sequences::check(deliveries(), today);
    let (schedules, found) = schedule::check(deliveries(), options.now, options.max_age);
    findings.extend(found);
    findings.extend(sources::check(sources(), today));
    findings.extend(check_files(lake, facts, on_call)?);
    findings.extend(files::unknown(&lake.root, &facts.files)?);
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
    Ok(Audit { schedules, sequences, findings: open, accepted, notes })
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
    lake: &LakeLocation,
    facts: &Facts,
    on_call: OnCall<'_>,
) -> Result<Vec<Finding>, LakeError> {
    let mut findings = Vec::new();
    let mut found = |observation| findings.push(Finding::new(Series::default(), observation));
    let mut rows = Rows::new(facts);
    let mut sound = Vec::new();
    for file in &facts.files {
        let path = file.path.clone();
        let problem = match files::presence(&lake.root, file) {
            Presence::Unsettled => None,
            Presence::Missing => Some(Observation::MissingFile { path, rows: file.rows }),
            Presence::There => match check_file(lake, file, &mut rows, on_call) {
                Ok(None) => {
                    if file.kind == FileKind::Calls {
                        sound.push(file);
                    }
                    continue;
                }
                Ok(problem) => problem,
                Err(error) => Some(Observation::DamagedFile { path, error: error.to_string() }),
            },
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
    findings.extend(rows.findings());
    findings.extend(overlaps);
    Ok(findings)
}

/// What keeps a file's rows from being told apart, if anything.
fn check_file(
    lake: &LakeLocation,
    file: &FileFacts,
    rows: &mut Rows<'_>,
    on_call: OnCall<'_>,
) -> parquet::errors::Result<Option<Observation>> {
    let open = LakeFile::open(lake, &file.path)?;
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
