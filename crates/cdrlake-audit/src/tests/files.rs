//! Files against the ledger.

use super::*;

#[test]
fn files_that_are_not_what_the_ledger_says() {
    let lab = Lab::whole();
    let (file, lake) = (lab.file(), lab.path("lake"));
    let whole = fs::read(lake.join(&file)).unwrap();

    fs::write(lake.join("calls/call_month=2025-10/_SUCCESS"), b"").unwrap();
    fs::write(lake.join("calls/call_month=2025-10/stray.parquet"), b"").unwrap();
    let unknown = "unknown_file: calls/call_month=2025-10/stray.parquet is not in the ledger";
    assert_eq!(lab.told(), [unknown]);
    fs::remove_file(lake.join("calls/call_month=2025-10/stray.parquet")).unwrap();

    fs::remove_file(lake.join(&file)).unwrap();
    assert_eq!(lab.told(), [format!("missing_file: {file} is missing (120 rows by the ledger)")]);

    fs::write(lake.join(&file), &whole[..whole.len() - 1]).unwrap();
    let told = lab.told();
    assert!(told[0].starts_with(&format!("damaged_file: {file} cannot be read: ")), "{told:?}");
    assert_eq!(told.len(), 1);

    // Another lake's file in its place.
    let other = Lab::new();
    other.load(&[name(0)], |_| {});
    fs::copy(other.path("lake").join(other.file()), lake.join(&file)).unwrap();
    assert_eq!(lab.told(), [format!("file_differs: {file} has 20 rows, and 120 by the ledger")]);

    fs::write(lake.join(&file), &whole).unwrap();
    assert!(lab.told().is_empty());
}

#[test]
fn totals_that_are_not_what_the_ledger_says() {
    let lab = Lab::whole();
    let all: Vec<u8> = Lab::names().iter().flat_map(|name| content(&lab, name)).collect();
    let first = content(&lab, &name(0));
    let ledger = lab.ledger();
    ledger.execute("UPDATE files SET duration_tenths = 5", []).unwrap();
    let update = "UPDATE sources SET records_read = 21, records_written = 21, duration_tenths = 7 \
                  WHERE source = 1";
    ledger.execute(update, []).unwrap();
    let (all, of_first, file) = (seconds(&all), seconds(&first), lab.file());
    assert_eq!(
        lab.told(),
        [
            format!("file_differs: {file} has {all} seconds, and 0.5 by the ledger"),
            format!("source_differs: {} has 20 rows in the lake, and 21 by the ledger", name(0)),
            format!(
                "source_differs: {} has {of_first} seconds in the lake, and 0.7 by the ledger",
                name(0)
            ),
        ]
    );
}

#[test]
fn what_is_no_lake_is_named() {
    let lab = Lab::new();
    let none = audit(&lab.location(), &lab.options);
    assert!(matches!(none, Err(AuditError::Lake(LakeError::NoLake(_)))), "{none:?}");
    lab.load(&[name(0)], |_| {});
    let ledger = lab.path("ledger.sqlite");
    fs::rename(lab.path("lake/_cdrlake/ledger.sqlite"), &ledger).unwrap();
    let missing = audit(&lab.location(), &lab.options);
    assert!(matches!(missing, Err(AuditError::Lake(LakeError::LedgerMissing(_)))), "{missing:?}");
    let elsewhere = LakeLocation { ledger: Some(ledger), ..lab.location() };
    assert_eq!(audit(&elsewhere, &lab.options).unwrap().sequences.len(), 1);
}

/// Another writer has put the rows of a file in another order. The ledger knows a row's source by the row's
/// place in the file, and the row names another one.
#[test]
fn rows_in_another_order_are_told() {
    use parquet::arrow::ArrowWriter;
    let lab = Lab::whole();
    let (file, lake) = (lab.file(), lab.path("lake"));
    let rows: Vec<_> = tables::read(&lake.join(&file))
        .iter()
        .flat_map(|batch| (0..batch.num_rows()).map(|row| batch.slice(row, 1)).collect::<Vec<_>>())
        .collect();
    let output = fs::File::create(lake.join(&file)).unwrap();
    let mut writer = ArrowWriter::try_new(output, rows[0].schema(), None).unwrap();
    rows.iter().rev().for_each(|row| writer.write(row).unwrap());
    writer.close().unwrap();
    let told = lab.told();
    let others = format!("file_differs: {file} has 120 rows of other sources, and 0 by the ledger");
    assert!(told.contains(&others), "{told:?}");
}
