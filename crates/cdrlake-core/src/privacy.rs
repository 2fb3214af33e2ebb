//! What becomes of the numbers of parties: they stay, are masked, or give way to tokens.
//!
//! A record repeats its parties' numbers: the account code repeats the origin or another party's,
//! D-Num the destination, C-Num the number behind it, each in its own form. So all of these fields
//! and all their E.164 forms are treated alike, or none is.
//!
//! | | as delivered | E.164 |
//! |---|---|---|
//! | masked | the first digits, then `x` | the same, counted behind the `+` |
//! | pseudonymized | the token of the number in E.164; of the text itself where there is none | the same token; null where there is no E.164 |
//!
//! Null stays null. C-Num of product types 79 and 80 is a trunk id by the carrier's word, but nothing
//! says what trunk ids are made of: one stays only if it has fewer than six digits. In other text
//! (switch, trunks, pulses, charge band, trailer) six digits or more in a row become `x`, for after a
//! shift part of a number may stand there; six that begin with `0000` are a counter, and stay.
//! `origin_masked_digits` tells what the carrier masked.
//!
//! A token is `p1_` and 32 letters from `a` to `p`, which are the first 128 bits of a keyed BLAKE3
//! with a letter for each four bits. It holds no digit but the version's, so that a search for numbers
//! finds none. What is hashed begins with what it is: `e164:` and the number with its `+`, `raw:` and the
//! text as delivered, `record:` and the record's bytes, or `key:` alone.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretBox};
use thiserror::Error;

use crate::layout::RECORD_LEN;
use crate::number::E164;
use crate::record_id::{RECORD_ID_LEN, record_id};

/// The last digits of a number that a mask hides whatever it keeps: the carrier masks as many.
const HIDDEN_DIGITS: usize = 4;

/// Digits that make a number of what holds them: fewer name a switch, a trunk or a service.
const NUMBER_DIGITS: usize = 6;

/// What becomes of parties' numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Numbers {
    /// They stay as they are.
    #[default]
    Clear,
    /// The first digits stay, the others become `x`.
    Masked {
        /// So many stay at the most; the last four never do.
        keep: u8,
    },
    /// Each gives way to a token: equal numbers have equal tokens, in every column.
    Pseudonymized,
}

impl Numbers {
    /// The most digits that a mask may keep: those of the longest number in E.164.
    pub const MAX_KEEP: u8 = 15;

    /// Whether numbers stay as they are.
    #[must_use]
    pub const fn are_clear(self) -> bool {
        matches!(self, Self::Clear)
    }
}

impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clear => f.write_str("clear"),
            Self::Masked { keep } => write!(f, "mask:{keep}"),
            Self::Pseudonymized => f.write_str("pseudonymize"),
        }
    }
}

/// Neither `clear`, `mask:N` nor `pseudonymize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected clear, mask:N or pseudonymize")]
pub struct UnknownNumbers;

impl FromStr for Numbers {
    type Err = UnknownNumbers;

    fn from_str(text: &str) -> Result<Self, UnknownNumbers> {
        match text.split_once(':') {
            None if text == "clear" => Ok(Self::Clear),
            None if text == "pseudonymize" => Ok(Self::Pseudonymized),
            Some(("mask", keep)) => match keep.parse() {
                Ok(keep @ 0..=Self::MAX_KEEP) => Ok(Self::Masked { keep }),
                _ => Err(UnknownNumbers),
            },
            _ => Err(UnknownNumbers),
        }
    }
}

/// What becomes of parties' numbers, and the key that it takes.
///
/// ```
/// use cdrlake_core::{Numbers, Privacy, PrivacyKey};
///
/// let key = PrivacyKey::new([7; PrivacyKey::LEN]);
/// assert!(Privacy::new(Numbers::Pseudonymized, Some(key)).is_ok());
/// assert!(Privacy::new(Numbers::Pseudonymized, None).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Privacy {
    numbers: Numbers,
    key: Option<PrivacyKey>,
}

impl Privacy {
    /// Numbers as they are.
    pub const CLEAR: Self = Self { numbers: Numbers::Clear, key: None };

    /// Numbers treated so. Tokens need a key; with a mask it keys `record_id`.
    ///
    /// # Errors
    ///
    /// [`PrivacyError`], if there is no key for tokens, or one for nothing.
    pub fn new(numbers: Numbers, key: Option<PrivacyKey>) -> Result<Self, PrivacyError> {
        match (numbers, &key) {
            (Numbers::Pseudonymized, None) => Err(PrivacyError::MissingKey),
            (Numbers::Clear, Some(_)) => Err(PrivacyError::UnusedKey),
            _ => Ok(Self { numbers, key }),
        }
    }

