//! The distinct values of a field in a batch, and the id of each row's.

use arrow_array::StringArray;
use arrow_schema::ArrowError;
use hashbrown::HashTable;

use super::values::{NULL, Strings, take};
use crate::number::trim;

/// Numbers the distinct values of a field of `N` bytes.
///
/// Most fields hold the same in every record of a batch: as long as they do, rows are only counted.
/// Others are looked up by their bytes as they stand, and trimmed when they are new.
pub(super) struct Ids<const N: usize> {
    /// The rows so far, if all hold the first of `known`.
    uniform: usize,
    /// The rows so far otherwise.
    ids: Vec<i32>,
    /// Bytes that occurred, and their ids.
    known: Vec<([u8; N], i32)>,
    /// Places in `known`.
    table: HashTable<u32>,
    values: Strings,
}

/// What came of the rows of a batch.
pub(super) enum Batch {
    /// The same in every row, or null.
    Uniform(Option<String>, usize),
    /// Ids, [`NULL`] among them, and what they stand for.
    Various(Vec<i32>, StringArray),
}

impl<const N: usize> Ids<N> {
    pub(super) fn new() -> Self {
        Self {
            uniform: 0,
            ids: Vec::new(),
            known: Vec::new(),
            table: HashTable::new(),
            values: Strings::default(),
        }
    }

    /// Appends a row for each of `fields`.
    #[inline(always)]
    pub(super) fn append<'a>(
        &mut self,
        fields: impl ExactSizeIterator<Item = &'a [u8; N]> + Clone,
    ) {
        let rows = fields.len();
        let Some(first) = fields.clone().next() else { return };
        let is_uniform = fields.clone().all(|field| is_equal(field, first));
        if is_uniform && self.ids.is_empty() {
            if self.uniform == 0 {
                self.id(first);
            }
            if self.known.first().is_some_and(|(known, _)| is_equal(known, first)) {
                self.uniform += rows;
                return;
            }
        }
        self.spread();
        if is_uniform {
            let id = self.id(first);
            self.ids.resize(self.ids.len() + rows, id);
        } else {
            for field in fields {
                let id = self.id(field);
                self.ids.push(id);
            }
        }
    }

    /// Makes ids of rows that were only counted.
    #[inline(always)]
    fn spread(&mut self) {
        if self.uniform > 0 {
            let id = self.known.first().map_or(NULL, |(_, id)| *id);
            self.ids.resize(self.uniform, id);
            self.uniform = 0;
        }
    }

    #[inline(always)]
    fn id(&mut self, field: &[u8; N]) -> i32 {
        let hash = hash(field);
        match self.table.find(hash, |&at| is_equal(&self.known[at as usize].0, field)) {
            Some(&at) => self.known[at as usize].1,
            None => self.add(field, hash),
        }
    }

    /// The id of bytes that did not occur yet; another's, if only their padding differs.
    #[cold]
    #[inline(never)]
    fn add(&mut self, field: &[u8; N], bytes_hash: u64) -> i32 {
        let value = trim(field);
        let mut left = [b' '; N];
        left[..value.len()].copy_from_slice(value);
        let id = if value.is_empty() {
            NULL
        } else if left != *field {
            self.id(&left)
        } else {
            self.values.push(value);
            self.values.len() as i32 - 1
        };
        let known = &mut self.known;
        let at = known.len() as u32;
        known.push((*field, id));
        self.table.insert_unique(bytes_hash, at, |&at| hash(&known[at as usize].0));
        id
    }

    /// The batch's rows; begins anew.
    pub(super) fn finish(&mut self) -> Result<Batch, ArrowError> {
        let values = self.values.finish()?;
        let batch = if self.ids.is_empty() {
            let value = values.iter().flatten().next().map(str::to_owned);
            Batch::Uniform(value, std::mem::take(&mut self.uniform))
        } else {
            Batch::Various(take(&mut self.ids), values)
        };
        self.table.clear();
        self.known.clear();
        Ok(batch)
    }
}

/// A field as words, of which the last may repeat some of the one before; for up to 32 bytes.
#[inline(always)]
fn words<const N: usize>(field: &[u8; N]) -> [u64; 4] {
    const { assert!(N <= 32, "more bytes than words") };
    let mut words = [0; 4];
    let (whole, _) = field.as_chunks::<8>();
    for (word, bytes) in words.iter_mut().zip(whole) {
        *word = u64::from_le_bytes(*bytes);
    }
    if let Some(tail) = field.last_chunk::<8>() {
        words[(N - 1) / 8] = u64::from_le_bytes(*tail);
    } else if let (Some(head), Some(tail)) = (field.first_chunk::<4>(), field.last_chunk::<4>()) {
        let head = u64::from(u32::from_le_bytes(*head));
        words[0] = head << 32 | u64::from(u32::from_le_bytes(*tail));
    } else {
        words[0] = field.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
    }
    words
}

