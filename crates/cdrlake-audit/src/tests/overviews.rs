//! What a page shows besides findings, counted from the files' own bytes.

use std::fs;

use super::*;
use crate::overview;

fn shown(lab: &Lab) -> crate::Overview {
    overview(&lab.location(), &lab.options).unwrap()
}

#[test]
fn it_has_the_audit_and_the_totals() {
    let lab = Lab::whole();
    let shown = shown(&lab);
    let audit = lab.audit();
    assert_eq!(shown.audit.schedules, audit.schedules);
    assert_eq!(shown.audit.sequences, audit.sequences);
    assert_eq!(shown.audit.findings, audit.findings);
    let by_day = totals(&lab.location(), Period::Day, PeriodOf::Call).unwrap();
    let by_month = totals(&lab.location(), Period::Month, PeriodOf::File).unwrap();
    assert_eq!(shown.by_call_day, by_day);
    assert_eq!(shown.by_file_month, by_month);
    assert_eq!(shown.counts.loaded, 6);
    assert_eq!(shown.counts.records_written, 6 * RECORDS as u64);
    let all: Vec<u8> = Lab::names().iter().flat_map(|name| content(&lab, name)).collect();
    assert_eq!(shown.counts.seconds.to_string(), seconds(&all));
}

#[test]
fn deliveries_are_counted_by_day() {
    let lab = Lab::new();
    lab.load(&[name(0), name(1), name(2), name(5)], |_| {});
    let shown = shown(&lab);
    let [days] = &shown.deliveries[..] else { panic!("{:?}", shown.deliveries) };
    assert_eq!(days.daily, 2);
    let counts: Vec<String> =
        days.days.iter().map(|(day, count)| format!("{day} {count}")).collect();
    assert_eq!(counts, ["2025-10-01 2", "2025-10-02 1", "2025-10-03 1"]);
}

#[test]
fn rejects_are_counted_by_code_until_they_are_replayed_or_waived() {
    let lab = Lab::new();
    let mut lines = calls(60);
    lines[3][42] = b'x';
    lines[4][42] = b'x';
    lines[5][227] = b'1';
    lab.write(&name(0), &lines.concat());
    lab.load(&Lab::names(), |_| {});
    let rows = || {
        let rows = shown(&lab).rejects;
        let rows = rows.iter().map(|row| format!("{} {} {}", row.code, row.lines, row.open));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(rows(), ["invalid_date 2 2", "invalid_end_of_record 1 1"]);
    let rejects =
        fs::read_dir(lab.path("lake/_cdrlake/rejects")).unwrap().next().unwrap().unwrap().path();
    let mended = lab.path("mended.parquet");
    let sound = calls(60);
    tables::edit(&rejects, &mended, |number, raw| {
        Some(if number == 4 { sound[3][..228].to_vec() } else { raw.to_vec() })
    });
    let load = LoadOptions::new(vec![Input::Rejects(mended)]);
    convert_to_lake(&LakeOptions::new(load, lab.location())).unwrap();
    assert_eq!(rows(), ["invalid_date 2 1", "invalid_end_of_record 1 1"]);
    assert_eq!(shown(&lab).counts.records_rejected, 2);
    let finding = lab.audit().findings.remove(0);
    accept(&lab.location(), &lab.options, &[finding.id], "tests").unwrap();
    assert_eq!(rows(), ["invalid_date 2 0", "invalid_end_of_record 1 0"]);
}

#[test]
fn what_cannot_be_read_is_told() {
    let lab = Lab::new();
    let mut lines = calls(60);
    lines[3][42] = b'x';
    lab.write(&name(0), &lines.concat());
    lab.load(&Lab::names(), |_| {});
    fs::remove_file(lab.path("lake").join(lab.file())).unwrap();
    let rejects =
        fs::read_dir(lab.path("lake/_cdrlake/rejects")).unwrap().next().unwrap().unwrap().path();
    fs::write(&rejects, "PAR1").unwrap();
    let shown = shown(&lab);
    assert!(shown.by_call_day.is_empty() && shown.rejects.is_empty());
    let [damaged, lacking] = &shown.audit.notes[..] else { panic!("{:?}", shown.audit.notes) };
    let (damaged, lacking) = match damaged.starts_with("_cdrlake/rejects/") {
        true => (damaged, lacking),
        false => (lacking, damaged),
    };
    assert!(damaged.contains(" cannot be read to its end: "), "{damaged}");
    assert_eq!(lacking, "calls and totals lack those of files that cannot be read");
}
