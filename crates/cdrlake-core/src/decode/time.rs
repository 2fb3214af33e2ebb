//! The start of the call: date and time as delivered, local.

use std::sync::Arc;

use arrow_array::{ArrayRef, TimestampMicrosecondArray};
use arrow_schema::ArrowError;

use super::Column;
use crate::calendar::{days, microseconds, seconds_of_day};
use crate::validate::Sound;

/// Microseconds since 1970-01-01T00:00:00, no zone. The wire's fraction is ignored.
#[derive(Default)]
pub(super) struct StartTimes(Vec<i64>);

impl Column for StartTimes {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let record = sound.record();
            let [h1, h2, m1, m2, s1, s2, ..] = *record.time();
            // Validation has found both to be of their form.
            let days = days(*record.date()).unwrap_or_default();
            let seconds = seconds_of_day([h1, h2, m1, m2, s1, s2]).unwrap_or_default();
            self.0.push(microseconds(days, seconds));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(TimestampMicrosecondArray::from(std::mem::take(&mut self.0))));
        Ok(())
    }
}
