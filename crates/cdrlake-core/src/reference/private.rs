//! What stands in place of numbers that are not clear.

use crate::privacy::{Numbers, Privacy};

/// What stands in place of a number, which may have an E.164 form.
pub(super) fn privately(text: &str, e164: Option<&str>, privacy: &Privacy) -> String {
    match privacy.numbers() {
        Numbers::Clear => text.to_owned(),
        Numbers::Masked { keep } => {
            let (plus, digits) = match text.strip_prefix('+') {
                Some(digits) => ("+", digits),
                None => ("", text),
            };
            let kept = digits.len().saturating_sub(4).min(keep.into());
            format!("{plus}{}{}", &digits[..kept], "x".repeat(digits.len() - kept))
        }
        Numbers::Pseudonymized => {
            let input = match e164 {
                Some(number) => format!("e164:{number}"),
                None => format!("raw:{text}"),
            };
            let hash = keyed(input.as_bytes(), privacy);
            let token = hash.chars().map(|digit| {
                let value = digit.to_digit(16).unwrap_or_default();
                char::from_u32(u32::from(b'a') + value).unwrap_or_default()
            });
            format!("p1_{}", token.collect::<String>())
        }
    }
}

pub(super) fn record_id(record: &[u8], privacy: &Privacy) -> Option<String> {
    match (privacy.numbers(), privacy.key()) {
        (_, Some(_)) => Some(keyed(&[&b"record:"[..], record].concat(), privacy)),
        (Numbers::Clear, None) => Some(blake3::hash(record).to_hex()[..32].to_owned()),
        (_, None) => None,
    }
}

/// The first half of a keyed BLAKE3, in hexadecimal digits.
fn keyed(input: &[u8], privacy: &Privacy) -> String {
    let key = privacy.key().map(|key| *key.bytes()).unwrap_or_default();
    blake3::keyed_hash(&key, input).to_hex()[..32].to_owned()
}

/// `text` with `x` for each digit of a run of six or more, but for six that begin with 0000.
pub(super) fn without_numbers(text: &str) -> String {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let of_run = |at: usize| {
        let start = (0..=at).rev().take_while(|&at| is_digit(at)).last().unwrap_or(at);
        let end = (at..).take_while(|&at| is_digit(at)).last().unwrap_or(at);
        &text[start..=end]
    };
    let blot = |at: usize, c: char| match is_digit(at) {
        true if of_run(at).len() < 6 => c,
        true if of_run(at).len() == 6 && of_run(at).starts_with("0000") => c,
        true => 'x',
        false => c,
    };
    text.chars().enumerate().map(|(at, c)| blot(at, c)).collect()
}
