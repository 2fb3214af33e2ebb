//! A lake, an inbox and a stand-in for the carrier's API, as a caller of the library has them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs::{self, File};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cdrlake_fetch::{
    Checks, Contents, Credentials, Format, Interrupt, Options, Profile, Silent, UNRATED_DAYS,
};
use cdrlake_lake::LakeLocation;
use cdrlake_load::Status;
use cdrlake_run::ErrorKind;
use cdrlake_sandbox::{Carrier, Reply, Sandbox, Settings};
use cdrlake_sync::{SyncError, SyncOptions, load, parse_offering, plan, sync};
use tempfile::TempDir;

const UNRATED: &str = "unratedCallDetailRecord";
/// Enough for both files of a day.
const RECORDS: u64 = 20;
/// Today is one more.
const DAYS: usize = UNRATED_DAYS as usize + 1;

/// Takes what comes.
struct Unchecked;

impl Checks for Unchecked {
    fn is_known_name(&self, name: &str) -> bool {
        name.starts_with("ABC")
    }

    fn test(&self, _archive: &mut File, _format: Format) -> Result<Contents, String> {
        Ok(Contents::Files)
    }
}

struct Setup {
    sandbox: Sandbox,
    carrier: Arc<Carrier>,
    directory: TempDir,
}

impl Setup {
    fn new() -> Self {
        let carrier = Arc::new(Carrier::new(Settings { records: RECORDS, ..Settings::default() }));
        let sandbox = carrier.serve(0);
        Self { sandbox: sandbox.unwrap(), carrier, directory: tempfile::tempdir().unwrap() }
    }

    fn options(&self, interrupt: Interrupt) -> SyncOptions {
        let Settings { key, secret, .. } = Settings::default();
        let credentials = Credentials::Consumer { key: key.into(), secret: secret.into() };
        let mut fetch = Options::new(self.sandbox.url().parse().unwrap(), credentials);
        fetch.interrupt = interrupt;
        let path = |name: &str| self.directory.path().join(name);
        let lake = LakeLocation::new(path("lake"));
        SyncOptions::new("ABC".parse().unwrap(), path("inbox"), fetch, lake)
    }

    /// How many requests for files there were.
    fn asked(&self) -> usize {
        self.sandbox.requests_for(UNRATED).len()
    }
}

#[test]
fn a_second_sync_asks_for_the_last_days_and_loads_nothing() {
    let setup = Setup::new();
    let mut options = setup.options(Interrupt::default());
    options.offerings = vec![parse_offering("10").unwrap()];
    let first = sync(&options, &Unchecked, &Silent).unwrap();
    assert!(first.fetched.tasks.iter().all(|task| task.result.is_ok()), "{:?}", first.fetched);
    assert_eq!(first.loaded.unwrap().totals.records_written, DAYS as u64 * RECORDS);
    assert_eq!(setup.asked(), DAYS);
    // Which product, the lake tells by now.
    options.offerings.clear();
    let second = sync(&options, &Unchecked, &Silent).unwrap();
    let loaded = second.loaded.unwrap();
    assert_eq!((loaded.count(Status::Loaded), loaded.count(Status::Failed)), (0, 0));
    assert_eq!((loaded.totals.records_written, loaded.outputs.len()), (0, 0));
    assert_eq!((second.plan.tasks.len(), setup.asked()), (2, DAYS + 2));
    // Of another profile it tells nothing.
    let other: Profile = "XYZ".parse().unwrap();
    let error = plan(&options.lake.lake, &other, &[], options.today).unwrap_err();
    assert!(matches!(error, SyncError::NoProduct { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn what_failed_is_told_and_asked_for_again() {
    let setup = Setup::new();
    let mut options = setup.options(Interrupt::default());
    options.offerings = vec![parse_offering("10").unwrap()];
    setup.carrier.next(UNRATED, |_| Reply::error(400, "400-005", "Validation not met", ""));
    let first = sync(&options, &Unchecked, &Silent).unwrap();
    let failed = first.fetched.tasks.iter().filter(|task| task.result.is_err());
    assert_eq!(failed.count(), 1);
    assert_eq!(first.loaded.unwrap().totals.records_written, (DAYS as u64 - 1) * RECORDS);
    let second = sync(&options, &Unchecked, &Silent).unwrap();
    assert_eq!(second.loaded.unwrap().totals.records_written, RECORDS);
}

#[test]
fn an_interrupted_fetch_loads_nothing() {
    let setup = Setup::new();
    let interrupt = Interrupt::new(Arc::new(AtomicBool::new(true)));
    let mut options = setup.options(interrupt);
    options.offerings = vec![parse_offering("10").unwrap()];
    fs::create_dir(&options.inbox).unwrap();
    fs::write(options.inbox.join("earlier.cdr"), "").unwrap();
    let error = sync(&options, &Unchecked, &Silent).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Interrupted, "{error:?}");
    assert!(!options.lake.lake.root.exists());
    assert_eq!(setup.asked(), 0);
}

#[test]
fn nothing_to_load_makes_no_lake_and_a_lake_holds_no_inbox() {
    let setup = Setup::new();
    let mut options = setup.options(Interrupt::default());
    let missing = load(&options.inbox, options.lake.clone()).unwrap_err();
    assert_eq!((missing.kind(), missing.to_string().contains("inbox")), (ErrorKind::Io, true));
    fs::create_dir(&options.inbox).unwrap();
    assert!(load(&options.inbox, options.lake.clone()).unwrap().is_none());
    assert!(!options.lake.lake.root.exists());
    options.inbox = options.lake.lake.root.join("inbox");
    let error = sync(&options, &Unchecked, &Silent).unwrap_err();
    assert!(matches!(error, SyncError::InboxInLake(_)), "{error:?}");
    assert_eq!((error.kind(), setup.asked()), (ErrorKind::Usage, 0));
}
