//! Text that does not repeat: values one behind the other, and how a page of them is encoded.
//!
//! Numbers mostly begin as the one before does, with the same country and network. What nearly all
//! values of a page share with the one before is left out (`DELTA_BYTE_ARRAY`); always as much, for
//! lengths are packed as differences, and those that change cost more than another digit would.
//! Other text is lengths and bytes (`DELTA_LENGTH_BYTE_ARRAY`).

use arrow_array::types::ByteArrayType;
use arrow_array::{Array, GenericByteArray};
use parquet::basic::Encoding;

use super::delta;
use super::statistics::{Bounds, text_bounds};

/// Bytes that are compared, or copied, at once; the longest prefix that is looked for.
const CHUNK: usize = 16;

/// So many bytes left out pay for one value that shares less than the others: it widens the
/// lengths of its neighbours.
const COST: usize = 100;

/// Values one behind the other.
#[derive(Default)]
pub(super) struct PlainText {
    lengths: Vec<i32>,
    bytes: Vec<u8>,
}

impl PlainText {
    pub(super) fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    #[inline]
    pub(super) fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.lengths.push(value.len() as i32);
    }

    /// Appends the values that are not null.
    pub(super) fn extend<T: ByteArrayType<Offset = i32>>(&mut self, array: &GenericByteArray<T>) {
        if array.null_count() > 0 {
            array.iter().flatten().for_each(|value| self.push(value.as_ref()));
            return;
        }
        let offsets = array.value_offsets();
        let (Some(&first), Some(&last)) = (offsets.first(), offsets.last()) else { return };
        self.bytes.extend_from_slice(&array.value_data()[first as usize..last as usize]);
        self.lengths.extend(offsets.windows(2).map(|ends| ends[1] - ends[0]));
    }

    pub(super) fn clear(&mut self) {
        self.lengths.clear();
        self.bytes.clear();
    }

    /// All values, to be taken a page at a time.
    pub(super) fn values(&self) -> Values<'_> {
        Values { lengths: &self.lengths, bytes: &self.bytes }
    }
}

/// Values that are still to be written.
#[derive(Clone, Copy)]
pub(super) struct Values<'v> {
    lengths: &'v [i32],
    /// The values' bytes, and perhaps more.
    bytes: &'v [u8],
}

/// How the values of a page were encoded, and between which they lie.
pub(super) struct Encoded {
    pub(super) encoding: Encoding,
    pub(super) bounds: Bounds,
}

impl<'v> Values<'v> {
    /// Appends the next `count` values to `page`.
    pub(super) fn push_page(&mut self, count: usize, page: &mut Vec<u8>) -> Encoded {
        let values = self.take(count);
        let bounds = text_bounds(values.iter());
        let mut shared = values.shared();
        let encoding = match worthwhile(&shared) {
            0 => {
                delta::push(values.lengths, page);
                page.extend_from_slice(&values.bytes[..values.len()]);
                Encoding::DELTA_LENGTH_BYTE_ARRAY
            }
            most => {
                shared.iter_mut().for_each(|shared| *shared = most.min(*shared));
                values.push_rest(&shared, page);
                Encoding::DELTA_BYTE_ARRAY
            }
        };
        Encoded { encoding, bounds }
    }

    /// Splits off the first `count`.
    fn take(&mut self, count: usize) -> Self {
        let (lengths, rest) = self.lengths.split_at(count);
        let taken = Self { lengths, bytes: self.bytes };
        *self = Self { lengths: rest, bytes: &self.bytes[taken.len()..] };
        taken
    }

    /// Bytes of the values.
    fn len(self) -> usize {
        self.lengths.iter().map(|&len| len as usize).sum()
    }

