//! How far an audit is: each file as often as it is read.

use super::*;
use crate::overview;

/// Bytes of the files of one kind.
fn bytes(lab: &Lab, kind: &str) -> u64 {
    fn of(path: &Path) -> u64 {
        match path.is_dir() {
            true => fs::read_dir(path).unwrap().map(|entry| of(&entry.unwrap().path())).sum(),
            false => path.metadata().unwrap().len(),
        }
    }
    of(&lab.path("lake").join(kind))
}

#[test]
fn an_audit_reads_as_much_as_it_says() {
    let lab = Lab::new();
    let names = Lab::names();
    lab.load(&names[..1], |_| {});
    let location = lab.location();
    let progress = location.progress.clone();
    assert_eq!((progress.whole(), progress.bytes()), (None, 0));
    let read = || (progress.whole(), progress.bytes());
    audit(&location, &lab.options).unwrap();
    let whole = bytes(&lab, "calls");
    assert_eq!(read(), (Some(whole), whole), "one source overlaps with none");
    assert_eq!(progress.records(), RECORDS as u64);
    let damaged = [content(&lab, &names[0]), b"no record\n".to_vec()].concat();
    lab.load(&[names[1].clone(), lab.write("damaged.cdr", &damaged)], |_| {});
    let whole = bytes(&lab, "calls");
    audit(&location, &lab.options).unwrap();
    assert_eq!(read(), (Some(2 * whole), 2 * whole), "and once more for overlaps");
    overview(&location, &lab.options).unwrap();
    let all = 2 * whole + bytes(&lab, "_cdrlake/rejects");
    assert_eq!(read(), (Some(all), all));
    totals(&location, Period::Day, PeriodOf::Call).unwrap();
    assert_eq!(read(), (Some(whole), whole));
    assert!(progress.source().unwrap().ends_with(".parquet"));
}
