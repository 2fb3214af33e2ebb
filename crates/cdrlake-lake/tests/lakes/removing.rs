//! Sources replaced, and unloaded.

use cdrlake_load::Repeated;

use super::*;

#[test]
fn sources_are_replaced_under_todays_options() {
    let lab = Lab::new();
    let (kept, renamed) = (Source::new(1, 1500), Source::new(2, 2500).damaged(50));
    lab.load(&[&kept, &renamed]);
    let today = renamed.named("FR_ABC_10_0002_20251101090122.cdr");
    let replace = |options: &mut LakeOptions| options.repeated = Repeated::Replace;
    let report = lab.load_with(&[&today], replace);
    assert_eq!(statuses(&report), [Status::Loaded]);
    lab.check(&[&kept, &today]);
    // Rejects are replaced as well: one file, of the new name.
    let rejects = files(&lab.lake(), "_cdrlake/rejects");
    let names: Vec<Row> =
        rejects.values().flat_map(|path| read(path)).flat_map(|b| batch_rows(&b)).collect();
    assert_eq!(names.len(), 50);
    assert!(names.iter().all(|row| row[0].as_deref() == Some(&today.name)));
    // All of it once more, twice in one run.
    let report = lab.load_with(&[&kept, &today, &kept.named("copy.cdr")], replace);
    assert_eq!(statuses(&report), [Status::Loaded, Status::Loaded, Status::Same]);
    lab.check(&[&kept, &today]);
}

#[test]
fn what_is_unloaded_stays_out_until_it_is_asked_for() {
    let lab = Lab::new();
    let sources: Vec<Source> =
        (1..6).map(|seed| Source::new(seed, seed * 400).damaged(77)).collect();
    let all: Vec<&Source> = sources.iter().collect();
    lab.load(&all);
    let hash = blake3::hash(&sources[3].content).to_string();
    let carrier_name = sources[1].name.trim_end_matches(".cdr");
    lab.unload(&[carrier_name, &hash[..12]]).unwrap();
    lab.check_ledger();
    lab.check(&[all[0], all[2], all[4]]);
    let unknown = lab.unload(&[carrier_name, "nothing"]);
    assert!(matches!(unknown, Err(LakeError::SourceNotLoaded(name)) if name == "nothing"));
    // A run that died may have got so far: doing it again is no error.
    assert_eq!(lab.unload(&[carrier_name, &hash[..12]]).unwrap(), [""; 0]);
    let report = lab.load(&all);
    assert_eq!((report.count(Status::Unloaded), report.count(Status::Same)), (2, 3));
    lab.check(&[all[0], all[2], all[4]]);
    let report = lab.load_with(&[all[1], all[3]], |options| options.repeated = Repeated::Replace);
    assert_eq!(report.count(Status::Loaded), 2);
    lab.check(&all);
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    lab.unload(&names).unwrap();
    assert!(lab.files().is_empty() && files(&lab.lake(), "_cdrlake/rejects").is_empty());
}
