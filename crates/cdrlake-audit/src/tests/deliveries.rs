//! Deliveries that came, did not come, or came under one number.

use super::*;

#[test]
fn a_whole_lake_has_no_findings() {
    let lab = Lab::whole();
    let Audit { schedules, sequences, findings, accepted, notes, verified } = lab.audit();
    assert!(verified.is_none());
    assert_eq!((findings, accepted, notes.len()), (vec![], vec![], 0));
    assert_eq!((schedules.len(), sequences.len()), (1, 1));
    let (schedule, sequence) = (&schedules[0], &sequences[0]);
    assert_eq!((schedule.deliveries, schedule.daily, schedule.short_days), (6, 2, 0));
    assert_eq!(schedule.series.to_string(), "GB ABC 10");
    assert_eq!((sequence.deliveries, sequence.first, sequence.last), (6, 1, 6));
}

#[test]
fn deliveries_that_did_not_come() {
    let lab = Lab::new();
    lab.load(&[name(0), name(1), name(3), name(4), name(5)], |_| {});
    assert_eq!(
        lab.told(),
        [
            "missing_sequence: sequence number 0003 is missing, between 2025-10-01 and \
             2025-10-02; 87 days left to fetch again",
            "missing_delivery: 1 of 2 deliveries on 2025-10-02; 88 days left to fetch again",
        ]
    );
    lab.load(&[name(2)], |_| {});
    assert!(lab.told().is_empty());
}

#[test]
fn an_empty_delivery_is_one() {
    let lab = Lab::new();
    lab.write(&name(2), b"");
    lab.load(&Lab::names(), |_| {});
    assert!(lab.told().is_empty(), "{:?}", lab.told());
}

#[test]
fn one_number_on_two_deliveries() {
    let lab = Lab::whole();
    let again = "GB_ABC_10_0004_20251002171500.cdr".to_owned();
    lab.load(&[again], |_| {});
    assert_eq!(
        lab.told(),
        ["repeated_sequence: sequence number 0004 came 2 times: \
          GB_ABC_10_0004_20251002170000.cdr, GB_ABC_10_0004_20251002171500.cdr"]
    );
}
