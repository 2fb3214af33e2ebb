//! Telephone numbers as delivered, to E.164: the contract's six rules, and the ordering API's
//! split form.
//!
//! A number here is what [`trim`] leaves of a field. Its mask, the trailing run of `x` that hides
//! a caller's last digits, counts as digits and is kept, in lower case.

use crate::country::Country;
use crate::product::SIP_TRUNKING;

mod split;

pub use split::{SplitNumber, SplitNumberError};

/// The fewest and the most digits behind the `+`, mask included (rule 6).
const E164_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Fewest digits behind a country's own code that make a number without trunk prefix
/// international (rule 5).
const MIN_DIGITS_BEHIND_COUNTRY_CODE: usize = 7;

/// What a number is to the call: the form of a party's follows the product type (rule 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Origin or destination.
    Party,
    /// C-Num or D-Num of an IN service.
    Service,
}

/// A number in E.164: `+`, 7 to 15 digits, the last of which may be masked with `x`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct E164 {
    bytes: [u8; Self::MAX_LEN],
    len: u8,
}

impl E164 {
    const MAX_LEN: usize = 1 + *E164_DIGITS.end();

    /// `+`, the calling code and `rest`, of which rule 6 holds.
    fn new(calling_code: &str, rest: &[u8]) -> Self {
        let code = calling_code.as_bytes();
        let digits = code.len() + rest.len();
        let mut bytes = [0; Self::MAX_LEN];
        bytes[0] = b'+';
        bytes[1..=code.len()].copy_from_slice(code);
        bytes[1 + code.len()..=digits].copy_from_slice(rest);
        // A mask may be in upper case; digits stay as they are.
        bytes.iter_mut().for_each(|byte| *byte |= 0x20 * u8::from(*byte == b'X'));
        Self { bytes, len: 1 + digits as u8 }
    }

    /// Its text.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII ever enters `new`.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }
}

impl AsRef<[u8]> for E164 {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

/// Digits do not belong in logs.
impl std::fmt::Debug for E164 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "E164({})", crate::Shape(self.as_bytes()))
    }
}

/// `bytes` without spaces at either side.
#[inline]
#[must_use]
pub fn trim(bytes: &[u8]) -> &[u8] {
    let Some(start) = bytes.iter().position(|&byte| byte != b' ') else { return &[] };
    let end = bytes.iter().rposition(|&byte| byte != b' ').map_or(start, |last| last + 1);
    &bytes[start..end]
}

/// Length of the trailing run of `x` or `X`: the digits that masking hid.
///
/// ```
/// assert_eq!(cdrlake_core::masked_digits(b"0129356xxxx"), 4);
/// assert_eq!(cdrlake_core::masked_digits(b"03687512340"), 0);
/// ```
#[inline]
#[must_use]
pub fn masked_digits(number: &[u8]) -> usize {
    number.iter().rev().take_while(|&&byte| byte | 0x20 == b'x').count()
}

