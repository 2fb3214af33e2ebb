//! Checksum files beside what they are of: a mismatch fails the source, a match is silent, and none is a
//! source. What they hold is made by the system's own programs.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const NAME: &str = "GB_ABC_10_0002_20251001170151.cdr";
const OTHER: &str = "GB_ABC_10_0003_20251002090151.cdr";

/// A directory with an inbox `in`, and records of nobody.
struct Lab {
    directory: TempDir,
    records: Vec<u8>,
}

impl Lab {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut lab = Self { directory, records: Vec::new() };
        let generate = ["generate", "-q", "--records", "8", "--from", "2025-10-01", "-o", "a.cdr"];
        assert_eq!(lab.run(&generate).0, 0);
        lab.records = fs::read(lab.directory.path().join("a.cdr")).unwrap();
        fs::create_dir(lab.directory.path().join("in")).unwrap();
        lab
    }

    fn put(&self, name: &str, content: &[u8]) {
        fs::write(self.directory.path().join("in").join(name), content).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cdrlake"));
        let output = command.current_dir(self.directory.path()).args(arguments).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
    }

    /// Loads inputs into a lake that is new; gives the status, what was said, and the sums of the ledger:
    /// rows, and codes of what failed.
    fn load(&self, inputs: &[&str]) -> (i32, String, i64, String) {
        let lake = self.directory.path().join("L");
        let _ = fs::remove_dir_all(&lake);
        let (status, said) = self.run(&[&["convert", "-o", "L"], inputs].concat());
        let ledger = rusqlite::Connection::open(lake.join("_cdrlake/ledger.sqlite")).unwrap();
        let sql = "SELECT coalesce(sum(records_written), 0), coalesce(group_concat(error_code), '') \
                   FROM sources";
        let sums = ledger.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let (rows, codes) = sums.unwrap_or_default();
        (status, said, rows, codes)
    }

    /// What a program of the system prints about files of the inbox.
    fn printed(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let inbox = self.directory.path().join("in");
        let output = Command::new(program).current_dir(inbox).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout
    }
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_match_is_silent_and_a_mismatch_fails_the_file_as_it_stands() {
    let lab = Lab::new();
    let packed = format!("{NAME}.gz");
    for (program, arguments, ending) in [
        ("md5sum", &[][..], "md5"),
        ("sha1sum", &["--tag"], "SHA1"),
        ("sha256sum", &["-b"], "sha256"),
        ("sha512sum", &[], "Sha512"),
    ] {
        lab.put(&packed, &gzip(&lab.records));
        let text = lab.printed(program, &[arguments, &[packed.as_str()]].concat());
        let checksum = format!("{packed}.{ending}");
        for text in [text.clone(), text.to_ascii_uppercase()] {
            lab.put(&checksum, &text);
            let (status, said, rows, _) = lab.load(&["in"]);
            assert!(status == 0 && rows == 8 && !said.contains("left out"), "{ending}: {said}");
        }
        // The same records, packed otherwise, are not the file that was sent.
        lab.put(&packed, &[gzip(&lab.records[..229]), gzip(&lab.records[229..])].concat());
        for input in ["in", &format!("in/{packed}")] {
            let named = ending == "Sha512" && input != "in";
            let (status, said, rows, codes) = lab.load(&[input]);
            if named {
                // Of a file that is named, checksum files of other spellings are not looked for.
                assert_eq!((status, rows), (0, 8), "{said}");
                continue;
            }
            assert_eq!((status, rows, codes.as_str()), (1, 0, "checksum"), "{ending}: {said}");
            assert!(said.contains("get it again"), "{said}");
        }
        fs::remove_file(lab.directory.path().join("in").join(&checksum)).unwrap();
    }
}

