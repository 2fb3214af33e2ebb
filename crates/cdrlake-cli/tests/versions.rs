//! What happens to a delivery over weeks: it grows, is corrected, comes under another number, is unloaded,
//! comes again. Each call is in the lake once, and everything that came leaves a trace.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use tempfile::TempDir;

const NAME: &str = "GB_ABC_10_0002_20251001170151";
const LEN: usize = 229;

/// A directory with an inbox, a lake that is about to be made, and records of nobody.
struct Lab {
    directory: TempDir,
    records: Vec<u8>,
}

impl Lab {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("in")).unwrap();
        let mut lab = Self { directory, records: Vec::new() };
        let generate = "generate -q --records 40 --from 2025-10-01 -o a.cdr";
        assert_eq!(lab.run(generate).0, 0);
        lab.records = fs::read(lab.path("a.cdr")).unwrap();
        lab
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }

    /// Puts these records into a file.
    fn put(&self, name: &str, records: std::ops::Range<usize>) {
        let bytes = &self.records[records.start * LEN..records.end * LEN];
        fs::write(self.path(name), bytes).unwrap();
    }

    fn run(&self, arguments: &str) -> (i32, String) {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        command.current_dir(self.directory.path()).args(arguments.split(' '));
        let output = command.output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Does it, expects a status, and gives what was said.
    fn expect(&self, status: i32, arguments: &str) -> String {
        let (ended, said) = self.run(arguments);
        assert_eq!(ended, status, "{arguments}: {said}");
        said
    }

    /// The lake has these records, each once, by the reader of another program and by the ledger.
    fn check(&self, expected: impl IntoIterator<Item = usize>) {
        let expected = expected.into_iter().map(|at| key(&self.records[at * LEN..][..LEN]));
        let mut expected: Vec<String> = expected.collect();
        let mut found = Vec::new();
        let mut directories = vec![self.path("L/calls")];
        while let Some(directory) = directories.pop() {
            for entry in fs::read_dir(directory).into_iter().flatten() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => directories.push(path),
                    false => found.extend(rows(&path)),
                }
            }
        }
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
        let ledger = rusqlite::Connection::open(self.path("L/_cdrlake/ledger.sqlite")).unwrap();
        let sql = "SELECT coalesce(sum(records_written), 0) FROM sources WHERE status = 'loaded'";
        let written: i64 = ledger.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(written as usize, found.len());
    }

    /// Statuses of the sources table, in the order of their coming.
    fn statuses(&self) -> Vec<String> {
        let ledger = rusqlite::Connection::open(self.path("L/_cdrlake/ledger.sqlite")).unwrap();
        let mut statement = ledger.prepare("SELECT status FROM sources ORDER BY source").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

/// What tells a record apart from the others: its parties and its start.
fn key(record: &[u8]) -> String {
    let text = String::from_utf8_lossy(record);
    format!("{} {} {}", text[..20].trim(), text[20..40].trim(), &text[42..56])
}

/// The same of each row of a file, by the Parquet crate's own reader of rows.
fn rows(path: &Path) -> Vec<String> {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;
    let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
    let names: Vec<String> = reader
        .metadata()
        .file_metadata()
        .schema_descr()
        .columns()
        .iter()
        .map(|column| column.name().to_owned())
        .collect();
    let at = |name: &str| names.iter().position(|found| found == name).unwrap();
    let [origin, destination, start] = ["origin", "destination", "start_time"].map(at);
    reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            let text = |at| row.get_string(at).cloned().unwrap_or_default();
            let start = row.get_timestamp_micros(start).unwrap();
            let start = jiff::Timestamp::from_microsecond(start).unwrap().to_string();
            let digits: String = start.chars().filter(char::is_ascii_digit).take(14).collect();
            format!("{} {} {digits}", text(origin), text(destination))
        })
        .collect()
}

