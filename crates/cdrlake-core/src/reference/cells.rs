//! Rows in the reference's form, and those of batches.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use super::calendar::date_time;

/// A row of the table as text, null as none: numbers in decimal, times as
/// `2025-10-19T09:01:22`, durations as `123.4`.
pub type Row = Vec<Option<String>>;

/// The rows of a batch, in the reference's form.
#[must_use]
pub fn batch_rows(batch: &RecordBatch) -> Vec<Row> {
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| cell(column, row)).collect())
        .collect()
}

fn cell(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            return cell(dictionary.values(), dictionary.keys().value(row) as usize);
        }
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(..) => {
            date_time(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::Binary => {
            let bytes = column.as_binary::<i32>().value(row);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Decimal128(..) => {
            let tenths = column.as_primitive::<Decimal128Type>().value(row);
            format!("{}.{}", tenths / 10, tenths % 10)
        }
        other => format!("a value of type {other}"),
    })
}
