//! Lines that are replayed, and what others hold or left out for their sake.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cdrlake_core::RecordId;

use super::{Lab, Source, files};
use crate::tests::replay::edit;
use crate::{Duplicates, Input, LakeError, LakeOptions, Repeated, Report, convert_to_lake};

fn drop_duplicates(options: &mut LakeOptions) {
    options.duplicates = Duplicates::Drop;
}

impl Lab {
    fn with_ids() -> Self {
        Self { record_id: RecordId::Fill, ..Self::new() }
    }

    /// The newest rejects file, with the lines that `mend` returns for those numbers.
    fn mended(&self, mend: impl Fn(usize) -> Option<Vec<u8>>) -> PathBuf {
        let rejects = files(&self.lake(), "rejects").into_values().next_back().unwrap();
        let mended = self.path("mended.parquet");
        edit(&rejects, &mended, |number, raw| {
            Some(mend(number as usize).unwrap_or_else(|| raw.to_vec()))
        });
        mended
    }

    fn replay(&self, file: PathBuf, duplicates: Duplicates) -> Result<Report, LakeError> {
        let mut options = self.options(vec![Input::Rejects(file)]);
        options.duplicates = duplicates;
        let report = convert_to_lake(&options);
        self.check_ledger();
        report
    }
}

fn line(source: &Source, number: usize) -> Vec<u8> {
    source.content[(number - 1) * 229..number * 229 - 1].to_vec()
}

/// A daily delivery with damaged lines, which the consolidated one holds whole.
#[test]
fn replayed_lines_that_another_source_holds_are_dropped() {
    for waiting_memory in [1000, 1 << 20] {
        let lab = Lab { waiting_memory, ..Lab::with_ids() };
        let sound = Source::new(1, 100);
        let mut consolidated = Source::new(1, 100).named("ABC20251101001.cdr");
        // But for two of the ten calls.
        consolidated.content.drain(229 * 10..229 * 11);
        consolidated.content.drain(229 * 19..229 * 20);
        lab.load(&[&sound.clone().damaged(10)]);
        lab.load_with(&[&consolidated], drop_duplicates);
        assert_eq!(lab.rows().len(), 98);
        // The consolidated delivery has the newest rejects, if it has any.
        let mended = lab.mended(|number| Some(line(&sound, number)));
        let totals = lab.replay(mended.clone(), Duplicates::Drop).unwrap().totals;
        assert_eq!((totals.records_read, totals.records_written), (10, 2));
        assert_eq!((totals.records_duplicate, totals.records_rejected), (8, 0));
        let id = cdrlake_core::schema().index_of("record_id").unwrap();
        let ids: BTreeSet<_> = lab.rows().into_iter().map(|row| row[id].clone().unwrap()).collect();
        assert_eq!((lab.rows().len(), ids.len()), (100, 100));
        // Once and for all.
        let totals = lab.replay(mended, Duplicates::Drop).unwrap().totals;
        assert_eq!((totals.records_written, lab.rows().len()), (0, 100));
    }
}

/// Two equal calls in one delivery are two, whether they come at once or one of them by a replay.
#[test]
fn replayed_lines_are_no_copies_of_their_own_source() {
    let lab = Lab::with_ids();
    let mut sound = Source::new(1, 40);
    let call = line(&sound, 3);
    for number in [6, 9, 12] {
        sound.content[(number - 1) * 229..number * 229 - 1].copy_from_slice(&call);
    }
    let mut damaged = sound.clone();
    for number in [6, 9] {
        damaged.content[(number - 1) * 229 + 50] = b'x';
    }
    lab.load(&[&damaged]);
    // It holds three of the four, one of which is new.
    let other = Source { name: "ABC20251101001.cdr".to_owned(), content: Vec::new() };
    let content = [&call[..], b"\n"].concat().repeat(3);
    lab.load_with(&[&Source { content, ..other }], drop_duplicates);
    assert_eq!(lab.rows().len(), 39);
    let mended = lab.mended(|number| Some(line(&sound, number)));
    let totals = lab.replay(mended, Duplicates::Drop).unwrap().totals;
    assert_eq!((totals.records_written, totals.records_duplicate), (1, 1));
    assert_eq!(lab.rows().len(), 40);
}

/// Of a source that left duplicates out nobody can say which of its lines are copies.
#[test]
fn what_left_duplicates_out_is_not_deduplicated_again() {
    let lab = Lab::with_ids();
    let daily = Source::new(1, 50);
    lab.load(&[&daily]);
    let consolidated = daily.named("ABC20251101001.cdr").damaged(10);
    lab.load_with(&[&consolidated], drop_duplicates);
    let before = lab.rows().len();
    let mended = lab.mended(|number| Some(line(&daily, number)));
    let error = lab.replay(mended.clone(), Duplicates::Drop).unwrap_err();
    let LakeError::ReplayOfDeduplicated { source_name } = &error else { panic!("{error}") };
    assert!(source_name.ends_with(&consolidated.name), "{source_name}");
    assert_eq!(lab.rows().len(), before);
    lab.replay(mended, Duplicates::Keep).unwrap();
    assert_eq!(lab.rows().len(), before + 5);
}

/// Only what copies were left out for must stay.
#[test]
fn sources_that_nothing_was_left_out_for_may_go() {
    let lab = Lab::with_ids();
    let (kept, unrelated) = (Source::new(1, 30), Source::new(2, 30));
    // Its calls are those of the consolidated delivery's days, too.
    let later = Source::new(3, 30);
    lab.load(&[&kept, &unrelated]);
    let mut consolidated = kept.named("ABC20251101001.cdr");
    consolidated.content.extend_from_slice(&Source::new(4, 5).content);
    lab.load_with(&[&consolidated], drop_duplicates);
    lab.load_with(&[&later], drop_duplicates);
    lab.unload(&[&unrelated.name]).unwrap();
    lab.load_with(&[&later], |options| options.repeated = Repeated::Replace);
    lab.unload(&[&later.name]).unwrap();
    let error = lab.unload(&[&kept.name]).unwrap_err();
    assert!(matches!(error, LakeError::DuplicatesLeftOut { .. }), "{error}");
    // Together they may.
    lab.unload(&[&kept.name, &consolidated.name]).unwrap();
    assert!(lab.rows().is_empty());
}

/// What a replay left out for a source's sake binds that source as well.
#[test]
fn what_a_replay_left_out_binds_the_copy() {
    let lab = Lab::with_ids();
    let sound = Source::new(1, 20);
    lab.load(&[&sound.clone().damaged(10)]);
    let consolidated = sound.named("ABC20251101001.cdr");
    lab.load_with(&[&consolidated], drop_duplicates);
    let mended = lab.mended(|number| Some(line(&sound, number)));
    assert_eq!(lab.replay(mended, Duplicates::Drop).unwrap().totals.records_duplicate, 2);
    for name in [&consolidated.name, &sound.name] {
        let error = lab.unload(&[name]).unwrap_err();
        assert!(matches!(error, LakeError::DuplicatesLeftOut { .. }), "{error}");
    }
    lab.unload(&[&consolidated.name, &sound.name]).unwrap();
    assert!(fs::exists(lab.lake()).unwrap() && lab.rows().is_empty());
}