#[test]
fn a_delivery_that_grows_takes_its_own_place() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..2);
    lab.expect(0, "convert in -o L");
    // As a fetch stores it beside the other, as a copy, or in the other's place.
    for (name, len) in [(format!("in/{NAME}_1a2b3c4d.cdr"), 5), (format!("in/{NAME}.cdr"), 9)] {
        lab.put(&name, 0..len);
        let said = lab.expect(0, "convert in -o L");
        assert!(said.contains("takes the place of"), "{said}");
        lab.check(0..len);
    }
    // What was superseded stays out, whatever its name, until it is asked for.
    lab.put("in/other name.cdr", 0..2);
    let said = lab.expect(0, "convert in -o L");
    assert!(said.contains("was superseded on"), "{said}");
    lab.expect(0, "convert in -o L --replace");
    lab.check(0..9);
    lab.put(&format!("{NAME}.cdr"), 0..2);
    lab.expect(0, &format!("convert {NAME}.cdr -o L --replace"));
    lab.check(0..2);
    let audit = lab.run("audit L --today 2025-10-01").1;
    assert!(!audit.contains("file_differs") && !audit.contains("rows_differ"), "{audit}");
}

#[test]
fn both_versions_in_one_run() {
    for (first, second) in [(0..3, 0..8), (0..8, 0..3)] {
        let lab = Lab::new();
        lab.put(&format!("in/{NAME}.cdr"), first.clone());
        lab.put(&format!("in/{NAME}.cdr.1"), second.clone());
        lab.put("in/GB_ABC_10_0003_20251002170151.cdr", 20..23);
        // A part of the current version is held; a version that holds all of it supersedes it.
        let status = if first.len() < second.len() { 0 } else { 4 };
        let said = lab.expect(status, "convert in -o L");
        lab.check((0..8).chain(20..23));
        assert!(said.contains("superseded by") || said.contains("shares 3 of 8 calls"), "{said}");
        // What is held is told once, and then in a line.
        let said = lab.expect(if status == 0 { 0 } else { 3 }, "convert in -o L");
        assert_eq!(said.contains("as in an earlier run"), status == 4, "{said}");
        lab.check((0..8).chain(20..23));
    }
}

#[test]
fn a_corrected_delivery_waits_until_someone_decides() {
    let corrected = format!("in/{NAME}.cdr");
    let begin = |new: std::ops::Range<usize>| {
        let lab = Lab::new();
        lab.put(&corrected, 0..10);
        lab.expect(0, "convert in -o L");
        lab.put(&corrected, new);
        lab
    };
    // Most records are the same; some are not.
    let lab = begin(3..14);
    let said = lab.expect(4, "convert in -o L");
    assert!(said.contains("shares 7 of 10 calls") && said.contains("--replace"), "{said}");
    lab.check(0..10);
    assert_eq!(lab.statuses(), ["loaded", "held"]);
    assert_eq!(lab.run("convert -q in -o L").0, 3);
    lab.expect(0, "convert in -o L --on-changed supersede");
    lab.check(3..14);
    assert_eq!(lab.statuses(), ["superseded", "loaded"]);
    // Few are: it may be a second part.
    let lab = begin(8..20);
    lab.expect(4, "convert in -o L --on-changed supersede");
    lab.check(0..10);
    lab.expect(3, "convert in -o L --replace");
    lab.check(0..10);
    lab.expect(0, &format!("convert {corrected} -o L --replace"));
    lab.check(8..20);
    // A part of the current version never takes its place by itself.
    let lab = begin(0..6);
    for policy in ["hold", "supersede"] {
        let status = if policy == "hold" { 4 } else { 3 };
        lab.expect(status, &format!("convert in -o L --on-changed {policy}"));
        lab.check(0..10);
    }
    // Both, or none of it.
    let lab = begin(20..25);
    lab.expect(0, "convert in -o L --on-changed both");
    lab.check((0..10).chain(20..25));
    let lab = begin(20..25);
    lab.expect(0, "convert in -o L --on-changed skip");
    let said = lab.expect(0, "convert in -o L");
    assert!(said.contains("is left out since"), "{said}");
    lab.check(0..10);
    lab.expect(2, "convert in -o L --replace --on-changed both");
    lab.expect(2, "convert in -o L --replace --allow-changed");
}

