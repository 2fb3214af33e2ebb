//! Integers as differences, packed (`DELTA_BINARY_PACKED`): for what rises, or changes little.

use super::bit_packing::push_varint;

/// Differences of a block, which share their least one.
const BLOCK: usize = 128;

/// Differences that share a width.
const MINIBLOCK: usize = 32;

const MINIBLOCKS: usize = BLOCK / MINIBLOCK;

/// An integer of a Parquet column: differences wrap in its own width.
pub(super) trait Integer: Copy + Default + Ord {
    fn to_i64(self) -> i64;
    /// Its bits, as a number without a sign.
    fn to_bits(self) -> u64;
    fn wrapping_sub(self, other: Self) -> Self;
}

impl Integer for i32 {
    #[inline]
    fn to_i64(self) -> i64 {
        self.into()
    }

    #[inline]
    fn to_bits(self) -> u64 {
        (self as u32).into()
    }

    #[inline]
    fn wrapping_sub(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

impl Integer for i64 {
    #[inline]
    fn to_i64(self) -> i64 {
        self
    }

    #[inline]
    fn to_bits(self) -> u64 {
        self as u64
    }

    #[inline]
    fn wrapping_sub(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

/// Appends all `values`, with the header.
pub(super) fn push<T: Integer>(values: &[T], output: &mut Vec<u8>) {
    push_varint(BLOCK as u64, output);
    push_varint(MINIBLOCKS as u64, output);
    push_varint(values.len() as u64, output);
    let first = values.first().map_or(0, |first| first.to_i64());
    push_zigzag(first, output);
    let mut at = 1;
    while at < values.len() {
        let end = values.len().min(at + BLOCK);
        push_block::<T>(&values[at - 1..end], output);
        at = end;
    }
}

/// Appends a block: the differences between neighbours of `values`, of which there are two or more.
fn push_block<T: Integer>(values: &[T], output: &mut Vec<u8>) {
    let count = values.len() - 1;
    let mut differences = [T::default(); BLOCK];
    for (difference, pair) in differences.iter_mut().zip(values.windows(2)) {
        *difference = pair[1].wrapping_sub(pair[0]);
    }
    let differences = &differences[..count];
    // Lengths are often the same, and a count of lines always rises by one. No early exit, so that
    // the compiler uses vector registers.
    let first = differences[0];
    if differences.iter().fold(true, |all, &difference| all & (difference == first)) {
        push_zigzag(first.to_i64(), output);
        output.extend_from_slice(&[0; MINIBLOCKS]);
        return;
    }
    let least = differences.iter().copied().min().unwrap_or_default();
    push_zigzag(least.to_i64(), output);
    let mut packed = [0; BLOCK];
    for (packed, difference) in packed.iter_mut().zip(differences) {
        *packed = difference.wrapping_sub(least).to_bits();
    }
    let (miniblocks, _) = packed.as_chunks::<MINIBLOCK>();
    let width = |miniblock: &[u64; MINIBLOCK]| {
        u64::BITS - miniblock.iter().fold(0, |bits, value| bits | value).leading_zeros()
    };
    output.extend(miniblocks.iter().map(|miniblock| width(miniblock) as u8));
    for miniblock in &miniblocks[..count.div_ceil(MINIBLOCK)] {
        push_miniblock(miniblock, width(miniblock), output);
    }
}

fn push_miniblock(values: &[u64; MINIBLOCK], width: u32, output: &mut Vec<u8>) {
    let (mut word, mut used) = (0, 0);
    for &value in values {
        word |= value << used;
        used += width;
        if used >= u64::BITS {
            output.extend_from_slice(&u64::to_le_bytes(word));
            used -= u64::BITS;
            // Shifting by the whole width, which happens where nothing is left over, is undefined.
            word = if used == 0 { 0 } else { value >> (width - used) };
        }
    }
    // 32 values of any width fill whole bytes.
    output.extend_from_slice(&word.to_le_bytes()[..used as usize / 8]);
}

fn push_zigzag(value: i64, output: &mut Vec<u8>) {
    push_varint((value << 1 ^ value >> 63) as u64, output);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(bytes: &mut &[u8]) -> u64 {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            value |= u64::from(byte & 0x7F) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    }

    fn zigzag(bytes: &mut &[u8]) -> i64 {
        let value = varint(bytes);
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    /// The format's own words, one bit at a time.
    fn decode(mut bytes: &[u8]) -> Vec<i64> {
        let bytes = &mut bytes;
        assert_eq!((varint(bytes), varint(bytes)), (128, 4));
        let count = varint(bytes) as usize;
        let mut values = vec![zigzag(bytes)];
        while values.len() < count {
            let least = zigzag(bytes);
            let widths: [u8; 4] = *bytes.first_chunk().unwrap();
            *bytes = &bytes[4..];
            for width in widths.map(usize::from) {
                if values.len() >= count {
                    assert_eq!(width, 0, "a miniblock of nothing");
                    continue;
                }
                let bit = |at: usize| u64::from(bytes[at / 8] >> (at % 8) & 1);
                for at in 0..32 {
                    let above = (0..width).fold(0, |v, i| v | bit(at * width + i) << i);
                    let last = *values.last().unwrap();
                    values.push(last.wrapping_add(least).wrapping_add(above as i64));
                }
                *bytes = &bytes[4 * width..];
            }
        }
        assert!(bytes.is_empty(), "bytes are left over");
        values.truncate(count);
        values
    }

    fn cases() -> Vec<Vec<i64>> {
        let mut random = 1_u64;
        let mut next = || {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            random
        };
        let mut cases = vec![
            vec![],
            vec![i64::MIN, i64::MAX, 0, i64::MAX, i64::MIN],
            vec![7; 1000],
            (1..=65_536).collect(),
        ];
        for bits in [1, 5, 8, 17, 31, 32, 33, 63, 64] {
            for count in [1, 2, 32, 33, 128, 129, 130, 500] {
                cases.push((0..count).map(|_| (next() >> (64 - bits)) as i64).collect());
            }
        }
        cases
    }

    #[test]
    fn all_values_come_back() {
        for values in cases() {
            let mut output = Vec::new();
            push(&values, &mut output);
            assert_eq!(decode(&output), if values.is_empty() { vec![] } else { values });
        }
    }

    #[test]
    fn differences_of_32_bits_wrap_and_need_no_more() {
        for values in cases() {
            let values: Vec<i32> = values.into_iter().map(|value| value as i32).collect();
            let mut output = Vec::new();
            push(&values, &mut output);
            let decoded: Vec<i32> = decode(&output).into_iter().map(|value| value as i32).collect();
            assert_eq!(decoded, values);
        }
    }

    #[test]
    fn a_count_of_lines_costs_next_to_nothing() {
        let mut output = Vec::new();
        push(&(1_i64..=16_384).collect::<Vec<_>>(), &mut output);
        assert!(output.len() < 700, "{} bytes", output.len());
    }
}
