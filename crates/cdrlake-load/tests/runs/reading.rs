//! Sources read as batches, wholly or in splits, beside the reference decoder.

use std::io::{self, Cursor, Read};

use arrow_array::Array;
use arrow_schema::DataType;
use cdrlake_load::{
    LoadError, ReadOptions, Split, Stream, Table, TextType, read_batches, read_sources, read_split,
    split_file, validate,
};
use cdrlake_source::SourceError;

use super::*;

fn options(inputs: &Inputs) -> ReadOptions {
    ReadOptions::new(inputs.options("", 2).load)
}

fn read_all(options: &ReadOptions) -> Result<(Vec<RecordBatch>, Report), LoadError> {
    let mut batches = Vec::new();
    let report = read_batches(options, &mut |batch| {
        batches.push(batch);
        Ok(())
    })?;
    Ok((batches, report))
}

fn rows(batches: &[RecordBatch]) -> Vec<Row> {
    batches.iter().flat_map(batch_rows).collect()
}

fn sources_error(result: Result<(Vec<RecordBatch>, Report), LoadError>) -> (String, SourceError) {
    match result {
        Err(LoadError::Source { name, error }) => (name, *error),
        Err(other) => panic!("{other}"),
        Ok((_, report)) => panic!("no error: {report:?}"),
    }
}

#[test]
fn rows_and_rejects_are_those_of_the_reference() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 100).add(Kind::Damaged, 2_000).add(Kind::Sound, 0);
    inputs.add(Kind::Giant, 1_500).add(Kind::Damaged, 300);
    let (expected, rejects) = inputs.expected();
    for text_type in [TextType::Dictionary, TextType::Plain] {
        for batch_size in [1, 64, usize::MAX] {
            let options = ReadOptions { text_type, batch_size, ..options(&inputs) };
            let (batches, report) = read_all(&options).unwrap();
            assert_eq!(rows(&batches), expected);
            assert_eq!(report.totals.records_written, expected.len() as u64);
            assert_eq!(report.totals.records_rejected, rejects.len() as u64);
            for batch in &batches {
                assert_eq!(batch.schema(), options.schema().unwrap());
                assert!(batch.num_rows() <= batch_size);
            }
        }
    }
    let options = ReadOptions { table: Table::Rejects, ..options(&inputs) };
    check_rejects(read_all(&options).unwrap().0, &rejects);
}

#[test]
fn columns_come_as_they_are_named() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 1_000);
    let all = options(&inputs).schema().unwrap();
    let names = ["duration", "country", "record_number"].map(str::to_owned);
    let wanted = ReadOptions {
        columns: Some(names.to_vec()),
        text_type: TextType::Plain,
        ..options(&inputs)
    };
    let (batches, _) = read_all(&wanted).unwrap();
    assert_eq!(*batches[0].column(1).data_type(), DataType::Utf8);
    let places = names.map(|name| all.index_of(&name).unwrap());
    let expected: Vec<Row> = inputs.expected().0;
    let expected: Vec<Row> =
        expected.iter().map(|row| places.map(|place| row[place].clone()).to_vec()).collect();
    assert_eq!(rows(&batches), expected);
    let none = ReadOptions { columns: Some(Vec::new()), ..options(&inputs) };
    let counted: usize = read_all(&none).unwrap().0.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(counted, 1_000);
    let unknown = ReadOptions { columns: Some(vec!["calls".to_owned()]), ..options(&inputs) };
    assert!(matches!(read_all(&unknown), Err(LoadError::NoColumn(name)) if name == "calls"));
}

