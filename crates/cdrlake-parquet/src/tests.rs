//! Row groups as they are read back: the ordinary writer is the oracle for the table and the
//! chunks' statistics; pages are checked against what is computed again from their rows.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, FixedSizeBinaryBuilder, StringDictionaryBuilder};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{
    Array, ArrayRef, Int32Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use bytes::Bytes;
use cdrlake_core::{Decoder, SourceOptions};
use cdrlake_generate::frozen::{Calls, FILE_NAME};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Encoding, PageType};
use parquet::file::metadata::{
    ColumnChunkMetaData, KeyValue, PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::file::writer::SerializedFileWriter;

use super::columns::{Bound, Compression, LabelRun};
use super::file::StagedParquet;
use super::layout::{Layout, plain};

/// A file of one row group for each list of batches.
fn written(layout: &Layout, row_groups: &[Vec<RecordBatch>]) -> Bytes {
    let root = layout.schema.root_schema_ptr();
    let mut file =
        SerializedFileWriter::new(Vec::new(), root, Arc::clone(&layout.properties)).unwrap();
    for batches in row_groups {
        let mut encoder = layout.row_group().unwrap();
        for batch in batches {
            encoder.write(batch).unwrap();
        }
        let Some(encoded) = encoder.finish().unwrap() else { continue };
        let mut row_group = file.next_row_group().unwrap();
        for chunk in encoded.chunks {
            chunk.append_to_row_group(&mut row_group).unwrap();
        }
        row_group.close().unwrap();
    }
    file.into_inner().unwrap().into()
}

/// The same by the ordinary writer.
fn oracle(layout: &Layout, row_groups: &[Vec<RecordBatch>]) -> Bytes {
    let mut bytes = Vec::new();
    let properties = layout.properties.as_ref().clone();
    let mut writer =
        ArrowWriter::try_new(&mut bytes, Arc::clone(&layout.arrow_schema), Some(properties))
            .unwrap();
    for batches in row_groups {
        batches.iter().for_each(|batch| writer.write(batch).unwrap());
        writer.flush().unwrap();
    }
    writer.close().unwrap();
    bytes.into()
}

fn metadata(file: &Bytes) -> ParquetMetaData {
    ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Required)
        .parse_and_finish(file)
        .unwrap()
}

/// The file's table, in batches of `layout`'s plain schema.
fn table(layout: &Layout, file: &Bytes) -> Vec<RecordBatch> {
    let options = parquet::arrow::arrow_reader::ArrowReaderOptions::new()
        .with_schema(Arc::new(plain(&layout.arrow_schema)));
    ParquetRecordBatchReaderBuilder::try_new_with_options(file.clone(), options)
        .unwrap()
        .with_batch_size(1000)
        .build()
        .unwrap()
        .map(Result::unwrap)
        .collect()
}

/// A column's values as the pages hold them.
fn values(array: &ArrayRef) -> Vec<Option<Bound>> {
    let bytes = |text: &[u8]| Bound::Bytes(text.to_vec());
    match array.data_type() {
        DataType::Utf8 => {
            array.as_string::<i32>().iter().map(|v| v.map(|v| bytes(v.as_bytes()))).collect()
        }
        DataType::Binary => array.as_binary::<i32>().iter().map(|v| v.map(bytes)).collect(),
        DataType::FixedSizeBinary(_) => {
            array.as_fixed_size_binary().iter().map(|v| v.map(bytes)).collect()
        }
        DataType::Boolean => array.as_boolean().iter().map(|v| v.map(Bound::Boolean)).collect(),
        DataType::Int8 => {
            let values = array.as_primitive::<Int8Type>().iter();
            values.map(|v| v.map(|v| Bound::Int32(v.into()))).collect()
        }
        DataType::Int32 => {
            array.as_primitive::<Int32Type>().iter().map(|v| v.map(Bound::Int32)).collect()
        }
        DataType::Decimal128(..) => {
            let values = array.as_primitive::<Decimal128Type>().iter();
            values.map(|v| v.map(|v| Bound::Int32(v.try_into().unwrap()))).collect()
        }
        DataType::Int64 => {
            array.as_primitive::<Int64Type>().iter().map(|v| v.map(Bound::Int64)).collect()
        }
        DataType::Timestamp(..) => {
            let values = array.as_primitive::<TimestampMicrosecondType>().iter();
            values.map(|v| v.map(Bound::Int64)).collect()
        }
        other => panic!("{other}"),
    }
}

