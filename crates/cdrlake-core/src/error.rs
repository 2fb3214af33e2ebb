//! Why a line is no record, and what was odd about one that is: small values where the path is
//! hot, text only when displayed.

use std::fmt;

use crate::layout::{Field, RECORD_LEN};

/// The most bytes of a damaged line that are kept; [`Reject::raw_length`] tells its true length.
pub const RAW_LIMIT: usize = 64 * 1024;

/// Why a line was rejected: the contract's codes.
///
/// The last four occur only under [`Strictness::Strict`](crate::Strictness::Strict), where each
/// is a warning turned into a reject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectCode {
    /// Fewer than 228 bytes.
    ShortRecord,
    /// More than 292 bytes, or more than 228 without `0` at byte 227.
    LongRecord,
    /// A byte outside 0x20 to 0x7E.
    NotAscii,
    /// Not two digits.
    InvalidProductType,
    /// Not `YYYYMMDD`, a real Gregorian date of the years 1900 to 2100.
    InvalidDate,
    /// Not `HHMMSS`, or a fraction byte that is neither digit nor space.
    InvalidTime,
    /// Not one run of digits padded with spaces.
    InvalidDuration,
    /// Not one of `0 1 2 3 5`.
    InvalidContinuation,
    /// Not `0`.
    InvalidEndOfRecord,
    /// Strict: a carriage return before the line feed.
    CarriageReturn,
    /// Strict: bytes between the record and the line feed.
    TrailingBytes,
    /// Strict: the last line of a source ends without a line feed.
    MissingLineFeed,
    /// Strict: a product type that the carrier's table does not have.
    UnknownProductType,
}

impl RejectCode {
    /// Every code, in the order of the variants.
    pub const ALL: [Self; 13] = [
        Self::ShortRecord,
        Self::LongRecord,
        Self::NotAscii,
        Self::InvalidProductType,
        Self::InvalidDate,
        Self::InvalidTime,
        Self::InvalidDuration,
        Self::InvalidContinuation,
        Self::InvalidEndOfRecord,
        Self::CarriageReturn,
        Self::TrailingBytes,
        Self::MissingLineFeed,
        Self::UnknownProductType,
    ];

    /// Whether only strictness rejects for this: the record is sound otherwise.
    #[must_use]
    pub const fn is_strict(self) -> bool {
        matches!(
            self,
            Self::CarriageReturn
                | Self::TrailingBytes
                | Self::MissingLineFeed
                | Self::UnknownProductType
        )
    }

    /// The code as it stands in reports and in the rejects table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ShortRecord => "short_record",
            Self::LongRecord => "long_record",
            Self::NotAscii => "not_ascii",
            Self::InvalidProductType => "invalid_product_type",
            Self::InvalidDate => "invalid_date",
            Self::InvalidTime => "invalid_time",
            Self::InvalidDuration => "invalid_duration",
            Self::InvalidContinuation => "invalid_continuation",
            Self::InvalidEndOfRecord => "invalid_end_of_record",
            Self::CarriageReturn => Warning::CarriageReturn.as_str(),
            Self::TrailingBytes => Warning::TrailingBytes.as_str(),
            Self::MissingLineFeed => Warning::MissingLineFeed.as_str(),
            Self::UnknownProductType => Warning::UnknownProductType.as_str(),
        }
    }

    /// What would have been accepted.
    #[must_use]
    pub const fn expectation(self) -> &'static str {
        match self {
            Self::ShortRecord => "228 bytes before the line feed",
            Self::LongRecord => "228 bytes before the line feed, or up to 292 with 0 at byte 227",
            Self::NotAscii => "bytes 0x20 to 0x7E",
            Self::InvalidProductType => "two digits",
            Self::InvalidDate => "a calendar date YYYYMMDD of 1900 to 2100",
            Self::InvalidTime => "a time HHMMSS and a fraction of digits or spaces",
            Self::InvalidDuration => "one run of digits padded with spaces",
            Self::InvalidContinuation => "0, 1, 2, 3 or 5",
            Self::InvalidEndOfRecord => "0",
            Self::CarriageReturn => "no carriage return before the line feed (strict)",
            Self::TrailingBytes => "nothing between the record and its line feed (strict)",
            Self::MissingLineFeed => "a line feed at the end of the last line (strict)",
            Self::UnknownProductType => "a product type of the carrier's table (strict)",
        }
    }
}

