//! The hybrid of runs and bit-packing, in which Parquet stores ids and levels.
//!
//! A stretch is either a run, one value and its length, or groups of eight values of `width` bits
//! each, lowest bits first.

/// Values of a group.
const GROUP: usize = 8;

/// A run is worth its header and the cut it makes in the packed values around it from this many
/// groups on.
const MIN_RUN_GROUPS: usize = 4;

/// Bits that `max` needs; at least one, for some readers stumble over none.
pub(super) fn width_of(max: u16) -> usize {
    (u16::BITS - max.leading_zeros()).max(1) as usize
}

/// Appends a run of `count` times `value`.
pub(super) fn push_run(value: u16, count: usize, width: usize, output: &mut Vec<u8>) {
    push_varint((count as u64) << 1, output);
    output.extend_from_slice(&value.to_le_bytes()[..width.div_ceil(8)]);
}

/// Appends values of at most `width` bits, long runs as runs.
pub(super) fn push_values(values: &[u16], width: usize, output: &mut Vec<u8>) {
    let (mut packed_from, mut at) = (0, 0);
    while at + GROUP <= values.len() {
        let run = uniform_groups(&values[at..]) * GROUP;
        if run < MIN_RUN_GROUPS * GROUP {
            at += run.max(GROUP);
            continue;
        }
        push_packed(&values[packed_from..at], width, output);
        let value = values[at];
        let end = at + run + values[at + run..].iter().take_while(|&&next| next == value).count();
        push_run(value, end - at, width, output);
        (packed_from, at) = (end, end);
    }
    push_packed(&values[packed_from..], width, output);
}

/// How many groups at the start of `values` hold nothing but its first value.
#[inline]
fn uniform_groups(values: &[u16]) -> usize {
    let Some(&first) = values.first() else { return 0 };
    let differs = |group: &[u16]| group.iter().fold(0, |bits, &value| bits | (value ^ first)) != 0;
    values.chunks_exact(GROUP).take_while(|group| !differs(group)).count()
}

/// Appends packed groups; only the last values of a page may leave a group unfilled.
fn push_packed(values: &[u16], width: usize, output: &mut Vec<u8>) {
    if values.is_empty() {
        return;
    }
    push_packed_header(values.len(), output);
    macro_rules! pack {
        ($($width:literal)*) => {
            match width {
                $($width => pack::<$width>(values, output),)*
                _ => unreachable!("a u16 has 16 bits"),
            }
        };
    }
    pack!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

fn push_packed_header(values: usize, output: &mut Vec<u8>) {
    push_varint((values.div_ceil(GROUP) as u64) << 1 | 1, output);
}

fn pack<const WIDTH: usize>(values: &[u16], output: &mut Vec<u8>) {
    let start = output.len();
    output.resize(start + values.len().div_ceil(GROUP) * WIDTH, 0);
    let (groups, rest) = values.as_chunks::<GROUP>();
    let mut packed = output[start..].chunks_exact_mut(WIDTH);
    for (group, packed) in groups.iter().zip(&mut packed) {
        packed.copy_from_slice(&pack_group::<WIDTH>(group)[..WIDTH]);
    }
    if let Some(packed) = packed.next() {
        let mut group = [0; GROUP];
        group[..rest.len()].copy_from_slice(rest);
        packed.copy_from_slice(&pack_group::<WIDTH>(&group)[..WIDTH]);
    }
}

#[inline(always)]
fn pack_group<const WIDTH: usize>(group: &[u16; GROUP]) -> [u8; 16] {
    // Half a group fits in a word, whatever the width.
    let half = |values: &[u16]| {
        values.iter().rev().fold(0, |bits: u64, &value| bits << WIDTH | u64::from(value))
    };
    let (low, high) = group.split_at(GROUP / 2);
    (u128::from(half(low)) | u128::from(half(high)) << (WIDTH * GROUP / 2)).to_le_bytes()
}

/// Appends levels of one bit each from a bitmap, as one packed stretch; `bitmap` has `count` bits
/// and zeros behind them.
pub(super) fn push_bitmap(bitmap: &[u8], count: usize, output: &mut Vec<u8>) {
    push_packed_header(count, output);
    output.extend_from_slice(&bitmap[..count.div_ceil(GROUP)]);
}

/// Appends an unsigned number, seven bits a byte.
pub(super) fn push_varint(mut value: u64, output: &mut Vec<u8>) {
    while value >= 0x80 {
        output.push(value as u8 | 0x80);
        value >>= 7;
    }
    output.push(value as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The format's own words, one bit at a time.
    fn decode(mut bytes: &[u8], width: usize, count: usize) -> Vec<u16> {
        let mut values = Vec::new();
        while values.len() < count {
            let (mut header, mut shift) = (0u64, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= u64::from(byte & 0x7F) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let len = width.div_ceil(8);
                let value = (0..len).fold(0, |value, i| value | u16::from(bytes[i]) << (8 * i));
                bytes = &bytes[len..];
                values.extend(std::iter::repeat_n(value, (header >> 1) as usize));
            } else {
                let len = (header >> 1) as usize * width;
                let bit = |at: usize| u16::from(bytes[at / 8] >> (at % 8) & 1);
                for at in 0..(header >> 1) as usize * 8 {
                    values.push((0..width).fold(0, |v, i| v | bit(at * width + i) << i));
                }
                bytes = &bytes[len..];
            }
        }
        assert!(bytes.is_empty(), "bytes are left over");
        assert!(values[count..].iter().all(|&padding| padding == 0));
        values.truncate(count);
        values
    }

    #[test]
    fn every_width_and_length_comes_back() {
        for width in 1..=16 {
            for count in [0, 1, 7, 8, 9, 63, 64, 65, 1000] {
                let mask = u16::MAX >> (16 - width);
                let values: Vec<u16> = (0..count as u32)
                    .map(|i| (i.wrapping_mul(40_503) >> 3) as u16 & mask)
                    .collect();
                let mut output = Vec::new();
                push_values(&values, width, &mut output);
                assert_eq!(decode(&output, width, count), values, "{count} of {width} bits");
            }
        }
    }

    #[test]
    fn runs_are_found_wherever_they_begin_and_end() {
        for (before, run, behind) in [(0, 100, 0), (8, 40, 3), (5, 64, 7), (3, 31, 9), (16, 33, 1)]
        {
            let mut values: Vec<u16> = (0..before).collect();
            values.extend(std::iter::repeat_n(500, run));
            values.extend(0..behind);
            let mut output = Vec::new();
            push_values(&values, 9, &mut output);
            assert_eq!(decode(&output, 9, values.len()), values);
        }
        let mut output = Vec::new();
        push_values(&[7; 1 << 16], 3, &mut output);
        assert_eq!(output.len(), 4, "one run");
    }

    #[test]
    fn a_run_and_a_bitmap() {
        let mut output = Vec::new();
        push_run(300, 65_536, 9, &mut output);
        assert_eq!(decode(&output, 9, 65_536), vec![300; 65_536]);
        output.clear();
        push_bitmap(&[0b1010_0101, 0b1], 9, &mut output);
        assert_eq!(decode(&output, 1, 9), [1, 0, 1, 0, 0, 1, 0, 1, 1]);
    }

    #[test]
    fn widths() {
        for (max, width) in [(0, 1), (1, 1), (2, 2), (255, 8), (256, 9), (u16::MAX, 16)] {
            assert_eq!(width_of(max), width);
        }
    }
}
