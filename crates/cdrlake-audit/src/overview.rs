//! What a page about a lake shows besides findings: deliveries and calls by day, rejected lines by
//! code, control totals.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use cdrlake_lake::{Facts, FileFacts, FileKind, LakeReader, RejectsState, SourceFacts};
use cdrlake_load::Seconds;
use parquet::errors::{ParquetError, Result as ParquetResult};

use crate::audit::{Audit, AuditOptions};
use crate::check::{audit_facts, bytes_to_read};
use crate::error::AuditError;
use crate::files::{self, Presence};
use crate::finding::{Measure, Observation};
use crate::scan::{OpenFile, column, sources_of, text};
use crate::schedule::{self, DeliveryDays};
use crate::totals::{Period, PeriodOf, Totals, TotalsRow};

/// An audit, and what the lake holds by day.
#[derive(Clone, Debug)]
pub struct Overview {
    /// What the audit has to say.
    pub audit: Audit,
    /// Deliveries by day, in the order of [`Audit::schedules`].
    pub deliveries: Vec<DeliveryDays>,
    /// What became of the records that were delivered, by the ledger.
    pub counts: SourceCounts,
    /// Calls of all files that can be read, by the local day on which they started.
    pub by_call_day: Vec<TotalsRow>,
    /// The same by the month in the name of the file that delivered them.
    pub by_file_month: Vec<TotalsRow>,
    /// Rejected lines of all files that can be read, by code.
    pub rejects: Vec<RejectsRow>,
}

/// Loaded sources, and what became of the records in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SourceCounts {
    /// Loaded sources.
    pub loaded: u64,
    /// Records in the lake.
    pub records_written: u64,
    /// Lines that were rejected, and were not replayed since.
    pub records_rejected: u64,
    /// Records that were left out, for another source has them.
    pub records_duplicate: u64,
    /// Durations of the records in the lake.
    pub seconds: Seconds,
}

/// How many lines were rejected for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectsRow {
    /// Why, as the column `code` of the rejects table has it.
    pub code: String,
    /// Lines in the rejects table.
    pub lines: u64,
    /// Those that were neither replayed nor waived.
    pub open: u64,
}

/// Reads all calls and rejected lines of a lake.
pub(super) fn of_lake(
    lake: &LakeReader,
    facts: &Facts,
    options: &AuditOptions,
) -> Result<Overview, AuditError> {
    let rejects = || facts.files.iter().filter(|file| file.kind == FileKind::Rejects);
    let bytes = rejects().map(|file| lake.bytes(&file.path)).sum::<u64>();
    lake.progress().begin(bytes_to_read(lake, facts, options) + bytes);
    let mut by_call_day = Totals::new(Period::Day, PeriodOf::Call);
    let mut by_file_month = Totals::new(Period::Month, PeriodOf::File);
    let mut audit = audit_facts(lake, facts, options, &mut |source, call| {
        by_call_day.count(source, call);
        by_file_month.count(source, call);
    })?;
    if audit.findings.iter().any(|finding| hides_calls(&finding.observation)) {
        audit.notes.push("calls and totals lack those of files that cannot be read".to_owned());
    }
    let loaded = || facts.sources.values().filter(|source| source.is_loaded());
    let mut counts = SourceCounts::default();
    loaded().for_each(|source| counts.add(source));
    let mut rejected = Rejects::default();
    for file in rejects().filter(|file| files::presence(lake, file) == Presence::There) {
        if let Err(error) = rejected.read(lake, facts, file) {
            let path = &file.path;
            audit.notes.push(format!("{path} cannot be read to its end: {error}"));
        }
    }
    Ok(Overview {
        audit,
        deliveries: schedule::by_day(loaded()),
        counts,
        by_call_day: by_call_day.finish(),
        by_file_month: by_file_month.finish(),
        rejects: rejected.finish(),
    })
}

/// Whether rows of calls are not what they were, or cannot be seen.
fn hides_calls(observation: &Observation) -> bool {
    matches!(
        observation,
        Observation::MissingFile { .. }
            | Observation::DamagedFile { .. }
            | Observation::FileChanged { .. }
            | Observation::FileDiffers { what: Measure::Rows, .. }
    )
}

impl SourceCounts {
    fn add(&mut self, source: &SourceFacts) {
        self.loaded += 1;
        self.records_written += source.records_written;
        self.records_rejected += source.records_rejected;
        self.records_duplicate += source.records_duplicate;
        self.seconds = self.seconds.plus(Seconds::from_tenths(source.tenths));
    }
}

/// Lines by code, and how many of them are open.
#[derive(Default)]
struct Rejects(BTreeMap<String, (u64, u64)>);

impl Rejects {
    fn read(&mut self, lake: &LakeReader, facts: &Facts, file: &FileFacts) -> ParquetResult<()> {
        let open = OpenFile::open(lake, &file.path)?;
        open.read(&["record_number", "code"], &mut |first_row, batch| {
            let codes = text(batch, "code")?;
            let numbers = column(batch, "record_number")?.as_primitive_opt::<Int64Type>();
            let numbers = numbers.ok_or_else(|| {
                ParquetError::General("column record_number is no number".to_owned())
            })?;
            for (source, rows) in sources_of(file, first_row, batch.num_rows()) {
                let source = facts.sources.get(&source);
                for row in rows {
                    self.add(codes.value(row), is_open(source, numbers.value(row)));
                }
            }
            Ok(())
        })
    }

    fn add(&mut self, code: &str, is_open: bool) {
        if !self.0.contains_key(code) {
            self.0.insert(code.to_owned(), (0, 0));
        }
        if let Some((lines, open)) = self.0.get_mut(code) {
            *lines += 1;
            *open += u64::from(is_open);
        }
    }

    /// The most frequent first.
    fn finish(self) -> Vec<RejectsRow> {
        let rows = self.0.into_iter();
        let mut rows: Vec<_> =
            rows.map(|(code, (lines, open))| RejectsRow { code, lines, open }).collect();
        rows.sort_by(|a, b| b.lines.cmp(&a.lines).then_with(|| a.code.cmp(&b.code)));
        rows
    }
}

fn is_open(source: Option<&SourceFacts>, record_number: i64) -> bool {
    source.is_some_and(|source| {
        source.rejects == RejectsState::Open
            && source.open_rejects.contains(record_number.unsigned_abs())
    })
}
