//! Files of a lake that are not what was written: nothing of them is copied on, and the audit finds them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use tempfile::TempDir;

const NAMES: [&str; 3] = [
    "GB_ABC_10_0001_20251001170151.cdr",
    "GB_ABC_10_0002_20251002170151.cdr",
    "GB_ABC_10_0003_20251003170151.cdr",
];

const TODAY: &str = "--today 2025-10-04";

/// A lake of three deliveries of 112 calls, all in one file; two of them have a rejected line.
struct Lab(TempDir);

impl Lab {
    fn new(options: &str) -> Self {
        Self::with_seed(options, 8)
    }

    fn with_seed(options: &str, seed: u64) -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        fs::create_dir(lab.path("in")).unwrap();
        let span = "--from 2025-10-01 --days 20";
        lab.expect(0, &format!("generate -q --records 336 --seed {seed} {span} -o all.cdr"));
        let records = fs::read(lab.path("all.cdr")).unwrap();
        let records: Vec<_> = records.split_inclusive(|&byte| byte == b'\n').collect();
        for (name, records) in NAMES.iter().zip(records.chunks(112)) {
            fs::write(lab.path("in").join(name), records.concat()).unwrap();
        }
        for name in &NAMES[1..] {
            let path = lab.path("in").join(name);
            let content = [&fs::read(&path).unwrap()[..], b"too short\n"].concat();
            fs::write(path, content).unwrap();
        }
        lab.expect(3, format!("convert in -o lake{options}").trim());
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &str) -> (i32, String) {
        let mut command = Command::cargo_bin("cdrlake").unwrap();
        let output = command.current_dir(&self.0).args(arguments.split(' ')).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8_lossy(&said).into_owned())
    }

    /// Does it, expects a status, and gives what was said.
    fn expect(&self, status: i32, arguments: &str) -> String {
        let (ended, said) = self.run(arguments);
        assert_eq!(ended, status, "{arguments}: {said}");
        said
    }

    /// The one file of calls, or of rejects.
    fn file(&self, directory: &str) -> PathBuf {
        let files = files_in(&self.path(directory));
        assert_eq!(files.len(), 1, "{files:?}");
        files.into_iter().next().unwrap()
    }

    /// All that is in the lake but for the lock: paths and contents.
    fn state(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let files = files_in(&self.path("lake")).into_iter();
        let files = files.filter(|path| !path.to_string_lossy().ends_with(".lock"));
        files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    /// The command ends with 1, says what is wrong and what to do next, and changes nothing.
    fn refuses(&self, command: &str, wrong: &str) {
        let before = self.state();
        let said = self.expect(1, command);
        assert!(said.contains(wrong), "{command}: {said}");
        assert!(said.contains("cdrlake audit --verify lake finds every such file"), "{said}");
        assert!(said.contains("nothing was changed") && said.contains("from a backup"), "{said}");
        assert!(self.state() == before, "{command} changed something");
    }

    /// Rows of calls by source and record number, by the Parquet crate's own reader of rows.
    fn rows(&self) -> Vec<(String, i64)> {
        let mut rows = Vec::new();
        for path in files_in(&self.path("lake/calls")) {
            let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                let row = row.unwrap();
                let columns: BTreeMap<_, _> = row.get_column_iter().collect();
                let text =
                    |name: &str| columns.iter().find(|(n, _)| **n == name).unwrap().1.to_string();
                let source = text("source_file").trim_matches('"').to_owned();
                rows.push((source, text("record_number").parse().unwrap()));
            }
        }
        rows.sort();
        rows
    }

    fn is_whole(&self) -> bool {
        let all =
            NAMES.iter().flat_map(|name| (1..=112).map(|number| ((*name).to_owned(), number)));
        self.rows() == all.collect::<Vec<_>>()
    }
}

fn files_in(directory: &Path) -> Vec<PathBuf> {
    let (mut files, mut directories) = (Vec::new(), vec![directory.to_owned()]);
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { directories.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Writes a file anew in place, by the ordinary writer: the same rows in another order.
fn reorder(path: &Path) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap();
    let batches: Vec<_> = reader.build().unwrap().map(Result::unwrap).collect();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(path).unwrap(), batches[0].schema(), None).unwrap();
    for batch in batches.iter().rev() {
        (0..batch.num_rows()).rev().for_each(|row| writer.write(&batch.slice(row, 1)).unwrap());
    }
    writer.close().unwrap();
}

/// What every command does that reads rows by their places.
const REWRITING: [&str; 2] = [
    "convert in/GB_ABC_10_0001_20251001170151.cdr -o lake --replace",
    "unload lake GB_ABC_10_0002_20251002170151.cdr",
];

