//! Tables in Parquet files, for tests: read whole, and rejects files as operators edit them.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, LargeBinaryArray, RecordBatch};
use arrow_schema::{Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// All batches of a file.
pub(crate) fn read(path: &Path) -> Vec<RecordBatch> {
    let file = File::open(path).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

/// Writes a rejects file anew, with each `raw` as `by` returns it, given the line's number.
pub(crate) fn edit(from: &Path, to: &Path, by: impl Fn(i64, &[u8]) -> Option<Vec<u8>>) {
    rewrite(from, to, |batch| {
        let numbers = batch.column_by_name("record_number").unwrap();
        let numbers = numbers.as_primitive::<arrow_array::types::Int64Type>().values();
        let raw = batch.column_by_name("raw").unwrap().as_binary::<i32>().iter();
        let raw = raw.zip(numbers).map(|(raw, &number)| by(number, raw.unwrap()));
        // As other tools write it.
        let raw: LargeBinaryArray = raw.collect();
        ("raw", Arc::new(raw))
    });
}

/// Writes a rejects file anew, with one column as `by` returns it.
pub(crate) fn rewrite(
    from: &Path,
    to: &Path,
    by: impl Fn(&RecordBatch) -> (&'static str, ArrayRef),
) {
    let mut writer: Option<ArrowWriter<File>> = None;
    for batch in read(from) {
        let (name, array) = by(&batch);
        let index = batch.schema().index_of(name).unwrap();
        let mut fields: Vec<_> = batch.schema().fields().iter().cloned().collect();
        fields[index] = Arc::new(Field::new(name, array.data_type().clone(), true));
        let mut columns = batch.columns().to_vec();
        columns[index] = array;
        let batch = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
        let writer = writer.get_or_insert_with(|| {
            ArrowWriter::try_new(File::create(to).unwrap(), batch.schema(), None).unwrap()
        });
        writer.write(&batch).unwrap();
    }
    writer.unwrap().close().unwrap();
}
