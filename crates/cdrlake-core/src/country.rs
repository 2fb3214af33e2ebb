//! Countries the carrier delivers, and their calling codes.

use std::fmt;
use std::str::FromStr;

/// A country of the carrier's Appendix B, or one of Global IN's besides: its two-letter code and
/// its calling code.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country(u8);

/// ISO 3166 alpha-2 code, calling code without `+`.
#[rustfmt::skip]
const COUNTRIES: [(&str, &str); 24] = [
    ("AT", "43"),  ("BE", "32"), ("CA", "1"),   ("CH", "41"),  ("CZ", "420"), ("DE", "49"),
    ("DK", "45"),  ("ES", "34"), ("FI", "358"), ("FR", "33"),  ("GB", "44"),  ("HK", "852"),
    ("IE", "353"), ("IT", "39"), ("JP", "81"),  ("LU", "352"), ("NL", "31"),  ("NO", "47"),
    ("PL", "48"),  ("PT", "351"), ("RO", "40"), ("SE", "46"),  ("SK", "421"), ("US", "1"),
];

/// Other codes that occur for a country.
const ALIASES: [(&str, &str); 2] = [("UK", "GB"), ("LUX", "LU")];

/// Where SIP Trunking numbers come with the country code in front (section 4.5, ref. 1 and 2).
const SIP_WITH_COUNTRY_CODE: [&str; 8] = ["CZ", "PL", "RO", "SK", "LU", "FI", "NO", "JP"];

impl Country {
    /// All countries, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..COUNTRIES.len() as u8).map(Self)
    }

    /// ISO 3166 alpha-2 code.
    ///
    /// ```
    /// let country: cdrlake_core::Country = "uk".parse()?;
    /// assert_eq!((country.code(), country.calling_code()), ("GB", "44"));
    /// # Ok::<(), cdrlake_core::UnknownCountry>(())
    /// ```
    #[must_use]
    pub const fn code(self) -> &'static str {
        COUNTRIES[self.0 as usize].0
    }

    /// Calling code, without `+`.
    #[must_use]
    pub const fn calling_code(self) -> &'static str {
        COUNTRIES[self.0 as usize].1
    }

    pub(crate) fn sip_numbers_have_country_code(self) -> bool {
        SIP_WITH_COUNTRY_CODE.contains(&self.code())
    }

    /// Where the leading 0 is part of the number, abroad too.
    #[inline]
    pub(crate) fn keeps_leading_zero(self) -> bool {
        self.code() == "IT"
    }
}

impl FromStr for Country {
    type Err = UnknownCountry;

    /// An alpha-2 code or one of its aliases `UK` and `LUX`, in any case.
    fn from_str(text: &str) -> Result<Self, UnknownCountry> {
        let text = text.trim();
        let code = ALIASES
            .iter()
            .find(|(alias, _)| alias.eq_ignore_ascii_case(text))
            .map_or(text, |(_, code)| code);
        Self::all()
            .find(|country| country.code().eq_ignore_ascii_case(code))
            .ok_or_else(|| UnknownCountry(text.to_owned()))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A country that the carrier does not deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownCountry(String);

impl std::error::Error for UnknownCountry {}

impl fmt::Display for UnknownCountry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown country {:?}; give one of", self.0)?;
        Country::all().try_for_each(|country| write!(f, " {country}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_aliases_parse_in_any_case() {
        for country in Country::all() {
            assert_eq!(country.code().to_lowercase().parse(), Ok(country));
        }
        assert_eq!("LUX".parse::<Country>().unwrap().code(), "LU");
        assert_eq!("UK".parse::<Country>().unwrap().code(), "GB");
        assert!("XX".parse::<Country>().is_err());
        assert!("".parse::<Country>().is_err());
        let unknown = "Utopia".parse::<Country>().unwrap_err().to_string();
        assert!(
            unknown.starts_with("unknown country \"Utopia\"; give one of AT BE CA "),
            "{unknown}"
        );
        assert!(unknown.ends_with(" SE SK US"), "{unknown}");
        let britain: Country = "UK".parse().unwrap();
        assert_eq!(format!("{britain} {britain:?}"), "GB GB");
        assert!(SIP_WITH_COUNTRY_CODE.iter().all(|code| code.parse::<Country>().is_ok()));
    }
}
