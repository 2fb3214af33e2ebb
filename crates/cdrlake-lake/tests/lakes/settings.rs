//! What is fixed when a lake is made.

use super::*;

#[test]
fn a_lake_keeps_its_settings() {
    let lab = Lab { partition_by: Some(PartitionBy::CallDate), ..Lab::new() };
    lab.load(&[&Source::new(1, 10)]);
    let mut options = lab.options(vec![Input::Path(lab.write(&Source::new(2, 10)))]);
    options.partition_by = Some(PartitionBy::CallMonth);
    let error = convert_to_lake(&options).unwrap_err();
    assert!(matches!(error, LakeError::Contradiction { setting: "partition_by", .. }), "{error}");
    options.partition_by = None;
    options.load.record_id = RecordId::Fill;
    let error = convert_to_lake(&options).unwrap_err();
    assert!(matches!(error, LakeError::Contradiction { setting: "record_id", .. }), "{error}");
    options.load.record_id = RecordId::Omit;
    convert_to_lake(&options).unwrap();
    assert!(lab.files().keys().all(|name| name.starts_with("calls/call_date=2025-")));
}

#[test]
fn a_ledger_serves_no_other_lake() {
    let (lab, other) = (Lab::new(), Lab::new());
    lab.load(&[&Source::new(1, 10)]);
    other.load(&[&Source::new(2, 10)]);
    let mut options = other.options(vec![Input::Path(other.write(&Source::new(1, 10)))]);
    options.lake.ledger = Some(lab.lake().join("_cdrlake/ledger.sqlite"));
    assert!(matches!(convert_to_lake(&options), Err(LakeError::OtherLedger(_))));
    other.check(&[&Source::new(2, 10)]);
    lab.check(&[&Source::new(1, 10)]);
    // Nor a lake that is only made.
    options.lake.root = other.path("new");
    assert!(matches!(convert_to_lake(&options), Err(LakeError::OtherLedger(_))));
}
