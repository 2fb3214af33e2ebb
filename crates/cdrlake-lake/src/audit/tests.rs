//! Lakes made from synthetic deliveries, with one fault each, and none.

mod failures;
mod replays;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use cdrlake_core::RecordId;
use cdrlake_core::synthetic::Calls;
use jiff::ToSpan;
use jiff::civil::{DateTime, date};
use rusqlite::Connection;

use super::facts::{RejectsState, SourceFacts, SourceStatus};
use super::{
    Audit, AuditOptions, Finding, Observation, Period, PeriodOf, ScratchLake, accept, audit,
    overlaps, totals,
};
use crate::lock::{Lock, Locked};
use crate::{
    Changed, Duplicates, Input, LakeError, LakeLocation, LakeOptions, LoadOptions, PartitionBy,
    Repeated, Report, convert_to_lake,
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
        let options = AuditOptions { now, max_age: None };
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

#[test]
fn a_whole_lake_has_no_findings() {
    let lab = Lab::whole();
    let Audit { schedules, sequences, findings, accepted, notes } = lab.audit();
    assert_eq!((findings, accepted, notes.len()), (vec![], vec![], 0));
    assert_eq!((schedules.len(), sequences.len()), (1, 1));
    let (schedule, sequence) = (&schedules[0], &sequences[0]);
    assert_eq!((schedule.deliveries, schedule.daily, schedule.short_days), (6, 2, 0));
    assert_eq!(schedule.series.to_string(), "GB ABC 10");
    assert_eq!((sequence.deliveries, sequence.first, sequence.last), (6, 1, 6));
}

#[test]
fn deliveries_that_did_not_come() {
    let lab = Lab::new();
    lab.load(&[name(0), name(1), name(3), name(4), name(5)], |_| {});
    assert_eq!(
        lab.told(),
        [
            "missing_sequence: sequence number 0003 is missing, between 2025-10-01 and \
             2025-10-02; 87 days left to fetch again",
            "missing_delivery: 1 of 2 deliveries on 2025-10-02; 88 days left to fetch again",
        ]
    );
    lab.load(&[name(2)], |_| {});
    assert!(lab.told().is_empty());
}

#[test]
fn an_empty_delivery_is_one() {
    let lab = Lab::new();
    lab.write(&name(2), b"");
    lab.load(&Lab::names(), |_| {});
    assert!(lab.told().is_empty(), "{:?}", lab.told());
}

#[test]
fn one_number_on_two_deliveries() {
    let lab = Lab::whole();
    let again = "GB_ABC_10_0004_20251002171500.cdr".to_owned();
    lab.load(&[again], |_| {});
    assert_eq!(
        lab.told(),
        ["repeated_sequence: sequence number 0004 came 2 times: \
          GB_ABC_10_0004_20251002170000.cdr, GB_ABC_10_0004_20251002171500.cdr"]
    );
}

#[test]
fn sources_that_failed_until_they_are_loaded() {
    let lab = Lab::whole();
    fs::create_dir(lab.path("first")).unwrap();
    let failed = format!("first/{}.gz", name(6).replace("20251004", "20251003"));
    lab.write(&failed, b"\x1f\x8b\x08");
    lab.load(std::slice::from_ref(&failed), |_| {});
    let told = lab.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with(&format!("failed_source: failed: {failed}: ")), "{told:?}");
    assert!(told[0].ends_with("; 89 days left to fetch again"), "{told:?}");
    let sound = name(6).replace("20251004", "20251003");
    lab.load(&[sound], |_| {});
    assert!(lab.told().is_empty());
}

#[test]
fn open_rejects_are_waived() {
    let lab = Lab::whole();
    let name = name(6);
    let mut content = calls(77).concat();
    content.extend(b"a short line\nanother\n");
    lab.write(&name, &content);
    lab.load(std::slice::from_ref(&name), |_| {});
    assert_eq!(lab.told(), [format!("open_rejects: 2 rejected lines are open: {name}")]);
    let id = lab.audit().findings[0].id.clone();
    let closed = accept(&lab.location(), &lab.options, std::slice::from_ref(&id), "noise").unwrap();
    assert_eq!(closed[0].id, id);
    assert!(lab.told().is_empty());
    let again = lab.load(&[name], |_| {});
    assert_eq!(again.sources[0].open_rejects, 0);
    let faces = crate::tests::read(&lab.path("lake/sources.parquet"));
    let states = faces.iter().flat_map(|batch| {
        use arrow_array::cast::AsArray;
        let states = batch.column_by_name("rejects_state").unwrap().as_string::<i32>();
        states.iter().map(|state| state.unwrap().to_owned()).collect::<Vec<_>>()
    });
    assert_eq!(states.filter(|state| state == "waived").count(), 1);
}

