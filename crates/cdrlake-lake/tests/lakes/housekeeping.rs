//! What lies about in a lake: what is cleared away, what is left alone, what is made anew.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use cdrlake_audit::{AuditError, AuditOptions, accept, audit};
use cdrlake_lake::{LakeError, LakeLocation, LakeOptions, PartitionBy, convert_to_lake, unload};
use cdrlake_load::{Repeated, Status};
use cdrlake_source::Input;

use super::{Lab, Source, statuses};

/// The directories below one of a lake's.
fn directories(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(directories(&path));
            found.push(path);
        }
    }
    found
}

#[test]
fn a_damaged_face_is_made_anew() {
    let lab = Lab::new();
    let source = Source::new(1, 10);
    lab.load(&[&source]);
    let face = lab.lake().join("_cdrlake/sources/sources.pq");
    let whole = fs::read(&face).unwrap();
    let mut flipped = whole.clone();
    let at = flipped.len() - 6;
    flipped[at] ^= 0xFF;
    let other = Lab::new();
    other.load(&[&source, &Source::new(2, 10)]);
    let others = fs::read(other.lake().join("_cdrlake/sources/sources.pq")).unwrap();
    for damaged in [&b""[..], b"PAR1", &whole[..whole.len() - 1], &flipped, &others] {
        fs::write(&face, damaged).unwrap();
        assert_eq!(statuses(&lab.load(&[&source])), [Status::Same]);
        assert!(fs::read(&face).unwrap() == whole);
    }
}

#[test]
fn a_directory_in_staging_is_cleared_away() {
    let lab = Lab::new();
    lab.load(&[&Source::new(1, 10)]);
    let left = lab.lake().join("_cdrlake/staging/left/behind");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join("file"), "").unwrap();
    // What a link leads to is not the lake's.
    let precious = lab.path("precious");
    fs::create_dir(&precious).unwrap();
    fs::write(precious.join("file"), "").unwrap();
    symlink(&precious, lab.lake().join("_cdrlake/staging/link")).unwrap();
    lab.load(&[&Source::new(2, 10)]);
    assert!(precious.join("file").exists());
}

#[test]
fn a_source_is_named_by_its_place_or_its_hash_in_either_case() {
    let lab = Lab::new();
    fs::create_dir_all(lab.path("d/e")).unwrap();
    let sources = [Source::new(1, 10), Source::new(2, 10), Source::new(3, 10)];
    for source in &sources {
        let path = lab.path("d").join(&source.name);
        fs::write(&path, &source.content).unwrap();
        convert_to_lake(&lab.options(vec![Input::Path(path)])).unwrap();
    }
    let place = lab.path("d/e/.././").join(&sources[0].name).display().to_string();
    let hash = blake3::hash(&sources[1].content).to_string().to_uppercase();
    for name in [&place, &hash[..10], &hash] {
        lab.unload(&[name]).unwrap();
    }
    lab.check(&[&sources[2]]);
    // A name that is a path only by chance is none.
    let other = lab.unload(&["d/./nothing"]);
    assert!(matches!(other, Err(LakeError::SourceNotLoaded(_))), "{other:?}");
}

#[test]
fn partitions_without_a_file_are_removed() {
    for by in [PartitionBy::CallMonth, PartitionBy::CountryCallMonth] {
        let lab = Lab { partition_by: Some(by), ..Lab::new() };
        let (german, british) = (Source::new(1, 200), Source::new(2, 10));
        let german = german.named("DE_ABC_10_0001_20251101090122.cdr");
        lab.load(&[&german]);
        lab.load(&[&british]);
        let calls = lab.lake().join("calls");
        fs::write(calls.join("call_month=2025-09.txt"), "a note").unwrap();
        let before = directories(&calls).len();
        lab.unload(&[&german.name]).unwrap();
        let left = directories(&calls);
        assert!(left.len() < before);
        let has_file = |path: &PathBuf| fs::read_dir(path).unwrap().next().is_some();
        assert!(left.iter().all(has_file), "{left:?}");
        lab.unload(&[&british.name]).unwrap();
        assert_eq!(directories(&calls), [""; 0].map(PathBuf::from));
        assert!(calls.join("call_month=2025-09.txt").exists());
    }
}

