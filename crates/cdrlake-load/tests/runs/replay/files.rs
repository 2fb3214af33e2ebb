//! Rejects files: whole or not at all, of whatever tool.

use super::*;

/// A rejects file that is damaged, or none, fails by name, and takes nothing with it.
#[test]
fn a_damaged_rejects_file_fails_alone() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 7, 2000, 2);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    let sound = |number: i64, _: &[u8]| Some(file.line(number));
    lab.edit("loaded.rejects.parquet", "sound.parquet", sound);
    let other = Damaged::write(&lab, 8, 300, 3);
    lab.convert(vec![path_input(&lab.path(&other.name))], "other.parquet");
    let edit = |number: i64, last: Option<&[u8]>| -> Option<Vec<u8>> {
        if number < 1999 { Some(file.line(number)) } else { last.map(<[u8]>::to_vec) }
    };
    lab.edit("loaded.rejects.parquet", "bad.parquet", |n, _| edit(n, Some(b"two\nlines")));
    lab.edit("loaded.rejects.parquet", "null.parquet", |n, _| edit(n, None));
    let hash: ArrayRef = Arc::new(arrow_array::StringArray::from(vec!["none"; 1000]));
    lab.rewrite("loaded.rejects.parquet", "hash.parquet", |_| ("source_hash", hash.clone()));
    let number: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![0; 1000]));
    lab.rewrite("loaded.rejects.parquet", "number.parquet", |_| ("record_number", number.clone()));
    let mut cut = fs::read(lab.path("sound.parquet")).unwrap();
    cut.truncate(cut.len() - 1);
    fs::write(lab.path("cut.parquet"), cut).unwrap();
    for (name, message) in [
        ("bad.parquet", "row 1000: raw holds a line feed"),
        ("null.parquet", "row 1000: raw is null"),
        ("hash.parquet", "row 1: source_hash is not 64 hexadecimal digits"),
        ("number.parquet", "row 1: record_number is not a number from 1 on"),
        ("cut.parquet", "cannot be read as a rejects file"),
        ("loaded.parquet", "there is no column byte_offset, but column byte_offset of type int64"),
        ("missing.parquet", "cannot be opened"),
    ] {
        let report = lab.replay(&["other.rejects.parquet", name, "sound.parquet"], "out.parquet");
        let failed: Vec<_> = report.sources.iter().filter(|s| s.status == Status::Failed).collect();
        let last = failed.last().unwrap();
        assert!(last.source.ends_with(name), "{name}: {}", last.source);
        assert!(last.error.as_ref().unwrap().contains(message), "{name}: {:?}", last.error);
        // The others are loaded, and nothing of the failed one.
        assert_eq!(report.totals.records_written, file.rejected() as u64, "{name}");
        assert_eq!(report.totals.records_rejected, other.rejected() as u64, "{name}");
        assert_eq!(lab.rows("out.parquet").len(), file.rejected(), "{name}");
    }
}

/// What is read is never written over, nor removed as stale, though it is found in a directory.
#[test]
fn a_rejects_file_that_the_run_would_write_stops_it() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 9, 20, 3);
    fs::create_dir(lab.path("all")).unwrap();
    lab.convert(vec![path_input(&lab.path(&file.name))], "all/loaded.parquet");
    let before = fs::read(lab.path("all/loaded.rejects.parquet")).unwrap();
    lab.edit("all/loaded.rejects.parquet", "all/fixed.parquet", |n, _| Some(file.line(n)));
    // As the output, and as its rejects file, stale since nothing is rejected any more.
    for output in ["all/fixed.parquet", "all/loaded.parquet"] {
        let result = lab.try_convert(vec![Input::Rejects(lab.path("all"))], output);
        assert!(matches!(result, Err(LoadError::OutputIsInput(_))), "{output}: {result:?}");
        assert!(fs::read(lab.path("all/loaded.rejects.parquet")).unwrap() == before);
    }
}

