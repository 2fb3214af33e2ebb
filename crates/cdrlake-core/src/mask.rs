//! Which bytes of a number's field are text, digits or masked, as bits: sixteen bytes at a time.

use wide::u8x16;

/// Bytes of a number's field.
pub(crate) const NUMBER_LEN: usize = 20;

/// Bytes of a vector.
const LANES: usize = 16;

/// A bit for each byte of a number's field, the first byte the lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Not a space.
    pub(crate) text: u32,
    /// A digit.
    pub(crate) digits: u32,
    /// `x` or `X`.
    pub(crate) masked: u32,
}

impl Masks {
    #[inline(always)]
    pub(crate) fn of(field: &[u8; NUMBER_LEN]) -> Self {
        // Both lie within the field, and mostly upon each other.
        let vector = |at: usize| u8x16::new(*field[at..].first_chunk().unwrap_or(&[0; LANES]));
        let (first, last) = (vector(0), vector(NUMBER_LEN - LANES));
        let bits = |test: fn(u8x16) -> u8x16| {
            test(first).to_bitmask() | test(last).to_bitmask() << (NUMBER_LEN - LANES)
        };
        Self {
            text: bits(|bytes| bytes.simd_ne(u8x16::splat(b' '))),
            digits: bits(|bytes| (bytes - u8x16::splat(b'0')).simd_le(u8x16::splat(9))),
            masked: bits(|bytes| (bytes | u8x16::splat(0x20)).simd_eq(u8x16::splat(b'x'))),
        }
    }

    /// Where the text without the spaces around it begins and ends; none if there is no text.
    #[inline(always)]
    pub(crate) fn trimmed(self) -> Option<(usize, usize)> {
        let (start, end) = (self.text.trailing_zeros(), u32::BITS - self.text.leading_zeros());
        (end > 0).then_some((start as usize, end as usize))
    }

    /// Length of the run of `x` that ends before byte `end`, which is not 0.
    #[inline(always)]
    pub(crate) fn masked_before(self, end: usize) -> usize {
        (self.masked << (u32::BITS as usize - end)).leading_ones() as usize
    }

    /// Whether all bytes from `start` to `end` are digits, and there are any.
    #[inline(always)]
    pub(crate) fn are_digits(self, start: usize, end: usize) -> bool {
        let range = (1_u32 << end).wrapping_sub(1 << start);
        start < end && self.digits & range == range
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place() {
        for byte in 0..=u8::MAX {
            for place in 0..NUMBER_LEN {
                let mut field = *b" 0123456789xX+a/: 9x";
                field[place] = byte;
                let bits = |test: fn(u8) -> bool| {
                    field.iter().rev().fold(0, |bits, &byte| bits << 1 | u32::from(test(byte)))
                };
                let expected = Masks {
                    text: bits(|byte| byte != b' '),
                    digits: bits(|byte| byte.is_ascii_digit()),
                    masked: bits(|byte| byte | 0x20 == b'x'),
                };
                assert_eq!(Masks::of(&field), expected, "{byte} at {place}");
            }
        }
    }

    #[test]
    fn fields() {
        let masks = |text: &str| Masks::of(format!("{text:20}").as_bytes().try_into().unwrap());
        assert_eq!(masks("").trimmed(), None);
        assert_eq!(masks("0129356xxxX").trimmed(), Some((0, 11)));
        assert_eq!(masks("0129356xxxX").masked_before(11), 4);
        assert_eq!(masks("         0129356xx34").trimmed(), Some((9, 20)));
        assert_eq!(masks("         0129356xx34").masked_before(20), 0);
        assert_eq!(masks("xxxxxxxxxxxxxxxxxxxx").masked_before(20), 20);
        assert!(masks(" 12 3").are_digits(1, 3));
        assert!(!masks(" 12 3").are_digits(1, 4));
        assert!(!masks(" 12 3").are_digits(2, 2));
        assert!(masks("01234567890123456789").are_digits(0, 20));
    }
}