    /// What becomes of numbers.
    #[must_use]
    pub const fn numbers(&self) -> Numbers {
        self.numbers
    }

    /// The key, if there is one.
    #[must_use]
    pub const fn key(&self) -> Option<&PrivacyKey> {
        self.key.as_ref()
    }

    /// What identifies a record by its bytes; keyed, unless numbers are clear.
    ///
    /// None of a masked record without a key: from a hash that everybody can compute, the digits that
    /// the mask hides are found by trying them.
    #[must_use]
    pub fn record_id(&self, record: &[u8; RECORD_LEN]) -> Option<[u8; RECORD_ID_LEN]> {
        match (&self.key, self.numbers) {
            (Some(key), _) => Some(key.record_id(record)),
            (None, Numbers::Clear) => Some(record_id(record)),
            (None, _) => None,
        }
    }

    /// Whether records have a [`record_id`](Self::record_id).
    #[must_use]
    pub const fn has_record_ids(&self) -> bool {
        self.numbers.are_clear() || self.key.is_some()
    }
}

/// Why numbers cannot be treated so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PrivacyError {
    /// Tokens without a key.
    #[error("numbers are pseudonymized with a key, and there is none")]
    MissingKey,
    /// A key, and nothing to use it for.
    #[error("there is a key, but numbers stay clear")]
    UnusedKey,
}

/// A secret of 32 bytes, by which tokens and `record_id`s are made. Its memory is cleared when the last
/// copy goes, and `Debug` does not show it.
#[derive(Clone, Debug)]
pub struct PrivacyKey(Arc<SecretBox<[u8; Self::LEN]>>);

impl PrivacyKey {
    /// Bytes of a key.
    pub const LEN: usize = 32;

    /// A key of these bytes, which must be random.
    #[must_use]
    pub fn new(bytes: [u8; Self::LEN]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self(Arc::new(SecretBox::init_with_mut(|key: &mut [u8; Self::LEN]| {
            key.copy_from_slice(&*bytes);
        })))
    }

    /// The key that a file holds: 32 bytes, or 64 hexadecimal digits, which blank space may follow.
    ///
    /// # Errors
    ///
    /// [`NotAKey`] if it holds anything else.
    ///
    /// ```
    /// use cdrlake_core::PrivacyKey;
    ///
    /// let hexadecimal = "07".repeat(32) + "\n";
    /// let key = PrivacyKey::parse(hexadecimal.as_bytes())?;
    /// assert_eq!(key.id(), PrivacyKey::new([7; 32]).id());
    /// # Ok::<(), cdrlake_core::NotAKey>(())
    /// ```
    pub fn parse(content: &[u8]) -> Result<Self, NotAKey> {
        let mut key = Zeroizing::new([0; Self::LEN]);
        if content.len() == Self::LEN {
            key.copy_from_slice(content);
            return Ok(Self::new(*key));
        }
        let (pairs, []) = content.trim_ascii_end().as_chunks::<2>() else { return Err(NotAKey) };
        if pairs.len() != Self::LEN {
            return Err(NotAKey);
        }
        for (byte, [high, low]) in key.iter_mut().zip(pairs) {
            *byte = nibble(*high)? << 4 | nibble(*low)?;
        }
        Ok(Self::new(*key))
    }

    /// What names the key: 16 letters, which tell nothing of it.
    #[must_use]
    pub fn id(&self) -> String {
        letters(&self.hash(b"key:", b"")).take(16).map(char::from).collect()
    }

    /// The token of a number in E.164.
    #[must_use]
    pub fn token(&self, number: &E164) -> Token {
        self.token_of_e164(number.as_str())
    }

    /// The token of a field's text, trimmed, that is no number in E.164.
    #[must_use]
    pub fn token_of_text(&self, text: &str) -> Token {
        Token::new(&self.hash(b"raw:", text.as_bytes()))
    }

    pub(crate) fn token_of_e164(&self, number: &str) -> Token {
        Token::new(&self.hash(b"e164:", number.as_bytes()))
    }

    fn record_id(&self, record: &[u8; RECORD_LEN]) -> [u8; RECORD_ID_LEN] {
        self.hash(b"record:", record)
    }

