//! Lines that are replayed, and what others hold or left out for their sake.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use cdrlake_core::RecordId;
use cdrlake_lake::{Duplicates, LakeError, LakeOptions, convert_to_lake};
use cdrlake_load::{Repeated, Report};
use cdrlake_source::Input;

use super::{Lab, Source, files, sorted};
use crate::tables::edit;

fn drop_duplicates(options: &mut LakeOptions) {
    options.duplicates = Duplicates::Drop;
}

impl Lab {
    fn with_ids() -> Self {
        Self { record_id: RecordId::Fill, ..Self::new() }
    }

    /// The newest rejects file, with the lines that `mend` returns for those numbers.
    fn mended(&self, mend: impl Fn(usize) -> Option<Vec<u8>>) -> PathBuf {
        let rejects = files(&self.lake(), "_cdrlake/rejects").into_values().next_back().unwrap();
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

/// Thirty daily files, then one archive of the same records: not one row more.
#[test]
fn consolidated_over_daily_adds_nothing() {
    for memory in [1000, 1 << 20] {
        let mut lab = Lab { record_id: RecordId::Fill, ..Lab::new() };
        lab.waiting_memory = memory;
        let mut daily: Vec<Source> = (0..30).map(|seed| Source::new(seed, 90)).collect();
        // Two equal calls of no seconds in one delivery are two calls.
        let call = daily[7].content[..229].to_vec();
        daily[7].content.extend_from_slice(&call);
        let drop = |options: &mut LakeOptions| options.duplicates = Duplicates::Drop;
        let report = lab.load_with(&daily.iter().collect::<Vec<_>>(), drop);
        assert_eq!(report.totals.records_duplicate, 0);
        let before = sorted(lab.rows());
        assert_eq!(before.len(), 30 * 90 + 1);
        let content = daily.iter().flat_map(|source| source.content.clone()).collect();
        let consolidated = Source { name: "ABC20251101001.cdr".to_owned(), content };
        let report = lab.load_with(&[&consolidated], drop);
        let totals = &report.totals;
        assert_eq!((totals.records_read, totals.records_written), (2701, 0));
        assert_eq!((totals.records_duplicate, totals.duration_seconds.tenths()), (2701, 0));
        assert!(sorted(lab.rows()) == before);
        // One that has a third copy of that call, and a call of its own.
        let mut more = Source::new(77, 1);
        (0..3).for_each(|_| more.content.extend_from_slice(&call));
        let report = lab.load_with(&[&more], drop);
        assert_eq!((report.totals.records_written, report.totals.records_duplicate), (2, 2));
        assert_eq!(lab.rows().len(), before.len() + 2);
    }
}

#[test]
fn duplicates_within_a_run_are_dropped_in_input_order() {
    let lab = Lab { record_id: RecordId::Fill, ..Lab::new() };
    let first = Source::new(1, 800);
    let mut second = Source::new(2, 700);
    second.content.extend_from_slice(&first.content[229 * 300..]);
    let report = lab.load_with(&[&first, &second], |o| o.duplicates = Duplicates::Drop);
    let written: Vec<u64> = report.sources.iter().map(|s| s.tally.records_written).collect();
    assert_eq!(written, [800, 700]);
    assert_eq!(report.totals.records_duplicate, 500);
    let file = cdrlake_core::schema().index_of("source_file").unwrap();
    let of_second = lab.rows().into_iter().filter(|row| row[file] == Some(second.name.clone()));
    assert_eq!(of_second.count(), 700);
}

#[test]
fn duplicates_cannot_be_told_without_record_ids() {
    let lab = Lab::new();
    let mut options = lab.options(vec![Input::Path(lab.write(&Source::new(1, 1)))]);
    options.duplicates = Duplicates::Drop;
    assert!(matches!(convert_to_lake(&options), Err(LakeError::NoRecordIds(_))));
}

/// What was left out for the sake of a copy does not come back, so the copy must not go.
#[test]
fn copies_that_others_were_left_out_for_stay() {
    let lab = Lab { record_id: RecordId::Fill, ..Lab::new() };
    let first = Source::new(1, 30);
    let mut consolidated = first.named("ABC20251101001.cdr");
    consolidated.content.extend_from_slice(&Source::new(2, 5).content);
    lab.load(&[&first]);
    lab.load_with(&[&consolidated], |o| o.duplicates = Duplicates::Drop);
    assert_eq!(lab.rows().len(), 35);
    let error = lab.unload(&[&first.name]).unwrap_err();
    assert!(matches!(error, LakeError::DuplicatesLeftOut { .. }), "{error}");
    let mut options = lab.options(vec![Input::Path(lab.write(&first))]);
    options.repeated = Repeated::Replace;
    assert!(matches!(convert_to_lake(&options), Err(LakeError::DuplicatesLeftOut { .. })));
    assert_eq!(lab.rows().len(), 35);
    lab.unload(&[&consolidated.name]).unwrap();
    lab.unload(&[&first.name]).unwrap();
    assert!(lab.rows().is_empty());
}
