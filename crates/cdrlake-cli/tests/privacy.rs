//! That no number of the input stands anywhere in what a masked or pseudonymized run leaves behind:
//! files of the lake, byte by byte and decoded, its ledger, reports and all that is said.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::collections::BTreeSet;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use arrow_array::Array;
use arrow_array::cast::AsArray;
use assert_cmd::Command;
use cdrlake_core::{COLUMNS, Country, SourceOptions, parse_file_name, reference};
use cdrlake_generate::{Calls, Damage, Product, Span};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// Digits in a row that are taken for enough of a number.
const RUN: usize = 6;

/// The fields of parties' numbers.
const PARTIES: [Range<usize>; 5] = [0..20, 20..40, 142..162, 184..204, 204..224];

const KEY: &str = "9f3c1b7d2e8a4f60517293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8";

/// Inputs, and all digits of their numbers.
struct Inputs {
    directory: tempfile::TempDir,
    numbers: BTreeSet<String>,
}

impl Inputs {
    /// Deliveries of every product in every country, some lines of them damaged; and the carrier's
    /// samples.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inbox")).unwrap();
        let mut inputs = Self { directory, numbers: BTreeSet::new() };
        for country in Country::all() {
            for product in Product::ALL {
                let calls = Calls {
                    country,
                    product,
                    profile: "ABC".parse().unwrap(),
                    span: Span::new(jiff::civil::date(2025, 10, 31).at(9, 0, 0, 0), 24).unwrap(),
                    records: 40,
                    seed: 11,
                    damage: "all=2%".parse::<Damage>().unwrap(),
                };
                let mut lines = Vec::new();
                (0..calls.pieces()).for_each(|piece| calls.piece(piece, &mut lines));
                let product = product.identifier();
                inputs.add(&format!("{country}_ABC_{product}_0001_20251101090122.cdr"), &lines);
            }
        }
        for name in ["valid", "invalid"] {
            let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata").join(name);
            for path in fs::read_dir(samples).unwrap().map(|entry| entry.unwrap().path()) {
                let file_name = path.file_name().unwrap().to_str().unwrap();
                if file_name.ends_with(".cdr") {
                    inputs.add(file_name, &fs::read(&path).unwrap());
                }
            }
        }
        assert!(inputs.numbers.len() > 10_000);
        inputs
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn add(&mut self, name: &str, content: &[u8]) {
        fs::write(self.path("inbox").join(name), content).unwrap();
        for line in content.split(|&byte| byte == b'\n').filter(|line| line.len() >= 228) {
            for field in PARTIES {
                self.numbers.extend(runs(&line[field]));
            }
        }
        let metadata = parse_file_name(name, None);
        let options = SourceOptions { metadata, ..SourceOptions::new(name) };
        let e164 = COLUMNS.iter().enumerate().filter(|(_, spec)| spec.name.ends_with("_e164"));
        let e164: Vec<usize> = e164.map(|(index, _)| index).collect();
        for row in reference::decode(content, &options).rows {
            for number in e164.iter().filter_map(|&index| row[index].as_ref()) {
                self.numbers.extend(runs(number.as_bytes()));
            }
        }
    }

    /// Runs the command in the directory; gives its status and all that it said.
    fn run(&self, arguments: &str) -> (i32, String) {
        let output = Command::cargo_bin("cdrlake")
            .unwrap()
            .current_dir(self.directory.path())
            .args(arguments.split_whitespace())
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(said).unwrap())
    }

    /// Which of the numbers' digits stand in these bytes, but for what is no number for sure.
    fn found_in(&self, bytes: &[u8]) -> BTreeSet<String> {
        let bytes = &without_times(bytes);
        let suspect = digits(bytes).into_iter().filter(|run| !is_harmless(bytes, run));
        let runs = suspect.flat_map(|run| runs(&bytes[run]));
        // A counter of pulses may begin with 0000.
        let runs = runs.filter(|run| !run.starts_with("0000") && !is_of_all_lakes(run));
        runs.filter(|run| self.numbers.contains(run)).collect()
    }

    /// The same of all files below a directory, Parquet also decoded.
    fn found_below(&self, directory: &Path) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for path in files(directory) {
            let bytes = fs::read(&path).unwrap();
            assert!(!contains(&bytes, KEY.as_bytes()), "{} has the key", path.display());
            let of_path = self.found_in(path.to_str().unwrap().as_bytes());
            found.extend(of_path.into_iter().chain(self.found_in(&bytes)));
            if path.extension().is_some_and(|extension| extension == "parquet" || extension == "pq")
            {
                let values = values(&path);
                found.extend(values.iter().flat_map(|value| self.found_in(value)));
            }
        }
        found
    }

    /// The same of the strings of a report.
    fn found_in_report(&self, name: &str) -> BTreeSet<String> {
        fn strings(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::String(text) => found.push(text.clone()),
                Value::Array(values) => values.iter().for_each(|value| strings(value, found)),
                Value::Object(values) => values.values().for_each(|value| strings(value, found)),
                _ => {}
            }
        }
        let report = serde_json::from_slice(&fs::read(self.path(name)).unwrap()).unwrap();
        let mut all = Vec::new();
        strings(&report, &mut all);
        all.iter().flat_map(|text| self.found_in(text.as_bytes())).collect()
    }
}