#[test]
fn findings_are_accepted_until_they_change() {
    let lab = Lab::new();
    lab.load(&[name(0), name(1), name(4), name(5)], |_| {});
    let ids: Vec<String> = lab.audit().findings.into_iter().map(|finding| finding.id).collect();
    assert_eq!(
        ids,
        [
            "missing_sequence:ABC:10:0003-0004:2025-10-01",
            "missing_delivery:GB:ABC:10:2025-10-02..2025-10-02"
        ]
    );
    let wrong = accept(&lab.location(), &lab.options, &["missing_sequence:x".to_owned()], "?");
    assert!(matches!(wrong, Err(LakeError::NoFinding(_))), "{wrong:?}");
    accept(&lab.location(), &lab.options, &ids, "the carrier had an outage").unwrap();
    let Audit { findings, accepted, .. } = lab.audit();
    assert_eq!((findings.len(), accepted.len()), (0, 2));
    assert_eq!(accepted[0].reason, "the carrier had an outage");
    // The reason may be given again.
    accept(&lab.location(), &lab.options, &ids[..1], "a holiday").unwrap();
    assert_eq!(lab.audit().accepted[0].reason, "a holiday");
    lab.load(&[name(2)], |_| {});
    let findings = lab.audit().findings;
    assert_eq!(findings[0].id, "missing_sequence:ABC:10:0004-0004:2025-10-02");
}

/// Daily deliveries and a consolidated one, which does not tell its country.
fn overlapping(record_id: RecordId, partition_by: PartitionBy, duplicates: Duplicates) -> Lab {
    let lab = Lab::new();
    let set = |options: &mut LakeOptions| {
        options.load.record_id = record_id;
        options.partition_by = Some(partition_by);
    };
    // Two equal calls in one delivery are two calls.
    let twice = calls(5)[0];
    let first = [calls(5).concat(), twice.to_vec()].concat();
    lab.write(&name(0), &first);
    lab.load(&Lab::names(), set);
    let third = content(&lab, &name(2));
    let consolidated = [&first[..], &third[..229 * 3], &calls(6).concat()].concat();
    let consolidated = lab.write("ABC20251003001.cdr", &consolidated);
    lab.load(&[consolidated], |options| {
        set(options);
        options.duplicates = duplicates;
    });
    lab
}

