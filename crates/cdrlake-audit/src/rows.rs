//! What rows tell: sums of files and sources against the ledger, carriers that contradict the
//! profile, calls that end after their file was made.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow_array::BinaryArray;
use arrow_array::cast::AsArray;
use cdrlake_core::{SOURCE_HASH_LEN, local_time, source_hash};
use cdrlake_lake::{Facts, FileFacts, FileRows, SourceFacts};
use cdrlake_load::Seconds;
use parquet::errors::Result;

use crate::finding::{Finding, Measure, Observation, Series};
use crate::scan::{Call, CallColumns, OnCall, OpenFile, sources_of};

/// What was seen of the sources' rows so far.
pub(super) struct Rows<'f> {
    sources: BTreeMap<i64, SourceRows<'f>>,
    findings: Vec<Finding>,
}

struct SourceRows<'f> {
    facts: &'f SourceFacts,
    /// What its rows tell in their column `source_hash`.
    hash: Option<[u8; SOURCE_HASH_LEN]>,
    /// Microseconds since 1970.
    file_time: Option<i64>,
    /// As much of the profile as a record has room for.
    profile: Option<&'f str>,
    rows: u64,
    tenths: u64,
    completeness: Completeness,
    other_carrier: u64,
    carriers: BTreeSet<String>,
    after_file: u64,
    /// By how much the last of them ends too late.
    excess: i64,
}

/// Whether all rows of a source could be seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Completeness {
    Whole,
    /// Files are missing, damaged, or of a run that is not published.
    Partial,
}

impl<'f> Rows<'f> {
    pub(super) fn new(facts: &'f Facts) -> Self {
        let sources = facts.sources.values().filter(|source| source.is_loaded());
        let sources = sources.map(|source| (source.id, SourceRows::new(source)));
        Self { sources: sources.collect(), findings: Vec::new() }
    }

    /// Reads all rows of a file of calls.
    pub(super) fn read(
        &mut self,
        file: &FileFacts,
        open: OpenFile,
        on_call: OnCall<'_>,
    ) -> Result<()> {
        let (mut tenths, mut of_others) = (0, 0);
        let [a, b, c, d] = CallColumns::NAMES;
        open.read(&[a, b, c, d, SOURCE_HASH], &mut |first_row, batch| {
            let columns = CallColumns::of(batch)?;
            // Lakes of earlier versions have no such column.
            let hashes =
                batch.column_by_name(SOURCE_HASH).and_then(|hashes| hashes.as_binary_opt());
            for (source, rows) in sources_of(file, first_row, batch.num_rows()) {
                let mut source = self.sources.get_mut(&source);
                if let (Some(hashes), Some(source)) = (hashes, &source) {
                    of_others += rows_of_others(hashes, rows.clone(), source.hash);
                }
                for row in rows {
                    let call = columns.call(row);
                    tenths += call.tenths;
                    if let Some(source) = source.as_deref_mut() {
                        source.see(call);
                        on_call(source.facts, call);
                    }
                }
            }
            Ok(())
        })?;
        if of_others > 0 {
            self.findings.push(Finding::new(
                Default::default(),
                Observation::FileDiffers {
                    path: file.path.clone(),
                    what: Measure::RowsOfOthers,
                    ledger: "0".to_owned(),
                    found: of_others.to_string(),
                },
            ));
        }
        if tenths != file.tenths {
            let (ledger, found) = (Seconds::from_tenths(file.tenths), Seconds::from_tenths(tenths));
            self.findings.push(Finding::new(
                Default::default(),
                Observation::FileDiffers {
                    path: file.path.clone(),
                    what: Measure::Seconds,
                    ledger: ledger.to_string(),
                    found: found.to_string(),
                },
            ));
        }
        Ok(())
    }

    /// The rows of a file cannot be seen.
    pub(super) fn leave_out(&mut self, file: &FileFacts) {
        for part in &file.sources {
            if let Some(source) = self.sources.get_mut(&part.source) {
                source.completeness = Completeness::Partial;
            }
        }
    }

