//! Lakes made from synthetic deliveries, with one fault each, and none.

mod accepting;
mod deliveries;
mod doubled;
mod failures;
mod files;
mod meanwhile;
mod overviews;
mod progress;
mod replays;
mod rows;
mod standings;
mod sums;
#[path = "../../cdrlake-load/tests/common/tables.rs"]
mod tables;
mod verifying;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{fs, thread};

use cdrlake_core::RecordId;
use cdrlake_generate::frozen::Calls;
use cdrlake_lake::{
    Duplicates, LakeError, LakeLocation, LakeOptions, PartitionBy, RejectsState, SourceFacts,
    SourceStatus, convert_to_lake,
};
use cdrlake_load::{LoadOptions, OnChanged, Repeated, Report};
use cdrlake_source::Input;
use jiff::ToSpan;
use jiff::civil::{DateTime, date};
use rusqlite::Connection;

use crate::{
    Audit, AuditError, AuditOptions, Finding, Observation, Period, PeriodOf, ScratchLake, Verify,
    accept, audit, overlaps, record, totals,
};

/// A loaded delivery so many days after 2025-10-01, at this hour.
pub(super) fn delivery(country: &str, number: u16, day: i64, hour: i8) -> SourceFacts {
    let day = date(2025, 10, 1).checked_add(day.days()).unwrap();
    let time: DateTime = day.at(hour, 0, 0, 0);
    let name = format!("{country}_ABC_10_{number:04}_{}.cdr.gz", time.strftime("%Y%m%d%H%M%S"));
    SourceFacts {
        id: 1,
        carrier_name: Some(name.trim_end_matches(".cdr.gz").to_owned()),
        content_hash: None,
        status: SourceStatus::Loaded,
        country: Some(country.to_owned()),
        profile: Some("ABC".to_owned()),
        product_identifier: Some("10".to_owned()),
        sequence_number: Some(number),
        file_time: Some(time),
        records_written: 0,
        records_rejected: 0,
        records_duplicate: 0,
        has_plain_replays: false,
        path: None,
        tenths: 0,
        rejects: RejectsState::Closed,
        open_rejects: Default::default(),
        name,
    }
}

/// The deliveries of three days, on the morning of the fourth, and a lake for them.
struct Lab {
    directory: tempfile::TempDir,
    options: AuditOptions,
}

const RECORDS: usize = 20;

impl Lab {
    fn new() -> Self {
        let now = date(2025, 10, 4).at(8, 0, 0, 0);
        let options = AuditOptions { now, max_age: None, verify: Verify::Omit };
        Self { directory: tempfile::tempdir().unwrap(), options }
    }

    /// With the six deliveries loaded.
    fn whole() -> Self {
        let lab = Self::new();
        lab.load(&Self::names(), |_| {});
        lab
    }

    fn names() -> Vec<String> {
        (0..6).map(name).collect()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn location(&self) -> LakeLocation {
        LakeLocation::new(self.path("lake"))
    }

    fn write(&self, name: &str, content: &[u8]) -> String {
        fs::write(self.path(name), content).unwrap();
        name.to_owned()
    }

    /// Loads files of these names; those that are not there are made.
    fn load(&self, names: &[String], set: impl FnOnce(&mut LakeOptions)) -> Report {
        let inputs = names.iter().map(|name| {
            let path = self.path(name);
            if !path.exists() {
                let hash = blake3::hash(name.as_bytes());
                let seed = u64::from_le_bytes(*hash.as_bytes().first_chunk().unwrap());
                fs::write(&path, calls(seed).concat()).unwrap();
            }
            Input::Path(path)
        });
        let load = LoadOptions::new(inputs.collect());
        let mut options = LakeOptions::new(load, self.location());
        set(&mut options);
        convert_to_lake(&options).unwrap()
    }

    fn audit(&self) -> Audit {
        audit(&self.location(), &self.options).unwrap()
    }

    /// `kind: message` of all findings, without the directory's name.
    fn told(&self) -> Vec<String> {
        let directory = format!("{}/", self.directory.path().display());
        let tell = |finding: Finding| {
            format!("{}: {}", finding.observation.kind(), finding.message.replace(&directory, ""))
        };
        self.audit().findings.into_iter().map(tell).collect()
    }

    fn ledger(&self) -> Connection {
        Connection::open(self.path("lake/_cdrlake/ledger.sqlite")).unwrap()
    }

    /// The only file of calls, by its path in the lake.
    fn file(&self) -> String {
        let files = fs::read_dir(self.path("lake/calls/call_month=2025-10")).unwrap();
        let mut files: Vec<_> =
            files.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        files.sort();
        format!("calls/call_month=2025-10/{}", files[0])
    }
}

/// The delivery of this place: two a day.
fn name(place: u16) -> String {
    let facts = delivery("GB", place + 1, i64::from(place) / 2, 9 + 8 * (place % 2) as i8);
    facts.name.trim_end_matches(".gz").to_owned()
}

/// Calls of the first minutes of 2025-10-01: before all deliveries.
fn calls(seed: u64) -> Vec<[u8; 229]> {
    Calls::new(seed, 1_000_000).take(RECORDS).collect()
}

fn content(lab: &Lab, name: &str) -> Vec<u8> {
    fs::read(lab.path(name)).unwrap()
}

/// Of the lines' own bytes, as the carrier's document places them.
fn seconds(lines: &[u8]) -> String {
    let tenths = lines
        .chunks(229)
        .map(|line| std::str::from_utf8(&line[58..66]).unwrap().trim().parse::<u64>().unwrap());
    let tenths: u64 = tenths.sum();
    format!("{}.{}", tenths / 10, tenths % 10)
}
