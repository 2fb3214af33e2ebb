//! Lakes: what is loaded, skipped, replaced, unloaded and deduplicated, compared with what the
//! reference decoder says of the sources that should be in them.

mod deduplication;
mod failures;
mod housekeeping;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use cdrlake_core::reference::{self, Row, batch_rows};
use cdrlake_core::synthetic::Calls;
use cdrlake_core::{RecordId, SourceOptions, parse_file_name};

use super::{BLOCK_LEN, read};
use crate::{
    Changed, Duplicates, Input, LakeError, LakeLocation, LakeOptions, LoadOptions, MaxRejects,
    PartitionBy, Repeated, Report, Status, convert_to_lake, deliveries, unload,
};

/// A directory of inputs beside a lake.
struct Lab {
    directory: tempfile::TempDir,
    threads: usize,
    partition_by: Option<PartitionBy>,
    record_id: RecordId,
    target_file_size: u64,
    waiting_memory: usize,
}

impl Lab {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            threads: 2,
            partition_by: None,
            record_id: RecordId::Omit,
            target_file_size: LakeOptions::DEFAULT_TARGET_FILE_SIZE,
            waiting_memory: 1 << 20,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    fn write(&self, source: &Source) -> PathBuf {
        let path = self.path(&source.name);
        fs::write(&path, &source.content).unwrap();
        path
    }

    fn options(&self, inputs: Vec<Input>) -> LakeOptions {
        let mut load = LoadOptions::new(inputs);
        load.block_len = BLOCK_LEN;
        load.waiting_memory = Some(self.waiting_memory);
        load.threads = NonZero::new(self.threads);
        load.record_id = self.record_id;
        let mut options = LakeOptions::new(load, LakeLocation::new(self.lake()));
        options.partition_by = self.partition_by;
        options.target_file_size = self.target_file_size;
        options
    }

    fn load_with(&self, sources: &[&Source], set: impl FnOnce(&mut LakeOptions)) -> Report {
        let inputs = sources.iter().map(|source| Input::Path(self.write(source)));
        let mut options = self.options(inputs.collect());
        set(&mut options);
        let report = convert_to_lake(&options).unwrap();
        self.check_ledger();
        report
    }

    fn load(&self, sources: &[&Source]) -> Report {
        self.load_with(sources, |_| {})
    }

    fn unload(&self, names: &[&str]) -> Result<Vec<String>, LakeError> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let unloaded =
            unload(&LakeLocation::new(self.lake()), &names, crate::Compression::default())?;
        Ok(unloaded.now)
    }

    /// The files of calls, by their paths in the lake.
    fn files(&self) -> BTreeMap<String, PathBuf> {
        files(&self.lake(), "calls")
    }

    fn rows(&self) -> Vec<Row> {
        self.files().values().flat_map(|path| read(path)).flat_map(|b| batch_rows(&b)).collect()
    }

    /// The lake holds these sources' rows and no others.
    fn check(&self, sources: &[&Source]) {
        let expected = sources.iter().flat_map(|source| source.rows()).collect();
        assert!(sorted(self.rows()) == sorted(expected), "other rows than expected");
    }

    /// What the ledger's face says is true of the files.
    fn check_ledger(&self) {
        let mut written = 0;
        for batch in read(&self.lake().join("sources.parquet")) {
            let statuses = batch.column_by_name("status").unwrap().as_string::<i32>().clone();
            let rows = batch.column_by_name("records_written").unwrap().clone();
            let rows = rows.as_primitive::<arrow_array::types::Int64Type>();
            for (status, rows) in statuses.iter().zip(rows.values()) {
                written += if status == Some("loaded") { *rows } else { 0 };
            }
        }
        assert_eq!(written, self.rows().len() as i64);
        let staging = fs::read_dir(self.lake().join("_cdrlake/staging")).unwrap();
        assert_eq!(staging.count(), 0, "staging is not empty");
    }
}

/// The files below a directory of a lake, by their paths in the lake.
fn files(root: &Path, directory: &str) -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut directories = vec![root.join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, path);
            }
        }
    }
    found
}

fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort();
    rows
}

/// A source by name and content.
#[derive(Clone)]
struct Source {
    name: String,
    content: Vec<u8>,
}

impl Source {
    /// Calls of October 2025, and every hundredth of the month before or after.
    fn new(seed: u64, records: u64) -> Self {
        let mut content = Vec::new();
        for (index, mut line) in Calls::new(seed, records).enumerate() {
            match index % 100 {
                50 => line[46..48].copy_from_slice(b"09"),
                99 => line[46..48].copy_from_slice(b"11"),
                _ => {}
            }
            content.extend_from_slice(&line);
        }
        Self { name: format!("GB_ABC_10_{seed:04}_20251101090122.cdr"), content }
    }

