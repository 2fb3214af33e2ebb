//! Lakes of masked numbers, and of tokens.

use std::collections::BTreeSet;

use cdrlake_audit::{AuditOptions, Observation, audit};
use cdrlake_core::{COLUMNS, Numbers, Privacy, PrivacyKey, SourceOptions};
use cdrlake_lake::Duplicates;
use cdrlake_load::{ClearRejects, PrivacyOptions};
use parquet::file::metadata::ParquetMetaDataReader;

use super::*;
use crate::tables::edit;

const MASKED: Numbers = Numbers::Masked { keep: 4 };

fn key(byte: u8) -> Option<PrivacyKey> {
    Some(PrivacyKey::new([byte; PrivacyKey::LEN]))
}

/// What is asked for, and whether rows are identified.
#[derive(Clone)]
struct Asked {
    privacy: PrivacyOptions,
    record_id: RecordId,
}

impl Asked {
    fn of(numbers: Option<Numbers>, key: Option<PrivacyKey>, record_id: RecordId) -> Self {
        let privacy = PrivacyOptions { numbers, key, ..PrivacyOptions::default() };
        Self { privacy, record_id }
    }

    fn set(&self) -> impl FnOnce(&mut LakeOptions) + use<> {
        let Self { privacy, record_id } = self.clone();
        move |options| {
            options.load.privacy = privacy;
            options.load.record_id = record_id;
        }
    }

    /// The rows that a source must become.
    fn rows(&self, source: &Source) -> Vec<Row> {
        let numbers = self.privacy.numbers.unwrap_or_default();
        let options = SourceOptions {
            metadata: parse_file_name(&source.name, None),
            record_id: self.record_id,
            privacy: Privacy::new(numbers, self.privacy.key.clone()).unwrap(),
            ..SourceOptions::new(&source.name)
        };
        let mut rows = reference::decode(&source.content, &options).rows;
        rows.iter_mut().for_each(|row| row[SOURCE_HASH] = None);
        rows
    }
}

/// Every way in which numbers may be treated, and rows identified.
fn ways() -> [Asked; 4] {
    [
        Asked::of(Some(MASKED), None, RecordId::Omit),
        Asked::of(Some(MASKED), key(1), RecordId::Fill),
        Asked::of(Some(Numbers::Pseudonymized), key(1), RecordId::Omit),
        Asked::of(Some(Numbers::Pseudonymized), key(1), RecordId::Fill),
    ]
}

impl Lab {
    fn try_load(&self, source: &Source, asked: &Asked) -> Result<Report, LakeError> {
        let mut options = self.options(vec![Input::Path(self.write(source))]);
        asked.set()(&mut options);
        convert_to_lake(&options)
    }

    /// All that is in the lake's directory, but for the lock.
    fn state(&self) -> BTreeMap<String, Vec<u8>> {
        let all = files(self.directory.path(), "lake").into_iter();
        let all = all.filter(|(name, _)| !name.ends_with(".lock"));
        all.map(|(name, path)| (name, fs::read(path).unwrap())).collect()
    }
}

/// Loaded, loaded again, replaced and unloaded: always the rows that the reference decoder gives.
#[test]
fn a_lake_keeps_how_numbers_are_treated() {
    for asked in ways() {
        let lab = Lab::new();
        let [first, second] = [1, 2].map(|seed| Source::new(seed, 200));
        lab.load_with(&[&first], asked.set());
        // The settings need not be said again; only the key must be there.
        let again = Asked::of(None, asked.privacy.key.clone(), RecordId::Omit);
        lab.load_with(&[&first, &second], again.set());
        let expected = [asked.rows(&first), asked.rows(&second)].concat();
        assert!(sorted(lab.rows()) == sorted(expected.clone()), "{:?}", asked.privacy);
        lab.load_with(&[&first], |options| {
            again.set()(options);
            options.repeated = Repeated::Replace;
        });
        assert!(sorted(lab.rows()) == sorted(expected), "{:?}", asked.privacy);
        // Each file tells, those that were written anew, too.
        let told = asked.privacy.numbers.map(|numbers| numbers.to_string());
        for path in lab.files().values() {
            let file = fs::File::open(path).unwrap();
            let metadata = ParquetMetaDataReader::new().parse_and_finish(&file).unwrap();
            let metadata = metadata.file_metadata().key_value_metadata().unwrap();
            let of_privacy = metadata.iter().find(|entry| entry.key == "cdrlake.privacy").unwrap();
            assert_eq!(of_privacy.value, told);
        }
        // Nobody needs the key for that.
        lab.unload(&[&first.name]).unwrap();
        assert!(sorted(lab.rows()) == sorted(asked.rows(&second)), "{:?}", asked.privacy);
    }
}

