//! Building blocks the column kinds share: strings under construction, and dictionary arrays.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::ArrowError;

/// The id of a null in a column of ids.
pub(super) const NULL: i32 = -1;

/// Takes a batch's values; the next is likely to have as many.
pub(super) fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let next = Vec::with_capacity(values.len());
    std::mem::replace(values, next)
}

/// A string array under construction.
///
/// Bytes are gathered as they come and checked to be UTF-8 once, in `finish`.
pub(super) struct Strings {
    /// The values, and behind them room that holds anything.
    bytes: Vec<u8>,
    /// Length of the values.
    used: usize,
    /// End of each string; the first is 0.
    offsets: Vec<i32>,
    /// Empty as long as there is no null.
    is_valid: Vec<bool>,
    nulls: usize,
}

impl Default for Strings {
    fn default() -> Self {
        Self { bytes: Vec::new(), used: 0, offsets: vec![0], is_valid: Vec::new(), nulls: 0 }
    }
}

impl Strings {
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(super) fn push(&mut self, value: &[u8]) {
        self.room(value.len()).copy_from_slice(value);
        self.end_value(value.len());
    }

    /// Appends the first `len` bytes of `chunk`.
    ///
    /// A copy of fixed length needs no call; what it copies too much, the next value overwrites.
    #[inline(always)]
    pub(super) fn push_chunk<const N: usize>(&mut self, chunk: &[u8; N], len: usize) {
        self.room(N).copy_from_slice(chunk);
        self.end_value(len);
    }

    /// Appends `prefix_len` bytes of `prefix` and `len` of `chunk`.
    #[inline(always)]
    pub(super) fn push_chunks<const P: usize, const N: usize>(
        &mut self,
        (prefix, prefix_len): (&[u8; P], usize),
        chunk: &[u8; N],
        len: usize,
    ) {
        let room = self.room(P + N);
        room[..P].copy_from_slice(prefix);
        room[prefix_len..prefix_len + N].copy_from_slice(chunk);
        self.end_value(prefix_len + len);
    }

    /// Writes `byte` over the last `count` bytes of the last value.
    pub(super) fn overwrite_end(&mut self, count: usize, byte: u8) {
        let used = self.used;
        self.bytes[used - count..used].fill(byte);
    }

    #[inline(always)]
    fn room(&mut self, len: usize) -> &mut [u8] {
        let end = self.used + len;
        if self.bytes.len() < end {
            self.grow(end);
        }
        &mut self.bytes[self.used..end]
    }

    #[cold]
    #[inline(never)]
    fn grow(&mut self, len: usize) {
        self.bytes.resize((2 * len).max(64), 0);
    }

    #[inline(always)]
    fn end_value(&mut self, len: usize) {
        self.used += len;
        self.offsets.push(self.used as i32);
        if self.nulls > 0 {
            self.is_valid.push(true);
        }
    }

    pub(super) fn push_null(&mut self) {
        if self.nulls == 0 {
            self.is_valid.resize(self.len(), true);
        }
        self.offsets.push(self.used as i32);
        self.is_valid.push(false);
        self.nulls += 1;
    }

    pub(super) fn finish(&mut self) -> Result<StringArray, ArrowError> {
        // The room stays: to fill new room with zeros costs as much as this copy, which has no more
        // room than it needs.
        let bytes = Buffer::from(&self.bytes[..std::mem::take(&mut self.used)]);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(take(&mut self.offsets)));
        self.offsets.push(0);
        let is_valid = std::mem::take(&mut self.is_valid);
        let nulls = (std::mem::take(&mut self.nulls) > 0).then(|| NullBuffer::from(is_valid));
        StringArray::try_new(offsets, bytes, nulls)
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

/// An array of one value, which is kept and cut to the length of each batch.
#[derive(Default)]
pub(super) struct Uniform(Option<ArrayRef>);

impl Uniform {
    /// The first `rows`; `make` gives an array of the same value and any length.
    pub(super) fn rows(
        &mut self,
        rows: usize,
        make: impl FnOnce(usize) -> Result<ArrayRef, ArrowError>,
    ) -> Result<ArrayRef, ArrowError> {
        let array = match self.0.take().filter(|array| array.len() >= rows) {
            Some(array) => array,
            None => make(rows)?,
        };
        Ok(self.0.insert(array).slice(0, rows))
    }
}

/// A dictionary array of one text, or of nulls, kept for as long as the text is the same.
#[derive(Default)]
pub(super) struct UniformText {
    text: Option<String>,
    array: Uniform,
}

impl UniformText {
    pub(super) fn rows(&mut self, rows: usize, text: Option<&str>) -> Result<ArrayRef, ArrowError> {
        if self.text.as_deref() != text {
            *self = Self { text: text.map(str::to_owned), array: Uniform::default() };
        }
        let id = if text.is_some() { 0 } else { NULL };
        let values = || StringArray::from_iter_values(text);
        self.array.rows(rows, |rows| dictionary(vec![id; rows], values()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_every_way_of_pushing() {
        let mut strings = Strings::default();
        for _ in 0..2 {
            strings.push_chunk(b"abcdefgh", 3);
            strings.push_chunk(b"abcdefgh", 0);
            strings.push_chunks((b"+44?", 3), b"12345678", 2);
            strings.push_null();
            strings.push(b"a longer one");
            strings.push_chunk(b"12xX", 4);
            strings.overwrite_end(2, b'x');
            assert_eq!(strings.len(), 6);
            let expected = ["abc", "", "+4412", "-", "a longer one", "12xx"];
            let expected: StringArray =
                expected.iter().map(|&value| (value != "-").then_some(value)).collect();
            assert_eq!(strings.finish().unwrap(), expected);
        }
        assert_eq!(strings.finish().unwrap().len(), 0);
    }

    #[test]
    fn a_uniform_text_changes_and_grows() {
        let mut uniform = UniformText::default();
        for (rows, text) in [(3, None), (2, Some("a")), (5, Some("a")), (1, Some("b")), (4, None)] {
            let array = uniform.rows(rows, text).unwrap();
            let array = array.as_any().downcast_ref::<DictionaryArray<Int32Type>>().unwrap();
            let values: Vec<_> =
                array.downcast_dict::<StringArray>().unwrap().into_iter().collect();
            assert_eq!(values, vec![text; rows]);
        }
    }
}