#[test]
fn a_source_that_fails_ends_the_reading() {
    for (kind, code) in
        [(Kind::Foreign, "not_cdr"), (Kind::Rotten, "too_many_rejects"), (Kind::Cut, "cannot_read")]
    {
        // Within a block, and with blocks of its own.
        for records in [100, 3_000] {
            let mut inputs = Inputs::new();
            inputs.add(Kind::Sound, 50).add(kind, records);
            let (name, error) = sources_error(read_all(&options(&inputs)));
            assert!(name.contains("GB_ABC_10_0001_"), "{name}");
            assert_eq!(error.code(), code);
            let place = error.first_reject().and_then(|first| first.place);
            let first =
                place.map(|(position, fault)| (position.record_number, fault.code.as_str()));
            let has_place = kind != Kind::Cut;
            assert_eq!(first, has_place.then_some((1, "short_record")));
        }
    }
}

#[test]
fn content_that_comes_again_is_an_error() {
    for records in [100, 3_000] {
        let mut inputs = Inputs::new();
        inputs.add(Kind::Sound, records);
        let copy = inputs.directory.path().join("GB_ABC_10_0009_20251101090122.cdr");
        fs::copy(&inputs.files[0].0, copy).unwrap();
        let (name, error) = sources_error(read_all(&options(&inputs)));
        assert!(name.contains("_0009_"), "{name}");
        assert_eq!(error.code(), "repeated");
    }
}

#[test]
fn a_caller_that_wants_no_more_is_not_given_more() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 5_000);
    let mut given = 0;
    let result = read_batches(&options(&inputs), &mut |_| {
        given += 1;
        Err(LoadError::Interrupted)
    });
    assert!(matches!(result, Err(LoadError::Interrupted)));
    assert_eq!(given, 1);
}

/// A gzip that comes in small pieces, under a name that tells country and profile.
#[test]
fn streams_are_read_once_as_files_are() {
    struct Pieces(Cursor<Vec<u8>>);
    impl Read for Pieces {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1000);
            self.0.read(&mut buffer[..len])
        }
    }
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 2_000);
    let (path, _, content) = &inputs.files[0];
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(content).unwrap();
    let name = format!("far/away/{}.gz", path.file_name().unwrap().to_str().unwrap());
    let stream = Stream::new(&name, Pieces(Cursor::new(encoder.finish().unwrap())));
    let options = ReadOptions::new(LoadOptions::new(vec![Input::Stream(stream)]));
    let (batches, report) = read_all(&options).unwrap();
    assert_eq!(*report.sources[0].source, *name);
    let source_file = format!("{}.gz", path.file_name().unwrap().to_str().unwrap());
    let expected: Vec<Row> = inputs
        .expected()
        .0
        .into_iter()
        .map(|row| [vec![Some(source_file.clone())], row[1..].to_vec()].concat())
        .collect();
    assert_eq!(rows(&batches), expected);
    let (_, error) = sources_error(read_all(&options));
    assert_eq!(error.code(), "cannot_open");
    let zip = Stream::new("a.zip", &b"PK\x05\x06"[..]);
    let options = ReadOptions::new(LoadOptions::new(vec![Input::Stream(zip)]));
    assert_eq!(sources_error(read_all(&options)).1.code(), "zip_in_stream");
}

/// Splits tile the file, and their rows are the whole file's.
#[test]
fn splits_give_the_rows_of_the_whole_file() {
    for kind in [Kind::Sound, Kind::Damaged, Kind::Giant] {
        let mut inputs = Inputs::new();
        inputs.add(kind, 3_000);
        let (path, _, content) = &mut inputs.files[0];
        // A last line without a line feed is a record of the last split.
        content.pop();
        fs::write(&path, &content).unwrap();
        let (path, len) = (path.clone(), content.len() as u64);
        let (expected, _) = inputs.expected();
        let options = options(&inputs);
        for split_len in [1, 229, 5_000, 65_536, len - 1] {
            let splits = split_file(&options, &path, split_len).unwrap().unwrap();
            assert!(splits.windows(2).all(|pair| pair[0].end == pair[1].start));
            let ends =
                (splits.first().map(|split| split.start), splits.last().map(|split| split.end));
            assert_eq!(ends, (Some(0), Some(len)));
            let mut batches = Vec::new();
            for split in &splits {
                read_split(&options, &path, split, &mut |batch| {
                    batches.push(batch);
                    Ok(())
                })
                .unwrap();
            }
            assert_eq!(rows(&batches), expected, "{kind:?} {split_len}");
        }
        assert_eq!(split_file(&options, &path, len).unwrap(), None);
    }
}