#[test]
fn what_contradicts_is_refused_before_anything_is_written() {
    let refused = |lab: &Lab, asked: &Asked| {
        let before = lab.state();
        let error = lab.try_load(&Source::new(3, 10), asked).unwrap_err();
        assert!(before == lab.state(), "{error}: something was written");
        error
    };
    let lab = Lab::new();
    let pseudonymized = Some(Numbers::Pseudonymized);
    for (asked, expected) in [
        (Asked::of(pseudonymized, None, RecordId::Omit), "with a key, and none is given"),
        (Asked::of(None, key(1), RecordId::Fill), "the key has nothing to key"),
        (Asked::of(Some(MASKED), key(1), RecordId::Omit), "the key has nothing to key"),
        (Asked::of(Some(MASKED), None, RecordId::Fill), "must be keyed"),
    ] {
        let error = refused(&lab, &asked).to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!lab.lake().exists());
    }
    lab.load_with(&[&Source::new(1, 10)], ways()[3].set());
    let [id, other] = [1, 2].map(|byte| key(byte).unwrap().id());
    for (asked, expected) in [
        (Asked::of(None, None, RecordId::Omit), format!("is keyed with {id}, and no key is given")),
        (
            Asked::of(pseudonymized, None, RecordId::Omit),
            format!("is keyed with {id}, and no key is given"),
        ),
        (
            Asked::of(None, key(2), RecordId::Omit),
            format!("keyed with {id}, and this is key {other}"),
        ),
        (
            Asked::of(Some(MASKED), key(1), RecordId::Omit),
            "privacy pseudonymize, not mask:4".into(),
        ),
        (Asked::of(Some(Numbers::Clear), key(1), RecordId::Omit), "not clear, which".into()),
    ] {
        let error = refused(&lab, &asked).to_string();
        assert!(error.contains(&expected), "{error}");
    }
    let mut in_clear = ways()[3].clone();
    in_clear.privacy.rejects = ClearRejects::Write;
    let error = refused(&lab, &in_clear).to_string();
    assert!(error.contains("rejects omit, not write"), "{error}");
    // Nor may numbers be hidden in a lake that has some in clear.
    let lab = Lab::new();
    lab.load(&[&Source::new(1, 10)]);
    for (asked, expected) in [
        (Asked::of(Some(MASKED), None, RecordId::Omit), "privacy clear, not mask:4"),
        (Asked::of(None, key(1), RecordId::Omit), "was made without a key"),
    ] {
        let error = refused(&lab, &asked).to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// A program that knows nothing of these settings must refuse the lake, lest it write numbers.
#[test]
fn a_lake_tells_how_numbers_are_treated_only_where_they_are() {
    for (asked, is_private) in
        [(Asked::of(None, None, RecordId::Omit), false), (ways()[0].clone(), true)]
    {
        let lab = Lab::new();
        lab.load_with(&[&Source::new(1, 10)], asked.set());
        let path = lab.lake().join("_cdrlake/ledger.sqlite");
        let ledger = rusqlite::Connection::open(&path).unwrap();
        let mut settings = ledger.prepare("SELECT name, value FROM lake").unwrap();
        let settings = settings.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let settings: BTreeMap<String, String> = settings.map(Result::unwrap).collect();
        assert_eq!(settings["layout_version"], "3");
        assert_eq!(settings.contains_key("privacy"), is_private);
        assert_eq!(settings.len(), if is_private { 6 } else { 4 });
    }
}

/// Two runs, and one file outside of any lake, give one subscriber one token.
#[test]
fn one_key_gives_the_same_tokens_everywhere() {
    let source = Source::new(1, 300);
    let tokens = |byte: u8| {
        let lab = Lab::new();
        let asked = Asked::of(Some(Numbers::Pseudonymized), key(byte), RecordId::Omit);
        lab.load_with(&[&source.named("GB_ABC_10_0009_20251101090122.cdr")], asked.set());
        let column = COLUMNS.iter().position(|spec| spec.name == "origin_e164").unwrap();
        lab.rows().into_iter().filter_map(|mut row| row[column].take()).collect::<BTreeSet<_>>()
    };
    let first = tokens(1);
    assert!(first.len() > 10 && first == tokens(1));
    assert!(first.is_disjoint(&tokens(2)));
}

/// Copies are told by keyed identifiers, too.
#[test]
fn duplicates_are_dropped_by_keyed_identifiers() {
    for asked in [&ways()[1], &ways()[3]] {
        let lab = Lab::new();
        let source = Source::new(1, 100);
        let mut consolidated = source.named("ABC20251101001.cdr");
        consolidated.content.extend_from_slice(&Source::new(2, 10).content);
        lab.load_with(&[&source], asked.set());
        let report = lab.load_with(&[&consolidated], |options| {
            asked.set()(options);
            options.duplicates = Duplicates::Drop;
        });
        assert_eq!((report.totals.records_duplicate, report.totals.records_written), (100, 10));
        // Not by identifiers that anybody could compute.
        let keyed = &asked.rows(&source)[0][36];
        let clear = Asked::of(None, None, RecordId::Fill).rows(&source)[0][36].clone();
        assert!(keyed.is_some() && *keyed != clear);
    }
}

#[test]
fn overlaps_are_found_as_far_as_calls_can_be_told() {
    let audited = |asked: &Asked, name: &str| {
        let lab = Lab::new();
        let source = Source::new(1, 100);
        let mut consolidated = source.named(name);
        consolidated.content.extend_from_slice(&Source::new(2, 10).content);
        lab.load_with(&[&source, &consolidated], asked.set());
        let audit = audit(&LakeLocation::new(lab.lake()), &AuditOptions::default()).unwrap();
        let overlaps = audit.findings.iter().filter_map(|finding| match &finding.observation {
            Observation::Overlap { records, .. } => Some(*records),
            _ => None,
        });
        (overlaps.collect::<Vec<_>>(), audit.notes.concat())
    };
    const OF_KNOWN_COUNTRY: &str = "GB_ABC_10_0002_20251102090122.cdr";
    let ways = ways();
    for (asked, expected_note) in ways.iter().zip(["masked digits alone", "", "", ""]) {
        let (overlaps, note) = audited(asked, OF_KNOWN_COUNTRY);
        assert!(overlaps == [100] && note.contains(expected_note), "{overlaps:?} {note}");
        assert_eq!(note.is_empty(), expected_note.is_empty(), "{note}");
    }
    // Without a country a national number has no E.164, and so another token.
    for (asked, expected) in ways.iter().zip([1, 1, 0, 1]) {
        let (overlaps, note) = audited(asked, "ABC20251101001.cdr");
        assert_eq!((overlaps.len(), note.contains("have other tokens")), (expected, expected == 0));
    }
}

/// Rejected lines are counted, and can be replayed from a file that was made elsewhere.
#[test]
fn rejects_are_written_only_in_clear_lakes() {
    for asked in ways() {
        let lab = Lab::new();
        let sound = Source::new(1, 100);
        let report = lab.load_with(&[&sound.clone().damaged(10)], asked.set());
        assert_eq!((report.totals.records_rejected, report.rejects_not_written), (10, 10));
        assert_eq!(files(&lab.lake(), "_cdrlake/rejects").len(), 0);
        let audit = audit(&LakeLocation::new(lab.lake()), &AuditOptions::default()).unwrap();
        let is_open = |found: &cdrlake_audit::Finding| {
            matches!(found.observation, Observation::OpenRejects { .. })
        };
        assert!(audit.findings.iter().any(is_open));
        // Somewhere safe.
        let elsewhere = Lab::new();
        elsewhere.load(&[&sound.clone().damaged(10)]);
        let rejects = files(&elsewhere.lake(), "_cdrlake/rejects").into_values().next().unwrap();
        let mended = elsewhere.path("mended.parquet");
        edit(&rejects, &mended, |number, _| {
            let at = (number as usize - 1) * 229;
            // One stays wrong.
            Some(if number == 1 { b"7".to_vec() } else { sound.content[at..at + 228].to_vec() })
        });
        let mut options = lab.options(vec![Input::Rejects(mended)]);
        asked.set()(&mut options);
        let report = convert_to_lake(&options).unwrap();
        assert_eq!((report.totals.records_written, report.totals.records_rejected), (9, 1));
        assert_eq!(files(&lab.lake(), "_cdrlake/rejects").len(), 0);
        let expected: Vec<_> = asked.rows(&sound).into_iter().skip(1).collect();
        assert!(sorted(lab.rows()) == sorted(expected), "{:?}", asked.privacy);
        // Or they are written as ever.
        let lab = Lab::new();
        let mut in_clear = asked.clone();
        in_clear.privacy.rejects = ClearRejects::Write;
        let report = lab.load_with(&[&sound.clone().damaged(10)], in_clear.set());
        assert_eq!((report.totals.records_rejected, report.rejects_not_written), (10, 0));
        assert_eq!(files(&lab.lake(), "_cdrlake/rejects").len(), 1);
    }
}
