//! Some columns, and the calls of some days: what is left out is counted, the rest is as ever.

use cdrlake_load::{Columns, DateRange};

use super::*;

fn column(name: &str) -> usize {
    cdrlake_core::COLUMNS.iter().position(|column| column.name == name).unwrap()
}

/// The rows of `expected` that start on these days.
fn of_days(expected: &[Row], first: &str, last: &str) -> Vec<Row> {
    let day = |row: &Row| row[column("start_time")].as_ref().unwrap()[..10].to_owned();
    let is_kept = |row: &&Row| (first..=last).contains(&day(row).as_str());
    expected.iter().filter(is_kept).cloned().collect()
}

fn inputs() -> Inputs {
    use Kind::*;
    let mut inputs = Inputs::new();
    // Sources that share a block, and some that have blocks of their own.
    for (kind, records) in
        [(Sound, 300), (Foreign, 5), (Damaged, 300), (Rotten, 50), (Giant, 2000), (Sound, 1500)]
    {
        inputs.add(kind, records);
    }
    fs::create_dir_all(inputs.directory.path().join(".out")).unwrap();
    inputs
}

#[test]
fn rows_of_other_days_are_filtered_and_counted() {
    let inputs = inputs();
    let (all, rejects) = inputs.expected();
    let mut days: Vec<String> = all
        .iter()
        .map(|row| row[column("start_time")].as_ref().unwrap()[..10].to_owned())
        .collect();
    days.sort();
    days.dedup();
    let (second, last) = (&days[1], days.last().unwrap());
    assert!(second < last, "{days:?}");
    for (range, first, last) in [
        (format!("{second}.."), second.as_str(), "9999"),
        (format!("..{second}"), "", second.as_str()),
        (format!("{second}..{second}"), second, second),
        (format!("{}..{last}", days[0]), "", "9999"),
        ("1999-01-01..1999-12-31".to_owned(), "1999", "1999-12-31"),
    ] {
        let mut first_bytes = None;
        for threads in [1, 3] {
            let output = format!("{threads}{range}.parquet");
            let mut options = inputs.options(&output, threads);
            options.where_date = Some(range.parse::<DateRange>().unwrap());
            let report = convert(&options).unwrap();
            let kept = of_days(&all, first, last);
            let written: Vec<Row> = read(&options.output).iter().flat_map(batch_rows).collect();
            assert!(written == kept, "{range}: {} rows, not {}", written.len(), kept.len());
            let totals = &report.totals;
            assert_eq!(totals.records_written, kept.len() as u64);
            assert_eq!(totals.records_filtered, (all.len() - kept.len()) as u64);
            assert_eq!(totals.records_rejected, rejects.len() as u64);
            for tally in report.sources.iter().map(|source| &source.tally).chain([totals]) {
                assert_eq!(
                    tally.records_read,
                    tally.records_written + tally.records_rejected + tally.records_filtered
                );
            }
            let tenths = |row: &Row| -> u64 {
                row[column("duration")].as_ref().unwrap().replace('.', "").parse().unwrap()
            };
            assert_eq!(totals.duration_seconds.tenths(), kept.iter().map(tenths).sum::<u64>());
            check_times(&report, &kept);
            let bytes = fs::read(&options.output).unwrap();
            assert!(*first_bytes.get_or_insert_with(|| bytes.clone()) == bytes, "{range}");
        }
    }
}

#[test]
fn some_columns_are_those_of_the_whole_table() {
    let inputs = inputs();
    let (all, _) = inputs.expected();
    let mut options = inputs.options("some.parquet", 2);
    options.columns = "duration,origin_e164,source_file,start_time_utc".parse::<Columns>().unwrap();
    // By a column that is left out.
    options.where_date = Some("1900-01-01..".parse().unwrap());
    let report = convert(&options).unwrap();
    let names = ["source_file", "origin_e164", "start_time_utc", "duration"];
    let batches = read(&options.output);
    let schema = batches[0].schema();
    let found: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(found, names);
    let expected: Vec<Row> =
        all.iter().map(|row| names.map(|name| row[column(name)].clone()).to_vec()).collect();
    let written: Vec<Row> = batches.iter().flat_map(batch_rows).collect();
    assert!(written == expected);
    assert_eq!(report.totals.records_written, all.len() as u64);
    assert_eq!(report.totals.records_filtered, 0);
}