/// A trimmed number in E.164; none where the rules give none.
///
/// Rules, in order: empty, or not digits and a mask: none. `00…`: international. A party of a SIP
/// Trunking call in a country whose SIP numbers begin with the country code, without leading 0:
/// international. `0…`: national, so the country must be known; Italy keeps the 0. Otherwise
/// Italian numbers may lack their 39, and others count as international if they begin with the
/// country's own code and at least seven digits follow. What results has 7 to 15 digits.
///
/// For valid numbers of every kind and country this agrees with libphonenumber
/// (`testdata/check_numbers.py`), but for:
///
/// | form | country | libphonenumber | here, and why |
/// |---|---|---|---|
/// | `0` and a national number | those where nobody dials a 0: CA CZ DK ES HK LU NO PL PT US | keeps the 0, or drops it as a misdial | without the 0, which the carrier writes everywhere but in Italy |
/// | the country's code and a number, no prefix | DE NL SE, where an area begins with the same digits | a national number of that area | international: national numbers come with their 0 |
/// | short numbers, of five or six digits | NL NO | a number | none: too short for rules 5 and 6, or `00` when a 0 stands before another |
///
/// ```
/// use cdrlake_core::{Country, Role, normalize};
///
/// let e164 = |number, role, product_type, country: &str| {
///     normalize(number, role, product_type, country.parse::<Country>().ok())
///         .map(|number| number.as_str().to_owned())
/// };
/// assert_eq!(e164(b"0129356xxxx", Role::Party, *b"00", "GB").unwrap(), "+44129356xxxx");
/// assert_eq!(e164(b"390321393652", Role::Party, *b"79", "SK").unwrap(), "+390321393652");
/// assert_eq!(e164(b"3483954697", Role::Service, *b"10", "IT").unwrap(), "+393483954697");
/// assert_eq!(e164(b"00", Role::Service, *b"00", "GB"), None);
/// ```
#[inline]
#[must_use]
pub fn normalize(
    number: &[u8],
    role: Role,
    product_type: [u8; 2],
    country: Option<Country>,
) -> Option<E164> {
    let (digits, is_international) = match number {
        [b'+', rest @ ..] => (rest, true),
        _ => (number, false),
    };
    let visible = &digits[..digits.len() - masked_digits(digits)];
    if visible.is_empty() || !visible.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let form = match is_international {
        true => Form::international(digits.len(), 0)?,
        false => Form::of(digits, role, product_type, country)?,
    };
    let code = country.filter(|_| form.prefix == Prefix::CallingCode).map(Country::calling_code);
    Some(E164::new(code.unwrap_or_default(), &digits[form.skipped..]))
}

/// How digits become E.164: what goes before them, and how many of the first give way to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) prefix: Prefix,
    pub(crate) skipped: usize,
}

/// What goes before a number's digits, besides the `+`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Prefix {
    Nothing,
    /// The country's.
    CallingCode,
}

impl Form {
    /// Of digits that begin with a calling code behind `skipped` others; none unless rule 6 holds.
    #[inline]
    pub(crate) fn international(digits: usize, skipped: usize) -> Option<Self> {
        let prefix = Prefix::Nothing;
        E164_DIGITS.contains(&(digits - skipped)).then_some(Self { prefix, skipped })
    }

    /// Of digits that need the country's calling code; none unless rule 6 holds.
    #[inline]
    fn national(digits: usize, skipped: usize, country: Country) -> Option<Self> {
        let prefix = Prefix::CallingCode;
        let total = country.calling_code().len() + digits - skipped;
        E164_DIGITS.contains(&total).then_some(Self { prefix, skipped })
    }

    /// Of digits, the last of which may be masked, by the rules 2 to 6.
    #[inline]
    pub(crate) fn of(
        digits: &[u8],
        role: Role,
        product_type: [u8; 2],
        country: Option<Country>,
    ) -> Option<Self> {
        let len = digits.len();
        if let [b'0', b'0', ..] = digits {
            return Self::international(len, 2);
        }
        let country = country?;
        match digits {
            [b'0', ..] => Self::national(len, usize::from(!country.keeps_leading_zero()), country),
            _ if role == Role::Party
                && &product_type == SIP_TRUNKING
                && country.sip_numbers_have_country_code() =>
            {
                Self::international(len, 0)
            }
            _ => Self::without_prefix(digits, country),
        }
    }

