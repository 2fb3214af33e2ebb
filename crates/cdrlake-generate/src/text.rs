//! Short text of a record's fields, made without allocating.

/// Up to 25 characters of ASCII: what the longest field holds.
#[derive(Clone, Copy, Default)]
pub(crate) struct Text {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl Text {
    pub(crate) const MAX_LEN: usize = 25;

    /// Adds text; what goes beyond the longest field is left out.
    pub(crate) fn push(&mut self, text: &str) -> &mut Self {
        let text = &text.as_bytes()[..text.len().min(Self::MAX_LEN - self.len)];
        self.bytes[self.len..self.len + text.len()].copy_from_slice(text);
        self.len += text.len();
        self
    }

    /// Adds the last `width` digits of `value`, with leading zeros.
    pub(crate) fn push_digits(&mut self, mut value: u64, width: usize) -> &mut Self {
        let end = Self::MAX_LEN.min(self.len + width);
        for byte in self.bytes[self.len..end].iter_mut().rev() {
            *byte = b'0' + (value % 10) as u8;
            value /= 10;
        }
        self.len = end;
        self
    }

    /// Replaces the last `count` characters by `x`.
    pub(crate) fn mask(&mut self, count: usize) {
        let masked = self.len.saturating_sub(count)..self.len;
        self.bytes[masked].fill(b'x');
    }

    pub(crate) fn as_str(&self) -> &str {
        // Only ASCII is ever pushed.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_digits_and_masks() {
        let mut text = Text::default();
        text.push("01632").push_digits(960, 3).push_digits(7, 3);
        assert_eq!(text.as_str(), "01632960007");
        text.mask(4);
        assert_eq!(text.as_str(), "0163296xxxx");
        text.push("0123456789012345");
        assert_eq!(text.as_str(), "0163296xxxx01234567890123");
        text.push_digits(5, 3).mask(99);
        assert_eq!(text.as_str(), "x".repeat(25));
    }
}
