//! The start of the call: date and time as delivered, local, and when that was.

use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, TimestampMicrosecondArray};
use arrow_schema::ArrowError;

use super::column::Column;
use super::values::take;
use crate::schema::UTC;
use crate::time_zone::{Near, TimeZone};
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

/// The instants of a zone's local times, and whether the clock showed them twice.
pub(super) struct Instants {
    zone: TimeZone,
    near: Near,
    instants: Vec<Option<i64>>,
    are_ambiguous: Vec<bool>,
}

impl Instants {
    pub(super) fn new(zone: TimeZone) -> Self {
        Self { zone, near: Near::default(), instants: Vec::new(), are_ambiguous: Vec::new() }
    }
}

impl Column for Instants {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let instant = self.zone.instant(sound.start_time(), &mut self.near);
            self.instants.push(instant.microseconds);
            self.are_ambiguous.push(instant.is_ambiguous);
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let instants = TimestampMicrosecondArray::from(take(&mut self.instants));
        arrays.push(Arc::new(instants.with_timezone(UTC)));
        arrays.push(Arc::new(BooleanArray::from(take(&mut self.are_ambiguous))));
        Ok(())
    }
}
