//! A sync into a lake of masked numbers or of tokens: none of the numbers that the carrier delivered
//! stands in it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use arrow_array::cast::AsArray;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::{DAYS, RECORDS, Setup, status, stderr};

/// Hexadecimal digits, of 32 bytes.
const KEY: &str = "5b1f0c9d3e7a48620915d2c4b6a8f7e01122334455667788990aabbccddeeff0";

/// The fields of parties' numbers, as the carrier's document places them.
const PARTIES: [std::ops::Range<usize>; 5] = [0..20, 20..40, 142..162, 184..204, 204..224];

/// A sound line, and one that is rejected with a number of its own.
fn odd() -> Vec<u8> {
    let mut lines: Vec<u8> = cdrlake_generate::frozen::Calls::new(7, 2).take(2).flatten().collect();
    lines[229..249].copy_from_slice(b"01632960961         ");
    lines[229 + 42..229 + 50].copy_from_slice(b"20251399");
    lines
}

/// The digits of a number without what a country code takes the place of; none of a short one.
fn significant(field: &[u8]) -> Option<String> {
    let digits: String =
        field.iter().filter(|byte| byte.is_ascii_digit()).map(|&byte| char::from(byte)).collect();
    let digits = digits.trim_start_matches('0');
    (digits.len() >= 7).then(|| digits.to_owned())
}

/// All numbers that stand in the inbox's files.
fn delivered(inbox: &Path) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    let mut see = |lines: &[u8]| {
        for line in lines.chunks(229) {
            numbers.extend(PARTIES.iter().filter_map(|field| significant(&line[field.clone()])));
        }
    };
    for path in fs::read_dir(inbox).unwrap().map(|entry| entry.unwrap().path()) {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("zip") => {
                let mut zip = zip::ZipArchive::new(fs::File::open(&path).unwrap()).unwrap();
                for index in 0..zip.len() {
                    let mut lines = Vec::new();
                    let member = zip.by_index(index).unwrap();
                    flate2::read::MultiGzDecoder::new(member).read_to_end(&mut lines).unwrap();
                    see(&lines);
                }
            }
            Some("cdr") => see(&fs::read(&path).unwrap()),
            _ => {}
        }
    }
    numbers
}

/// All text of the Parquet files below a directory, and what files there are.
fn text_below(directory: &Path, text: &mut BTreeSet<String>, files: &mut Vec<String>) {
    for path in fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            text_below(&path, text, files);
            continue;
        }
        files.push(path.display().to_string());
        if path.extension().is_none_or(|extension| extension != "parquet" && extension != "pq") {
            continue;
        }
        let file = fs::File::open(&path).unwrap();
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
        for batch in reader.map(Result::unwrap) {
            for column in batch.columns() {
                if let Some(values) = column.as_string_opt::<i32>() {
                    text.extend(values.iter().flatten().map(str::to_owned));
                } else if let Some(values) = column.as_binary_opt::<i32>() {
                    let values = values.iter().flatten();
                    text.extend(values.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
                }
            }
        }
    }
}

/// Syncs with these flags; gives how many numbers were delivered and how many of them stand in the
/// lake.
fn sync(privacy: &[&str]) -> (usize, usize) {
    let setup = Setup::new();
    let path = |name: &str| setup.directory.path().join(name);
    fs::write(path("key"), KEY).unwrap();
    fs::set_permissions(path("key"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(path("inbox")).unwrap();
    fs::write(path("inbox/odd.cdr"), odd()).unwrap();
    let output = setup.sync(&[&["--product", "10", "--country", "GB"], privacy].concat());
    assert_eq!(status(&output), 3, "{output:?}");
    assert_eq!(setup.rows(), DAYS * RECORDS + 1);
    let numbers = delivered(&path("inbox"));
    assert!(numbers.contains("1632960961"));
    let (mut text, mut files) = (BTreeSet::new(), Vec::new());
    text_below(&path("lake"), &mut text, &mut files);
    let has_rejects = files.iter().any(|file| file.contains("/lake/_cdrlake/rejects/"));
    assert_eq!(has_rejects, privacy.is_empty(), "{files:?}");
    for said in [stderr(&output), fs::read_to_string(path("report.json")).unwrap()] {
        assert!(!said.contains("1632960961") && !said.contains(KEY), "{said}");
    }
    // A later night takes the lake as it is, and its key.
    if privacy.contains(&"--key-file") {
        let forgotten = setup.sync(&[]);
        assert_eq!(status(&forgotten), 2, "{forgotten:?}");
        assert!(stderr(&forgotten).contains("--key-file"), "{forgotten:?}");
        let again = setup.sync(&["--key-file", "key"]);
        assert_eq!(setup.rows(), DAYS * RECORDS + 1, "{again:?}");
    } else if !privacy.is_empty() {
        setup.sync(&[]);
        assert_eq!(setup.rows(), DAYS * RECORDS + 1);
    }
    let all: String = text.into_iter().collect::<Vec<_>>().join("\n");
    let found = numbers.iter().filter(|number| all.contains(number.as_str())).count();
    (numbers.len(), found)
}

#[test]
fn no_number_of_the_carriers_files_is_in_a_masked_or_keyed_lake() {
    let (delivered, found) = sync(&[]);
    assert!(delivered as u64 > RECORDS && found == delivered, "{found} of {delivered}");
    for privacy in [
        &["--mask", "origin,destination", "--keep", "4"][..],
        &["--mask", "origin", "--keep", "0", "--record-id", "--key-file", "key"],
        &["--pseudonymize", "origin,destination", "--record-id", "--key-file", "key"],
    ] {
        let (delivered, found) = sync(privacy);
        assert!(delivered as u64 > RECORDS, "{delivered}");
        assert_eq!(found, 0, "{privacy:?}");
    }
}