#[test]
fn what_is_set_aside_is_not_told_again() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..10);
    lab.expect(0, "convert in -o L");
    lab.put(&format!("in/{NAME}.cdr"), 3..14);
    fs::write(lab.path("in/damaged.cdr"), "no record\n").unwrap();
    let said = lab.expect(4, "convert in -o L");
    assert!(said.contains("damaged.cdr is not a CDR file"), "{said}");
    lab.expect(3, "convert in -o L");
    let audit = lab.run("audit L --today 2025-10-02").1;
    let ids: Vec<&str> =
        audit.split_whitespace().filter(|word| word.starts_with("failed_source:")).collect();
    assert_eq!(ids.len(), 2, "{audit}");
    for id in ids {
        lab.expect(0, &format!("audit L --today 2025-10-02 --accept {id} --reason known"));
    }
    let said = lab.expect(0, "convert in -o L");
    assert!(!said.contains("as in an earlier run"), "{said}");
    // Other content is news again.
    lab.put(&format!("in/{NAME}.cdr"), 4..14);
    lab.expect(4, "convert in -o L");
}

#[test]
fn what_is_unloaded_stays_out() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..5);
    lab.put("in/GB_ABC_10_0003_20251002170151.cdr", 5..9);
    lab.put("in/GB_ABC_10_0001_20251001090151.cdr", 9..12);
    lab.expect(0, "convert in -o L");
    lab.expect(0, &format!("unload L {NAME}.cdr"));
    for _ in 0..2 {
        let said = lab.expect(0, "convert in -o L");
        assert!(said.contains("was unloaded on") && said.contains("--replace"), "{said}");
        lab.check(5..12);
    }
    // It came: no number is missing.
    let audit = lab.run("audit L --today 2025-10-02").1;
    assert!(!audit.contains("missing_sequence"), "{audit}");
    lab.expect(0, &format!("convert in/{NAME}.cdr -o L --replace"));
    lab.check(0..12);
    lab.expect(0, "convert in -o L");
    lab.check(0..12);
}

#[test]
fn a_content_that_comes_under_another_number_has_come() {
    let lab = Lab::new();
    for (number, records) in [(1, 0..5), (2, 5..9), (4, 9..12)] {
        lab.put(&format!("in/GB_ABC_10_{number:04}_2025100{number}090151.cdr"), records);
    }
    lab.expect(0, "convert in -o L");
    let missing = || lab.run("audit L --today 2025-10-04").1.contains("missing_sequence");
    assert!(missing());
    // The carrier sent number 2 again as number 3.
    lab.put("in/GB_ABC_10_0003_20251003090151.cdr", 5..9);
    lab.expect(0, "convert in -o L");
    assert!(!missing());
    assert_eq!(lab.statuses(), ["loaded", "loaded", "loaded", "same"]);
    // It is noted once.
    lab.expect(0, "convert in -o L");
    assert_eq!(lab.statuses().len(), 4);
    lab.check(0..12);
}

