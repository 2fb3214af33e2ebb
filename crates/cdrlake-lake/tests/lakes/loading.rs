//! What is loaded, where its rows go, and what is left out.

use super::*;

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

/// Many of a partition in a block, or few, or of many partitions: nobody overtakes.
#[test]
fn a_partitions_calls_keep_the_order_of_the_input() {
    let start_time = |row: &Row| {
        let mut times = row.iter().flatten().filter(|c| c.len() == 19 && &c[10..11] == "T");
        times.nth(1).unwrap().clone()
    };
    let sources = [(1, 100), (2, 3000), (3, 40), (4, 600), (5, 2), (6, 1500)]
        .map(|(seed, records)| Source::new(seed, records));
    let sources: Vec<&Source> = sources.iter().collect();
    for (by, until) in [(PartitionBy::CallMonth, 7), (PartitionBy::CallDate, 10)] {
        let mut expected: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for row in sources.iter().flat_map(|source| source.rows()) {
            let directory = format!("calls/{by}={}", &start_time(&row)[..until]);
            expected.entry(directory).or_default().push(row);
        }
        for waiting_memory in [1, 300_000, 1 << 30] {
            let lab = Lab { threads: 3, partition_by: Some(by), waiting_memory, ..Lab::new() };
            lab.load(&sources);
            let mut found: BTreeMap<String, Vec<Row>> = BTreeMap::new();
            for (name, path) in lab.files() {
                let directory = name.rsplit_once('/').unwrap().0.to_owned();
                let mut rows = read(&path).iter().flat_map(batch_rows).collect::<Vec<_>>();
                rows.iter_mut().for_each(|row| row[SOURCE_HASH] = None);
                found.entry(directory).or_default().extend(rows);
            }
            assert!(found == expected, "{by}, {waiting_memory}");
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
    directories.collect::<BTreeSet<_>>().len()
}

#[test]
fn the_same_content_is_loaded_once_over_all_runs() {
    let lab = Lab::new();
    let (first, second) = (Source::new(1, 700), Source::new(2, 50).damaged(10));
    lab.load(&[&first, &second]);
    let renamed = first.named("GB_ABC_10_0099_20251102090122.cdr");
    let report = lab.load(&[&first, &renamed, &second, &Source::new(3, 10)]);
    let skipped = Status::Same;
    assert_eq!(statuses(&report), [skipped, skipped, skipped, Status::Loaded]);
    let first_name = lab.path(&first.name).display().to_string();
    assert_eq!(report.sources[1].same_as.as_deref(), Some(first_name.as_str()));
    let open: Vec<u64> = report.sources.iter().map(|source| source.open_rejects).collect();
    assert_eq!(open, [0, 0, 5, 0]);
    lab.check(&[&first, &second, &Source::new(3, 10)]);
}

#[test]
fn deliveries_are_what_came_under_names_of_the_carriers_form() {
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
    let both = [(before, 9999), (after, 0)];
    assert_eq!(told(), both);
    // No lock is needed.
    let lock = lab.lake().join("_cdrlake/ledger.sqlite.lock");
    let held = fs::File::options().write(true).open(lock).unwrap();
    held.lock().unwrap();
    assert_eq!(told().len(), 2);
    held.unlock().unwrap();
    lab.unload(&[&later.name]).unwrap();
    // It came, and need not come again.
    assert_eq!(told(), both);
    // What is no lake is no empty one.
    let location = LakeLocation::new(lab.directory.path().to_owned());
    assert!(matches!(deliveries(&location), Err(LakeError::NotALake(_))));
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
    let sources: usize = read(&lab.lake().join("_cdrlake/sources/sources.pq"))
        .iter()
        .map(RecordBatch::num_rows)
        .sum();
    assert_eq!(sources, 1);
}

/// A lake among the inputs holds no deliveries.
#[test]
fn a_lake_is_no_input() {
    let lab = Lab::new();
    let source = Source::new(1, 10);
    lab.write(&source);
    for status in [Status::Loaded, Status::Same] {
        let options = lab.options(vec![Input::Path(lab.directory.path().to_owned())]);
        assert_eq!(statuses(&convert_to_lake(&options).unwrap()), [status]);
    }
    lab.check(&[&source]);
}

/// Days in no order, so many that a batch has a row or two of each: rows wait together, and come out
/// in few files, whatever the threads and whatever is taken back meanwhile.
#[test]
fn calls_of_very_many_days_share_files() {
    const DAYS: usize = 60;
    let scattered = |mut source: Source| {
        for (index, line) in source.content.chunks_mut(229).enumerate() {
            let day = (index * 7919 + index / DAYS) % DAYS;
            let (month, day) = (1 + day / 25, 1 + day % 25);
            line[42..50].copy_from_slice(format!("2000{month:02}{day:02}").as_bytes());
        }
        source
    };
    let sound = [(1, 1500), (2, 30), (3, 2000), (4, 200)];
    let sound = sound.map(|(seed, records)| scattered(Source::new(seed, records)));
    // Of one month, and so of one partition each.
    let plain = Source::new(5, 700);
    let rotten = [6, 7].map(|seed| scattered(Source::new(seed, 1200)).damaged(3));
    let sources =
        [&sound[0], &rotten[0], &sound[1], &plain, &sound[2], &rotten[1], &sound[3], &plain];
    for (waiting_memory, most) in [(300_000, 9), (1 << 30, 1)] {
        let mut first = None;
        for threads in [1, 3] {
            let partition_by = Some(PartitionBy::CallDate);
            let lab = Lab { threads, partition_by, waiting_memory, ..Lab::new() };
            let report = lab.load_with(&sources, |options| {
                options.load.max_rejects = Some(MaxRejects::PerMillion(100_000));
            });
            assert_eq!(report.count(Status::Failed), rotten.len());
            lab.check(&[&sound[0], &sound[1], &sound[2], &sound[3], &plain]);
            let files = lab.files();
            let days = files_by_directory(&lab);
            assert!(days > DAYS && files.len() <= most * days, "{} files, {days}", files.len());
            let bytes: BTreeMap<_, _> =
                files.iter().map(|(name, path)| (name.clone(), fs::read(path).unwrap())).collect();
            let first = first.get_or_insert_with(|| bytes.clone());
            assert!(*first == bytes, "{threads} threads write other files than 1");
        }
    }
}
