//! Audits while a run writes, or after one died.

use super::*;

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
    assert!(matches!(unpublished, Err(AuditError::Unpublished { .. })), "{unpublished:?}");
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
    let lock = fs::File::open(lab.path("lake/_cdrlake/ledger.sqlite.lock")).unwrap();
    lock.try_lock().unwrap();
    let held = snapshot(&lab.path("lake"));
    assert!(lab.told().is_empty());
    totals(&lab.location(), Period::Day, PeriodOf::Call).unwrap();
    assert!(snapshot(&lab.path("lake")) == held);
    lab.ledger().execute("UPDATE files SET duration_tenths = 5", []).unwrap();
    let ids = vec![lab.audit().findings[0].id.clone()];
    let refused = accept(&lab.location(), &lab.options, &ids, "why");
    assert!(matches!(refused, Err(AuditError::Lake(LakeError::Locked { .. }))), "{refused:?}");
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