fn bounds_of(values: &[Option<Bound>]) -> Option<(Bound, Bound)> {
    let present = || values.iter().flatten();
    let min = present().fold(
        None,
        |min: Option<&Bound>, v| if min.is_some_and(|m| m <= v) { min } else { Some(v) },
    );
    let max = present().fold(
        None,
        |max: Option<&Bound>, v| if max.is_some_and(|m| m >= v) { max } else { Some(v) },
    );
    Some((min?.clone(), max?.clone()))
}

/// A page's bounds and nulls, from the column index.
fn indexed(index: &ColumnIndexMetaData, page: usize) -> (Option<(Bound, Bound)>, Option<i64>) {
    macro_rules! bounds {
        ($index:ident, $bound:expr) => {
            $index.min_value(page).zip($index.max_value(page)).map(|(a, b)| ($bound(a), $bound(b)))
        };
    }
    let bytes = |value: &[u8]| Bound::Bytes(value.to_vec());
    let bounds = match index {
        ColumnIndexMetaData::BOOLEAN(index) => bounds!(index, |v: &bool| Bound::Boolean(*v)),
        ColumnIndexMetaData::INT32(index) => bounds!(index, |v: &i32| Bound::Int32(*v)),
        ColumnIndexMetaData::INT64(index) => bounds!(index, |v: &i64| Bound::Int64(*v)),
        ColumnIndexMetaData::BYTE_ARRAY(index) => bounds!(index, bytes),
        ColumnIndexMetaData::FIXED_LEN_BYTE_ARRAY(index) => bounds!(index, bytes),
        other => panic!("{other:?}"),
    };
    assert_eq!(index.is_null_page(page), bounds.is_none());
    (bounds, index.null_count(page))
}

/// Writes `row_groups` both ways, and checks everything that can be read back.
fn check(layout: &Layout, row_groups: &[Vec<RecordBatch>]) -> Bytes {
    let (ours, oracle) = (written(layout, row_groups), oracle(layout, row_groups));
    let table = table(layout, &ours);
    assert_eq!(table, self::table(layout, &oracle), "the table");
    let (our_metadata, oracle_metadata) = (metadata(&ours), metadata(&oracle));
    assert_eq!(our_metadata.num_row_groups(), oracle_metadata.num_row_groups());
    for column in 0..layout.schema.num_columns() {
        let values: Vec<_> = table.iter().flat_map(|batch| values(batch.column(column))).collect();
        let mut rest = &values[..];
        for row_group in 0..our_metadata.num_row_groups() {
            let rows = our_metadata.row_group(row_group).num_rows() as usize;
            let of_group;
            (of_group, rest) = rest.split_at(rows);
            let expected = oracle_metadata.row_group(row_group).column(column).statistics();
            let chunk = our_metadata.row_group(row_group).column(column);
            // The oracle shortens long text.
            if !expected.is_some_and(|statistics| {
                statistics.max_bytes_opt().is_some_and(|max| max.len() >= 64)
            }) {
                assert_eq!(chunk.statistics(), expected, "{}", chunk.column_path());
            }
            check_pages(&our_metadata, row_group, column, of_group);
            check_encodings(&ours, row_group, column);
        }
        assert!(rest.is_empty());
    }
    ours
}

/// The page index says where pages are and what they hold.
fn check_pages(
    metadata: &ParquetMetaData,
    row_group: usize,
    column: usize,
    values: &[Option<Bound>],
) {
    let chunk = metadata.row_group(row_group).column(column);
    let name = chunk.column_path();
    let offset_index = &metadata.offset_index().unwrap()[row_group][column];
    let column_index = &metadata.column_index().unwrap()[row_group][column];
    let locations = offset_index.page_locations();
    let starts = locations.iter().map(|location| location.first_row_index as usize);
    let ends = starts.clone().skip(1).chain([values.len()]);
    assert_eq!(starts.clone().next(), Some(0));
    assert_eq!(column_index.num_pages(), locations.len() as u64);
    let mut end_of_last = chunk.data_page_offset();
    for (page, (start, end)) in starts.zip(ends).enumerate() {
        let rows = &values[start..end];
        let nulls = rows.iter().filter(|value| value.is_none()).count();
        let expected = (bounds_of(rows), Some(nulls as i64));
        assert_eq!(indexed(column_index, page), expected, "{name}, page {page}");
        assert_eq!(locations[page].offset, end_of_last);
        end_of_last += i64::from(locations[page].compressed_page_size);
    }
    let (start, len) = chunk.byte_range();
    assert_eq!(end_of_last as u64, start + len, "{name}");
}

