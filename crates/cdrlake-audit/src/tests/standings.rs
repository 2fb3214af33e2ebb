//! Where a lake stands, as its ledger alone tells.

use super::*;
use crate::{Standing, standing};

fn of(lab: &Lab) -> Standing {
    standing(&lab.location()).unwrap().unwrap()
}

#[test]
fn there_is_none_without_a_lake() {
    let lab = Lab::new();
    assert!(standing(&lab.location()).unwrap().is_none());
    fs::create_dir(lab.path("lake")).unwrap();
    lab.write("lake/precious", b"");
    assert!(matches!(standing(&lab.location()), Err(AuditError::Lake(LakeError::NotALake(_)))));
}

#[test]
fn a_whole_lake_has_nothing_open() {
    let lab = Lab::whole();
    let newest = Some(date(2025, 10, 3).at(17, 0, 0, 0));
    let expected = Standing { loaded_sources: 6, newest_file_time: newest, ..Standing::default() };
    assert_eq!(of(&lab), expected);
}

#[test]
fn what_is_open_is_counted_until_someone_closes_it() {
    let lab = Lab::new();
    let names = Lab::names();
    // Two ranges are missing, one line is short, one file is none.
    let damaged = [calls(1).concat(), b"short\n".to_vec()].concat();
    lab.write(&names[5], &damaged);
    let foreign = lab.write("GB_ABC_11_0001_20251003090000.cdr", b"nothing\n");
    lab.load(&[name(0), name(2), name(5), foreign], |_| {});
    let expected = Standing {
        loaded_sources: 3,
        failed_sources: 1,
        open_rejects: 1,
        open_gaps: 2,
        missing_numbers: 3,
        newest_file_time: Some(date(2025, 10, 3).at(17, 0, 0, 0)),
    };
    assert_eq!(of(&lab), expected);
    let ids: Vec<String> = lab.audit().findings.into_iter().map(|finding| finding.id).collect();
    accept(&lab.location(), &lab.options, &ids, "known").unwrap();
    let closed = Standing {
        failed_sources: 0,
        open_rejects: 0,
        open_gaps: 0,
        missing_numbers: 0,
        ..expected
    };
    assert_eq!(of(&lab), closed);
}
