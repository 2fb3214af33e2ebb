//! One delivery under many names: what copies, downloads and unfinished uploads make of a name doubles no
//! call.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::Path;

use assert_cmd::Command;

const NAME: &str = "GB_ABC_10_0002_20251001170151";

/// Five records of nobody.
fn records() -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["generate", "-q", "--records", "5", "--from", "2025-10-01", "-o", "a.cdr"];
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    command.current_dir(directory.path()).args(arguments).assert().success();
    fs::read(directory.path().join("a.cdr")).unwrap()
}

/// Loads `in` into the lake `L`; gives the status and what was said.
fn convert(directory: &Path) -> (i32, String) {
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    let output =
        command.current_dir(directory).args(["convert", "in", "-o", "L"]).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Rows of the lake.
fn rows(directory: &Path) -> i64 {
    let ledger = rusqlite::Connection::open(directory.join("L/_cdrlake/ledger.sqlite")).unwrap();
    let sql = "SELECT coalesce(sum(rows), 0) FROM files WHERE kind = 'calls'";
    ledger.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[test]
fn an_unfinished_upload_is_skipped_and_said() {
    let records = records();
    for ending in [".filepart", ".part", ".PARTIAL", ".tmp", ".crdownload", "._COPYING_", ".swp"] {
        let lab = tempfile::tempdir().unwrap();
        fs::create_dir(lab.path().join("in")).unwrap();
        let upload = lab.path().join(format!("in/{NAME}.cdr{ending}"));
        fs::write(&upload, &records[..458]).unwrap();
        let (status, said) = convert(lab.path());
        assert!(status == 0 && said.contains("still being written"), "{ending}: {status} {said}");
        fs::remove_file(upload).unwrap();
        fs::write(lab.path().join(format!("in/{NAME}.cdr")), &records).unwrap();
        assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5), "{ending}");
    }
}

#[test]
fn a_copy_is_the_delivery_that_its_name_holds() {
    let records = records();
    for copy in [
        format!("{NAME}.cdr~"),
        format!("{NAME}.cdr.1"),
        format!("{NAME}.cdr.bak"),
        format!("Copy of {NAME}.cdr"),
        format!("{NAME} (2).cdr"),
        format!("{NAME} - Kopie.cdr"),
        format!("{NAME}_1a2b3c4d.cdr"),
        NAME.to_lowercase() + ".cdr",
        NAME.replacen("GB", "UK", 1) + ".cdr",
    ] {
        let lab = tempfile::tempdir().unwrap();
        fs::create_dir(lab.path().join("in")).unwrap();
        fs::write(lab.path().join(format!("in/{NAME}.cdr")), &records).unwrap();
        assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5), "{copy}");
        fs::write(lab.path().join("in").join(&copy), &records).unwrap();
        assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5), "{copy}: the same content");
        fs::write(lab.path().join("in").join(&copy), &records[..458]).unwrap();
        let (status, said) = convert(lab.path());
        assert!(status == 4 && said.contains("was delivered before"), "{copy}: {status} {said}");
        assert_eq!(rows(lab.path()), 5, "{copy}");
    }
}

#[test]
fn what_systems_leave_beside_files_is_no_source() {
    let records = records();
    let lab = tempfile::tempdir().unwrap();
    let inbox = lab.path().join("in");
    for directory in ["__MACOSX", "@eaDir"] {
        fs::create_dir_all(inbox.join(directory)).unwrap();
        fs::write(inbox.join(directory).join("._x.cdr"), "x").unwrap();
        fs::write(inbox.join(directory).join("y.cdr"), "x").unwrap();
    }
    fs::write(inbox.join("Thumbs.db"), "x").unwrap();
    fs::write(inbox.join("desktop.ini"), "x").unwrap();
    fs::write(inbox.join(format!("{NAME}.cdr")), records).unwrap();
    let (status, said) = convert(lab.path());
    assert!(status == 0, "{said}");
    assert_eq!(rows(lab.path()), 5);
}

