//! Building blocks the column kinds share: strings under construction, and dictionary arrays.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

/// The id of a null in a column of ids.
pub(super) const NULL: i32 = -1;

/// A string array under construction.
///
/// Bytes are gathered as they come and checked to be UTF-8 once, in `finish`.
pub(super) struct Strings {
    bytes: Vec<u8>,
    /// End of each string; the first is 0.
    offsets: Vec<i32>,
    is_valid: Vec<bool>,
    nulls: usize,
}

impl Default for Strings {
    fn default() -> Self {
        Self { bytes: Vec::new(), offsets: vec![0], is_valid: Vec::new(), nulls: 0 }
    }
}

impl Strings {
    pub(super) fn len(&self) -> usize {
        self.is_valid.len()
    }

    #[inline]
    pub(super) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.offsets.push(self.bytes.len() as i32);
        self.is_valid.push(true);
    }

    #[inline]
    pub(super) fn push_null(&mut self) {
        self.offsets.push(self.bytes.len() as i32);
        self.is_valid.push(false);
        self.nulls += 1;
    }

    /// A null if `value` is empty.
    #[inline]
    pub(super) fn push_non_empty(&mut self, value: &[u8]) {
        if value.is_empty() { self.push_null() } else { self.push(value) }
    }

    pub(super) fn finish(&mut self) -> Result<StringArray, ArrowError> {
        let Self { bytes, offsets, is_valid, nulls } = std::mem::take(self);
        let nulls = (nulls > 0).then(|| NullBuffer::from(is_valid));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        StringArray::try_new(offsets, Buffer::from_vec(bytes), nulls)
    }
}

/// A dictionary array: `ids` into `values`, [`NULL`] for none.
pub(super) fn dictionary(mut ids: Vec<i32>, values: StringArray) -> Result<ArrayRef, ArrowError> {
    let mut nulls = None;
    if ids.contains(&NULL) {
        nulls = Some(ids.iter().map(|&id| id != NULL).collect());
        // Readers may look at the id of a null, so it must be in range, too.
        ids.iter_mut().for_each(|id| *id = (*id).max(0));
    }
    let keys = Int32Array::new(ids.into(), nulls);
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(values))?))
}
