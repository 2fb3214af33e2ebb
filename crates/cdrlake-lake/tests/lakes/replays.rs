//! A lake's own rejects, replayed.

use super::tables::edit;
use super::*;

/// A lake's rejects are replayed into it, once.
#[test]
fn rejects_are_replayed_into_their_lake() {
    let lab = Lab::new();
    let sound = Source::new(1, 1000);
    lab.load(&[&sound.clone().damaged(10)]);
    let rejects = files(&lab.lake(), "_cdrlake/rejects").into_values().next().unwrap();
    let replay = |path: &Path| {
        let inputs = vec![Input::Rejects(path.to_owned())];
        let report = convert_to_lake(&lab.options(inputs)).unwrap();
        lab.check_ledger();
        report
    };
    // Nothing has changed, so nothing is won; and no line is quarantined twice.
    let report = replay(&rejects);
    assert_eq!((report.totals.records_written, report.totals.records_rejected), (0, 100));
    assert_eq!(files(&lab.lake(), "_cdrlake/rejects").len(), 1);
    let edited = lab.path("edited.parquet");
    edit(&rejects, &edited, |number, raw| {
        let start = (number as usize - 1) * 229;
        // Half of them.
        Some(match number % 20 {
            1 => sound.content[start..start + 228].to_vec(),
            _ => raw.to_vec(),
        })
    });
    let report = replay(&edited);
    assert_eq!((report.totals.records_written, report.totals.records_rejected), (50, 50));
    // What was accepted is not accepted again; what was not still may be.
    let report = replay(&edited);
    assert_eq!((report.totals.records_written, report.totals.records_duplicate), (0, 50));
    edit(&rejects, &edited, |number, _| {
        let start = (number as usize - 1) * 229;
        Some(sound.content[start..start + 228].to_vec())
    });
    let report = replay(&edited);
    assert_eq!((report.totals.records_written, report.totals.records_duplicate), (50, 50));
    lab.check(&[&sound]);
    assert_eq!(statuses(&replay(&edited)), [Status::Same]);
    // The source and what was replayed of it go together.
    let report = lab.load(&[&sound.clone().damaged(10)]);
    assert_eq!((statuses(&report), report.sources[0].open_rejects), (vec![Status::Same], 0));
    lab.unload(&[&sound.name]).unwrap();
    assert!(lab.rows().is_empty());
    let report = replay(&edited);
    assert_eq!(report.sources[0].error_code, Some("not_loaded"));
}

/// Only lines that this lake rejected, and still lacks, can be replayed into it.
#[test]
fn rejects_of_another_verdict_double_nothing() {
    let lab = Lab::new();
    let mut source = Source::new(1, 20);
    source.content.splice(228..228, *b" more");
    let lab_strict = Lab::new();
    lab_strict.load_with(&[&source], |o| o.load.strictness = cdrlake_core::Strictness::Strict);
    let rejects = files(&lab_strict.lake(), "_cdrlake/rejects").into_values().next().unwrap();
    lab.load(&[&source]);
    let options = lab.options(vec![Input::Rejects(rejects)]);
    let report = convert_to_lake(&options).unwrap();
    assert_eq!((report.totals.records_written, report.count(Status::Same)), (0, 1));
    lab.check(&[&source]);
    lab.check_ledger();
}