/// Of the lines' own bytes, as the carrier's document places them.
fn seconds(lines: &[u8]) -> String {
    let tenths = lines
        .chunks(229)
        .map(|line| std::str::from_utf8(&line[58..66]).unwrap().trim().parse::<u64>().unwrap());
    let tenths: u64 = tenths.sum();
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[test]
fn records_of_two_sources() {
    for record_id in [RecordId::Omit, RecordId::Fill] {
        for partition_by in PartitionBy::ALL {
            let lab = overlapping(record_id, partition_by, Duplicates::Keep);
            let (first, third) = (content(&lab, &name(0)), content(&lab, &name(2)));
            let expected = [(21, &first[..], name(0)), (3, &third[..229 * 3], name(2))];
            let expected = expected.map(|(count, lines, name)| {
                let seconds = seconds(lines);
                format!(
                    "overlap: {count} records ({seconds} s) of ABC20251003001.cdr also in {name}"
                )
            });
            assert_eq!(lab.told(), expected, "{record_id:?} {partition_by:?}");
        }
    }
}

#[test]
fn overlaps_need_little_memory() {
    let lab = overlapping(RecordId::Omit, PartitionBy::CallMonth, Duplicates::Keep);
    let ledger = crate::ledger::Ledger::open_to_read(&lab.location().ledger()).unwrap();
    let facts = ledger.facts().unwrap();
    let files: Vec<_> = facts.files.iter().collect();
    let found = |memory| {
        let found = overlaps::check(&lab.location(), &facts, &files, memory);
        found.unwrap_or_else(|found| panic!("{}", found.error))
    };
    let at_once = found(overlaps::MEMORY);
    assert_eq!(at_once.len(), 2);
    // Ten records at a time.
    assert_eq!(found(240), at_once);
}

#[test]
fn what_was_deduplicated_is_no_overlap() {
    let lab = overlapping(RecordId::Fill, PartitionBy::CallMonth, Duplicates::Drop);
    assert!(lab.told().is_empty(), "{:?}", lab.told());
    // Of three equal calls one was kept, for the source with most of them had two.
    let again = lab.write("ABC20251003002.cdr", &calls(5)[0].repeat(3));
    let report = lab.load(&[again], |options| options.duplicates = Duplicates::Drop);
    assert_eq!((report.totals.records_duplicate, report.totals.records_written), (2, 1));
    assert!(lab.told().is_empty(), "{:?}", lab.told());
}

#[test]
fn carriers_that_contradict_the_profile() {
    let lab = Lab::whole();
    let mut lines = calls(9);
    lines[3][224..227].copy_from_slice(b"XYZ");
    lines[4][224..227].copy_from_slice(b"079");
    lines[5][224..227].copy_from_slice(b"   ");
    lines[6][224..227].copy_from_slice(b"abc");
    let name = lab.write(&name(6), &lines.concat());
    lab.load(std::slice::from_ref(&name), |_| {});
    assert_eq!(
        lab.told(),
        [format!("carrier_mismatch: 2 records have another carrier (XYZ, ddd): {name}")]
    );
}

#[test]
fn calls_that_end_after_their_file() {
    let lab = Lab::new();
    let mut lines = calls(9);
    for line in &mut lines {
        line[58..66].copy_from_slice(b"00000010");
    }
    lines[0][42..66].copy_from_slice(b"202510010859590000000010");
    lines[1][42..66].copy_from_slice(b"202510010859590000000011");
    lines[2][42..66].copy_from_slice(b"202510010959590000000020");
    lab.write(&name(0), &lines.concat());
    lab.load(&Lab::names(), |_| {});
    assert_eq!(
        lab.told(),
        [format!(
            "calls_after_file: 2 calls end after the file's own time, by up to 3601.0 s (is it of \
             another time zone?): {}",
            name(0)
        )]
    );
}

#[test]
fn files_that_are_not_what_the_ledger_says() {
    let lab = Lab::whole();
    let (file, lake) = (lab.file(), lab.path("lake"));
    let whole = fs::read(lake.join(&file)).unwrap();

    fs::write(lake.join("calls/call_month=2025-10/_SUCCESS"), b"").unwrap();
    fs::write(lake.join("calls/call_month=2025-10/stray.parquet"), b"").unwrap();
    let unknown = "unknown_file: calls/call_month=2025-10/stray.parquet is not in the ledger";
    assert_eq!(lab.told(), [unknown]);
    fs::remove_file(lake.join("calls/call_month=2025-10/stray.parquet")).unwrap();

    fs::remove_file(lake.join(&file)).unwrap();
    assert_eq!(lab.told(), [format!("missing_file: {file} is missing (120 rows by the ledger)")]);

    fs::write(lake.join(&file), &whole[..whole.len() - 1]).unwrap();
    let told = lab.told();
    assert!(told[0].starts_with(&format!("damaged_file: {file} cannot be read: ")), "{told:?}");
    assert_eq!(told.len(), 1);

    // Another lake's file in its place.
    let other = Lab::new();
    other.load(&[name(0)], |_| {});
    fs::copy(other.path("lake").join(other.file()), lake.join(&file)).unwrap();
    assert_eq!(lab.told(), [format!("file_differs: {file} has 20 rows, and 120 by the ledger")]);

    fs::write(lake.join(&file), &whole).unwrap();
    assert!(lab.told().is_empty());
}

#[test]
fn totals_that_are_not_what_the_ledger_says() {
    let lab = Lab::whole();
    let all: Vec<u8> = Lab::names().iter().flat_map(|name| content(&lab, name)).collect();
    let first = content(&lab, &name(0));
    let ledger = lab.ledger();
    ledger.execute("UPDATE files SET duration_tenths = 5", []).unwrap();
    let update = "UPDATE sources SET records_read = 21, records_written = 21, duration_tenths = 7 \
                  WHERE source = 1";
    ledger.execute(update, []).unwrap();
    let (all, of_first, file) = (seconds(&all), seconds(&first), lab.file());
    assert_eq!(
        lab.told(),
        [
            format!("file_differs: {file} has {all} seconds, and 0.5 by the ledger"),
            format!("source_differs: {} has 20 rows in the lake, and 21 by the ledger", name(0)),
            format!(
                "source_differs: {} has {of_first} seconds in the lake, and 0.7 by the ledger",
                name(0)
            ),
        ]
    );
}

#[test]
fn a_run_that_is_publishing_is_told() {
    let lab = Lab::whole();
    let file = lab.file();
    let ledger = lab.ledger();
    ledger.execute("UPDATE runs SET status = 'publishing'", []).unwrap();
    ledger.execute("UPDATE files SET staged = 'x'", []).unwrap();
    fs::rename(lab.path("lake").join(&file), lab.path("lake/_cdrlake/staging/x")).unwrap();
    let Audit { findings, notes, .. } = lab.audit();
    assert!(findings.is_empty(), "{findings:?}");
    assert!(notes[0].contains("is publishing, or died at it"), "{notes:?}");
    let unpublished = totals(&lab.location(), Period::Day, PeriodOf::Call);
    assert!(matches!(unpublished, Err(LakeError::Unpublished { .. })), "{unpublished:?}");
    // The next run finishes it.
    lab.load(&[name(0)], |_| {});
    let Audit { findings, notes, .. } = lab.audit();
    assert_eq!((findings.len(), notes.len()), (0, 0));
}

/// All files below a directory, with their content.
fn snapshot(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else {
            found.push((path.clone(), fs::read(path).unwrap()));
        }
    }
    found.sort();
    found
}

