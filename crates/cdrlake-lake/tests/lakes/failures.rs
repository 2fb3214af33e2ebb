//! Sources that fail, and what their names are good for then.

use std::fs;

use cdrlake_lake::{LakeOptions, convert_to_lake};
use cdrlake_load::{MaxRejects, OnChanged, Repeated, Report, Status};
use cdrlake_source::Input;

use super::{Lab, Source, statuses};

impl Lab {
    /// Loads contents of one name, in this order, in one run.
    fn load_in_turn(&self, sources: &[&Source], set: impl FnOnce(&mut LakeOptions)) -> Report {
        let inputs = sources.iter().enumerate().map(|(place, source)| {
            let directory = self.path(&place.to_string());
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(&source.name), &source.content).unwrap();
            Input::Path(directory.join(&source.name))
        });
        let mut options = self.options(inputs.collect());
        set(&mut options);
        let report = convert_to_lake(&options).unwrap();
        self.check_ledger();
        report
    }
}

/// However large it is, and whatever stands between.
#[test]
fn a_source_that_fails_by_its_content_leaves_its_name_free() {
    for records in [1, 40, 3000] {
        let good = Source::new(1, records);
        let rotten = Source::new(2, 200).damaged(3).named(&good.name);
        let large = Source::new(3, 3000).damaged(3).named(&good.name);
        let foreign = Source { content: b"nothing\n".repeat(5), ..good.clone() };
        let other = Source::new(4, 700);
        for threads in [1, 3] {
            let lab = Lab { threads, ..Lab::new() };
            let sources = [&rotten, &foreign, &other, &large, &good, &rotten, &good];
            let report = lab.load_in_turn(&sources, |options| {
                options.load.max_rejects = Some(MaxRejects::Count(0));
            });
            use Status::{Failed, Loaded, Same};
            let expected = [Failed, Failed, Loaded, Failed, Loaded, Failed, Same];
            assert_eq!(statuses(&report), expected, "{:?}", report.sources);
            let codes: Vec<_> = report.sources.iter().filter_map(|s| s.error_code).collect();
            let too_many = "too_many_rejects";
            assert_eq!(codes, [too_many, "not_cdr", too_many, "same_as_failed"]);
            lab.check(&[&good, &other]);
        }
    }
}

/// Of two sound contents under one name the first counts, as ever.
#[test]
fn a_source_that_is_sound_keeps_its_name() {
    let lab = Lab::new();
    let first = Source::new(1, 700);
    let second = Source::new(2, 700).named(&first.name);
    let third = Source::new(3, 7).named(&first.name);
    let report = lab.load_in_turn(&[&first, &second, &third], |_| {});
    assert_eq!(statuses(&report), [Status::Loaded, Status::Held, Status::Held]);
    lab.check(&[&first]);
}

#[test]
fn versions_that_were_allowed_are_replaced() {
    let lab = Lab::new();
    let first = Source::new(1, 20);
    let second = Source::new(2, 20).named(&first.name);
    lab.load(&[&first]);
    lab.load_with(&[&second], |options| options.load.on_changed = OnChanged::Both);
    let replace = |options: &mut LakeOptions| options.repeated = Repeated::Replace;
    for version in [&first, &second] {
        let report = lab.load_with(&[version], replace);
        assert_eq!(statuses(&report), [Status::Loaded], "{:?}", report.sources[0].error);
    }
    assert_eq!(statuses(&lab.load_in_turn(&[&second, &first], replace)), [Status::Loaded; 2]);
    lab.check(&[&first, &second]);
    // A third one that is named takes the place of both.
    let third = Source::new(3, 20).named(&first.name);
    assert_eq!(statuses(&lab.load_with(&[&third], replace)), [Status::Loaded]);
    lab.check(&[&third]);
    // Not both at once.
    let mut options = lab.options(vec![Input::Path(lab.write(&first))]);
    (options.repeated, options.load.on_changed) = (Repeated::Replace, OnChanged::Both);
    assert!(matches!(convert_to_lake(&options), Err(cdrlake_lake::LakeError::ReplaceAndKeep)));
    lab.check(&[&third]);
}

#[test]
fn a_known_name_with_other_content_is_held_unless_allowed() {
    let lab = Lab::new();
    let first = Source::new(1, 20);
    let changed = Source::new(2, 20).named(&first.name);
    lab.load(&[&first]);
    let report = lab.load(&[&changed]);
    assert_eq!(report.sources[0].error_code, Some("changed"));
    let error = report.sources[0].error.as_ref().unwrap();
    assert!(error.ends_with("shares 0 of 20 calls with that"), "{error}");
    lab.check(&[&first]);
    lab.load_with(&[&changed], |options| options.load.on_changed = OnChanged::Both);
    lab.check(&[&first, &changed]);
    // In one run, too.
    let (lab, other) = (Lab::new(), "other");
    fs::create_dir(lab.path(other)).unwrap();
    fs::write(lab.path(other).join(&first.name), &first.content).unwrap();
    let inputs = [lab.path(other), lab.write(&changed)].map(Input::Path);
    let report = convert_to_lake(&lab.options(inputs.into())).unwrap();
    assert_eq!(statuses(&report), [Status::Loaded, Status::Held]);
}

/// What an archive held that failed takes no name from a sound file.
#[test]
fn a_failed_archive_leaves_its_names_free() {
    use std::io::Write;
    let lab = Lab::new();
    let sound = Source::new(1, 10);
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    let mut header = tar::Header::new_ustar();
    let other = Source::new(2, 10);
    header.set_size(other.content.len() as u64);
    archive.append_data(&mut header, &sound.name, &other.content[..]).unwrap();
    let mut compressed = archive.into_inner().unwrap();
    compressed.flush().unwrap();
    let compressed = compressed.finish().unwrap();
    fs::write(lab.path("cut.tar.gz"), &compressed[..compressed.len() - 4]).unwrap();
    let inputs = [lab.path("cut.tar.gz"), lab.write(&sound)].map(Input::Path);
    let report = convert_to_lake(&lab.options(inputs.into())).unwrap();
    assert_eq!(report.count(Status::Loaded), 1, "{:?}", report.sources);
    lab.check(&[&sound]);
}
