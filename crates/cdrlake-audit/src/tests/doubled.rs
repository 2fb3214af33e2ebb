//! Records of two sources.

use cdrlake_lake::LakeReader;

use super::*;

/// Daily deliveries and a consolidated one, which does not tell its country.
fn overlapping(record_id: RecordId, partition_by: PartitionBy, duplicates: Duplicates) -> Lab {
    let lab = Lab::new();
    let set = |options: &mut LakeOptions| {
        options.load.record_id = record_id;
        options.partition_by = Some(partition_by);
    };
    // Two equal calls in one delivery are two calls.
    let twice = calls(5)[0];
    let first = [calls(5).concat(), twice.to_vec()].concat();
    lab.write(&name(0), &first);
    lab.load(&Lab::names(), set);
    let third = content(&lab, &name(2));
    let consolidated = [&first[..], &third[..229 * 3], &calls(6).concat()].concat();
    let consolidated = lab.write("ABC20251003001.cdr", &consolidated);
    lab.load(&[consolidated], |options| {
        set(options);
        options.duplicates = duplicates;
    });
    lab
}

#[test]
fn records_of_two_sources() {
    for record_id in [RecordId::Omit, RecordId::Fill] {
        for partition_by in PartitionBy::ALL {
            let lab = overlapping(record_id, partition_by, Duplicates::Keep);
            let (first, third) = (content(&lab, &name(0)), content(&lab, &name(2)));
            let expected = [(21, &first[..], name(0)), (3, &third[..229 * 3], name(2))];
            let expected = expected.map(|(count, lines, name)| {
                let seconds = seconds(lines);
                format!(
                    "overlap: {count} records ({seconds} s) of ABC20251003001.cdr also in {name}"
                )
            });
            assert_eq!(lab.told(), expected, "{record_id:?} {partition_by:?}");
        }
    }
}

#[test]
fn overlaps_need_little_memory() {
    let lab = overlapping(RecordId::Omit, PartitionBy::CallMonth, Duplicates::Keep);
    let lake = LakeReader::open(&lab.location()).unwrap();
    let facts = lake.facts().unwrap();
    let files: Vec<_> = facts.files.iter().collect();
    let found = |memory| {
        let found = overlaps::check(&lake, &facts, &files, memory);
        found.unwrap_or_else(|found| panic!("{}", found.error))
    };
    let at_once = found(overlaps::MEMORY);
    assert_eq!(at_once.len(), 2);
    // Ten records at a time.
    assert_eq!(found(240), at_once);
}

#[test]
fn what_was_deduplicated_is_no_overlap() {
    let lab = overlapping(RecordId::Fill, PartitionBy::CallMonth, Duplicates::Drop);
    assert!(lab.told().is_empty(), "{:?}", lab.told());
    // Of three equal calls one was kept, for the source with most of them had two.
    let again = lab.write("ABC20251003002.cdr", &calls(5)[0].repeat(3));
    let report = lab.load(&[again], |options| options.duplicates = Duplicates::Drop);
    assert_eq!((report.totals.records_duplicate, report.totals.records_written), (2, 1));
    assert!(lab.told().is_empty(), "{:?}", lab.told());
}

#[test]
fn inputs_are_audited_like_a_lake() {
    let lab = overlapping(RecordId::Omit, PartitionBy::None, Duplicates::Keep);
    fs::remove_file(lab.path(&name(4))).unwrap();
    let names = Lab::names().into_iter().chain(["ABC20251003001.cdr".to_owned()]);
    let inputs = names.map(|name| lab.path(&name)).filter(|path| path.exists());
    let load = LoadOptions::new(inputs.map(Input::Path).collect());
    let scratch = ScratchLake::load(LoadOptions { on_changed: OnChanged::Hold, ..load }).unwrap();
    let root = scratch.location().root.clone();
    let findings = audit(scratch.location(), &lab.options).unwrap().findings;
    let kinds: Vec<&str> = findings.iter().map(|found| found.observation.kind()).collect();
    assert_eq!(kinds, ["missing_sequence", "missing_delivery", "overlap", "overlap"]);
    let Observation::Overlap { records, .. } = &findings[2].observation else { unreachable!() };
    assert_eq!(*records, 21);
    drop(scratch);
    assert!(!root.exists());
}
