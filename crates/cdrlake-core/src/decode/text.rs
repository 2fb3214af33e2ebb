//! Text of many different values.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::ArrowError;

use super::Column;
use super::values::Strings;
use crate::number::trim;
use crate::record::Record;
use crate::validate::Sound;

/// A field's text, trimmed; null when blank.
pub(super) struct Texts<F> {
    field: F,
    strings: Strings,
}

impl<F> Texts<F> {
    pub(super) fn new<const N: usize>(field: F) -> Self
    where
        F: for<'a> Fn(Record<'a>) -> &'a [u8; N],
    {
        Self { field, strings: Strings::default() }
    }
}

impl<const N: usize, F> Column for Texts<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            self.strings.push_non_empty(trim((self.field)(sound.record())));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(self.strings.finish()?));
        Ok(())
    }
}
