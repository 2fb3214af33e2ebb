//! Which bytes of a number's field are text, digits or masked, as bits: eight bytes at a time.

/// Bytes of a number's field.
pub(crate) const NUMBER_LEN: usize = 20;

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
        let word = |at: usize| {
            // All three lie within the field, the last two half upon each other.
            field[at..].first_chunk().map_or(0, |chunk| u64::from_le_bytes(*chunk))
        };
        let bits = |test: fn(u64) -> u64| {
            gather(test(word(0))) | gather(test(word(8))) << 8 | gather(test(word(12))) << 12
        };
        Self {
            text: bits(|word| differs(word, b' ')),
            digits: bits(|word| !is_above(word ^ each(b'0'), 9)),
            masked: bits(|word| !differs(word | each(0x20), b'x')),
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

/// The same byte at each place of a word.
const fn each(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

/// Sets the upper bit of each byte that is above `most`; others are left as they come.
#[inline(always)]
fn is_above(word: u64, most: u8) -> u64 {
    // The sum of seven bits and seven bits carries into the eighth, and never out of the byte.
    ((word & each(0x7F)) + each(0x7F - most)) | word
}

/// Sets the upper bit of each byte that is not `byte`; others are left as they come.
#[inline(always)]
fn differs(word: u64, byte: u8) -> u64 {
    is_above(word ^ each(byte), 0)
}

/// The upper bits of a word's bytes, side by side.
#[inline(always)]
fn gather(word: u64) -> u32 {
    // Each factor's bit moves another byte's bit to its place in the uppermost byte.
    ((word & each(0x80)).wrapping_mul(0x0002_0408_1020_4081) >> 56) as u32
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