impl fmt::Display for RejectCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was odd about a record that is kept, or about a whole source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Warning {
    /// A carriage return stood before the line feed; it was dropped.
    CarriageReturn,
    /// Bytes stood between the record and the line feed; they are the column `trailer`.
    TrailingBytes,
    /// The last line of the source had no line feed.
    MissingLineFeed,
    /// Two digits that the table of product types does not have.
    UnknownProductType,
    /// One a source: neither name nor settings give a country, so that national numbers stay
    /// unnormalized.
    UnknownCountry,
}

impl Warning {
    /// Every warning, in the order in which `--strict` looks for them.
    pub const ALL: [Self; 5] = [
        Self::CarriageReturn,
        Self::TrailingBytes,
        Self::MissingLineFeed,
        Self::UnknownProductType,
        Self::UnknownCountry,
    ];

    /// The warning as it stands in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CarriageReturn => "carriage_return",
            Self::TrailingBytes => "trailing_bytes",
            Self::MissingLineFeed => "missing_line_feed",
            Self::UnknownProductType => "unknown_product_type",
            Self::UnknownCountry => "unknown_country",
        }
    }
}

/// The warnings of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Warnings(u8);

impl Warnings {
    pub(crate) const NONE: Self = Self(0);

    #[must_use]
    pub(crate) const fn with(self, warning: Warning) -> Self {
        Self(self.0 | 1 << warning as u8)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// In the order of [`Warning::ALL`].
    pub(crate) fn iter(self) -> impl Iterator<Item = Warning> {
        Warning::ALL.into_iter().filter(move |&warning| self.0 & 1 << warning as u8 != 0)
    }
}

/// What is wrong with a line, and in which field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Why.
    pub code: RejectCode,
    /// The field it was found in; none where the line as a whole is wrong.
    pub field: Option<Field>,
}

impl Fault {
    pub(crate) const fn line(code: RejectCode) -> Self {
        Self { code, field: None }
    }

    pub(crate) const fn field(code: RejectCode, field: Field) -> Self {
        Self { code, field: Some(field) }
    }

    /// What `--strict` makes of a warning.
    pub(crate) const fn strict(warning: Warning) -> Option<Self> {
        match warning {
            Warning::CarriageReturn => Some(Self::line(RejectCode::CarriageReturn)),
            Warning::TrailingBytes => Some(Self::field(RejectCode::TrailingBytes, Field::Trailer)),
            Warning::MissingLineFeed => Some(Self::line(RejectCode::MissingLineFeed)),
            Warning::UnknownProductType => {
                Some(Self::field(RejectCode::UnknownProductType, Field::ProductType))
            }
            Warning::UnknownCountry => None,
        }
    }
}

/// A rejected line: where it stands, why, and its bytes.
///
/// `Display` names record, byte offset, field and the shape of what was found; the source's name
/// is the caller's to put in front. No digit of the line is shown, for after a shift any field may
/// hold a subscriber's number:
///
/// ```
/// use cdrlake_core::{Fault, Field, Reject, RejectCode};
///
/// let mut raw = [b' '; 228];
/// raw[42..50].copy_from_slice(b"20251301");
/// let reject = Reject {
///     record_number: 41,
///     byte_offset: 9160,
///     fault: Fault { code: RejectCode::InvalidDate, field: Some(Field::Date) },
///     raw: &raw,
///     raw_length: 228,
/// };
/// assert_eq!(
///     reject.to_string(),
///     "record 41 (byte 9160), date [42,50): \
///      expected a calendar date YYYYMMDD of 1900 to 2100, found \"dddddddd\"",
/// );
/// ```
#[derive(Clone, Copy)]
pub struct Reject<'a> {
    /// Number of the physical line in the source, from 1.
    pub record_number: u64,
    /// Offset of the line's first byte in the decompressed source.
    pub byte_offset: u64,
    /// Why, and in which field.
    pub fault: Fault,
    /// The line without its line feed, at most [`RAW_LIMIT`] bytes of it.
    pub raw: &'a [u8],
    /// Bytes of the line without its line feed.
    pub raw_length: u64,
}

impl Reject<'_> {
    /// What was expected and the shape of what was found, without the position.
    #[must_use]
    pub fn message(&self) -> impl fmt::Display {
        Message(self)
    }
}

impl fmt::Display for Reject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "record {} (byte {}), {}", self.record_number, self.byte_offset, Message(self))
    }
}