/// Does it, and gives the status and what was said.
fn run(directory: &Path, arguments: &[&str], input: &str) -> (i32, String) {
    let mut command = Command::cargo_bin("cdrlake").unwrap();
    command.current_dir(directory).args(arguments).write_stdin(input);
    let output = command.output().unwrap();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_is_included_and_excluded_by_name() {
    let records = records();
    let lab = tempfile::tempdir().unwrap();
    fs::create_dir_all(lab.path().join("in/old")).unwrap();
    let put = |name: &str, record: usize| {
        fs::write(lab.path().join(name), &records[record * 229..(record + 1) * 229]).unwrap();
    };
    put(&format!("in/{NAME}.cdr"), 0);
    put("in/DE_ABC_10_0007_20251001170151.cdr", 1);
    put("in/old/GB_ABC_10_0001_20251001090151.cdr", 2);
    fs::write(lab.path().join("in/notes.txt"), "no records\n").unwrap();
    let mut archive = zip::ZipWriter::new(fs::File::create(lab.path().join("in/m.zip")).unwrap());
    for (name, record) in [("GB_ABC_10_0003_20251002090151.cdr", 3), ("notes.txt", 4)] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        let record = &records[record * 229..(record + 1) * 229];
        std::io::Write::write_all(&mut archive, record).unwrap();
    }
    archive.finish().unwrap();
    for (options, loaded, left_out) in [
        (vec!["--include", "*.cdr"], 4, 2),
        (vec!["--include", "gb_*"], 3, 3),
        (vec!["--include", "GB_*", "--exclude", "old/*"], 2, 4),
        (vec!["--exclude", "*.txt", "--exclude=*.zip"], 3, 2),
        (vec!["--exclude", "*"], 0, 5),
    ] {
        let lake = lab.path().join("L");
        let arguments = [&["convert", "in", "-o", "L"][..], &options].concat();
        let (status, said) = run(lab.path(), &arguments, "");
        assert_eq!(status, 0, "{options:?}: {said}");
        assert!(said.contains(&format!("{loaded} loaded")), "{options:?}: {said}");
        let told = format!("left out by --include and --exclude: {left_out}");
        assert!(said.contains(&told), "{options:?}: {said}");
        fs::remove_dir_all(lake).unwrap();
    }
    assert_eq!(run(lab.path(), &["convert", "in", "-o", "L", "--include", "["], "").0, 2);
}

#[test]
fn inputs_from_a_list() {
    let records = records();
    let lab = tempfile::tempdir().unwrap();
    for record in 0..3 {
        let content = &records[record * 229..(record + 1) * 229];
        fs::write(lab.path().join(format!("{record} of 3.cdr")), content).unwrap();
    }
    let list = "0 of 3.cdr\r\n\n2 of 3.cdr";
    fs::write(lab.path().join("list"), list).unwrap();
    let (status, said) = run(lab.path(), &["convert", "--files-from", "list", "-o", "L"], "");
    assert!(status == 0 && said.contains("2 loaded"), "{said}");
    let (status, said) = run(lab.path(), &["convert", "--files-from=-", "-o", "M"], list);
    assert!(status == 0 && said.contains("2 loaded"), "{said}");
    assert_eq!(run(lab.path(), &["convert", "-", "--files-from=-", "-o", "M"], list).0, 2);
    assert_eq!(run(lab.path(), &["convert", "--files-from=nothing", "-o", "M"], "").0, 1);
}

#[test]
fn an_upload_that_was_given_up_is_told_every_night() {
    let lab = tempfile::tempdir().unwrap();
    fs::create_dir(lab.path().join("in")).unwrap();
    let upload = lab.path().join(format!("in/{NAME}.cdr.filepart"));
    fs::write(&upload, &records()[..458]).unwrap();
    assert_eq!(run(lab.path(), &["convert", "-q", "in", "-o", "L"], ""), (0, String::new()));
    let before = std::time::SystemTime::now() - std::time::Duration::from_secs(25 * 60 * 60);
    fs::File::options().write(true).open(&upload).unwrap().set_modified(before).unwrap();
    let (status, said) = run(lab.path(), &["convert", "-q", "in", "-o", "L"], "");
    assert!(status == 3 && said.contains("not changed for a day"), "{status} {said}");
}