/// The footer names just the encodings and counts of the pages that are there.
fn check_encodings(file: &Bytes, row_group: usize, column: usize) {
    let reader = SerializedFileReader::new(file.clone()).unwrap();
    let pages = reader.get_row_group(row_group).unwrap().get_column_page_reader(column).unwrap();
    let mut found: Vec<(PageType, Encoding, i32)> = Vec::new();
    for page in pages {
        let page = page.unwrap();
        match found.last_mut() {
            Some(last) if (last.0, last.1) == (page.page_type(), page.encoding()) => last.2 += 1,
            _ => found.push((page.page_type(), page.encoding(), 1)),
        }
    }
    let options =
        parquet::file::metadata::ParquetMetaDataOptions::new().with_encoding_stats_as_mask(false);
    let metadata = ParquetMetaDataReader::new()
        .with_metadata_options(Some(options))
        .parse_and_finish(file)
        .unwrap();
    let chunk = metadata.row_group(row_group).column(column);
    let named = chunk.page_encoding_stats().unwrap().iter();
    let named: Vec<_> = named.map(|stats| (stats.page_type, stats.encoding, stats.count)).collect();
    assert_eq!(named, found, "{}", chunk.column_path());
    for (_, encoding, _) in found {
        assert!(chunk.encodings().any(|named| named == encoding), "{encoding}");
    }
}

fn calls() -> Layout {
    Layout::new(cdrlake_core::schema(), Vec::new(), Compression::default()).unwrap()
}

fn decoded(name: &str, bytes: &[u8]) -> Vec<RecordBatch> {
    let mut decoder = Decoder::new(&SourceOptions::from_file_name(name));
    let (mut batches, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        rest = &rest[decoder.decode(rest, &mut |_| {})..];
        if decoder.is_full() {
            batches.extend(decoder.flush().unwrap());
        }
    }
    batches.extend(decoder.flush().unwrap());
    batches
}

fn synthetic(seed: u64, records: u64) -> Vec<RecordBatch> {
    decoded(FILE_NAME, &Calls::new(seed, records).flatten().collect::<Vec<u8>>())
}

/// Records whose fields are all random: nothing repeats.
fn random_records(records: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut bytes = Vec::new();
    for _ in 0..records {
        let mut line = [b'\n'; 229];
        line[..228].fill_with(|| random.u8(b'0'..=b'9'));
        line[40..67].copy_from_slice(b"792025101909012200000001230");
        line[227] = b'0';
        bytes.extend_from_slice(&line);
    }
    bytes
}

fn samples() -> Vec<Vec<RecordBatch>> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/valid");
    let mut names: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".cdr"))
        .collect();
    names.sort();
    let decode =
        |name: &String| decoded(name, &std::fs::read(format!("{directory}/{name}")).unwrap());
    names.iter().map(decode).collect()
}

#[test]
fn synthetic_calls() {
    let layout = calls();
    // More than two pages, and encoders that are used again.
    let file = check(&layout, &[synthetic(1, 40_000), synthetic(2, 1), synthetic(3, 20_000)]);
    let metadata = metadata(&file);
    let encodings = |name: &str| {
        let columns = metadata.row_group(0).columns().iter();
        let chunk = columns.clone().find(|chunk| chunk.column_path().string() == name).unwrap();
        (chunk.encodings().collect::<Vec<_>>(), chunk.uncompressed_size())
    };
    let has = |name, encoding| assert!(encodings(name).0.contains(&encoding), "{name}");
    has("origin", Encoding::DELTA_BYTE_ARRAY);
    has("record_number", Encoding::DELTA_BINARY_PACKED);
    has("start_time", Encoding::DELTA_BINARY_PACKED);
    has("duration", Encoding::RLE_DICTIONARY);
    has("trunk_incoming", Encoding::RLE_DICTIONARY);
    for constant in ["source_file", "country", "sequence_number", "pulses_in", "record_id"] {
        let (_, size) = encodings(constant);
        assert!(size < 120, "{constant} takes {size} bytes");
    }
}