    /// Each nth line cut short.
    fn damaged(mut self, nth: usize) -> Self {
        let lines = self.content.chunks(229).enumerate();
        let lines = lines.map(|(index, line)| if index % nth == 0 { &line[100..] } else { line });
        self.content = lines.flatten().copied().collect();
        self
    }

    fn named(&self, name: &str) -> Self {
        Self { name: name.to_owned(), ..self.clone() }
    }

    fn rows(&self) -> Vec<Row> {
        let options = SourceOptions {
            metadata: parse_file_name(&self.name, None),
            ..SourceOptions::new(&self.name)
        };
        reference::decode(&self.content, &options).rows
    }
}

fn statuses(report: &Report) -> Vec<Status> {
    report.sources.iter().map(|source| source.status).collect()
}

#[test]
fn calls_go_to_their_months_whatever_the_threads() {
    let sources: Vec<Source> =
        [(1, 100), (2, 3000), (3, 1), (4, 5000), (5, 0), (6, 571), (7, 2000)]
            .map(|(seed, records)| Source::new(seed, records))
            .into();
    let sources: Vec<&Source> = sources.iter().collect();
    for by in PartitionBy::ALL {
        let mut first = None;
        for threads in [1, 2, 5] {
            let lab = Lab { threads, partition_by: Some(by), ..Lab::new() };
            let report = lab.load(&sources);
            assert_eq!(report.count(Status::Loaded), sources.len());
            let files = lab.files();
            for (name, path) in &files {
                for row in read(path).iter().flat_map(batch_rows) {
                    // The file's time and the call's; columns differ by what directories tell.
                    let is_time = |cell: &&String| cell.len() == 19 && &cell[10..11] == "T";
                    let start_time = row.iter().flatten().filter(is_time).nth(1).unwrap();
                    let directory = match by {
                        PartitionBy::CallMonth => format!("calls/call_month={}/", &start_time[..7]),
                        PartitionBy::CallDate => format!("calls/call_date={}/", &start_time[..10]),
                        PartitionBy::CountryCallMonth => {
                            format!("calls/country=GB/call_month={}/", &start_time[..7])
                        }
                        PartitionBy::None => "calls/".to_owned(),
                    };
                    assert!(name.starts_with(&directory), "{name}: {start_time}");
                }
            }
            if by == PartitionBy::CountryCallMonth {
                let without_country = |mut row: Row| {
                    row.remove(2);
                    row
                };
                let rows = sources.iter().flat_map(|s| s.rows()).map(without_country).collect();
                assert!(sorted(lab.rows()) == sorted(rows));
            } else {
                lab.check(&sources);
            }
            let bytes: BTreeMap<_, _> =
                files.iter().map(|(name, path)| (name.clone(), fs::read(path).unwrap())).collect();
            let first = first.get_or_insert_with(|| bytes.clone());
            assert!(*first == bytes, "{by}: {threads} threads write other files than 1");
        }
    }
}

/// Large and small sources that fail leave nothing, however many files were begun meanwhile.
#[test]
fn what_fails_at_its_end_is_taken_back_from_every_partition() {
    let sound: Vec<Source> = (0..6).map(|seed| Source::new(seed, 300 + seed * 900)).collect();
    for (target_file_size, waiting_memory) in [(1, 1), (60_000, 200_000), (1 << 30, 1 << 20)] {
        let mut lab = Lab { target_file_size, waiting_memory, ..Lab::new() };
        lab.partition_by = Some(PartitionBy::CallDate);
        let mut inputs = Vec::new();
        for (index, source) in sound.iter().enumerate() {
            inputs.push(source.clone());
            // Too many of its records are rejected, which is known only at its end.
            inputs.push(Source::new(100 + index as u64, 200 + index as u64 * 1000).damaged(3));
        }
        let inputs: Vec<&Source> = inputs.iter().collect();
        let report = lab.load_with(&inputs, |options| {
            options.load.max_rejects = Some(MaxRejects::PerMillion(100_000));
        });
        assert_eq!(report.count(Status::Failed), sound.len());
        lab.check(&sound.iter().collect::<Vec<_>>());
        // With the smallest target every row group is a file; with the largest there is one a day.
        let files = lab.files().len();
        let days = files_by_directory(&lab);
        match target_file_size {
            1 => assert!(files > days * 2, "{files} files of {days} days"),
            _ => assert!(files >= days),
        }
        if target_file_size == 1 << 30 {
            assert_eq!(files, days);
        }
    }
}