/// Whatever their names and the order in which they are met, what came first is not the newer one.
#[test]
fn an_older_version_takes_nobody_s_place() {
    let lab = Lab::new();
    let journal = |files: &[(&str, usize, &str)]| {
        let line = |(name, records, came): &(&str, usize, &str)| {
            let bytes = records * LEN;
            format!(r#"{{"files": [{{"file": "{name}", "bytes": {bytes}, "came": "{came}"}}]}}"#)
                + "\n"
        };
        let lines: String = files.iter().map(line).collect();
        fs::write(lab.path("in/.cdrlake-fetch.jsonl"), lines).unwrap();
    };
    let [first, second] = [format!("{NAME}.cdr"), format!("{NAME}_1a2b3c4d.cdr")];
    lab.put(&format!("in/{first}"), 0..10);
    let came = (first.as_str(), 10, "2026-02-02T04:00:00.25Z");
    journal(&[came]);
    lab.expect(0, "convert in -o L");
    // It holds every record of the other, and would take its place otherwise.
    lab.put(&format!("in/{second}"), 0..20);
    for (came_second, status, said) in [
        ("2026-02-01T04:00:00Z", 4, "it came 2026-02-02T04:00:00Z, this one 2026-02-01T04:00:00Z"),
        ("2026-02-03T04:00:00Z", 0, "takes the place of"),
    ] {
        journal(&[came, (second.as_str(), 20, came_second)]);
        let told = lab.expect(status, "convert in -o L --on-changed supersede");
        assert!(told.contains(said), "{told}");
    }
    lab.check(0..20);
    // Within a run it is the same.
    let other = "GB_ABC_10_0003_20251003170151";
    let [newer, older] = [format!("{other}.cdr"), format!("{other}_1a2b3c4d.cdr")];
    lab.put(&format!("in/{newer}"), 20..30);
    lab.put(&format!("in/{older}"), 20..35);
    let times = ["2026-02-09T04:00:00Z", "2026-02-08T04:00:00Z"];
    journal(&[(newer.as_str(), 10, times[0]), (older.as_str(), 15, times[1])]);
    lab.expect(4, "convert in -o L --on-changed supersede");
    lab.check(0..30);
    // Who names it knows better.
    lab.expect(0, &format!("convert in/{older} -o L --replace"));
    lab.check(0..35);
}

/// In a lake of masked numbers different subscribers look alike, so nothing is decided by comparing them.
#[test]
fn versions_of_masked_numbers_wait() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..2);
    lab.expect(0, "convert in -o L --mask origin --keep 6");
    lab.put(&format!("in/{NAME}.cdr"), 0..5);
    let said = lab.expect(4, "convert in -o L --mask origin --keep 6");
    assert!(said.contains("cannot be compared"), "{said}");
    lab.expect(3, "convert in -o L --mask origin --keep 6 --on-changed supersede");
    lab.expect(0, &format!("convert in/{NAME}.cdr -o L --mask origin --keep 6 --replace"));
    assert_eq!(lab.statuses(), ["superseded", "loaded"]);
}

/// A lake whose ledger has the tables of the version before.
#[test]
fn a_lake_of_the_version_before_goes_on() {
    let lab = Lab::new();
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lakes/ledger-2");
    let copy = |from: &str, to: &str| {
        let mut directories = vec![(old.join(from), lab.path(to))];
        while let Some((from, to)) = directories.pop() {
            fs::create_dir_all(&to).unwrap();
            for entry in fs::read_dir(from).unwrap() {
                let entry = entry.unwrap();
                let to = to.join(entry.file_name());
                match entry.path().is_dir() {
                    true => directories.push((entry.path(), to)),
                    false => drop(fs::copy(entry.path(), to).unwrap()),
                }
            }
        }
    };
    copy("lake", "L");
    copy("inbox", "inbox");
    // It is read as it is.
    let ledger = fs::read(lab.path("L/_cdrlake/ledger.sqlite")).unwrap();
    let audit = lab.expect(3, "audit L --today 2025-11-04");
    assert!(audit.contains("open_rejects") && audit.contains("failed_source"), "{audit}");
    lab.expect(0, "stats L");
    assert_eq!(fs::read(lab.path("L/_cdrlake/ledger.sqlite")).unwrap(), ledger);
    // A run migrates it, and keeps the old one.
    let said = lab.expect(4, "convert inbox -o L");
    assert!(said.contains("1 held") && said.contains("was unloaded on"), "{said}");
    assert_eq!(fs::read(lab.path("L/_cdrlake/ledger.sqlite.v2")).unwrap(), ledger);
    assert_eq!(lab.statuses()[..4], ["loaded", "loaded", "unloaded", "loaded"]);
    lab.expect(3, "convert inbox -o L");
    lab.expect(0, "convert inbox/GB_ABC_10_0003_20251103170151.cdr -o L --replace");
    lab.expect(0, "unload L GB_ABC_10_0001_20251001170151.cdr");
    lab.expect(0, "convert inbox/again -o L");
    lab.expect(3, "audit L --today 2025-11-04");
}