#[test]
fn what_cannot_be_split_is_not() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Foreign, 3_000).add(Kind::Cut, 3_000).add(Kind::Sound, 3_000);
    let options = options(&inputs);
    let [foreign, cut, sound] = [0, 1, 2].map(|at: usize| inputs.files[at].0.clone());
    assert_eq!(split_file(&options, &foreign, 10_000).unwrap(), None);
    assert_eq!(split_file(&options, &cut, 10_000).unwrap(), None);
    assert_eq!(split_file(&options, inputs.directory.path(), 1).unwrap(), None);
    let missing = split_file(&options, Path::new("nowhere.cdr"), 1).unwrap_err();
    assert!(matches!(missing, LoadError::Source { error, .. } if error.code() == "cannot_open"));
    let splits = split_file(&options, &sound, 10_000).unwrap().unwrap();
    let read = |split: &Split| read_split(&options, &sound, split, &mut |_| Ok(()));
    read(&splits[1]).unwrap();
    let later = Split {
        file_modified: splits[1].file_modified + std::time::Duration::from_secs(1),
        ..splits[1]
    };
    let error = read(&later).unwrap_err();
    assert!(
        cdrlake_run::Chain(&error).to_string().contains("changed after it was split"),
        "{error}"
    );
}

#[test]
fn validation_names_what_conversion_would_reject_and_writes_nothing() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 100).add(Kind::Damaged, 2_000).add(Kind::Rotten, 300);
    inputs.add(Kind::Giant, 1_500).add(Kind::Foreign, 10).add(Kind::Cut, 700);
    let (rows, rejects) = inputs.expected();
    let mut found = Vec::new();
    let options = inputs.options("", 2);
    let report = validate(&options.load, &mut |source, reject| {
        let name = Path::new(source).file_name().unwrap().to_str().unwrap().to_owned();
        found.push((name, reject.record_number, reject.byte_offset, reject.fault.code.to_string()));
    })
    .unwrap();
    let expected: Vec<_> = rejects
        .into_iter()
        .map(|ExpectedReject { file, line, .. }| {
            (file, line.record_number, line.byte_offset, line.code)
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(report.totals.records_written, rows.len() as u64);
    assert_eq!((report.count(Status::Loaded), report.count(Status::Failed)), (3, 3));
    assert!(report.outputs.is_empty() && !options.output.exists());
}

#[test]
fn opened_sources_have_their_bytes_and_what_is_wrong_with_them() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 3).add(Kind::Cut, 500).add(Kind::Damaged, 700);
    let options = inputs.options("", 1).load;
    let mut files = inputs.files.iter();
    read_sources::<LoadError>(&options, |source| {
        let (path, kind, content) = files.next().unwrap();
        assert_eq!(Path::new(source.name), path);
        assert_eq!(Some(source.source_file), path.file_name().and_then(|name| name.to_str()));
        assert_eq!(source.metadata, &parse_file_name(source.source_file, None));
        let mut bytes = Vec::new();
        match source.bytes.unwrap().read_to_end(&mut bytes) {
            Ok(_) => assert_eq!((&bytes, *kind == Kind::Cut), (content, false)),
            Err(error) => assert_eq!(*kind, Kind::Cut, "{error}"),
        }
        Ok(())
    })
    .unwrap();
    assert!(files.next().is_none());
}

#[test]
fn who_reads_sources_may_stop_at_any() {
    let mut inputs = Inputs::new();
    inputs.add(Kind::Sound, 3).add(Kind::Sound, 5);
    let mut opened = 0;
    let stopped = read_sources(&inputs.options("", 1).load, |_| {
        opened += 1;
        Err(LoadError::Defect("enough"))
    });
    assert!(matches!(stopped, Err(LoadError::Defect("enough"))));
    assert_eq!(opened, 1);
}