fn files_by_directory(lab: &Lab) -> usize {
    let directories =
        lab.files().into_keys().map(|name| name.rsplit_once('/').unwrap().0.to_owned());
    directories.collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn the_same_content_is_loaded_once_over_all_runs() {
    let lab = Lab::new();
    let (first, second) = (Source::new(1, 700), Source::new(2, 50).damaged(10));
    lab.load(&[&first, &second]);
    let renamed = first.named("GB_ABC_10_0099_20251102090122.cdr");
    let report = lab.load(&[&first, &renamed, &second, &Source::new(3, 10)]);
    let skipped = Status::Skipped;
    assert_eq!(statuses(&report), [skipped, skipped, skipped, Status::Loaded]);
    let first_name = lab.path(&first.name).display().to_string();
    assert_eq!(report.sources[1].same_as.as_deref(), Some(first_name.as_str()));
    let open: Vec<u64> = report.sources.iter().map(|source| source.open_rejects).collect();
    assert_eq!(open, [0, 0, 5, 0]);
    lab.check(&[&first, &second, &Source::new(3, 10)]);
}

#[test]
fn a_known_name_with_other_content_fails_unless_allowed() {
    let lab = Lab::new();
    let first = Source::new(1, 20);
    let changed = Source::new(2, 20).named(&first.name);
    lab.load(&[&first]);
    let report = lab.load(&[&changed]);
    assert_eq!(report.sources[0].error_code, Some("changed"));
    let hashes = [&first, &changed].map(|source| blake3::hash(&source.content).to_string());
    let error = report.sources[0].error.as_ref().unwrap();
    assert!(hashes.iter().all(|hash| error.contains(hash)), "{error}");
    lab.check(&[&first]);
    lab.load_with(&[&changed], |options| options.load.changed = Changed::Allow);
    lab.check(&[&first, &changed]);
    // In one run, too.
    let (lab, other) = (Lab::new(), "other");
    fs::create_dir(lab.path(other)).unwrap();
    fs::write(lab.path(other).join(&first.name), &first.content).unwrap();
    let inputs = [lab.path(other), lab.write(&changed)].map(Input::Path);
    let report = convert_to_lake(&lab.options(inputs.into())).unwrap();
    assert_eq!(statuses(&report), [Status::Loaded, Status::Failed]);
}

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
    let rejects = files(&lab.lake(), "rejects");
    let names: Vec<Row> =
        rejects.values().flat_map(|path| read(path)).flat_map(|b| batch_rows(&b)).collect();
    assert_eq!(names.len(), 50);
    assert!(names.iter().all(|row| row[0].as_deref() == Some(&today.name)));
    // All of it once more, twice in one run.
    let report = lab.load_with(&[&kept, &today, &kept.named("copy.cdr")], replace);
    assert_eq!(statuses(&report), [Status::Loaded, Status::Loaded, Status::Skipped]);
    lab.check(&[&kept, &today]);
}

#[test]
fn what_is_unloaded_is_gone_and_may_come_again() {
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
    assert_eq!(report.count(Status::Loaded), 2);
    lab.check(&all);
    let names: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    lab.unload(&names).unwrap();
    assert!(lab.files().is_empty() && files(&lab.lake(), "rejects").is_empty());
}

/// Thirty daily files, then one archive of the same records: not one row more.
#[test]
fn deliveries_are_what_is_loaded_under_names_of_the_carriers_form() {
    let lab = Lab::new();
    let location = LakeLocation::new(lab.lake());
    let told = || -> Vec<(String, u16)> {
        let deliveries = deliveries(&location).unwrap();
        assert!(deliveries.iter().all(|delivery| delivery.product_identifier == "10"));
        deliveries.into_iter().map(|known| (known.file_time, known.sequence_number)).collect()
    };
    assert_eq!(told(), []);
    assert!(!lab.lake().exists(), "asking makes no lake");
    let later = Source::new(1, 5).named("GB_ABC_10_0000_20251020090122.cdr");
    let earlier = Source::new(2, 5).named("GB_ABC_10_9999_20251019090122.cdr");
    let failed = Source::new(3, 5).named("GB_ABC_10_0001_20251021090122.cdr").damaged(1);
    let other = Source::new(4, 5).named("calls.cdr");
    lab.load_with(&[&later, &earlier, &failed, &other], |options| {
        options.load.max_rejects = Some(MaxRejects::Count(0));
    });
    let [before, after] = ["2025-10-19T09:01:22", "2025-10-20T09:01:22"].map(str::to_owned);
    assert_eq!(told(), [(before.clone(), 9999), (after, 0)]);
    // No lock is needed.
    let lock = lab.lake().join("_cdrlake/ledger.sqlite.lock");
    let held = fs::File::options().write(true).open(lock).unwrap();
    held.lock().unwrap();
    assert_eq!(told().len(), 2);
    held.unlock().unwrap();
    lab.unload(&[&later.name]).unwrap();
    assert_eq!(told(), [(before, 9999)]);
    // What is no lake is no empty one.
    let location = LakeLocation::new(lab.directory.path().to_owned());
    assert!(matches!(deliveries(&location), Err(LakeError::NotALake(_))));
}

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

