//! Values of a row as text.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use cdrlake_core::RecordBatch;

/// The value in the first row of a column; none if it is null.
pub(super) fn value(row: &RecordBatch, column: &str) -> Option<String> {
    let array = row.column_by_name(column)?;
    (!array.is_empty() && !array.is_null(0)).then(|| text(array))
}

fn text(array: &ArrayRef) -> String {
    if let Some(codes) = array.as_dictionary_opt::<Int32Type>() {
        let index = codes.keys().value(0) as usize;
        let values = codes.values().as_string_opt::<i32>();
        return values.map_or_else(String::new, |values| values.value(index).to_owned());
    }
    if let Some(texts) = array.as_string_opt::<i32>() {
        return texts.value(0).to_owned();
    }
    if let Some(times) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        let zone = if times.timezone().is_some() { "Z" } else { "" };
        return local_time(times.value(0)) + zone;
    }
    if let Some(decimals) = array.as_primitive_opt::<Decimal128Type>() {
        return decimals.value_as_string(0);
    }
    if let Some(booleans) = array.as_boolean_opt() {
        return booleans.value(0).to_string();
    }
    if let Some(bytes) = array.as_binary_opt::<i32>() {
        return bytes.value(0).iter().map(|byte| format!("{byte:02x}")).collect();
    }
    let integers = [
        array.as_primitive_opt::<Int8Type>().map(|array| i64::from(array.value(0))),
        array.as_primitive_opt::<Int32Type>().map(|array| i64::from(array.value(0))),
        array.as_primitive_opt::<Int64Type>().map(|array| array.value(0)),
    ];
    integers.into_iter().flatten().next().map(|integer| integer.to_string()).unwrap_or_default()
}

/// Microseconds since 1970-01-01T00:00:00 as date and time.
pub(crate) fn local_time(microseconds: i64) -> String {
    let time = cdrlake_core::local_time::date_time(microseconds);
    time.map_or_else(|| "out of range".to_owned(), |time| time.strftime("%F %T").to_string())
}

#[cfg(test)]
mod tests {
    use cdrlake_core::{COLUMNS, Reader, RecordId, SourceOptions};

    use super::*;

    /// Every type of the schema has its text.
    #[test]
    fn every_column_that_is_not_null_has_a_text() {
        let sample = include_bytes!("../../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");
        let options = SourceOptions {
            record_id: RecordId::Fill,
            ..SourceOptions::from_file_name("DE_SV_00_0001_20110930090122.cdr")
        };
        let row = Reader::new(&sample[..], options).next().unwrap().unwrap();
        for column in &COLUMNS {
            let is_null = row.column_by_name(column.name).unwrap().is_null(0);
            let text = value(&row, column.name);
            assert_eq!(text.is_none(), is_null, "{}", column.name);
            assert_ne!(text.as_deref(), Some(""), "{}", column.name);
        }
        assert_eq!(value(&row, "file_time").as_deref(), Some("2011-09-30 09:01:22"));
        assert_eq!(value(&row, "sequence_number").as_deref(), Some("1"));
        assert_eq!(value(&row, "record_id").unwrap().len(), 32);
    }
}