/// Bytes never appear in debug output: they may hold a subscriber's number.
impl fmt::Debug for Reject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reject({self})")
    }
}

struct Message<'r, 'a>(&'r Reject<'a>);

impl fmt::Display for Message<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { code, field } = self.0.fault;
        let expected = code.expectation();
        let Some(field) = field else {
            return match code {
                RejectCode::ShortRecord | RejectCode::LongRecord => {
                    write!(f, "line: expected {expected}, found {} bytes", self.0.raw_length)
                }
                _ => write!(f, "line: expected {expected}"),
            };
        };
        let range = match field {
            Field::Trailer => {
                let raw = self.0.raw;
                RECORD_LEN..raw.strip_suffix(b"\r").unwrap_or(raw).len().max(RECORD_LEN)
            }
            field => field.range(),
        };
        let found = Shape(self.0.raw.get(range.clone()).unwrap_or_default());
        let (name, start, end) = (field.name(), range.start, range.end);
        write!(f, "{name} [{start},{end}): expected {expected}, found \"{found}\"")
    }
}

/// A value with its letters and digits blotted out: `d` for a digit, `a` for a letter, `?` for a
/// byte outside ASCII's printable range, other characters as they are.
#[derive(Clone, Copy)]
pub struct Shape<'a>(pub &'a [u8]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            let shown = match byte {
                b'0'..=b'9' => 'd',
                b'a'..=b'z' | b'A'..=b'Z' => 'a',
                0x20..=0x7E => char::from(byte),
                _ => '?',
            };
            fmt::Write::write_char(f, shown)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(fault: Fault, raw: &[u8]) -> Reject<'_> {
        let raw_length = raw.len() as u64;
        Reject { record_number: 7, byte_offset: 1374, fault, raw, raw_length }
    }

    #[test]
    fn messages_name_position_field_and_shape() {
        let mut raw = [b' '; 240];
        raw[..8].copy_from_slice(b"+44x 1\xE93");
        raw[228..].copy_from_slice(b" PB\x0112345678");
        let not_ascii = |field| Fault::field(RejectCode::NotAscii, field);
        let cases = [
            (
                Fault::line(RejectCode::ShortRecord),
                "line: expected 228 bytes before the line feed, found 240 bytes",
            ),
            (
                not_ascii(Field::Origin),
                "origin [0,20): expected bytes 0x20 to 0x7E, found \"+dda d?d            \"",
            ),
            (
                not_ascii(Field::Trailer),
                "trailer [228,240): expected bytes 0x20 to 0x7E, found \" aa?dddddddd\"",
            ),
            (
                Fault::line(RejectCode::CarriageReturn),
                "line: expected no carriage return before the line feed (strict)",
            ),
        ];
        for (fault, message) in cases {
            let reject = reject(fault, &raw);
            assert_eq!(reject.message().to_string(), message);
            assert_eq!(reject.to_string(), format!("record 7 (byte 1374), {message}"));
            assert_eq!(format!("{reject:?}"), format!("Reject(record 7 (byte 1374), {message})"));
        }
    }

    #[test]
    fn strictness_alone_rejects_for_what_is_also_a_warning() {
        for code in RejectCode::ALL {
            let is_warning = Warning::ALL.iter().any(|warning| warning.as_str() == code.as_str());
            assert_eq!(code.is_strict(), is_warning, "{code}");
            assert_eq!(code.to_string(), code.as_str());
        }
    }

    #[test]
    fn a_record_has_each_warning_once() {
        let twice = Warnings::NONE.with(Warning::TrailingBytes).with(Warning::TrailingBytes);
        assert!(twice.iter().eq([Warning::TrailingBytes]));
        let both = twice.with(Warning::CarriageReturn);
        assert!(both.iter().eq([Warning::CarriageReturn, Warning::TrailingBytes]));
        assert!(Warnings::NONE.is_empty() && !both.is_empty());
    }

    #[test]
    fn codes_are_distinct_and_all_is_in_order() {
        for (i, code) in RejectCode::ALL.into_iter().enumerate() {
            assert_eq!(code as usize, i);
            assert_eq!(RejectCode::ALL.iter().filter(|c| c.as_str() == code.as_str()).count(), 1);
        }
        for (i, warning) in Warning::ALL.into_iter().enumerate() {
            assert_eq!(warning as usize, i);
        }
    }
}
