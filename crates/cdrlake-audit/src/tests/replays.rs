//! Overlaps that come of replayed lines.

use std::fs;

use cdrlake_core::RecordId;
use cdrlake_lake::{Duplicates, LakeOptions};
use cdrlake_source::Input;

use super::{Lab, calls, name};

/// Calls that a consolidated delivery has whole, and the daily one with damage.
fn damaged(lab: &Lab) {
    let mut daily = calls(60);
    daily[3][42] = b'x';
    lab.write(&name(0), &daily.concat());
    lab.load(&Lab::names(), |options| options.load.record_id = RecordId::Fill);
}

fn consolidated(lab: &Lab) {
    let name = lab.write("ABC20251003001.cdr", &calls(60).concat());
    let report = lab.load(&[name], |options| options.duplicates = Duplicates::Drop);
    assert_eq!((report.totals.records_written, report.totals.records_duplicate), (1, 19));
}

/// Replays the daily one's rejects, mended.
fn replay(lab: &Lab, duplicates: Duplicates) {
    let rejects =
        fs::read_dir(lab.path("lake/_cdrlake/rejects")).unwrap().next().unwrap().unwrap().path();
    let mended = lab.path("mended.parquet");
    super::tables::edit(&rejects, &mended, |_, _| Some(calls(60)[3][..228].to_vec()));
    let load = cdrlake_load::LoadOptions::new(vec![Input::Rejects(mended)]);
    let options = LakeOptions { duplicates, ..LakeOptions::new(load, lab.location()) };
    cdrlake_lake::convert_to_lake(&options).unwrap();
}

#[test]
fn what_is_replayed_beside_its_copy_is_told() {
    let lab = Lab::new();
    damaged(&lab);
    consolidated(&lab);
    replay(&lab, Duplicates::Keep);
    let told = lab.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("overlap: 1 record "), "{told:?}");
}

#[test]
fn what_is_replayed_and_deduplicated_is_no_overlap() {
    let lab = Lab::new();
    damaged(&lab);
    consolidated(&lab);
    replay(&lab, Duplicates::Drop);
    assert!(lab.told().is_empty(), "{:?}", lab.told());
}
