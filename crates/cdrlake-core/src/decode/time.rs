//! The start of the call: date and time as delivered, local.

use std::sync::Arc;

use arrow_array::{ArrayRef, TimestampMicrosecondArray};
use arrow_schema::ArrowError;

use super::Column;
use super::values::take;
use crate::validate::Sound;

/// Microseconds since 1970-01-01T00:00:00, no zone.
#[derive(Default)]
pub(super) struct StartTimes(Vec<i64>);

impl Column for StartTimes {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.0.extend(group.iter().map(Sound::start_time));
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(TimestampMicrosecondArray::from(take(&mut self.0))));
        Ok(())
    }
}