    /// The paths of files that have other seconds than by the ledger, or rows of a source that has other
    /// rows or seconds.
    pub(super) fn differing_files(&self, facts: &'f Facts) -> BTreeSet<&'f str> {
        let differs =
            |part: &FileRows| self.sources.get(&part.source).is_some_and(SourceRows::differs);
        let is_found = |file: &FileFacts| {
            self.findings.iter().any(|finding| match &finding.observation {
                Observation::FileDiffers { path, .. } => *path == file.path,
                _ => false,
            })
        };
        let files = facts.files.iter();
        let files = files.filter(|file| file.sources.iter().any(differs) || is_found(file));
        files.map(|file| file.path.as_str()).collect()
    }

    pub(super) fn findings(self) -> Vec<Finding> {
        let mut findings = self.findings;
        for source in self.sources.into_values() {
            let series = Series::of(source.facts);
            let observations = source.observations();
            findings.extend(observations.map(|found| Finding::new(series.clone(), found)));
        }
        findings
    }
}

impl<'f> SourceRows<'f> {
    fn new(facts: &'f SourceFacts) -> Self {
        /// Bytes of the record's field.
        const CARRIER: usize = 3;
        let profile = facts.profile.as_deref();
        let hash = facts.content_hash.as_ref().and_then(|hash| blake3::Hash::from_hex(hash).ok());
        Self {
            facts,
            hash: hash.map(|hash| source_hash(&hash)),
            file_time: facts.file_time.map(local_time::microseconds),
            profile: profile.map(|profile| profile.get(..CARRIER).unwrap_or(profile)),
            rows: 0,
            tenths: 0,
            completeness: Completeness::Whole,
            other_carrier: 0,
            carriers: BTreeSet::new(),
            after_file: 0,
            excess: 0,
        }
    }

    fn see(&mut self, call: Call<'_>) {
        const TENTH: i64 = 100_000;
        /// Different carriers that are told.
        const TOLD: usize = 3;
        self.rows += 1;
        self.tenths += call.tenths;
        if let (Some(profile), Some(carrier)) = (self.profile, call.carrier)
            && !profile.eq_ignore_ascii_case(carrier)
        {
            self.other_carrier += 1;
            if self.carriers.len() < TOLD {
                self.carriers.insert(shown(carrier));
            }
        }
        let end = call.start + call.tenths as i64 * TENTH;
        if let Some(excess) = self.file_time.map(|time| end - time).filter(|&excess| excess > 0) {
            self.after_file += 1;
            self.excess = self.excess.max(excess / TENTH);
        }
    }

    fn differs(&self) -> bool {
        let ledger = (self.facts.records_written, self.facts.tenths);
        self.completeness == Completeness::Whole && (self.rows, self.tenths) != ledger
    }

    fn observations(self) -> impl Iterator<Item = Observation> {
        let facts = self.facts;
        let (source, content_hash) = (|| facts.name.clone(), || facts.key().to_owned());
        let differs = |what, ledger: String, found: String| {
            (self.completeness == Completeness::Whole && ledger != found).then(|| {
                Observation::SourceDiffers {
                    source: source(),
                    content_hash: content_hash(),
                    what,
                    ledger,
                    found,
                }
            })
        };
        let seconds = |tenths| Seconds::from_tenths(tenths).to_string();
        let other_carrier = (self.other_carrier > 0).then(|| Observation::CarrierMismatch {
            source: source(),
            content_hash: content_hash(),
            records: self.other_carrier,
            carriers: self.carriers.iter().cloned().collect(),
        });
        let after_file = (self.after_file > 0).then(|| Observation::CallsAfterFile {
            source: source(),
            content_hash: content_hash(),
            records: self.after_file,
            seconds: Seconds::from_tenths(self.excess as u64),
        });
        let found = [
            differs(Measure::Rows, facts.records_written.to_string(), self.rows.to_string()),
            differs(Measure::Seconds, seconds(facts.tenths), seconds(self.tenths)),
            other_carrier,
            after_file,
        ];
        found.into_iter().flatten()
    }
}

/// How many rows tell another hash.
fn rows_of_others(
    hashes: &BinaryArray,
    rows: Range<usize>,
    expected: Option<[u8; SOURCE_HASH_LEN]>,
) -> u64 {
    let Some(expected) = expected else { return 0 };
    rows.filter(|&row| hashes.value(row) != expected).count() as u64
}

/// The column by which a row names its source.
const SOURCE_HASH: &str = "source_hash";

/// A carrier as it may be told: digits may be of a subscriber's number.
fn shown(carrier: &str) -> String {
    if carrier.bytes().any(|byte| byte.is_ascii_alphabetic()) {
        carrier.to_owned()
    } else {
        carrier.bytes().map(|byte| if byte.is_ascii_digit() { 'd' } else { byte as char }).collect()
    }
}