/// A lake's rejects are replayed into it, once.
#[test]
fn rejects_are_replayed_into_their_lake() {
    let lab = Lab::new();
    let sound = Source::new(1, 1000);
    lab.load(&[&sound.clone().damaged(10)]);
    let rejects = files(&lab.lake(), "rejects").into_values().next().unwrap();
    let replay = |path: &Path| {
        let inputs = vec![Input::Rejects(path.to_owned())];
        let report = convert_to_lake(&lab.options(inputs)).unwrap();
        lab.check_ledger();
        report
    };
    // Nothing has changed, so nothing is won; and no line is quarantined twice.
    let report = replay(&rejects);
    assert_eq!((report.totals.records_written, report.totals.records_rejected), (0, 100));
    assert_eq!(files(&lab.lake(), "rejects").len(), 1);
    let edited = lab.path("edited.parquet");
    super::replay::edit(&rejects, &edited, |number, raw| {
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
    super::replay::edit(&rejects, &edited, |number, _| {
        let start = (number as usize - 1) * 229;
        Some(sound.content[start..start + 228].to_vec())
    });
    let report = replay(&edited);
    assert_eq!((report.totals.records_written, report.totals.records_duplicate), (50, 50));
    lab.check(&[&sound]);
    assert_eq!(statuses(&replay(&edited)), [Status::Skipped]);
    // The source and what was replayed of it go together.
    let report = lab.load(&[&sound.clone().damaged(10)]);
    assert_eq!((statuses(&report), report.sources[0].open_rejects), (vec![Status::Skipped], 0));
    lab.unload(&[&sound.name]).unwrap();
    assert!(lab.rows().is_empty());
    let report = replay(&edited);
    assert_eq!(report.sources[0].error_code, Some("not_loaded"));
}

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

/// An empty delivery is noted, once.
#[test]
fn empty_sources_are_noted_once() {
    let lab = Lab::new();
    let empty =
        Source { name: "GB_ABC_10_0001_20251101090122.cdr".to_owned(), content: Vec::new() };
    for _ in 0..2 {
        assert_eq!(statuses(&lab.load(&[&empty])), [Status::Loaded]);
    }
    let sources: usize =
        read(&lab.lake().join("sources.parquet")).iter().map(RecordBatch::num_rows).sum();
    assert_eq!(sources, 1);
}

/// Only lines that this lake rejected, and still lacks, can be replayed into it.
#[test]
fn rejects_of_another_verdict_double_nothing() {
    let lab = Lab::new();
    let mut source = Source::new(1, 20);
    source.content.splice(228..228, *b" more");
    let lab_strict = Lab::new();
    lab_strict.load_with(&[&source], |o| o.load.strictness = cdrlake_core::Strictness::Strict);
    let rejects = files(&lab_strict.lake(), "rejects").into_values().next().unwrap();
    lab.load(&[&source]);
    let options = lab.options(vec![Input::Rejects(rejects)]);
    let report = convert_to_lake(&options).unwrap();
    assert_eq!((report.totals.records_written, report.count(Status::Skipped)), (0, 1));
    lab.check(&[&source]);
    lab.check_ledger();
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

/// A lake among the inputs holds no deliveries.
#[test]
fn a_lake_is_no_input() {
    let lab = Lab::new();
    let source = Source::new(1, 10);
    lab.write(&source);
    for status in [Status::Loaded, Status::Skipped] {
        let options = lab.options(vec![Input::Path(lab.directory.path().to_owned())]);
        assert_eq!(statuses(&convert_to_lake(&options).unwrap()), [status]);
    }
    lab.check(&[&source]);
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