    fn hash(&self, domain: &[u8], value: &[u8]) -> [u8; 16] {
        /// A domain and a record, or any field.
        const MOST: usize = 8 + RECORD_LEN;
        let key = self.bytes();
        let len = domain.len() + value.len();
        let hash = if len <= MOST {
            let mut input = [0; MOST];
            input[..domain.len()].copy_from_slice(domain);
            input[domain.len()..len].copy_from_slice(value);
            blake3::keyed_hash(key, &input[..len])
        } else {
            blake3::Hasher::new_keyed(key).update(domain).update(value).finalize()
        };
        hash.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    pub(crate) fn bytes(&self) -> &[u8; Self::LEN] {
        self.0.expose_secret()
    }
}

fn nibble(digit: u8) -> Result<u8, NotAKey> {
    let value = char::from(digit).to_digit(16).ok_or(NotAKey)?;
    Ok(value as u8)
}

/// A key is 32 bytes, or 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected 32 random bytes, or 64 hexadecimal digits; `openssl rand -hex 32` makes some")]
pub struct NotAKey;

/// What stands in place of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token([u8; Self::LEN]);

impl Token {
    /// Bytes of its text.
    pub const LEN: usize = Self::PREFIX.len() + 32;

    /// A version, lest tokens made otherwise be compared with these.
    const PREFIX: &[u8] = b"p1_";