#[test]
fn samples_of_many_sources_in_one_row_group() {
    let mut batches: Vec<RecordBatch> = samples().into_iter().flatten().collect();
    assert!(batches.len() >= 8);
    check(&calls(), &[batches.clone()]);
    // The sources alternate, and rows are taken out of the middle.
    batches.extend(synthetic(4, 9000));
    let mut slices = Vec::new();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..200 {
        let batch = &batches[random.usize(..batches.len())];
        let start = random.usize(..batch.num_rows());
        slices.push(batch.slice(start, random.usize(..=batch.num_rows() - start)));
    }
    let (left, right) = slices.split_at(120);
    check(&calls(), &[left.to_vec(), vec![], right.to_vec()]);
}

#[test]
fn values_that_never_repeat() {
    check(&calls(), &[decoded(FILE_NAME, &random_records(20_000)), synthetic(5, 3000)]);
}

#[test]
fn compressions() {
    for compression in [Compression::Zstd(3), Compression::Snappy, Compression::None] {
        let layout = Layout::new(cdrlake_core::schema(), Vec::new(), compression).unwrap();
        let file = check(&layout, &[synthetic(1, 2000)]);
        let codec = metadata(&file).row_group(0).column(0).compression();
        // A file does not tell the level.
        let (codec, expected) = (codec.to_string(), compression.codec().unwrap().to_string());
        assert_eq!(codec.split('(').next(), expected.split('(').next());
    }
}

/// What of the table is null today, and how nulls and values may lie in batches.
#[test]
fn nulls_anywhere() {
    let code = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let schema = Schema::new(vec![
        Field::new("code", code, true),
        Field::new("text", DataType::Utf8, true),
        Field::new("number", DataType::Int32, true),
        Field::new("instant", DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), true),
        Field::new("flag", DataType::Boolean, true),
        Field::new("id", DataType::FixedSizeBinary(16), true),
    ]);
    let schema = Arc::new(schema);
    let layout = Layout::new(Arc::clone(&schema), Vec::new(), Compression::None).unwrap();
    let mut random = fastrand::Rng::with_seed(11);
    let mut batch = |rows: usize, present: f64, distinct: u64| {
        let mut seeds = || -> Vec<Option<u64>> {
            let mut seed = |_| (random.f64() < present).then(|| random.u64(..distinct));
            (0..rows).map(&mut seed).collect()
        };
        let mut codes = StringDictionaryBuilder::<Int32Type>::new();
        seeds().iter().for_each(|seed| codes.append_option(seed.map(|seed| format!("c{seed}"))));
        let texts: StringArray = seeds().iter().map(|s| s.map(|s| format!("{s:03}"))).collect();
        let numbers: Int32Array = seeds().iter().map(|s| s.map(|s| s as i32 - 5)).collect();
        let instants: TimestampMicrosecondArray =
            seeds().iter().map(|s| s.map(|s| s as i64 * 1_000_000_007 - 3)).collect();
        let mut flags = BooleanBuilder::new();
        seeds().iter().for_each(|seed| flags.append_option(seed.map(|seed| seed % 2 == 0)));
        let mut ids = FixedSizeBinaryBuilder::new(16);
        for seed in seeds() {
            match seed {
                Some(seed) => ids.append_value(u128::from(seed).to_be_bytes()).unwrap(),
                None => ids.append_null(),
            }
        }
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(codes.finish()),
            Arc::new(texts),
            Arc::new(numbers),
            Arc::new(instants.with_timezone("UTC")),
            Arc::new(flags.finish()),
            Arc::new(ids.finish()),
        ];
        RecordBatch::try_new(Arc::clone(&schema), arrays).unwrap()
    };
    let mut row_groups = Vec::new();
    for (present, distinct) in
        [(0.0, 1), (1.0, 1), (0.5, 1), (0.5, 40), (0.001, 9), (0.999, 1 << 31), (0.7, 100_000)]
    {
        let mut batches = vec![batch(1, present, distinct), batch(3001, present, distinct)];
        let large = batch(40_000, present, distinct);
        batches.push(large.slice(7, 30_011));
        // All null or none at one end, as where a field begins to be used.
        batches.push(batch(500, 0.0, 1));
        batches.push(batch(9, 1.0, distinct));
        row_groups.push(batches.clone());
        batches.reverse();
        row_groups.push(batches);
    }
    check(&layout, &row_groups);
}