#[test]
fn reading_takes_no_lock_and_writes_nothing() {
    let lab = Lab::whole();
    let before = snapshot(&lab.path("lake"));
    let lock = Lock::take(
        &lab.path("lake/_cdrlake/ledger.sqlite.lock"),
        Locked::Refuse,
        "other",
        &crate::Interrupt::default(),
    );
    let lock = lock.unwrap();
    let held = snapshot(&lab.path("lake"));
    assert!(lab.told().is_empty());
    totals(&lab.location(), Period::Day, PeriodOf::Call).unwrap();
    assert!(snapshot(&lab.path("lake")) == held);
    lab.ledger().execute("UPDATE files SET duration_tenths = 5", []).unwrap();
    let ids = vec![lab.audit().findings[0].id.clone()];
    let refused = accept(&lab.location(), &lab.options, &ids, "why");
    assert!(matches!(refused, Err(LakeError::Locked { .. })), "{refused:?}");
    drop(lock);
    accept(&lab.location(), &lab.options, &ids, "why").unwrap();
    assert!(before.len() <= held.len());
}

/// A writer that died amidst a commit leaves a journal that must be rolled back before the ledger
/// can be read.
#[test]
fn a_commit_that_died_is_taken_back() {
    let lab = Lab::whole();
    let mut connection = lab.ledger();
    connection.execute_batch("PRAGMA cache_size = 1").unwrap();
    let transaction = connection.transaction().unwrap();
    for number in 0..2000 {
        let sql = "INSERT INTO accepted_findings (finding, reason) VALUES (?1, hex(zeroblob(500)))";
        transaction.execute(sql, [number]).unwrap();
    }
    let (ledger, journal) = ("_cdrlake/ledger.sqlite", "_cdrlake/ledger.sqlite-journal");
    let read = |name| fs::read(lab.path("lake").join(name)).unwrap();
    let (half, hot) = (read(ledger), read(journal));
    drop(transaction);
    drop(connection);
    fs::write(lab.path("lake").join(ledger), half).unwrap();
    fs::write(lab.path("lake").join(journal), hot).unwrap();
    assert!(lab.told().is_empty());
    let count = "SELECT count(*) FROM accepted_findings";
    let count: i64 = lab.ledger().query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 0);
}

#[test]
fn a_lake_is_audited_while_it_is_written() {
    let lab = Lab::whole();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..8 {
                lab.load(&Lab::names(), |options| options.repeated = Repeated::Replace);
            }
            done.store(true, Ordering::Relaxed);
        });
        let mut audits = 0;
        while !done.load(Ordering::Relaxed) || audits == 0 {
            let Audit { findings, notes, .. } = lab.audit();
            let changed = notes.iter().any(|note| note.contains("again and again"));
            assert!(findings.is_empty() || changed, "{findings:?} {notes:?}");
            audits += 1;
        }
    });
    assert!(lab.told().is_empty());
}