/// Where so many digits or more stand in a row.
fn digits(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for at in 0..=bytes.len() {
        if !bytes.get(at).is_some_and(u8::is_ascii_digit) {
            if at - start >= RUN {
                found.push(start..at);
            }
            start = at + 1;
        }
    }
    found
}

/// Every run of exactly so many digits.
fn runs(bytes: &[u8]) -> Vec<String> {
    let windows = bytes.windows(RUN).filter(|run| run.iter().all(u8::is_ascii_digit));
    windows.map(|run| String::from_utf8(run.to_vec()).unwrap()).collect()
}

/// `bytes` without the times in file names: 14 digits behind an underscore.
fn without_times(bytes: &[u8]) -> Vec<u8> {
    const LEN: usize = 14;
    let mut left = bytes.to_vec();
    for (at, window) in bytes.windows(1 + LEN).enumerate() {
        if window[0] == b'_' && window[1..].iter().all(u8::is_ascii_digit) {
            left[at + 1..=at + LEN].fill(b'_');
        }
    }
    left
}

/// Whether digits are in every lake, so that they tell of no number: those of the inputs' names,
/// perhaps cut short, of a table of all bytes, or of seconds with a date's year behind them. A
/// number that is left has others, too.
fn is_of_all_lakes(run: &str) -> bool {
    let of_names = ["ABC20251101001", "20251101090122"].iter().any(|name| name.contains(run));
    of_names || "0123456789".contains(run) || run.ends_with("2025")
}