/// A delivery without a call is one, whatever copies make of its name; of any other empty file nothing can be
/// told, and what is to be packed cannot be empty.
#[test]
fn empty_files() {
    let lab = tempfile::tempdir().unwrap();
    let inbox = lab.path().join("in");
    fs::create_dir(&inbox).unwrap();
    let told = || {
        let ledger =
            rusqlite::Connection::open(lab.path().join("L/_cdrlake/ledger.sqlite")).unwrap();
        let sql = "SELECT source_file || ' ' || status FROM sources ORDER BY 1";
        let mut statement = ledger.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap);
        rows.collect::<Vec<String>>()
    };
    for name in [format!("{NAME}.cdr"), format!("Copy of {NAME}.cdr"), "notes.txt".to_owned()] {
        fs::write(inbox.join(name), "").unwrap();
    }
    let expected = [format!("Copy of {NAME}.cdr loaded"), "notes.txt excluded".to_owned()];
    for _ in 0..2 {
        let (status, said) = convert(lab.path());
        assert_eq!(status, 0, "{said}");
        assert!(said.contains("skipped: in/notes.txt is empty, and its name"), "{said}");
        assert_eq!(told(), expected);
    }
    // Another empty one is not the same.
    fs::write(inbox.join("list.csv"), "").unwrap();
    assert_eq!(convert(lab.path()).0, 0);
    assert_eq!(
        told(),
        [&expected[..1], &["list.csv excluded".to_owned()], &expected[1..]].concat()
    );
    // One that is no longer empty is read.
    fs::write(inbox.join("notes.txt"), records()).unwrap();
    assert_eq!((convert(lab.path()).0, rows(lab.path())), (0, 5));
    for packed in ["a.cdr.gz", "b.zip"] {
        fs::write(inbox.join(packed), "").unwrap();
        let (status, said) = convert(lab.path());
        assert!(status == 4 && said.contains("fetch it again"), "{packed}: {said}");
        fs::remove_file(inbox.join(packed)).unwrap();
    }
}

#[test]
fn a_hidden_file_with_records_is_told_every_night() {
    let records = records();
    let lab = tempfile::tempdir().unwrap();
    fs::create_dir(lab.path().join("in")).unwrap();
    let put =
        |name: &str, content: &[u8]| fs::write(lab.path().join("in").join(name), content).unwrap();
    put("a.cdr", &records);
    put(".DS_Store", b"x");
    put(".notes", b"no records\n");
    // Somebody still writes it.
    put(".b.cdr.part", &records[..229]);
    let convert = || run(lab.path(), &["convert", "-q", "in", "-o", "L"], "");
    assert_eq!(convert(), (0, String::new()));
    put(".c.cdr", &records[..229]);
    for _ in 0..2 {
        let (status, said) = convert();
        assert!(status == 3 && said.contains("in/.c.cdr is skipped, for it is hidden"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!(rows(lab.path()), 5);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, &records).unwrap();
    put(".c.cdr", &gzip.finish().unwrap());
    assert_eq!(convert().0, 3);
    fs::remove_file(lab.path().join("in/.c.cdr")).unwrap();
    assert_eq!(convert(), (0, String::new()));
}

#[test]
fn what_the_file_of_settings_says_of_names_and_versions() {
    let records = records();
    let lab = tempfile::tempdir().unwrap();
    fs::create_dir(lab.path().join("in")).unwrap();
    let settings = "on_changed = \"skip\"\nexclude = [\"*.txt\", \"old/*\"]\n";
    fs::write(lab.path().join("cdrlake.toml"), settings).unwrap();
    fs::write(lab.path().join(format!("in/{NAME}.cdr")), &records).unwrap();
    fs::write(lab.path().join("in/notes.txt"), "no records\n").unwrap();
    assert_eq!(run(lab.path(), &["convert", "in", "-o", "L"], "").0, 0);
    fs::write(lab.path().join(format!("in/{NAME}.cdr")), &records[..458]).unwrap();
    let (status, said) = run(lab.path(), &["convert", "in", "-o", "L"], "");
    assert!(status == 0 && said.contains("is left out for good"), "{said}");
    // Flags come before the file.
    let flags = ["convert", "in", "-o", "L", "--exclude", "*.md", "--on-changed", "hold"];
    let (status, said) = run(lab.path(), &flags, "");
    assert!(status == 4 && said.contains("notes.txt is not a CDR file"), "{said}");
    for wrong in ["on_changed = \"hols\"", "exclude = [\"[\"]", "exlude = []"] {
        fs::write(lab.path().join("cdrlake.toml"), wrong).unwrap();
        let (status, said) = run(lab.path(), &["convert", "in", "-o", "L"], "");
        assert_eq!(status, 2, "{wrong}: {said}");
    }
}
