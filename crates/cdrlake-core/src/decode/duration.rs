//! The duration: seconds, exact to the wire's tenths.

use std::sync::Arc;

use arrow_array::{ArrayRef, Decimal128Array};
use arrow_schema::ArrowError;

use super::column::Column;
use super::values::take;
use crate::schema::ColumnType;
use crate::validate::Sound;

/// Tenths of a second: the unscaled value of a decimal with one fractional digit.
#[derive(Default)]
pub(super) struct Durations(Vec<i128>);

impl Column for Durations {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.0.extend(group.iter().map(|sound| i128::from(sound.tenths())));
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let seconds = Decimal128Array::from(take(&mut self.0));
        arrays.push(Arc::new(seconds.with_data_type(ColumnType::Seconds.arrow())));
        Ok(())
    }
}