/// Whether digits are of a hash, of a finding's name, of a count, or bytes that merely follow each other.
fn is_harmless(bytes: &[u8], run: &Range<usize>) -> bool {
    let (before, behind) = (&bytes[..run.start], &bytes[run.end..]);
    let is_hexadecimal = |byte: &&u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let start = run.start - before.iter().rev().take_while(is_hexadecimal).count();
    let end = run.end + behind.iter().take_while(is_hexadecimal).count();
    let letters = bytes[start..end].iter().filter(|byte| byte.is_ascii_lowercase()).count();
    let is_hash = end - start >= 16 && letters >= 4;
    let is_finding = end - start == 16 && bytes[..start].ends_with(b"open_rejects:");
    let is_json = before.ends_with(b":") && (behind.starts_with(b",") || behind.starts_with(b"}"));
    let is_seconds = behind.starts_with(b".") && behind.get(1).is_some_and(u8::is_ascii_digit);
    let is_table = before.ends_with(b"/") && behind.starts_with(b":");
    is_hash || is_finding || is_json || is_seconds || is_table || behind.starts_with(b" bytes")
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// All text and bytes of a Parquet file, as a reader gives them.
fn values(path: &Path) -> Vec<Vec<u8>> {
    let file = fs::File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut values = Vec::new();
    for batch in reader.map(Result::unwrap) {
        for column in batch.columns() {
            if let Some(texts) = column.as_string_opt::<i32>() {
                values.extend(texts.iter().flatten().map(|text| text.as_bytes().to_vec()));
            } else if let Some(bytes) = column.as_binary_opt::<i32>() {
                values.extend(bytes.iter().flatten().map(<[u8]>::to_vec));
            }
        }
        assert!(batch.num_rows() == 0 || batch.columns().iter().any(|column| !column.is_empty()));
    }
    values
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn write_key(path: &Path) {
    fs::write(path, KEY).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// A lake's whole life: loaded, loaded again, deduplicated, replaced, unloaded, audited and counted.
#[test]
fn no_number_is_left_anywhere() {
    let mut inputs = Inputs::new();
    write_key(&inputs.path("key"));
    let first = "DE_ABC_00_0001_20251101090122.cdr";
    let sample = fs::read(inputs.path("inbox").join(first)).unwrap();
    let consolidated = [&sample[..], &sample[..229 * 3]].concat();
    inputs.add("ABC20251101001.cdr", &consolidated);
    let consolidated = inputs.path("inbox/ABC20251101001.cdr");
    fs::rename(consolidated, inputs.path("ABC20251101001.cdr")).unwrap();
    let keyed = "--key-file key --record-id";
    for (lake, privacy) in [
        ("clear", ""),
        ("masked", "--mask origin,destination --keep 5"),
        ("keyed", &format!("--mask origin,destination --keep 0 {keyed}")),
        ("tokens", &format!("--pseudonymize origin,destination {keyed}")),
    ] {
        let key = if privacy.contains("key") { "--key-file key" } else { "" };
        let mut said = String::new();
        let mut run = |arguments: &str, expected: &[i32]| {
            let (status, more) = inputs.run(arguments);
            assert!(expected.contains(&status), "{arguments}: {status} {more}");
            said.push_str(&more);
        };
        // Uncompressed, pages can be searched as they are.
        let load = |what: &str| format!("convert -o {lake} --compression none {what}");
        // Some of the samples are no CDR files.
        run(&load(&format!("inbox --report {lake}.json {privacy}")), &[4]);
        run(&load(&format!("inbox/{first} --replace --strict {key}")), &[0, 3]);
        if privacy.contains("record") {
            run(&load(&format!("ABC20251101001.cdr --deduplicate {key}")), &[0, 3]);
        } else {
            run(&load(&format!("ABC20251101001.cdr {key}")), &[0, 3]);
        }
        run(&format!("unload --compression none {lake} FR_ABC_00_0001_20251101090122.cdr"), &[0]);
        run(&format!("audit {lake}"), &[3]);
        run(&format!("stats {lake}"), &[0]);
        run(&format!("convert inbox -o {lake}.parquet --report file.json {privacy}"), &[4]);
        let in_file = values(&inputs.path(&format!("{lake}.parquet")));
        let places = [
            ("the lake", inputs.found_below(&inputs.path(lake))),
            ("the file", in_file.iter().flat_map(|value| inputs.found_in(value)).collect()),
            ("what is said", inputs.found_in(said.as_bytes())),
            ("the lake's report", inputs.found_in_report(&format!("{lake}.json"))),
            ("the file's report", inputs.found_in_report("file.json")),
        ];
        let rejects = ["_cdrlake/rejects", &format!("{lake}.rejects.parquet")]
            .map(|name| inputs.path(lake).join(name).exists() || inputs.path(name).exists());
        assert!(!said.contains(KEY));
        if lake == "clear" {
            // What is looked for would be found.
            for (place, found) in &places[..2] {
                assert!(found.len() * 10 > inputs.numbers.len() * 9, "{place}: {}", found.len());
            }
            assert_eq!(rejects, [true, true]);
        } else {
            for (place, found) in &places {
                assert!(found.is_empty(), "{place}, {lake}: {found:?}");
            }
            assert_eq!(rejects, [false, false]);
            assert!(said.contains("counted and not written"), "{said}");
        }
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let testdata = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata");
    write_key(&path("key"));
    write_key(&path("public"));
    fs::set_permissions(path("public"), fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(path("short"), "canary").unwrap();
    fs::set_permissions(path("short"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(path("other"), [7; 32]).unwrap();
    fs::set_permissions(path("other"), fs::Permissions::from_mode(0o600)).unwrap();
    let convert = |arguments: &str| {
        let output = Command::cargo_bin("cdrlake")
            .unwrap()
            .current_dir(directory.path())
            .args(["convert"])
            .args(arguments.split(' '))
            .arg(testdata.join("invalid/invalid_date.cdr"))
            .output()
            .unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    for (arguments, message) in [
        ("-o lake --mask origin", "--keep <N>"),
        ("-o lake --keep 4", "--mask <PARTY>"),
        ("-o lake --mask origin --keep 16", "16 is not in 0..=15"),
        ("-o lake --mask caller --keep 4", "possible values: origin, destination"),
        ("-o lake --mask origin --keep 4 --pseudonymize origin", "cannot be used with"),
        ("-o lake --pseudonymize origin", "name its file with --key-file"),
        ("-o c.parquet --pseudonymize origin", "name its file with --key-file"),
        ("-o c.parquet --key-file key", "the key has nothing to key"),
        ("-o lake --mask origin --keep 4 --record-id", "must be keyed"),
        ("-o lake --pseudonymize origin --key-file none", "cannot read none"),
        ("-o lake --pseudonymize origin --key-file public", "chmod 600"),
        ("-o lake --pseudonymize origin --key-file short", "short holds no key"),
        ("-o c.parquet --mask origin --keep 4 --rejects r.parquet", "--rejects-in-clear"),
    ] {
        let (status, said) = convert(arguments);
        assert!(status == 2 && said.contains(message), "{arguments}: {status} {said}");
        assert!(!said.contains("canary") && !path("lake").exists() && !path("c.parquet").exists());
    }
    let (status, said) = convert("-o lake --pseudonymize origin --key-file key");
    assert!(status == 3 && said.contains("note: destination is covered, too"), "{said}");
    let (status, said) = convert("-o lake --key-file other");
    assert!(status == 2 && said.contains("name the file of its own with --key-file"), "{said}");
    let (status, said) = convert("-o lake");
    assert!(status == 2 && said.contains("lake is keyed"), "{said}");
    // Of one file the rejects may be asked for.
    let masked = "-o c.parquet --mask origin,destination --keep 4";
    let (status, said) = convert(&format!("{masked} --rejects-in-clear"));
    assert!(status == 3 && !said.contains("note:"), "{said}");
    assert!(path("c.rejects.parquet").exists());
    // A stale rejects file goes.
    let (status, said) = convert(&format!("{masked} --overwrite"));
    assert!(status == 3 && said.contains("1 counted and not written"), "{said}");
    assert!(!path("c.rejects.parquet").exists());
}

/// Errors of other crates quote what they take for a header, and that may be a number.
#[test]
fn a_damaged_archive_is_not_quoted() {
    const NUMBER: &str = "442071838750";
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let sample = "../../testdata/valid/DE_SV_00_0001_20110930090122.cdr";
    let sample = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(sample)).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    for name in ["a.cdr", "b.cdr"] {
        let mut header = tar::Header::new_ustar();
        header.set_size(sample.len() as u64);
        archive.append_data(&mut header, name, &sample[..]).unwrap();
    }
    let mut archive = archive.into_inner().unwrap();
    let second = archive.len() - 1024 - 1024 - 512;
    assert!(archive[second..].starts_with(b"b.cdr"));
    // Where a name, a size and a checksum were, there is a record now.
    let record = format!("{NUMBER:<20}").repeat(12);
    archive[second..second + record.len()].copy_from_slice(record.as_bytes());
    fs::write(path("calls.tar"), archive).unwrap();
    let output = Command::cargo_bin("cdrlake")
        .unwrap()
        .current_dir(directory.path())
        .args(["convert", "calls.tar", "-o", "lake", "--report", "report.json"])
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&said);
    assert!(text.contains("calls.tar cannot be read as a tar archive to its end"), "{text}");
    assert!(text.contains("a header in it is damaged"), "{text}");
    let report = fs::read(path("report.json")).unwrap();
    assert!(contains(&report, b"damaged_tar"));
    // Half of it would be too much.
    let part = &NUMBER.as_bytes()[3..9];
    assert!(!contains(&said, part) && !contains(&report, part), "{text}");
    let mut tables = 0;
    for path in files(&path("lake")) {
        assert!(!contains(&fs::read(&path).unwrap(), part), "{}", path.display());
        if path.extension().is_some_and(|extension| extension == "parquet" || extension == "pq") {
            tables += 1;
            let values = values(&path);
            assert!(values.iter().all(|value| !contains(value, part)), "{}", path.display());
        }
    }
    assert!(tables > 0);
}