    fn new(hash: &[u8; 16]) -> Self {
        let mut text = [0; Self::LEN];
        let (prefix, rest) = text.split_at_mut(Self::PREFIX.len());
        prefix.copy_from_slice(Self::PREFIX);
        rest.iter_mut().zip(letters(hash)).for_each(|(to, letter)| *to = letter);
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Letters, a digit and an underscore.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl AsRef<[u8]> for Token {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A letter from `a` to `p` for each four bits, the upper ones first.
fn letters(hash: &[u8; 16]) -> impl Iterator<Item = u8> {
    hash.iter().flat_map(|byte| [b'a' + (byte >> 4), b'a' + (byte & 15)])
}

/// How many bytes of a number a mask leaves: a leading `+` and so many digits, but not the last four.
pub(crate) fn kept_len(number: &str, keep: u8) -> usize {
    let plus = usize::from(number.starts_with('+'));
    plus + usize::from(keep).min((number.len() - plus).saturating_sub(HIDDEN_DIGITS))
}

/// Whether an id is too short of digits to hold a number.
pub(crate) fn is_no_number(id: &str) -> bool {
    id.bytes().filter(u8::is_ascii_digit).count() < NUMBER_DIGITS
}

/// `text` with `x` for the digits of each run that may be of a number; none if there is none.
pub(crate) fn blotted(text: &str) -> Option<String> {
    let is_number = |run: &str| {
        let is_counter = run.len() == NUMBER_DIGITS && run.starts_with("0000");
        run.len() >= NUMBER_DIGITS && !is_counter
    };
    let mut blotted = String::with_capacity(text.len());
    let mut is_blotted = false;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (run, behind) = rest.split_at(digits);
        if is_number(run) {
            is_blotted = true;
            run.bytes().for_each(|_| blotted.push('x'));
        } else {
            blotted.push_str(run);
        }
        let others = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        let (others, behind) = behind.split_at(others);
        blotted.push_str(others);
        rest = behind;
    }
    is_blotted.then_some(blotted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{Role, normalize};

    fn key() -> PrivacyKey {
        PrivacyKey::new(std::array::from_fn(|at| at as u8))
    }

    /// As `blake3` of Python says (`testdata/check_privacy.py`).
    #[test]
    fn tokens_and_ids_are_those_of_keyed_blake3() {
        let number = normalize(b"01632960000", Role::Party, *b"00", "GB".parse().ok()).unwrap();
        let expected = |input: &[u8]| {
            let hash = blake3::Hasher::new_keyed(key().bytes()).update(input).finalize();
            let letter = |nibble: u8| char::from(b"abcdefghijklmnop"[usize::from(nibble)]);
            let bytes = hash.as_bytes()[..16].iter();
            bytes.flat_map(|byte| [letter(byte / 16), letter(byte % 16)]).collect::<String>()
        };
        let token = key().token(&number);
        assert_eq!(token.as_str(), format!("p1_{}", expected(b"e164:+441632960000")));
        assert_eq!(token.as_str().len(), Token::LEN);
        let long = "7".repeat(1000);
        for text in ["", "anonymous", &long] {
            let raw = expected(format!("raw:{text}").as_bytes());
            assert_eq!(key().token_of_text(text).to_string(), format!("p1_{raw}"));
        }
        assert_eq!(key().id(), expected(b"key:")[..16]);
        let record = [b'7'; RECORD_LEN];
        let hash = blake3::keyed_hash(key().bytes(), &[&b"record:"[..], &record].concat());
        assert_eq!(key().record_id(&record), hash.as_bytes()[..16]);
    }

    #[test]
    fn keys_are_bytes_or_hexadecimal_digits() {
        let hexadecimal: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        for content in
            [hexadecimal.clone(), hexadecimal.to_uppercase() + "\r\n", hexadecimal.clone() + " "]
        {
            assert_eq!(PrivacyKey::parse(content.as_bytes()).unwrap().id(), key().id());
        }
        assert_eq!(PrivacyKey::parse(key().bytes()).unwrap().id(), key().id());
        let digits = hexadecimal.as_bytes();
        for content in
            [&b""[..], &[7; 31], &[7; 33], &digits[..63], &digits[1..], b"\n", &[b'g'; 64]]
        {
            assert_eq!(PrivacyKey::parse(content).err(), Some(NotAKey), "{} bytes", content.len());
        }
        assert!(PrivacyKey::parse(&[digits, b"\n00"].concat()).is_err());
    }

    #[test]
    fn debug_shows_no_key() {
        let privacy = Privacy::new(Numbers::Pseudonymized, Some(PrivacyKey::new([77; 32])));
        assert!(!format!("{privacy:?}").contains("77"));
    }

    #[test]
    fn settings_as_text() {
        for numbers in [Numbers::Clear, Numbers::Masked { keep: 6 }, Numbers::Pseudonymized] {
            assert_eq!(numbers.to_string().parse(), Ok(numbers));
        }
        for wrong in ["", "mask", "mask:", "mask:16", "mask:-1", "tokens", "clear:1"] {
            assert_eq!(wrong.parse::<Numbers>(), Err(UnknownNumbers), "{wrong:?}");
        }
    }

    #[test]
    fn only_what_a_key_makes_identifies_masked_records() {
        let record = [b'7'; RECORD_LEN];
        let id = |numbers: Numbers, key| {
            let privacy = Privacy::new(numbers, key).unwrap();
            let id = privacy.record_id(&record);
            assert_eq!(privacy.has_record_ids(), id.is_some(), "{numbers}");
            assert_eq!(numbers.are_clear(), numbers == Numbers::Clear);
            id
        };
        let masked = Numbers::Masked { keep: 6 };
        assert_eq!(id(Numbers::Clear, None), Some(record_id(&record)));
        assert_eq!(id(masked, None), None);
        let keyed = id(masked, Some(key()));
        assert_eq!(keyed, id(Numbers::Pseudonymized, Some(key())));
        assert!(keyed.is_some() && keyed != Some(record_id(&record)));
        assert_ne!(keyed, id(masked, Some(PrivacyKey::new([9; 32]))));
    }

    #[test]
    fn masks_hide_four_digits_at_least() {
        for (number, keep, kept) in [
            ("01632960000", 6, 6),
            ("01632960000", 9, 7),
            ("01632960000", 15, 7),
            ("+441632960000", 6, 7),
            ("+441632960000", 15, 9),
            ("0129356xxxx", 9, 7),
            ("112", 6, 0),
            ("+112", 6, 1),
            ("00", 15, 0),
            ("01632960000", 0, 0),
        ] {
            assert_eq!(kept_len(number, keep), kept, "{number} {keep}");
        }
    }

    #[test]
    fn long_runs_of_digits_are_blotted_out() {
        for (text, expected) in [
            ("CXVIE013", None),
            ("01001", None),
            ("000001", None),
            ("000000", None),
            ("0000001", Some("xxxxxxx")),
            ("016329", Some("xxxxxx")),
            ("000129", Some("xxxxxx")),
            ("A01632960000B12", Some("AxxxxxxxxxxxB12")),
            ("01632 960000", Some("01632 xxxxxx")),
            ("0129356xxxx", Some("xxxxxxxxxxx")),
            ("", None),
        ] {
            assert_eq!(blotted(text).as_deref(), expected, "{text}");
        }
        assert!(is_no_number("SIPGB00012") && !is_no_number("SIPGB000123"));
        assert!(is_no_number("") && !is_no_number("1-2-3-4-5-6"));
    }
}
