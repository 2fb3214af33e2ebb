//! Text of many different values.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::ArrowError;

use super::Column;
use super::values::Strings;
use crate::mask::{Masks, NUMBER_LEN};
use crate::validate::Sound;

/// The text of a field of [`NUMBER_LEN`] bytes from byte `AT` on, trimmed; null when blank.
#[derive(Default)]
pub(super) struct Texts<const AT: usize> {
    strings: Strings,
}

impl<const AT: usize> Column for Texts<AT> {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let record = sound.record();
            match Masks::of(record.chunk::<NUMBER_LEN>(AT)).trimmed() {
                Some((start, end)) => {
                    self.strings.push_chunk(record.chunk::<NUMBER_LEN>(AT + start), end - start);
                }
                None => self.strings.push_null(),
            }
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(self.strings.finish()?));
        Ok(())
    }
}