/// Compares word by word: for lengths as odd as the fields', a call is what else it would be.
#[inline(always)]
pub(super) fn is_equal<const N: usize>(left: &[u8; N], right: &[u8; N]) -> bool {
    let pairs = words(left).into_iter().zip(words(right));
    pairs.fold(0, |bits, (left, right)| bits | (left ^ right)) == 0
}

/// Mixes a field's words; all of its bits reach the upper ones, by which the table tells entries
/// apart, and the lower ones, by which it places them.
///
/// Words are multiplied by each other in pairs, so that no product waits for another.
#[inline(always)]
fn hash<const N: usize>(field: &[u8; N]) -> u64 {
    /// Without a pattern: bits of the fraction of the square roots of 2, 3, 5 and 7.
    const KEYS: [u64; 4] = [
        0x6A09_E667_F3BC_C908,
        0xBB67_AE85_84CA_A73B,
        0x3C6E_F372_FE94_F82B,
        0xA54F_F53A_5F1D_36F1,
    ];
    let [a, b, c, d] = words(field);
    let mix = |left: u64, right: u64| {
        let product = u128::from(left) * u128::from(right);
        product as u64 ^ (product >> 64) as u64
    };
    let first = mix(a ^ KEYS[0], b ^ KEYS[1]);
    if N <= 16 { first } else { first ^ mix(c ^ KEYS[2], d ^ KEYS[3]).rotate_left(32) }
}

#[cfg(test)]
mod tests {
    use arrow_array::Array;

    use super::*;

    fn finish(ids: &mut Ids<4>) -> Vec<Option<String>> {
        match ids.finish().unwrap() {
            Batch::Uniform(value, rows) => vec![value; rows],
            Batch::Various(ids, values) => {
                let value = |id| (id != NULL).then(|| values.value(id as usize).to_owned());
                ids.into_iter().map(value).collect()
            }
        }
    }

    #[test]
    fn rows_keep_their_values_in_every_order() {
        let groups: [&[&[u8; 4]]; 7] = [
            &[b"    ", b"    "],
            &[b"ab  ", b"ab  "],
            &[b"ab  ", b"  ab", b" ab "],
            &[b"    "],
            &[b"cdef", b"ab  ", b"    ", b"cdef"],
            &[b"cdef", b"cdef"],
            &[],
        ];
        let mut ids = Ids::new();
        // Every sequence of up to three groups.
        for choice in 0..7 * 7 * 7 {
            let mut expected = Vec::new();
            for group in [choice % 7, choice / 7 % 7, choice / 49].map(|at| groups[at]) {
                ids.append(group.iter().copied());
                expected.extend(group.iter().map(|field| {
                    let value = String::from_utf8(trim(*field).to_vec()).unwrap();
                    (!value.is_empty()).then_some(value)
                }));
            }
            assert_eq!(finish(&mut ids), expected, "{choice}");
        }
    }

    #[test]
    fn every_byte_counts() {
        fn check<const N: usize>() {
            let field: [u8; N] = std::array::from_fn(|at| at as u8 + b'0');
            assert!(is_equal(&field, &field));
            for at in 0..N {
                let mut other = field;
                other[at] ^= 1;
                assert!(!is_equal(&field, &other), "byte {at} of {N}");
                assert_ne!(hash(&field), hash(&other), "byte {at} of {N}");
                // Differences in two words must not make up for each other.
                for apart in (8..N - at).step_by(8) {
                    let mut both = other;
                    both[at + apart] ^= 1;
                    assert!(!is_equal(&field, &both), "bytes {at} and {} of {N}", at + apart);
                }
            }
        }
        check::<2>();
        check::<3>();
        check::<4>();
        check::<6>();
        check::<9>();
        check::<20>();
        check::<25>();
        check::<32>();
    }

    #[test]
    fn one_value_whatever_its_padding_is_one_entry() {
        let mut ids = Ids::new();
        ids.append([b"ab  ", b" ab ", b"  ab"].into_iter());
        let Batch::Various(ids, values) = ids.finish().unwrap() else { panic!("not various") };
        assert_eq!((ids, values.len()), (vec![0, 0, 0], 1));
    }
}
