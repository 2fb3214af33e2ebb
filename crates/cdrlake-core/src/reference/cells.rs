//! Batches in the reference's form.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use super::{Row, month_length};

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
        DataType::FixedSizeBinary(_) => {
            let bytes = column.as_fixed_size_binary().value(row);
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

/// A local time as text, by counting off years, months and days.
pub(super) fn date_time(microseconds: i64) -> String {
    let seconds = microseconds.div_euclid(1_000_000);
    let (mut days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let year_length = |year| if month_length(year, 2) == 29 { 366 } else { 365 };
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += year_length(year);
    }
    while days >= year_length(year) {
        days -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= i64::from(month_length(year, month)) {
        days -= i64::from(month_length(year, month));
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}", days + 1)
}