/// The ledger tells of each source when it came first and last, who loaded it where, and what tells what is
/// known of it; seeing it again adds nothing.
#[test]
fn history_is_kept() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..2);
    lab.put("in/other.cdr", 2..4);
    fs::write(lab.path("cdrlake.toml"), "[profile.ABC]\nproduct = \"12\"\n").unwrap();
    lab.expect(0, "convert in -o L --country GB --profile ABC --time-zone country");
    let ledger = || rusqlite::Connection::open(lab.path("L/_cdrlake/ledger.sqlite")).unwrap();
    let told = |sql: &str| -> Vec<String> {
        let ledger = ledger();
        let mut statement = ledger.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
        rows.map(|text| text.unwrap().unwrap_or_else(|| "-".to_owned())).collect()
    };
    let by = "SELECT concat_ws(' ', country_told_by, profile_told_by, product_told_by, time_zone, \
              time_zone_told_by) FROM sources ORDER BY source_file";
    let of =
        ["name name name Europe/London country", "flag flag configuration Europe/London country"];
    assert_eq!(told(by), of);
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(told("SELECT host FROM runs"), [host.trim()]);
    let today = told("SELECT strftime('%Y-%m-%d', 'now')");
    let seen = "SELECT concat_ws(' ', substr(first_seen, 1, 10), last_seen) FROM sources";
    assert_eq!(told(seen), vec![format!("{0} {0}", today[0]); 2]);
    // On a later day.
    let past = "UPDATE sources SET first_seen = '2025-10-01T20:00:00Z', last_seen = '2025-10-02'";
    ledger().execute(past, []).unwrap();
    lab.put("in/the same.cdr", 2..4);
    lab.expect(0, "convert in -o L --country GB --profile ABC --time-zone country");
    assert_eq!(told(seen), vec![format!("2025-10-01 {}", today[0]); 2]);
    assert_eq!(told("SELECT run FROM runs WHERE run > 1"), Vec::<String>::new());
    let before = fs::read(lab.path("L/_cdrlake/ledger.sqlite")).unwrap();
    lab.expect(0, "convert in -o L --country GB --profile ABC --time-zone country");
    assert!(fs::read(lab.path("L/_cdrlake/ledger.sqlite")).unwrap() == before);
}

/// What is known is skipped before anything is asked of it.
#[test]
fn a_known_content_needs_no_time_zone() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..3);
    lab.expect(0, "convert in -o L --time-zone country");
    lab.put("in/free name.cdr", 0..3);
    let said = lab.expect(0, "convert in -o L --time-zone country");
    assert!(said.contains("in/free name.cdr has the same content as"), "{said}");
    // Within a run, too.
    let said = lab.expect(0, "convert in -o M --time-zone country");
    assert!(said.contains("in/free name.cdr has the same content as"), "{said}");
    lab.put("in/free name.cdr", 0..4);
    let said = lab.expect(4, "convert in -o L --time-zone country");
    assert!(said.contains("time zone"), "{said}");
    lab.check(0..3);
    lab.expect(0, &format!("unload L {NAME}"));
    lab.put("in/free name.cdr", 0..3);
    fs::remove_file(lab.path(&format!("in/{NAME}.cdr"))).unwrap();
    let said = lab.expect(0, "convert in -o L --time-zone country");
    assert!(said.contains("was unloaded on"), "{said}");
}

/// `--replace` over an inbox in which several versions lie: one of them is in the lake after it.
#[test]
fn replacing_over_an_inbox_of_versions_doubles_nothing() {
    for (first, second) in [("Copy of {}.cdr", "{}.cdr"), ("{}.cdr", "{} (2).cdr")] {
        let [first, second] =
            [first, second].map(|name| format!("in/{}", name.replace("{}", NAME)));
        let lab = Lab::new();
        lab.put(&first, 0..2);
        lab.expect(0, "convert in -o L");
        lab.put(&second, 0..5);
        for _ in 0..2 {
            lab.expect(0, "convert in -o L --replace");
            lab.check(0..5);
        }
        // One that shares only some is held, and what is there stays.
        lab.put(&second, 3..9);
        fs::remove_file(lab.path(&first)).unwrap();
        lab.put(&first, 0..5);
        lab.expect(4, "convert in -o L --replace");
        lab.check(0..5);
        // Of two that are named neither is known to be meant.
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        command.current_dir(lab.directory.path()).args(["convert", "-o", "L", "--replace"]);
        let status = command.args([&first, &second]).output().unwrap().status;
        assert_eq!(status.code(), Some(3), "held as before");
        lab.check(0..5);
    }
}

