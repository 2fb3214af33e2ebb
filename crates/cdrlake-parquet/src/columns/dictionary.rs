//! The distinct texts of a column in a row group, for as long as a dictionary pays.

use std::hash::BuildHasher as _;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::statistics::{Bounds, text_bounds};

/// Distinct values that are always taken: too few to judge by.
const PROBE: usize = 512;

/// The most distinct values: their ids must fit, with one to spare for "none yet".
const MOST: usize = 1 << 15;

/// The id of no value.
pub(super) const UNMAPPED: u16 = u16::MAX;

/// Distinct texts, numbered by first appearance.
#[derive(Default)]
pub(super) struct Dictionary {
    hasher: DefaultHashBuilder,
    table: HashTable<u16>,
    bytes: Vec<u8>,
    /// Where each value ends in `bytes`.
    ends: Vec<u32>,
    /// Whether a value is used; in use only within a call.
    used: Vec<bool>,
}

impl Dictionary {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn value(&self, id: u16) -> &[u8] {
        value(&self.bytes, &self.ends, id)
    }

    /// The id of `value`; none if it is new and would be one too many: where `seen` values were
    /// mostly different, a dictionary only costs.
    pub(super) fn id(&mut self, value: &[u8], seen: usize) -> Option<u16> {
        let Self { hasher, table, bytes, ends, .. } = self;
        let hash = hasher.hash_one(value);
        let is_same = |&id: &u16| self::value(bytes, ends, id) == value;
        if let Some(&id) = table.find(hash, is_same) {
            return Some(id);
        }
        let len = ends.len();
        if len >= PROBE && (len * 2 > seen || len >= MOST) {
            return None;
        }
        let id = len as u16;
        bytes.extend_from_slice(value);
        ends.push(bytes.len() as u32);
        table.insert_unique(hash, id, |&id| hasher.hash_one(self::value(bytes, ends, id)));
        Some(id)
    }

    /// Appends all values as a dictionary page has them: each behind its length.
    pub(super) fn push_page(&self, output: &mut Vec<u8>) {
        let mut start = 0;
        for &end in &self.ends {
            output.extend_from_slice(&(end - start).to_le_bytes());
            output.extend_from_slice(&self.bytes[start as usize..end as usize]);
            start = end;
        }
    }

    /// Least and greatest of the values that `ids` stand for.
    pub(super) fn bounds(&mut self, ids: &[u16]) -> Bounds {
        let Self { used, bytes, ends, .. } = self;
        used.clear();
        used.resize(ends.len(), false);
        for &id in ids {
            used[usize::from(id)] = true;
        }
        let ids = used.iter().zip(0..).filter(|(used, _)| **used).map(|(_, id)| id);
        text_bounds(ids.map(|id| value(bytes, ends, id)))
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        self.table.clear();
        self.bytes.clear();
        self.ends.clear();
    }
}

#[inline]
fn value<'d>(bytes: &'d [u8], ends: &[u32], id: u16) -> &'d [u8] {
    let id = usize::from(id);
    let start = if id == 0 { 0 } else { ends[id - 1] };
    &bytes[start as usize..ends[id] as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::statistics::Bound;

    #[test]
    fn equal_values_share_an_id() {
        let mut dictionary = Dictionary::default();
        let ids: Vec<_> = ["b", "", "a", "b", ""]
            .iter()
            .zip(1..)
            .map(|(value, seen)| dictionary.id(value.as_bytes(), seen).unwrap())
            .collect();
        assert_eq!(ids, [0, 1, 2, 0, 1]);
        assert_eq!((dictionary.len(), dictionary.value(2)), (3, &b"a"[..]));
        let mut page = Vec::new();
        dictionary.push_page(&mut page);
        assert_eq!(page, b"\x01\0\0\0b\0\0\0\0\x01\0\0\0a");
        let text = |text: &[u8]| Bound::Bytes(text.to_vec());
        assert_eq!(dictionary.bounds(&[0, 2, 2]), Some((text(b"a"), text(b"b"))));
        dictionary.clear();
        assert_eq!((dictionary.len(), dictionary.id(b"x", 1)), (0, Some(0)));
    }

    #[test]
    fn values_that_are_mostly_different_end_it() {
        let mut dictionary = Dictionary::default();
        let taken = (0_u32..10_000)
            .take_while(|value| dictionary.id(&value.to_le_bytes(), *value as usize + 1).is_some());
        assert_eq!(taken.count(), PROBE);
        assert_eq!(dictionary.id(&3_u32.to_le_bytes(), 600), Some(3), "what is known stays");
        let many = dictionary.id(b"new", 2000);
        assert_eq!(many, Some(PROBE as u16), "one in four is worth it");
        for value in 0..u32::from(u16::MAX) {
            dictionary.id(&(value << 8).to_be_bytes(), usize::MAX);
        }
        assert_eq!(dictionary.len(), MOST);
    }
}