/// Columns that share arrays in all batches of a row group, in the first few, or in none.
#[test]
fn twins() {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let fields = vec![text("first", true), text("second", true), text("third", false)];
    let schema = Arc::new(Schema::new(fields));
    let layout = Layout::new(Arc::clone(&schema), Vec::new(), Compression::default()).unwrap();
    let array = |seed: usize| -> ArrayRef {
        Arc::new(StringArray::from_iter_values((0..700 * seed).map(|row| format!("{seed}{row}"))))
    };
    let nulls: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("b")]));
    let some: ArrayRef = Arc::new(StringArray::from(vec!["a", "c", "b"]));
    let batch = |columns: [&ArrayRef; 3]| {
        let columns = columns.map(Arc::clone).to_vec();
        RecordBatch::try_new(Arc::clone(&schema), columns).unwrap()
    };
    let (one, other, equal) = (array(3), array(3), array(1));
    let all_same = batch([&one, &one, &one]);
    let first_two = batch([&nulls, &nulls, &some]);
    let last_two = batch([&nulls, &some, &some]);
    let none = batch([&one, &other, &array(3)]);
    let file = check(
        &layout,
        &[
            vec![all_same.clone(), batch([&equal, &equal, &array(1)]), first_two.clone()],
            vec![all_same.clone(), all_same.clone(), last_two.clone(), first_two.clone()],
            vec![none.clone(), all_same.clone()],
            vec![last_two, all_same.clone()],
            vec![all_same],
        ],
    );
    let metadata = metadata(&file);
    let same_pages = |row_group: usize, left: usize, right: usize| {
        let bytes = |column: usize| {
            let (start, len) = metadata.row_group(row_group).column(column).byte_range();
            file.slice(start as usize..(start + len) as usize)
        };
        bytes(left) == bytes(right)
    };
    assert!(same_pages(0, 0, 1));
    assert!(!same_pages(1, 0, 1));
    assert!(same_pages(4, 0, 1));
    // A column without nulls has no levels.
    assert!(!same_pages(4, 0, 2));
}

#[test]
fn a_null_where_none_may_be_is_an_error() {
    let schema = Arc::new(Schema::new(vec![Field::new("number", DataType::Int32, false)]));
    let layout = Layout::new(schema, Vec::new(), Compression::None).unwrap();
    let nullable = Arc::new(Schema::new(vec![Field::new("number", DataType::Int32, true)]));
    let array: ArrayRef = Arc::new(Int32Array::from(vec![Some(1), None]));
    let batch = RecordBatch::try_new(nullable, vec![array]).unwrap();
    assert!(layout.row_group().unwrap().write(&batch).is_err());
}

/// Every page tells the CRC of its bytes, so that readers notice each bit that is not as it was written.
#[test]
fn a_flipped_bit_of_a_page_is_noticed() {
    let array: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..1000).map(|n| format!("{}", n * n))));
    let numbers: ArrayRef = Arc::new(Int32Array::from_iter_values((0..1000).map(|n| n % 3)));
    let batch = RecordBatch::try_from_iter([("text", array), ("number", numbers)]).unwrap();
    for compression in [Compression::Zstd(1), Compression::Snappy, Compression::None] {
        let layout = Layout::new(batch.schema(), Vec::new(), compression).unwrap();
        let file = written(&layout, &[vec![batch.clone()]]);
        let row_group = metadata(&file).row_group(0).clone();
        let pages = row_group.columns().iter().map(ColumnChunkMetaData::byte_range);
        let end = pages.map(|(start, len)| start + len).max().unwrap();
        let mut silent = Vec::new();
        for bit in (4 * 8..end * 8).step_by(5) {
            let mut damaged = file.to_vec();
            damaged[bit as usize / 8] ^= 1 << (bit % 8);
            let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(damaged));
            let rows: Result<Vec<_>, _> = reader.unwrap().build().unwrap().collect();
            if rows.is_ok_and(|rows| rows != [batch.clone()]) {
                silent.push(bit);
            }
        }
        assert!(silent.is_empty(), "{compression:?}: {silent:?}");
    }
}

