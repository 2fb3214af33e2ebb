//! Columns that do not look at the record: the same in every row of a source, the line's number,
//! or null until an option fills them.

use std::sync::Arc;

use arrow_array::builder::PrimitiveBuilder;
use arrow_array::types::{ArrowPrimitiveType, Int32Type, TimestampMicrosecondType};
use arrow_array::{ArrayRef, BinaryArray, Int64Array, PrimitiveArray, StringArray, new_null_array};
use arrow_schema::{ArrowError, DataType};

use super::column::Column;
use super::values::{NULL, Uniform, dictionary, take};
use crate::schema::ColumnType;
use crate::validate::Sound;

/// A column of one value, made once and cut to the length of each batch.
pub(super) struct Constant<F> {
    make: F,
    array: Uniform,
    rows: usize,
}

impl<F: Fn(usize) -> Result<ArrayRef, ArrowError> + Send> Column for Constant<F> {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.rows += group.len();
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(self.array.rows(std::mem::take(&mut self.rows), &self.make)?);
        Ok(())
    }
}

fn constant<F: Fn(usize) -> Result<ArrayRef, ArrowError>>(make: F) -> Constant<F> {
    Constant { make, array: Uniform::default(), rows: 0 }
}

pub(super) fn text(
    value: Option<&str>,
) -> Constant<impl Fn(usize) -> Result<ArrayRef, ArrowError> + use<>> {
    let values = StringArray::from_iter_values(value);
    let id = if value.is_some() { 0 } else { NULL };
    constant(move |rows| dictionary(vec![id; rows], values.clone()))
}

pub(super) fn int32(
    value: Option<i32>,
) -> Constant<impl Fn(usize) -> Result<ArrayRef, ArrowError>> {
    primitive::<Int32Type>(value)
}

pub(super) fn local_time(
    microseconds: Option<i64>,
) -> Constant<impl Fn(usize) -> Result<ArrayRef, ArrowError>> {
    primitive::<TimestampMicrosecondType>(microseconds)
}

/// Bytes that are the same in every row.
pub(super) fn bytes(value: Vec<u8>) -> Constant<impl Fn(usize) -> Result<ArrayRef, ArrowError>> {
    constant(move |rows| {
        let values = std::iter::repeat_n(&value, rows);
        Ok(Arc::new(BinaryArray::from_iter_values(values)))
    })
}

fn primitive<T: ArrowPrimitiveType>(
    value: Option<T::Native>,
) -> Constant<impl Fn(usize) -> Result<ArrayRef, ArrowError>> {
    constant(move |rows| {
        Ok(match value {
            Some(value) => Arc::new(PrimitiveArray::<T>::from_value(value, rows)),
            None => {
                let mut nulls = PrimitiveBuilder::<T>::with_capacity(rows);
                nulls.append_nulls(rows);
                Arc::new(nulls.finish())
            }
        })
    })
}

/// A column that a later option fills: of its type, and null.
pub(super) fn nulls(
    column_type: ColumnType,
) -> Constant<impl Fn(usize) -> Result<ArrayRef, ArrowError>> {
    let data_type: DataType = column_type.arrow();
    constant(move |rows| Ok(new_null_array(&data_type, rows)))
}

/// The number of each record's line.
#[derive(Default)]
pub(super) struct RecordNumbers(Vec<i64>);

impl Column for RecordNumbers {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.0.extend(group.iter().map(|sound| sound.record_number() as i64));
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(Int64Array::from(take(&mut self.0))));
        Ok(())
    }
}