/// A run that died after it removed a directory is finished all the same.
#[test]
fn a_removed_partition_does_not_block_the_next_run() {
    let lab = Lab::new();
    let source = Source::new(1, 200);
    lab.load(&[&source]);
    let ledger = rusqlite::Connection::open(lab.lake().join("_cdrlake/ledger.sqlite")).unwrap();
    ledger
        .execute_batch(
            "UPDATE runs SET status = 'publishing'; UPDATE files SET removed_run = 1;
             UPDATE sources SET status = 'unloaded', ended_run = 1;",
        )
        .unwrap();
    fs::remove_dir_all(lab.lake().join("calls/call_month=2025-10")).unwrap();
    lab.load_with(&[&source], |options| options.repeated = Repeated::Replace);
    lab.check(&[&source]);
}

/// Someone had looked at them, and must look again.
#[test]
fn waived_rejects_that_come_back_are_told() {
    let lab = Lab::new();
    let source = Source::new(1, 50).damaged(10);
    let other = Source::new(2, 50).damaged(10);
    lab.load(&[&source, &other]);
    let location = LakeLocation::new(lab.lake());
    let rejects = |options: &AuditOptions| {
        let findings = audit(&location, options).unwrap().findings;
        let ids = findings.into_iter().filter(|f| f.observation.kind() == "open_rejects");
        ids.map(|finding| finding.id).collect::<Vec<_>>()
    };
    let options = AuditOptions::default();
    let ids = rejects(&options);
    let of_source = ids.iter().filter(|id| {
        let hash = blake3::hash(&source.content).to_string();
        id.contains(&hash[..16])
    });
    accept(&location, &options, &of_source.cloned().collect::<Vec<_>>(), "noise").unwrap();
    assert_eq!(rejects(&options).len(), 1);
    let replace = |options: &mut LakeOptions| options.repeated = Repeated::Replace;
    let report = lab.load_with(&[&source, &other], replace);
    let reopened: Vec<u64> = report.sources.iter().map(|s| s.reopened_rejects).collect();
    assert_eq!(reopened, [5, 0]);
    assert_eq!(rejects(&options).len(), 2);
}

#[test]
fn what_is_no_ledger_is_left_as_it_is() {
    let lab = Lab::new();
    let (note, database) = (lab.path("note.txt"), lab.path("other.sqlite"));
    fs::write(&note, "a note of several words, none of them SQLite's").unwrap();
    let other = rusqlite::Connection::open(&database).unwrap();
    other.execute_batch("CREATE TABLE notes (note TEXT)").unwrap();
    drop(other);
    for path in [note, database] {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
        let before = fs::read(&path).unwrap();
        let mut options = lab.options(vec![Input::Path(lab.write(&Source::new(1, 1)))]);
        options.lake.ledger = Some(path.clone());
        let error = convert_to_lake(&options).unwrap_err();
        assert!(matches!(&error, LakeError::NotALedger(named) if *named == path), "{error}");
        assert!(fs::read(&path).unwrap() == before);
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o664);
        let audited = LakeLocation { ledger: Some(path.clone()), ..LakeLocation::new(lab.lake()) };
        let error = audit(&audited, &AuditOptions::default()).unwrap_err();
        let AuditError::Lake(error) = error else { panic!("{error}") };
        assert!(matches!(&error, LakeError::NotALedger(named) if *named == path), "{error}");
        let error =
            unload(&audited, &["x".to_owned()], cdrlake_parquet::Compression::None).unwrap_err();
        assert!(matches!(&error, LakeError::NotALedger(named) if *named == path), "{error}");
    }
}

#[test]
fn a_link_to_nothing_is_no_place_for_a_lake() {
    let lab = Lab::new();
    symlink(lab.path("nowhere"), lab.lake()).unwrap();
    let options = lab.options(vec![Input::Path(lab.write(&Source::new(1, 1)))]);
    let error = convert_to_lake(&options).unwrap_err();
    assert!(matches!(&error, LakeError::DanglingLink(path) if *path == lab.lake()), "{error}");
    // One to a directory is.
    fs::create_dir(lab.path("nowhere")).unwrap();
    convert_to_lake(&options).unwrap();
}