/// The hash is that of the file as it is, whatever was taken back meanwhile.
#[test]
fn the_hash_is_the_files() {
    let array: ArrayRef = Arc::new(Int32Array::from_iter_values(0..1000));
    let batch = RecordBatch::try_from_iter([("number", array)]).unwrap();
    let layout = Arc::new(Layout::new(batch.schema(), Vec::new(), Compression::Zstd(1)).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let mut staged =
        StagedParquet::create(directory.path(), directory.path(), Arc::clone(&layout)).unwrap();
    let row_group = || layout.encode(std::slice::from_ref(&batch)).unwrap().unwrap();
    staged.append(row_group(), Vec::new()).unwrap();
    let savepoint = staged.savepoint();
    staged.append(row_group(), Vec::new()).unwrap();
    staged.rollback(&savepoint).unwrap();
    staged.append(row_group(), Vec::new()).unwrap();
    let file = staged.finish(|_| &[], Vec::new()).unwrap();
    assert_eq!(
        (file.rows, file.hash),
        (2000, blake3::hash(&std::fs::read(file.file.path()).unwrap()))
    );
}

/// Labels come with row groups and are told at the end: in the table they stand like any other column, and each
/// page is where the indexes say.
#[test]
fn labels_are_told_at_the_end() {
    let number: ArrayRef = Arc::new(Int32Array::from_iter_values(0..40_000));
    let other: ArrayRef = Arc::new(Int32Array::from_iter_values((0..40_000).map(|n| n / 7)));
    let fields = [
        Field::new("number", DataType::Int32, false),
        Field::new("label", DataType::Binary, false),
        Field::new("other", DataType::Int32, false),
    ];
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let without = Arc::new(schema.project(&[0, 2]).unwrap());
    let batch = RecordBatch::try_new(without, vec![number, other]).unwrap();
    for compression in [Compression::Zstd(1), Compression::None] {
        let layout = Layout::new(Arc::clone(&schema), Vec::new(), compression).unwrap();
        let layout = Arc::new(layout.with_labels("label"));
        let directory = tempfile::tempdir().unwrap();
        let mut staged =
            StagedParquet::create(directory.path(), directory.path(), Arc::clone(&layout)).unwrap();
        let run = |label, rows| LabelRun { label, rows };
        let many = (0..40_000).map(|label| run(label, 1)).collect();
        let labels = [vec![run(7, 40_000)], vec![run(1, 3), run(2, 30_000), run(1, 9997)], many];
        for labels in &labels {
            let row_group = layout.encode(std::slice::from_ref(&batch)).unwrap().unwrap();
            staged.append(row_group, labels.clone()).unwrap();
            // What is taken back leaves nothing.
            let savepoint = staged.savepoint();
            let row_group = layout.encode(std::slice::from_ref(&batch)).unwrap().unwrap();
            staged.append(row_group, vec![run(99, 40_000)]).unwrap();
            staged.rollback(&savepoint).unwrap();
        }
        let row_group = layout.encode(std::slice::from_ref(&batch)).unwrap().unwrap();
        assert!(staged.append(row_group, vec![run(1, 39_999)]).is_err());
        let values: Vec<_> = (0..40_000).map(|label| format!("label {label}")).collect();
        let told = KeyValue::new("key".to_owned(), "value".to_owned());
        let file = staged.finish(|label| values[label].as_bytes(), vec![told.clone()]).unwrap();
        let bytes = Bytes::from(std::fs::read(file.file.path()).unwrap());
        assert_eq!(file.hash, blake3::hash(&bytes));
        let metadata = metadata(&bytes);
        assert_eq!(metadata.file_metadata().key_value_metadata(), Some(&vec![told]));
        let table = table(&layout, &bytes);
        let found: Vec<Vec<u8>> = table
            .iter()
            .flat_map(|batch| batch.column(1).as_binary::<i32>().iter().flatten())
            .map(<[u8]>::to_vec)
            .collect();
        let expected: Vec<Vec<u8>> = labels
            .iter()
            .flatten()
            .flat_map(|run| vec![values[run.label].clone().into_bytes(); run.rows as usize])
            .collect();
        assert_eq!(found, expected);
        for (group, of_group) in expected.chunks(40_000).enumerate() {
            let values: Vec<_> = of_group.iter().map(|v| Some(Bound::Bytes(v.clone()))).collect();
            check_pages(&metadata, group, 1, &values);
            for column in [0, 2] {
                let values: Vec<_> = table
                    .iter()
                    .flat_map(|batch| values_of(batch.column(column)))
                    .skip(group * 40_000)
                    .take(40_000)
                    .collect();
                check_pages(&metadata, group, column, &values);
            }
        }
    }
}

fn values_of(array: &ArrayRef) -> Vec<Option<Bound>> {
    values(array)
}
