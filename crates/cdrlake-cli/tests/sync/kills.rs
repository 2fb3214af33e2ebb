//! Runs that are killed, raced and interrupted: a later one converges, with every call once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, copy, sink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cdrlake_sandbox::{Breach, Settings};
use flate2::read::GzDecoder;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::RowAccessor;
use zip::ZipArchive;

use crate::{DAYS, RECORDS, Setup, UNRATED, status, stderr};

/// Each file of the inbox is a whole zip, and each line of its members has one row in the lake,
/// counted without our own reader.
fn assert_every_call_once(setup: &Setup) {
    let mut lines = BTreeMap::new();
    for path in visible(&setup.directory.path().join("inbox")) {
        let mut zip = ZipArchive::new(File::open(path).unwrap()).unwrap();
        for number in 0..zip.len() {
            let member = zip.by_index(number).unwrap();
            let name = member.name().unwrap().into_owned();
            let mut text = Vec::new();
            GzDecoder::new(member).read_to_end(&mut text).unwrap();
            assert_eq!(text.len() % 229, 0);
            for line in 1..=text.len() / 229 {
                *lines.entry((name.clone(), line as i64)).or_insert(0) += 1;
            }
        }
    }
    assert_eq!(lines.len() as u64, DAYS * RECORDS);
    let mut rows = BTreeMap::new();
    count(&setup.directory.path().join("lake/calls"), &mut rows);
    assert!(rows == lines, "{} rows, {} lines", rows.len(), lines.len());
}

/// How often each record number of each member stands in the files of a lake.
fn count(directory: &Path, rows: &mut BTreeMap<(String, i64), u32>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count(&path, rows);
            continue;
        }
        let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
        for row in reader.get_row_iter(None).unwrap() {
            let row = row.unwrap();
            let at = |name: &str| row.get_column_iter().position(|(key, _)| key == name).unwrap();
            let source = row.get_string(at("source_file")).unwrap();
            let (_, member) = source.rsplit_once('!').unwrap();
            let number = row.get_long(at("record_number")).unwrap();
            *rows.entry((member.to_owned(), number)).or_insert(0) += 1;
        }
    }
}

fn visible(inbox: &Path) -> Vec<std::path::PathBuf> {
    let paths = fs::read_dir(inbox).into_iter().flatten().map(|entry| entry.unwrap().path());
    paths.filter(|path| !path.file_name().unwrap().to_string_lossy().starts_with('.')).collect()
}

/// What can be seen in the inbox is whole, at any moment.
fn assert_whole(setup: &Setup) {
    for path in visible(&setup.directory.path().join("inbox")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("ABC20") && name.ends_with(".cdr.zip"), "{name}");
        let mut zip = ZipArchive::new(File::open(&path).unwrap()).unwrap();
        for number in 0..zip.len() {
            copy(&mut zip.by_index(number).unwrap(), &mut sink()).unwrap();
        }
    }
}

fn quiet(mut command: Command) -> Command {
    command.args(["--product", "10", "--quiet"]).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

#[test]
fn kills_at_random_moments() {
    const KILLS: usize = 25;
    let setup = Setup::with(Settings { token_requests: 20, ..Settings::default() });
    // Slow enough to be hit in the middle.
    setup.faults(80, |reply| reply.breached(Breach::Drip(256, Duration::from_millis(2))));
    let mut random = fastrand::Rng::with_seed(7);
    let mut ended = 0;
    for _ in 0..KILLS {
        let mut child = quiet(setup.command("ABC")).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(random.u64(10..150)));
        ended += usize::from(child.try_wait().unwrap().is_some());
        // A rerun must not depend on time: nothing waits between them.
        let _ = child.kill();
        child.wait().unwrap();
        assert_whole(&setup);
    }
    assert!(ended + 5 < KILLS, "{ended} of {KILLS} ended before they were killed");
    let last = quiet(setup.command("ABC")).output().unwrap();
    assert_eq!((status(&last), stderr(&last)), (0, String::new()));
    assert_every_call_once(&setup);
}

#[test]
fn several_at_once() {
    for access in [&[][..], &["--wait"]] {
        let setup = Setup::new();
        let children: Vec<_> =
            (0..3).map(|_| quiet(setup.command("ABC")).args(access).spawn().unwrap()).collect();
        let statuses: Vec<i32> = children
            .into_iter()
            .map(|child| {
                let output = child.wait_with_output().unwrap();
                let status = status(&output);
                let expected = if access.is_empty() { [0, 75] } else { [0, 0] };
                assert!(expected.contains(&status), "{output:?}");
                status
            })
            .collect();
        assert!(statuses.contains(&0), "{statuses:?}");
        let last = quiet(setup.command("ABC")).output().unwrap();
        assert_eq!((status(&last), stderr(&last)), (0, String::new()));
        assert_every_call_once(&setup);
    }
}

#[test]
fn a_signal_keeps_what_is_whole_and_loads_nothing() {
    let setup = Setup::new();
    setup.faults(3, |reply| reply);
    setup.faults(1, |reply| reply.breached(Breach::Drip(1, Duration::from_millis(50))));
    let mut command = quiet(setup.command("ABC"));
    let child = command.args(["--jobs", "1"]).spawn().unwrap();
    let began = Instant::now();
    while setup.sandbox.requests_for(UNRATED).len() < 4 {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(status(&output), 143, "{output:?}");
    assert_eq!(visible(&setup.directory.path().join("inbox")).len(), 3);
    assert!(!setup.directory.path().join("lake").exists());
    assert_eq!(status(&quiet(setup.command("ABC")).output().unwrap()), 0);
    assert_every_call_once(&setup);
}
