//! The parameters of the API, each checked before anything is sent.

use std::fmt;
use std::str::FromStr;

use cdrlake_run::ErrorKind;

/// Why a text is no such parameter: what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct ParameterError(&'static str);

impl ParameterError {
    pub(crate) fn new(expected: &'static str) -> Self {
        Self(expected)
    }

    /// Returns the kind of failure: [`ErrorKind::Usage`], for another text would do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

/// A parameter that is text of a certain form.
macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $expected:literal, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name(String);

        impl $name {
            /// As it is sent.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = ParameterError;

            fn from_str(text: &str) -> Result<Self, ParameterError> {
                let is_valid: fn(&str) -> bool = $is_valid;
                is_valid(text).then(|| Self(text.to_owned())).ok_or(ParameterError($expected))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text!(
    /// `serviceProfile`: 1 to 5 letters or digits.
    Profile,
    "1 to 5 letters or digits",
    |text| has_length(text, 5) && is_alphanumeric(text)
);

text!(
    /// `OCN` or `BCN`: letters and digits.
    AccountNumber,
    "letters and digits",
    |text| has_length(text, LONGEST) && is_alphanumeric(text)
);

text!(
    /// `invoiceNumber`: any text; printable ASCII here.
    InvoiceNumber,
    "an invoice number of printable ASCII characters",
    |text| has_length(text, LONGEST) && text.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
);

text!(
    /// `orderID`: 1 to 36 letters, digits or hyphens.
    OrderId,
    "an order id of 1 to 36 letters, digits or hyphens",
    |text| has_length(text, 36)
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
);

text!(
    /// `year`: four digits.
    Year,
    "a year of four digits",
    |text| text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit())
);

/// Where the documents give no limit.
const LONGEST: usize = 64;

fn has_length(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len())
}

fn is_alphanumeric(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A parameter that is one of a list, sent as the list spells it and accepted in any case.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident, $expected:literal, [$($text:literal),*]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name(&'static str);

        impl $name {
            /// Every one, as the API spells it.
            pub const ALL: &[&str] = &[$($text),*];

            /// As it is sent.
            #[must_use]
            pub fn as_str(&self) -> &'static str {
                self.0
            }
        }

        impl FromStr for $name {
            type Err = ParameterError;

            fn from_str(text: &str) -> Result<Self, ParameterError> {
                let text = text.trim();
                let found = Self::ALL.iter().find(|name| name.eq_ignore_ascii_case(text));
                found.map(|name| Self(name)).ok_or(ParameterError($expected))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.0)
            }
        }
    };
}

choice!(
    /// `productOffering`: the products for which there are unrated CDRs.
    ///
    /// ```
    /// use cdrlake_fetch::Offering;
    ///
    /// assert_eq!("in for resellers".parse::<Offering>()?.as_str(), "IN For Resellers");
    /// # Ok::<(), cdrlake_fetch::ParameterError>(())
    /// ```
    Offering,
    "one of \"Voice Line\", \"SIP Trunking\", \"IP Voice Line\", \"IN For Resellers\", \
     \"Wholesale SIP\", \"CIC for Resellers\", \"CIC Opc Reseller\"",
    [
        "Voice Line",
        "SIP Trunking",
        "IP Voice Line",
        "IN For Resellers",
        "Wholesale SIP",
        "CIC for Resellers",
        "CIC Opc Reseller"
    ]
);

choice!(
    /// `month`: its first three letters in English.
    Month,
    "one of Jan, Feb, Mar, Apr, May, Jun, Jul, Aug, Sep, Oct, Nov, Dec",
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles() {
        for text in ["A", "ABC", "am2", "12345"] {
            assert_eq!(text.parse::<Profile>().unwrap().as_str(), text);
        }
        for text in ["", "ABCDEF", "A B", "A_B", "É", "A\n", "../x", "A&b=c"] {
            assert!(text.parse::<Profile>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn choices_are_sent_as_the_api_spells_them() {
        for name in Offering::ALL {
            for text in [name.to_uppercase(), name.to_lowercase(), (*name).to_owned()] {
                assert_eq!(text.parse::<Offering>().unwrap().as_str(), *name);
            }
        }
        for name in Month::ALL {
            assert_eq!(name.to_lowercase().parse::<Month>().unwrap().as_str(), *name);
        }
        for text in ["", "SIP", "SIP  Trunking", "Voice Line (v)"] {
            assert!(text.parse::<Offering>().is_err(), "{text:?}");
        }
        assert!("November".parse::<Month>().is_err());
    }

    #[test]
    fn the_rest() {
        assert!("2023092012".parse::<OrderId>().is_ok());
        assert!("a-1".parse::<OrderId>().is_ok());
        assert!("a".repeat(37).parse::<OrderId>().is_err());
        assert!("a/../b".parse::<OrderId>().is_err());
        assert!("OCN12345".parse::<AccountNumber>().is_ok());
        assert!("".parse::<AccountNumber>().is_err());
        assert!("1?x".parse::<AccountNumber>().is_err());
        assert!("INV 2026/11".parse::<InvoiceNumber>().is_ok());
        assert!("INV\r\nX: y".parse::<InvoiceNumber>().is_err());
        assert!("2026".parse::<Year>().is_ok());
        assert!("26".parse::<Year>().is_err());
    }
}