    /// Rule 5: neither international prefix nor leading 0.
    fn without_prefix(digits: &[u8], country: Country) -> Option<Self> {
        let (len, code) = (digits.len(), country.calling_code());
        let has_code = digits.starts_with(code.as_bytes());
        if country.keeps_leading_zero() {
            const MIN_DIGITS_WITH_CODE: usize = 11;
            return if has_code && len >= MIN_DIGITS_WITH_CODE {
                Self::international(len, 0)
            } else {
                Self::national(len, 0, country)
            };
        }
        let is_international = has_code && len >= code.len() + MIN_DIGITS_BEHIND_COUNTRY_CODE;
        is_international.then(|| Self::international(len, 0))?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn e164(number: &str, role: Role, product_type: &str, country: &str) -> Option<String> {
        let product_type = product_type.as_bytes().try_into().unwrap();
        normalize(number.as_bytes(), role, product_type, country.parse().ok())
            .map(|number| number.as_str().to_owned())
    }

    #[test]
    fn rules() {
        use Role::{Party, Service};
        let cases = [
            // 1: empty, mask, digits.
            ("", Party, "00", "GB", None),
            ("xxxx", Party, "00", "GB", None),
            ("+", Party, "00", "GB", None),
            ("+xxxxxxxx", Party, "00", "GB", None),
            ("0129x56xxxx", Party, "00", "GB", None),
            ("0129 356789", Party, "00", "GB", None),
            ("++441632960000", Party, "00", "GB", None),
            ("0129356XxXx", Party, "00", "GB", Some("+44129356xxxx")),
            ("+441632960000", Party, "00", "", Some("+441632960000")),
            ("+441632960xxx", Service, "00", "", Some("+441632960xxx")),
            // 2: international prefix.
            ("004074582xxxx", Party, "00", "GB", Some("+4074582xxxx")),
            ("004074582xxxx", Party, "00", "", Some("+4074582xxxx")),
            ("00", Service, "00", "GB", None),
            ("00441632960000", Party, "79", "CZ", Some("+441632960000")),
            // 3: SIP Trunking with country code.
            ("420296180311", Party, "79", "CZ", Some("+420296180311")),
            ("442033535475", Party, "79", "CZ", Some("+442033535475")),
            ("442033535475", Party, "79", "GB", Some("+442033535475")),
            ("2033535475", Party, "79", "GB", None),
            ("442033535475", Party, "80", "CZ", None),
            ("442033535475", Service, "79", "CZ", None),
            ("296180311", Party, "79", "CZ", Some("+296180311")),
            // 4: national.
            ("038422001234", Party, "79", "DE", Some("+4938422001234")),
            ("0307870098", Party, "08", "IT", Some("+390307870098")),
            ("0307870098", Party, "08", "", None),
            ("0212345678", Party, "79", "CZ", Some("+420212345678")),
            ("0xxxxxxxx", Party, "00", "GB", Some("+44xxxxxxxx")),
            // 5: neither prefix.
            ("3483954697", Service, "10", "IT", Some("+393483954697")),
            ("39800909395", Service, "10", "IT", Some("+39800909395")),
            ("3980090939", Service, "10", "IT", Some("+393980090939")),
            ("800909395", Service, "10", "IT", Some("+39800909395")),
            ("441234567", Service, "00", "GB", Some("+441234567")),
            ("44123456", Service, "00", "GB", None),
            ("4412345xx", Service, "00", "GB", Some("+4412345xx")),
            ("800909395", Service, "00", "GB", None),
            ("12025550123", Service, "00", "US", Some("+12025550123")),
            ("800909395", Service, "00", "", None),
            // 6: length.
            ("00123456", Party, "00", "GB", None),
            ("001234567", Party, "00", "GB", Some("+1234567")),
            ("00123456789012345", Party, "00", "GB", Some("+123456789012345")),
            ("001234567890123456", Party, "00", "GB", None),
            ("01234", Party, "00", "GB", None),
            ("012345", Party, "00", "GB", Some("+4412345")),
        ];
        for (number, role, product_type, country, expected) in cases {
            assert_eq!(
                e164(number, role, product_type, country).as_deref(),
                expected,
                "{number:?} {role:?} {product_type} {country}"
            );
        }
    }

    #[test]
    fn trimming() {
        for (bytes, trimmed) in
            [("", ""), ("   ", ""), (" a b ", "a b"), ("ab", "ab"), ("  a", "a"), ("a  ", "a")]
        {
            assert_eq!(trim(bytes.as_bytes()), trimmed.as_bytes());
        }
    }

    #[test]
    fn debug_shows_no_digit() {
        let number = normalize(b"00441632960000", Role::Party, *b"00", None).unwrap();
        assert_eq!(format!("{number:?}"), "E164(+dddddddddddd)");
    }
}