#[test]
fn rows_in_another_order_are_not_taken_for_others() {
    let lab = Lab::new("");
    assert!(lab.is_whole());
    reorder(&lab.file("lake/calls"));
    // Each row is there still, and the audit that counts and sums finds what became of sources at most.
    assert!(lab.is_whole());
    for command in REWRITING {
        lab.refuses(command, "by the ledger");
    }
    let said = lab.expect(3, &format!("audit lake --verify {TODAY}"));
    assert!(
        said.contains("file_changed:calls/") && said.contains("it held rows of 3 sources"),
        "{said}"
    );
    assert!(said.contains("or load these again in one run, with convert --replace"), "{said}");
    // What is advised: all that the file held, in one run.
    lab.expect(3, "convert in -o lake --replace");
    assert!(lab.is_whole());
    let said = lab.expect(3, &format!("audit lake --verify {TODAY}"));
    assert!(!said.contains("file_changed"), "{said}");
}

#[test]
fn a_flipped_bit_is_not_copied_on() {
    let lab = Lab::new("");
    for directory in ["lake/calls", "lake/_cdrlake/rejects"] {
        let path = lab.file(directory);
        let whole = fs::read(&path).unwrap();
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..40 {
            let mut changed = whole.clone();
            let at = random.usize(..changed.len());
            changed[at] ^= 1 << random.u8(..8);
            fs::write(&path, &changed).unwrap();
            lab.refuses(REWRITING[1], "(its BLAKE3 differs)");
        }
        fs::write(&path, &whole).unwrap();
    }
    let said = lab.expect(0, "unload lake GB_ABC_10_0002_20251002170151.cdr");
    assert!(said.contains("unloaded: "), "{said}");
    assert_eq!(lab.rows().len(), 224);
}

#[test]
fn files_that_are_cut_missing_or_of_another_lake() {
    let (lab, other) = (Lab::new(""), Lab::with_seed("", 9));
    let path = lab.file("lake/calls");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    for command in REWRITING {
        lab.refuses(
            command,
            &format!("has {} bytes, and {} by the ledger", whole.len() - 1, whole.len()),
        );
    }
    // As many rows, of deliveries of these names.
    fs::copy(other.file("lake/calls"), &path).unwrap();
    for command in REWRITING {
        lab.refuses(command, "error: lake/calls/call_month=2025-10/");
    }
    fs::remove_file(&path).unwrap();
    for command in REWRITING {
        lab.refuses(command, "is missing");
    }
    lab.expect(3, "convert in -o lake --replace");
    assert!(lab.is_whole());
}

/// Versions and duplicates are told by rows at their places, too.
#[test]
fn comparing_with_a_changed_file_is_refused() {
    let lab = Lab::new(" --record-id");
    reorder(&lab.file("lake/calls"));
    let first = lab.path("in").join(NAMES[0]);
    let content = fs::read(&first).unwrap();
    fs::write(&first, &content[229..]).unwrap();
    lab.refuses("convert in -o lake --on-changed supersede", "by the ledger");
    fs::write(&first, content).unwrap();
    fs::copy(lab.path("all.cdr"), lab.path("other.cdr")).unwrap();
    lab.refuses("convert other.cdr -o lake --deduplicate", "by the ledger");
    // Nothing of the file stays.
    lab.expect(3, "convert in -o lake --replace --deduplicate");
    assert!(lab.is_whole());
}

/// What is found is in all that an audit writes.
#[test]
fn a_changed_file_is_in_the_page_in_json_and_in_metrics() {
    let lab = Lab::new("");
    let path = lab.file("lake/calls");
    reorder(&path);
    let outputs = "--json --html page.html --metrics-file audit.prom";
    let said = lab.expect(3, &format!("audit lake --verify {TODAY} {outputs}"));
    let json: serde_json::Value = serde_json::from_str(&said).unwrap();
    let audit = &json["audits"][0];
    let changed = |finding: &&serde_json::Value| finding["kind"] == "file_changed";
    let finding = audit["findings"].as_array().unwrap().iter().find(changed).unwrap();
    let content = fs::read(&path).unwrap();
    assert_eq!(finding["blake3"], blake3::hash(&content).to_hex().as_str());
    assert_eq!(finding["bytes"], content.len());
    assert_eq!(finding["sources"], serde_json::json!(NAMES.map(|name| format!("in/{name}"))));
    let verified = serde_json::json!({ "files": 2, "unrecorded": 0 });
    for key in ["files", "unrecorded"] {
        assert_eq!(audit["verified"][key], verified[key]);
    }
    let page = fs::read_to_string(lab.path("page.html")).unwrap();
    for part in ["Parquet files that were changed (1)", "file_changed:calls/", "2 files read whole"]
    {
        assert!(page.contains(part), "{part}");
    }
    let metrics = fs::read_to_string(lab.path("audit.prom")).unwrap();
    assert!(metrics.contains("kind=\"file_changed\"} 1"), "{metrics}");
    // Without it the audit does not look so closely, and says nothing of it.
    let said = lab.expect(3, &format!("audit lake {TODAY} --json"));
    assert!(!said.contains("file_changed") && !said.contains("verified"), "{said}");
}

