//! The split form in which the carrier's number ordering API gives ranges, to E.164.
//!
//! The mapping is the table "Split format to E164 format mapping" of the Voice NGN Number
//! Management document.

use thiserror::Error;

use super::E164_DIGITS;
use crate::country::Country;

/// Countries that the mapping table names.
const MAPPED: [&str; 13] =
    ["AT", "BE", "CH", "DE", "DK", "ES", "FR", "GB", "IE", "IT", "NL", "PT", "SE"];

/// A range of numbers as the number ordering API splits it.
#[derive(Clone, Copy)]
pub struct SplitNumber<'a> {
    /// Whose numbering plan it is.
    pub country: Country,
    /// With or without its leading 0, which only Italian geographic numbers keep abroad: an
    /// Italian area code without a 0 is a nomadic one.
    pub area_code: &'a str,
    /// Empty in Germany's second form, and only there.
    pub area_code_extension: &'a str,
    /// First number of the range; `x` may stand for a digit anywhere.
    pub range_start: &'a str,
    /// Last number of the range, as long as the first.
    pub range_end: &'a str,
}

impl SplitNumber<'_> {
    /// The range's first and last number: `+` and 7 to 15 digits, of which `x` may stand for any
    /// in the range.
    ///
    /// # Errors
    ///
    /// [`SplitNumberError`], if the mapping table does not name the country or a part is not of
    /// its form.
    ///
    /// ```
    /// use cdrlake_core::{Country, SplitNumber};
    ///
    /// let range = SplitNumber {
    ///     country: "FR".parse::<Country>()?,
    ///     area_code: "3",
    ///     area_code_extension: "8250",
    ///     range_start: "xxx0",
    ///     range_end: "xxx9",
    /// };
    /// assert_eq!(range.to_e164()?, ("+3338250xxx0".to_owned(), "+3338250xxx9".to_owned()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_e164(&self) -> Result<(String, String), SplitNumberError> {
        if !MAPPED.contains(&self.country.code()) {
            return Err(SplitNumberError::UnmappedCountry(self.country));
        }
        check_part("area code", self.area_code, u8::is_ascii_digit)?;
        if !self.area_code_extension.is_empty() {
            check_part("area code extension", self.area_code_extension, u8::is_ascii_digit)?;
        } else if self.country.code() != "DE" {
            return Err(SplitNumberError::MissingExtension(self.country));
        }
        let in_range = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'x' | b'X');
        check_part("range start", self.range_start, in_range)?;
        check_part("range end", self.range_end, in_range)?;
        if self.range_start.len() != self.range_end.len() {
            return Err(SplitNumberError::UnequalRange);
        }
        let (start, end) = (self.join(self.range_start)?, self.join(self.range_end)?);
        if start > end {
            return Err(SplitNumberError::ReversedRange);
        }
        Ok((start, end))
    }

    fn join(&self, number: &str) -> Result<String, SplitNumberError> {
        let area_code = if self.country.keeps_leading_zero() {
            self.area_code
        } else {
            self.area_code.strip_prefix('0').unwrap_or(self.area_code)
        };
        let e164 = format!(
            "+{}{area_code}{}{}",
            self.country.calling_code(),
            self.area_code_extension,
            number.to_ascii_lowercase()
        );
        let digits = e164.len() - 1;
        if E164_DIGITS.contains(&digits) { Ok(e164) } else { Err(SplitNumberError::Length(digits)) }
    }
}

fn check_part(
    part: &'static str,
    text: &str,
    allowed: impl Fn(&u8) -> bool,
) -> Result<(), SplitNumberError> {
    if text.is_empty() || !text.as_bytes().iter().all(allowed) {
        return Err(SplitNumberError::InvalidPart(part));
    }
    Ok(())
}

/// Why a split number has no E.164 form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SplitNumberError {
    /// The mapping table does not name the country.
    #[error("the carrier's mapping from split form does not name {0}")]
    UnmappedCountry(Country),
    /// Only Germany has a form without extension.
    #[error("the area code extension is missing; only Germany has a form without ({0})")]
    MissingExtension(Country),
    /// Empty, or other than digits (and `x`, in a range).
    #[error("{0}: expected digits (x for any digit in a range), and at least one")]
    InvalidPart(&'static str),
    /// Start and end of the range differ in length.
    #[error("range start and range end differ in length")]
    UnequalRange,
    /// The range ends before it starts.
    #[error("range end lies before range start")]
    ReversedRange,
    /// Fewer than 7 or more than 15 digits.
    #[error("expected 7 to 15 digits in all, found {0}")]
    Length(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn convert(parts: [&str; 5]) -> Result<(String, String), SplitNumberError> {
        let [country, area_code, area_code_extension, range_start, range_end] = parts;
        let country = country.parse().unwrap();
        SplitNumber { country, area_code, area_code_extension, range_start, range_end }.to_e164()
    }

    #[test]
    fn mapping_table() {
        let cases = [
            (["FR", "3", "8250", "xxx0", "xxx9"], "+3338250xxx0", "+3338250xxx9"),
            (["FR", "03", "8250", "XXX0", "XXX9"], "+3338250xxx0", "+3338250xxx9"),
            // A range of one.
            (["FR", "3", "8250", "0000", "0000"], "+33382500000", "+33382500000"),
            (["GB", "0163", "2", "960000", "960999"], "+441632960000", "+441632960999"),
            // Italy: geographic numbers keep the 0, nomadic ones have none.
            (["IT", "02", "303", "35170", "35179"], "+390230335170", "+390230335179"),
            (["IT", "55", "199", "10000", "19999"], "+395519910000", "+395519919999"),
            // Germany's two forms.
            (["DE", "030", "23125", "000", "999"], "+493023125000", "+493023125999"),
            (["DE", "030", "", "23125000", "23125999"], "+493023125000", "+493023125999"),
        ];
        for (parts, start, end) in cases {
            assert_eq!(convert(parts).unwrap(), (start.to_owned(), end.to_owned()), "{parts:?}");
        }
        for country in MAPPED {
            assert!(convert([country, "1", "2", "34567", "34569"]).is_ok(), "{country}");
        }
    }

    #[test]
    fn errors() {
        use SplitNumberError::*;
        let fr = "FR".parse().unwrap();
        let cases = [
            (["CZ", "2", "9618", "0311", "0319"], UnmappedCountry("CZ".parse().unwrap())),
            (["FR", "3", "", "82500000", "82500009"], MissingExtension(fr)),
            (["FR", "", "8250", "0000", "0009"], InvalidPart("area code")),
            (["FR", "x", "8250", "0000", "0009"], InvalidPart("area code")),
            (["FR", "3", "82-50", "0000", "0009"], InvalidPart("area code extension")),
            (["FR", "3", "8250", "", "0009"], InvalidPart("range start")),
            (["FR", "3", "8250", "0000", "00é9"], InvalidPart("range end")),
            (["FR", "3", "8250", "0000", "00009"], UnequalRange),
            (["FR", "3", "8250", "0009", "0000"], ReversedRange),
            (["FR", "3", "8", "0", "9"], Length(5)),
            (["FR", "3", "8250", "00000000000", "00000000009"], Length(18)),
        ];
        for (parts, error) in cases {
            assert_eq!(convert(parts), Err(error), "{parts:?}");
        }
    }
}