#[test]
fn totals_by_call_and_by_file() {
    let lab = Lab::whole();
    let mut lines = calls(12);
    lines[0][42..66].copy_from_slice(b"202509302359590000000010");
    lines[1][42..66].copy_from_slice(b"202509302359590000000000");
    let name = lab.write(&name(6), &lines.concat());
    lab.load(std::slice::from_ref(&name), |_| {});
    let told = |period, of| -> Vec<String> {
        let totals = totals(&lab.location(), period, of).unwrap();
        let rows = totals.into_iter().map(|row| {
            let key = [row.key.period, row.key.country, row.key.profile, row.key.product_type];
            let key = key.map(Option::unwrap).join(" ");
            let sum = row.sum;
            format!("{key} {} {} {}", sum.calls, sum.seconds, sum.zero_second_calls)
        });
        rows.collect()
    };
    let sum = |lines: &[u8]| {
        let zero = lines.chunks(229).filter(|line| line[58..66] == *b"00000000").count();
        format!("{} {} {zero}", lines.len() / 229, seconds(lines))
    };
    let all: Vec<Vec<u8>> = (0..6).map(|place| content(&lab, &self::name(place))).collect();
    let rest = [all.concat(), lines[2..].concat()].concat();
    assert_eq!(
        told(Period::Month, PeriodOf::Call),
        ["2025-09 GB ABC 79 2 1.0 1".to_owned(), format!("2025-10 GB ABC 79 {}", sum(&rest))]
    );
    assert_eq!(
        told(Period::Day, PeriodOf::File),
        [
            format!("2025-10-01 GB ABC 79 {}", sum(&all[..2].concat())),
            format!("2025-10-02 GB ABC 79 {}", sum(&all[2..4].concat())),
            format!("2025-10-03 GB ABC 79 {}", sum(&all[4..].concat())),
            format!("2025-10-04 GB ABC 79 {}", sum(&lines.concat())),
        ]
    );
    fs::remove_file(lab.path("lake").join(lab.file())).unwrap();
    let missing = totals(&lab.location(), Period::Day, PeriodOf::Call);
    assert!(matches!(missing, Err(LakeError::Read { .. })), "{missing:?}");
}

#[test]
fn inputs_are_audited_like_a_lake() {
    let lab = overlapping(RecordId::Omit, PartitionBy::None, Duplicates::Keep);
    fs::remove_file(lab.path(&name(4))).unwrap();
    let names = Lab::names().into_iter().chain(["ABC20251003001.cdr".to_owned()]);
    let inputs = names.map(|name| lab.path(&name)).filter(|path| path.exists());
    let load = LoadOptions::new(inputs.map(Input::Path).collect());
    let scratch = ScratchLake::load(LoadOptions { changed: Changed::Refuse, ..load }).unwrap();
    let root = scratch.location().root.clone();
    let findings = audit(scratch.location(), &lab.options).unwrap().findings;
    let kinds: Vec<&str> = findings.iter().map(|found| found.observation.kind()).collect();
    assert_eq!(kinds, ["missing_sequence", "missing_delivery", "overlap", "overlap"]);
    let Observation::Overlap { records, .. } = &findings[2].observation else { unreachable!() };
    assert_eq!(*records, 21);
    drop(scratch);
    assert!(!root.exists());
}

#[test]
fn what_is_no_lake_is_named() {
    let lab = Lab::new();
    let none = audit(&lab.location(), &lab.options);
    assert!(matches!(none, Err(LakeError::NoLake(_))), "{none:?}");
    lab.load(&[name(0)], |_| {});
    let ledger = lab.path("ledger.sqlite");
    fs::rename(lab.path("lake/_cdrlake/ledger.sqlite"), &ledger).unwrap();
    let missing = audit(&lab.location(), &lab.options);
    assert!(matches!(missing, Err(LakeError::LedgerMissing(_))), "{missing:?}");
    let elsewhere = LakeLocation { ledger: Some(ledger), ..lab.location() };
    assert_eq!(audit(&elsewhere, &lab.options).unwrap().sequences.len(), 1);
}