#[test]
fn what_does_not_go_together() {
    let lab = Lab::new("");
    for (arguments, said) in [
        ("audit lake --record", "--verify"),
        ("audit in --verify", "--verify is for lakes"),
        ("audit lake lake --verify --record", "--record is for one lake"),
    ] {
        assert!(lab.expect(2, arguments).contains(said), "{arguments}");
    }
    lab.expect(2, "audit lake --verify --totals month");
    lab.expect(2, "audit lake --verify --record --accept x --reason y");
}

/// A copy of a lake that the version before made, with the inbox that it was loaded from.
struct Old(Lab);

impl Old {
    fn new() -> Self {
        let lab = Lab(tempfile::tempdir().unwrap());
        let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/lakes/ledger-2");
        for path in files_in(&old) {
            let to = lab.path("").join(path.strip_prefix(&old).unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(path, to).unwrap();
        }
        Self(lab)
    }

    fn ledger(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.0.path("lake/_cdrlake/ledger.sqlite")).unwrap()
    }
}

#[test]
fn a_lake_of_the_version_before_is_verified_and_recorded() {
    let old = Old::new();
    let lab = &old.0;
    let before = lab.state();
    let said = lab.expect(3, "audit lake --verify --today 2025-11-04");
    assert!(
        said.contains("verified: 3 files read whole, 19725 bytes; of 3 files no BLAKE3"),
        "{said}"
    );
    assert!(said.contains("cdrlake audit --verify --record lake"), "{said}");
    assert!(!said.contains("file_") && lab.state() == before, "{said}");
    // Somebody else is writing it.
    let lock = fs::File::create(lab.path("lake/_cdrlake/ledger.sqlite.lock")).unwrap();
    lock.lock().unwrap();
    lab.expect(75, "audit lake --verify --record --today 2025-11-04");
    assert!(lab.state() == before);
    drop(lock);
    let said = lab.expect(3, "audit lake --verify --record --today 2025-11-04");
    assert!(said.contains("recorded the BLAKE3 of 3 files"), "{said}");
    assert!(said.contains("verified: 3 files read whole, 19725 bytes\n"), "{said}");
    // By the files themselves.
    let ledger = old.ledger();
    let mut files = ledger.prepare("SELECT path, blake3 FROM files").unwrap();
    let files = files.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for file in files {
        let (path, hash): (String, String) = file.unwrap();
        let content = fs::read(lab.path("lake").join(path)).unwrap();
        assert_eq!(blake3::hash(&content).to_hex().as_str(), hash);
    }
    let said = lab.expect(3, "audit lake --verify --record --today 2025-11-04");
    assert!(said.contains("no BLAKE3 was to be recorded"), "{said}");
    lab.expect(0, "unload lake GB_ABC_10_0001_20251001170151.cdr");
    lab.expect(3, "audit lake --verify --today 2025-11-04");
}

/// The ledger that a run makes of an earlier version's has the tables of a new one.
#[test]
fn a_migrated_ledger_is_like_a_new_one() {
    let (old, new) = (Old::new(), Lab::new(""));
    old.0.expect(0, "unload lake GB_ABC_10_0004_20251104170151.cdr");
    let tables = |ledger: &rusqlite::Connection| {
        let sql = "SELECT t.name, c.name, c.type, c.\"notnull\" FROM sqlite_schema t, \
                   pragma_table_info(t.name) c WHERE t.type = 'table' ORDER BY 1, 2";
        let mut statement = ledger.prepare(sql).unwrap();
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)));
        rows.unwrap().map(Result::unwrap).collect::<Vec<(String, String, String, i64)>>()
    };
    let migrated = old.ledger();
    let made = rusqlite::Connection::open(new.path("lake/_cdrlake/ledger.sqlite")).unwrap();
    assert_eq!(tables(&migrated), tables(&made));
    for ledger in [migrated, made] {
        for wrong in ["", "abc", &"g".repeat(64), &"A".repeat(64)] {
            let set = ledger.execute("UPDATE files SET blake3 = ?1", [wrong]);
            assert!(set.unwrap_err().to_string().contains("CHECK"), "{wrong:?}");
        }
    }
}

/// Without a recorded BLAKE3: bytes, rows, and whether all can be read.
#[test]
fn damaged_files_of_the_version_before_are_not_rewritten() {
    let old = Old::new();
    let lab = &old.0;
    let unload = "unload lake GB_ABC_10_0001_20251001170151.cdr";
    // Migrated first, so that nothing is left to change.
    lab.expect(0, "unload lake GB_ABC_10_0004_20251104170151.cdr");
    let path = lab.file("lake/calls/call_month=2025-10");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    lab.refuses(unload, "has 8185 bytes, and 8186 by the ledger");
    let mut changed = whole.clone();
    changed[4..200].fill(0xFF);
    fs::write(&path, &changed).unwrap();
    lab.refuses(unload, "cannot be read: ");
    let said = lab.expect(3, "audit lake --verify --record --today 2025-11-04");
    assert!(said.contains("damaged_file:calls/"), "{said}");
}