#[test]
fn lists_are_of_all_that_they_name() {
    let lab = Lab::new();
    lab.put(NAME, &lab.records[..229]);
    lab.put(OTHER, &lab.records[229..]);
    let list = lab.printed("sha256sum", &[NAME, OTHER]);
    lab.put("SHA256SUMS", &list);
    let (status, said, rows, _) = lab.load(&["in"]);
    assert!(status == 0 && rows == 8, "{said}");
    lab.put(OTHER, &lab.records[..458]);
    let (status, said, rows, codes) = lab.load(&["in"]);
    assert_eq!((status, rows, codes.as_str()), (4, 1, "checksum"), "{said}");
}

#[test]
fn what_stands_alone_or_says_nothing_is_told_and_no_fault() {
    let lab = Lab::new();
    lab.put(NAME, &lab.records);
    lab.put("gone.cdr.md5", b"900150983cd24fb0d6963f7d28e17f72\n");
    let (status, said, rows, _) = lab.load(&["in"]);
    assert!(status == 0 && rows == 8, "{said}");
    assert!(said.contains("left out, for they are no deliveries: 1"), "{said}");
    lab.put(&format!("{NAME}.md5"), b"to be done");
    let (status, said, rows, _) = lab.load(&["in"]);
    assert!(status == 0 && rows == 8, "{said}");
    assert!(said.contains(&format!("{NAME}.md5 holds no checksum that can be read")), "{said}");
    // As a shell names them.
    let text = lab.printed("md5sum", &[NAME]);
    lab.put(&format!("{NAME}.md5"), &text);
    let (checksum, file) = (format!("in/{NAME}.md5"), format!("in/{NAME}"));
    let (status, said, rows, _) = lab.load(&[&file, &checksum]);
    assert!(status == 0 && rows == 8 && said.contains("1 loaded, 0 skipped, 0 failed"), "{said}");
}

fn zip(path: &Path, members: &[(&str, &[u8])]) {
    let mut archive = zip::ZipWriter::new(fs::File::create(path).unwrap());
    for (name, content) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap();
}

#[test]
fn members_of_a_zip_are_held_against_those_beside_them() {
    let lab = Lab::new();
    let inbox = lab.directory.path().join("in");
    let path = inbox.join("month.zip");
    lab.put(NAME, &lab.records[..229]);
    let right = lab.printed("md5sum", &[NAME]);
    lab.put(NAME, &lab.records[229..]);
    let wrong = lab.printed("md5sum", &[NAME]);
    fs::remove_file(inbox.join(NAME)).unwrap();
    let member = format!("2025/{NAME}");
    let checksum = format!("2025/{NAME}.MD5");
    let other = format!("2025/{OTHER}");
    for (text, expected) in [(right, (0, 8, "")), (wrong.clone(), (4, 7, "checksum"))] {
        let (one, rest) = lab.records.split_at(229);
        zip(&path, &[(&checksum, &text), (&other, rest), (&member, one)]);
        let (status, said, rows, codes) = lab.load(&["in"]);
        assert_eq!((status, rows, codes.as_str()), expected, "{said}");
    }
    // In another directory it is of nothing.
    zip(&path, &[(&member, &lab.records), (&format!("{NAME}.md5"), &wrong)]);
    let (status, said, rows, _) = lab.load(&["in"]);
    assert!(status == 0 && rows == 8, "{said}");
    assert!(said.contains("left out, for they are no deliveries: 1"), "{said}");
}

/// A tar is read forward, so nobody knows yet what a checksum file is of.
#[test]
fn in_a_tar_they_are_left_out_and_said() {
    let lab = Lab::new();
    let inbox = lab.directory.path().join("in");
    lab.put(NAME, &lab.records);
    lab.put(&format!("{NAME}.md5"), b"900150983cd24fb0d6963f7d28e17f72\n");
    let checksum = format!("{NAME}.md5");
    lab.printed("tar", &["-czf", "month.tar.gz", NAME, &checksum]);
    for name in [NAME, &checksum] {
        fs::remove_file(inbox.join(name)).unwrap();
    }
    let (status, said, rows, _) = lab.load(&["in"]);
    assert!(status == 0 && rows == 8, "{said}");
    assert!(said.contains("left out, for they are no deliveries: 1"), "{said}");
}