/// A rejects file is taken as a whole: the lines before the one that is wrong do not stay, and may
/// come again.
#[test]
fn a_rejects_file_that_fails_in_the_middle_leaves_nothing() {
    for records in [20, 3000] {
        let lab = Lab::new();
        let files = [12, 13].map(|seed| Damaged::write(&lab, seed, records, 2));
        let inputs = files.iter().map(|file| path_input(&lab.path(&file.name)));
        lab.convert(inputs.collect(), "loaded.parquet");
        let fixed = |number: i64, raw: &[u8]| {
            let file = files.iter().find(|file| file.line(number).starts_with(raw)).unwrap();
            Some(file.line(number))
        };
        lab.edit("loaded.rejects.parquet", "fixed.parquet", fixed);
        let last = files[1].line(records as i64 - 1);
        lab.edit("loaded.rejects.parquet", "bad.parquet", |number, raw| {
            fixed(number, raw).map(|raw| if raw == last { b"two\nlines".to_vec() } else { raw })
        });
        let report = lab.replay(&["bad.parquet"], "nothing.parquet");
        assert!(report.outputs.is_empty() && !lab.path("nothing.parquet").exists());
        let codes: Vec<_> =
            report.sources.iter().map(|source| source.error_code.unwrap()).collect();
        assert_eq!(codes, ["archive_failed", "archive_failed", "damaged_rejects_file"]);
        assert_eq!(report.totals.records_read, 0);
        let report = lab.replay(&["bad.parquet", "fixed.parquet"], "replayed.parquet");
        assert_eq!((report.count(Status::Failed), report.count(Status::Loaded)), (3, 2));
        let rows = [lab.rows("loaded.parquet"), lab.rows("replayed.parquet")].concat();
        let expected = files.iter().flat_map(Damaged::rows).collect();
        assert!(sorted(rows) == sorted(expected), "{records}");
    }
}

/// Of two versions of a line nobody can say which is right.
#[test]
fn two_versions_of_a_line_fail_by_name() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 14, 20, 4);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    lab.edit("loaded.rejects.parquet", "fixed.parquet", |number, _| Some(file.line(number)));
    let report = lab.replay(&["fixed.parquet", "loaded.rejects.parquet"], "replayed.parquet");
    assert_eq!(report.totals.records_written, file.rejected() as u64);
    let failed = report.sources.last().unwrap();
    assert_eq!(failed.error_code, Some("conflicting_lines"));
    let message = format!("line 1 of {} comes in two versions", file.name);
    assert!(failed.error.as_ref().unwrap().contains(&message), "{:?}", failed.error);
    // In one file: lines 1 and 5 under one number.
    let numbers: ArrayRef = Arc::new(arrow_array::Int64Array::from(vec![1, 1, 9, 13, 17]));
    lab.rewrite("fixed.parquet", "twice.parquet", |_| ("record_number", numbers.clone()));
    let report = lab.replay(&["twice.parquet"], "twice.out.parquet");
    assert_eq!(report.sources.last().unwrap().error_code, Some("conflicting_lines"));
    assert!(report.outputs.is_empty());
}

/// However its rows are sorted, a rejects file has a source's lines in one report.
#[test]
fn sources_that_alternate_are_reported_once_each() {
    for records in [40, 4000] {
        let lab = Lab::new();
        let files = [15, 16].map(|seed| Damaged::write(&lab, seed, records, 2));
        let inputs = files.iter().map(|file| path_input(&lab.path(&file.name)));
        lab.convert(inputs.collect(), "loaded.parquet");
        lab.edit("loaded.rejects.parquet", "fixed.parquet", |number, raw| {
            let file = files.iter().find(|file| file.line(number).starts_with(raw)).unwrap();
            Some(file.line(number))
        });
        let batches = read(&lab.path("fixed.parquet"));
        let batch = arrow_select::concat::concat_batches(&batches[0].schema(), &batches).unwrap();
        // A line of the one, a line of the other, and the first once more.
        let half = records / 2;
        let order = (0..half).flat_map(|n| [n, half + n]).chain([0]);
        let order = arrow_array::UInt64Array::from_iter_values(order);
        let batch = arrow_select::take::take_record_batch(&batch, &order).unwrap();
        let file = File::create(lab.path("mixed.parquet")).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        let report = lab.replay(&["mixed.parquet", "mixed.parquet"], "replayed.parquet");
        let rows = lab.rows("replayed.parquet");
        let written = |source: &cdrlake_load::SourceReport| source.tally.records_written;
        let counts: Vec<_> = report.sources.iter().map(|s| (s.status, written(s))).collect();
        let expected =
            [(Status::Loaded, half), (Status::Loaded, half), (Status::Same, 0), (Status::Same, 0)];
        assert_eq!(counts, expected[..].to_vec(), "{records}");
        assert_eq!((report.totals.records_duplicate, rows.len() as u64), (1, 2 * half));
        assert_eq!(report.totals.records_read, 2 * half + 1);
    }
}

