//! Which lines were replayed, and in which version: a line that comes again with other bytes must
//! not pass for the same.

use std::collections::BTreeMap;

/// Lines by number, eight bytes each, since there may be millions.
#[derive(Debug, Default)]
pub(super) struct Versions {
    /// Sorted within a chunk of [`CHUNK`] numbers: nearly always they come in order.
    chunks: BTreeMap<u64, Vec<Version>>,
}

/// Numbers of a chunk.
const CHUNK: u64 = 1 << 12;

/// A line's place in its chunk, and a digest of its bytes.
#[derive(Clone, Copy, Debug)]
struct Version {
    place: u16,
    digest: u32,
}

/// What is known of a line that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Never,
    /// It came before.
    Same,
    /// It came before with other bytes.
    Other,
}

impl Versions {
    pub(super) fn look_up(&self, number: u64, raw: &[u8]) -> Seen {
        let Some(chunk) = self.chunks.get(&(number / CHUNK)) else { return Seen::Never };
        match chunk.binary_search_by_key(&place(number), |version| version.place) {
            Ok(at) if chunk[at].digest == digest(raw) => Seen::Same,
            Ok(_) => Seen::Other,
            Err(_) => Seen::Never,
        }
    }

    /// Notes a line that did not come before.
    pub(super) fn insert(&mut self, number: u64, raw: &[u8]) -> Seen {
        let seen = self.look_up(number, raw);
        if seen == Seen::Never {
            let version = Version { place: place(number), digest: digest(raw) };
            let chunk = self.chunks.entry(number / CHUNK).or_default();
            let at = chunk.partition_point(|earlier| earlier.place < version.place);
            chunk.insert(at, version);
        }
        seen
    }

    /// Adds lines none of which is in here.
    pub(super) fn append(&mut self, other: Self) {
        for (number, versions) in other.chunks {
            let chunk = self.chunks.entry(number).or_default();
            chunk.extend(versions);
            chunk.sort_unstable_by_key(|version| version.place);
        }
    }
}

fn place(number: u64) -> u16 {
    (number % CHUNK) as u16
}

fn digest(raw: &[u8]) -> u32 {
    let [a, b, c, d, ..] = *blake3::hash(raw).as_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_any_order() {
        let mut versions = Versions::default();
        let numbers: Vec<u64> = (0..20_000).map(|n| n * 7919 % 20_011).collect();
        let raw = |number: u64| number.to_string().into_bytes();
        for &number in &numbers {
            assert_eq!(versions.insert(number, &raw(number)), Seen::Never);
        }
        let mut all = Versions::default();
        all.insert(1 << 40, b"far");
        all.append(versions);
        for &number in &numbers {
            assert_eq!(all.look_up(number, &raw(number)), Seen::Same);
            assert_eq!(all.insert(number, b"other"), Seen::Other);
        }
        assert_eq!(all.look_up(1 << 40, b"far"), Seen::Same);
        assert_eq!(all.look_up(20_011, b""), Seen::Never);
    }
}