    fn iter(self) -> impl Iterator<Item = &'v [u8]> {
        let mut rest = self.bytes;
        self.lengths.iter().map(move |&len| {
            let value;
            (value, rest) = rest.split_at(len as usize);
            value
        })
    }

    /// How many bytes each value has in common with the one before, up to [`CHUNK`].
    fn shared(self) -> Vec<i32> {
        let (mut before, mut before_len, mut start) = (self.bytes, 0, 0);
        let shared = |&len: &i32| {
            let (bytes, len) = (&self.bytes[start..], len as usize);
            let shared = shared_prefix(before, bytes, len.min(before_len));
            (before, before_len, start) = (bytes, len, start + len);
            shared as i32
        };
        self.lengths.iter().map(shared).collect()
    }

    /// Appends of each value what is not `shared` with the one before.
    fn push_rest(self, shared: &[i32], page: &mut Vec<u8>) {
        delta::push(shared, page);
        let rests = self.lengths.iter().zip(shared).map(|(len, shared)| len - shared);
        delta::push(&rests.collect::<Vec<_>>(), page);
        let (mut from, mut to) = (0, page.len());
        // As long as all values together: there is room to write a chunk where less is wanted.
        page.resize(to + self.len() + CHUNK, 0);
        for (&len, &shared) in self.lengths.iter().zip(shared) {
            let (len, shared) = (len as usize, shared as usize);
            let (rest, rest_len) = (&self.bytes[from + shared..], len - shared);
            match rest.first_chunk::<CHUNK>() {
                // What is too much, the next value overwrites.
                Some(chunk) if rest_len <= CHUNK => page[to..to + CHUNK].copy_from_slice(chunk),
                _ => page[to..to + rest_len].copy_from_slice(&rest[..rest_len]),
            }
            (from, to) = (from + len, to + rest_len);
        }
        page.truncate(to);
    }
}

/// How many of the first `most` bytes are the same in both, up to [`CHUNK`].
#[inline]
fn shared_prefix(left: &[u8], right: &[u8], most: usize) -> usize {
    if let (Some(left), Some(right)) = (left.first_chunk::<CHUNK>(), right.first_chunk::<CHUNK>()) {
        let different = u128::from_le_bytes(*left) ^ u128::from_le_bytes(*right);
        return most.min(different.trailing_zeros() as usize / 8);
    }
    let pairs = left.iter().zip(right).take(most.min(CHUNK));
    pairs.take_while(|(left, right)| left == right).count()
}

/// How many bytes are best left out of values that share so many with the one before.
fn worthwhile(shared: &[i32]) -> i32 {
    let mut counts = [0_usize; CHUNK + 1];
    shared.iter().for_each(|&len| counts[len as usize] += 1);
    let (mut best, mut best_gain, mut less) = (0, 0, 0);
    for (len, count) in counts.into_iter().enumerate() {
        let gain = (len * shared.len()).saturating_sub(COST * less);
        if gain > best_gain {
            (best, best_gain) = (len, gain);
        }
        less += count;
    }
    best as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shared_ends_with_the_shorter_value() {
        let mut text = PlainText::default();
        let values = [
            "+4420",
            "+4420",
            "+44",
            "+4421",
            "",
            "",
            "a value of more than sixteen bytes",
            "a value of more than sixteen letters",
            "a value of more than sixteen",
            "a",
        ];
        values.iter().for_each(|value| text.push(value.as_bytes()));
        assert_eq!(text.values().shared(), [0, 5, 3, 3, 0, 0, 0, 16, 16, 1]);
        // At the very end there is no chunk to compare.
        assert_eq!(shared_prefix(b"abcdef", b"abcxef", 6), 3);
        assert_eq!(shared_prefix(b"abcdef", b"abcdef", 4), 4);
    }

    #[test]
    fn as_much_is_left_out_as_nearly_all_share() {
        assert_eq!(worthwhile(&[]), 0);
        assert_eq!(worthwhile(&[0, 3, 4, 5]), 0, "too few to pay for the first");
        let with = |others: [i32; 3]| [&[4; 1000][..], &others].concat();
        assert_eq!(worthwhile(&with([4, 9, 5])), 4);
        assert_eq!(worthwhile(&with([0, 2, 3])), 4);
        let halves = [[4; 500], [2; 500]].concat();
        assert_eq!(worthwhile(&halves), 2);
    }

    #[test]
    fn each_page_takes_the_encoding_it_deserves() {
        let mut text = PlainText::default();
        for number in 0..1000 {
            text.push(format!("+44{number:03}").as_bytes());
        }
        for number in 0_u32..1000 {
            text.push(number.wrapping_mul(0x9E37_79B9).to_be_bytes().as_slice());
        }
        let (mut values, mut page) = (text.values(), Vec::new());
        assert_eq!(values.push_page(1000, &mut page).encoding, Encoding::DELTA_BYTE_ARRAY);
        assert!(page.len() < 3300, "{}", page.len());
        assert_eq!(values.push_page(1000, &mut page).encoding, Encoding::DELTA_LENGTH_BYTE_ARRAY);
        let empty = values.push_page(0, &mut page);
        assert_eq!((empty.encoding, empty.bounds), (Encoding::DELTA_LENGTH_BYTE_ARRAY, None));
    }
}