/// Other tools write other types, and leave out what is null.
#[test]
fn columns_of_other_types_are_read_if_they_hold_the_same() {
    use arrow_array::{Int16Array, Int32Array, NullArray, StringArray};
    let lab = Lab::new();
    let file = Damaged::write(&lab, 17, 20, 4);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    lab.edit("loaded.rejects.parquet", "fixed.parquet", |number, _| Some(file.line(number)));
    let rows = |name: &str| {
        let report = lab.replay(&[name], "replayed.parquet");
        assert_eq!(report.count(Status::Failed), 0, "{name}: {:?}", report.sources);
        lab.rows("replayed.parquet")
    };
    let expected = rows("fixed.parquet");
    assert_eq!(expected.len(), 5);
    let numbers = [1, 5, 9, 13, 17];
    let raws = numbers.map(|number| String::from_utf8(file.line(number)).unwrap());
    let columns: [(&str, ArrayRef); 5] = [
        ("record_number", Arc::new(Int32Array::from(numbers.map(|n| n as i32).to_vec()))),
        ("record_number", Arc::new(Int16Array::from(numbers.map(|n| n as i16).to_vec()))),
        ("raw", Arc::new(StringArray::from(raws.to_vec()))),
        ("raw_length", Arc::new(NullArray::new(5))),
        ("code", Arc::new(NullArray::new(5))),
    ];
    for (name, column) in columns {
        lab.rewrite("fixed.parquet", "other.parquet", |_| (name, column.clone()));
        assert_eq!(rows("other.parquet"), expected, "{name}");
    }
    let batches = read(&lab.path("fixed.parquet"));
    let schema = batches[0].schema();
    let needed = ["source_file", "record_number", "byte_offset", "raw", "source_hash"];
    let needed: Vec<_> = needed.iter().map(|name| schema.index_of(name).unwrap()).collect();
    let batch = batches[0].project(&needed).unwrap();
    for compression in [
        parquet::basic::Compression::GZIP(Default::default()),
        parquet::basic::Compression::LZ4_RAW,
    ] {
        let file = File::create(lab.path("few.parquet")).unwrap();
        let properties = parquet::file::properties::WriterProperties::builder();
        let properties = properties.set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        assert_eq!(rows("few.parquet"), expected);
    }
    let floats: ArrayRef = Arc::new(arrow_array::Float64Array::from(vec![1.0; 5]));
    lab.rewrite("fixed.parquet", "wrong.parquet", |_| ("record_number", floats.clone()));
    let report = lab.replay(&["wrong.parquet"], "wrong.out.parquet");
    let message = "column record_number is of type Float64, but column record_number of type int64";
    assert!(report.sources[0].error.as_ref().unwrap().contains(message), "{:?}", report.sources);
}

#[test]
fn what_was_known_of_a_source_is_checked() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 18, 2, 2);
    lab.convert(vec![path_input(&lab.path(&file.name))], "loaded.parquet");
    for (name, value) in
        [("profile", "TOOLONG"), ("profile", "A\u{1}"), ("product_identifier", "123")]
    {
        let column: ArrayRef = Arc::new(arrow_array::StringArray::from(vec![value]));
        lab.rewrite("loaded.rejects.parquet", "wrong.parquet", |_| (name, column.clone()));
        let report = lab.replay(&["wrong.parquet"], "out.parquet");
        let message = report.sources[0].error.as_ref().unwrap();
        assert!(message.contains(&format!("row 1: {name} is not 1")), "{message}");
    }
}

/// Of a directory the hidden, the directories and the tables of calls are left out; what keeps
/// whoever opens it waiting is refused.
#[test]
fn a_directory_of_rejects_files() {
    let lab = Lab::new();
    let file = Damaged::write(&lab, 19, 8, 4);
    fs::create_dir_all(lab.path("all/directory.parquet")).unwrap();
    lab.convert(vec![path_input(&lab.path(&file.name))], "all/calls.parquet");
    fs::write(lab.path("all/.hidden.parquet"), "not whole yet").unwrap();
    let report = lab.replay(&["all"], "replayed.parquet");
    let sources: Vec<_> =
        report.sources.iter().map(|source| (&source.source, source.status)).collect();
    assert_eq!(sources.len(), 1, "{sources:?}");
    assert!(sources[0].0.contains("calls.rejects.parquet!"), "{sources:?}");
    assert_eq!(report.empty_inputs, [lab.path("all/calls.parquet").display().to_string()]);
    let fifo = lab.path("fifo.parquet");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let report = lab.replay(&["fifo.parquet"], "fifo.out.parquet");
    assert_eq!(report.sources[0].error_code, Some("special_file"));
}