/// A delivery whose content another source holds is at that version.
#[test]
fn a_version_that_another_source_holds_is_current() {
    // Under a free name: the delivery's next version takes its place, or is held.
    let lab = Lab::new();
    lab.put("in/free.cdr", 0..5);
    lab.expect(0, "convert in -o L");
    lab.put(&format!("in/{NAME}.cdr"), 0..5);
    lab.expect(0, "convert in -o L");
    lab.put(&format!("in/{NAME}.cdr"), 0..2);
    lab.expect(4, "convert in -o L");
    lab.check(0..5);
    lab.put(&format!("in/{NAME}.cdr"), 0..7);
    lab.expect(0, "convert in -o L");
    lab.check(0..7);
    // Under another number: that one stays, so the next version is held until it is named.
    let lab = Lab::new();
    let other = "in/GB_ABC_10_0003_20251002170151.cdr";
    lab.put(&format!("in/{NAME}.cdr"), 0..2);
    lab.put(other, 0..2);
    lab.expect(0, "convert in -o L");
    lab.put(other, 0..5);
    let said = lab.expect(4, "convert in -o L");
    assert!(said.contains("shares 2 of 2 calls"), "{said}");
    lab.check(0..2);
    lab.put(other, 5..9);
    lab.expect(0, &format!("convert {other} -o L --replace"));
    lab.check((0..2).chain(5..9));
    lab.put(other, 5..10);
    lab.expect(0, "convert in -o L");
    lab.check((0..2).chain(5..10));
}

/// What is held takes no other delivery with it.
#[test]
fn another_delivery_with_a_held_content_is_named_until_it_is_loaded() {
    let lab = Lab::new();
    let (held, other) = (format!("in/{NAME}.cdr"), "in/GB_ABC_10_0003_20251002170151.cdr");
    lab.put(&held, 0..4);
    lab.expect(0, "convert in -o L");
    lab.put(&held, 5..9);
    lab.put(other, 5..9);
    lab.put(&format!("in/{NAME} (1).cdr"), 5..9);
    for status in [4, 3, 3] {
        let said = lab.expect(status, "convert in -o L");
        assert!(
            said.contains(if status == 4 { "which is not loaded" } else { "undecided" }),
            "{said}"
        );
        assert_eq!(lab.statuses(), ["loaded", "held", "held"]);
    }
    let audit = lab.expect(3, "audit L --today 2025-10-02");
    assert_eq!(audit.matches("failed_source").count(), 2, "{audit}");
    lab.expect(0, &format!("convert {other} -o L"));
    lab.check((0..4).chain(5..9));
}

/// `skip` leaves out what would have to be decided, and no more.
#[test]
fn a_grown_version_is_not_skipped() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..2);
    lab.expect(0, "convert in -o L");
    lab.put(&format!("in/{NAME}.cdr"), 0..5);
    lab.expect(0, "convert in -o L --on-changed skip");
    lab.check(0..5);
}

/// Another number with a content that is out has come.
#[test]
fn another_delivery_with_what_is_out_is_noted() {
    let lab = Lab::new();
    lab.put(&format!("in/{NAME}.cdr"), 0..4);
    lab.expect(0, "convert in -o L");
    lab.expect(0, &format!("unload L {NAME}"));
    let other = "in/GB_ABC_10_0003_20251002090151.cdr";
    fs::rename(lab.path(&format!("in/{NAME}.cdr")), lab.path(other)).unwrap();
    lab.put("in/GB_ABC_10_0004_20251002170151.cdr", 5..9);
    lab.expect(0, "convert in -o L");
    assert_eq!(lab.statuses(), ["unloaded", "unloaded", "loaded"]);
    lab.check(5..9);
    let audit = lab.run("audit L --today 2025-10-02").1;
    assert!(!audit.contains("missing_sequence"), "{audit}");
    lab.expect(0, "convert in -o L");
    assert_eq!(lab.statuses().len(), 3);
    lab.expect(0, &format!("convert {other} -o L --replace"));
    lab.check((0..4).chain(5..9));
}
