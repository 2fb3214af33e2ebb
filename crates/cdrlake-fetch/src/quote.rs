//! The server's text, made fit to be shown.
//!
//! A server may put anything into a message: what it was sent, a subscriber's number, control
//! characters. What is shown has none of these.

const LONGEST: usize = 300;

/// `text` on one line, at most 300 characters, with `secrets`, long runs of digits, and runs that
/// look like a token masked.
pub(crate) fn quote(text: &str, secrets: &[&str]) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret, "[secret]");
    }
    let mut quoted = String::new();
    let mut word = String::new();
    for character in text.chars() {
        if is_of_word(character) {
            word.push(character);
        } else {
            push_word(&mut quoted, &word);
            word.clear();
            quoted.push(if character.is_control() || is_invisible(character) {
                ' '
            } else {
                character
            });
        }
    }
    push_word(&mut quoted, &word);
    let quoted = mask_numbers(quoted.trim());
    match quoted.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &quoted[..end]),
        None => quoted,
    }
}

/// A letter, a digit, or what tokens and Base64 have besides.
fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || "-_.+/=~".contains(character)
}

/// What turns or hides text.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

fn push_word(quoted: &mut String, word: &str) {
    /// Longer than the longest name of a resource.
    const LONGEST_NAME: usize = 60;
    /// No shorter ones are tokens.
    const LONGEST_MIXED: usize = 24;
    let has_digits = word.contains(|c: char| c.is_ascii_digit());
    let has_letters = word.contains(char::is_alphabetic);
    let is_token = word.len() > LONGEST_MIXED && has_digits && has_letters;
    quoted.push_str(if is_token || word.len() > LONGEST_NAME { "…" } else { word });
}

/// Digits masked where many stand together, if spaced or punctuated as telephone numbers are.
fn mask_numbers(text: &str) -> String {
    /// Fewer digits are no subscriber's number.
    const LONGEST_NUMBER: usize = 6;
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !is_of_number(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        if number.chars().filter(char::is_ascii_digit).count() > LONGEST_NUMBER {
            masked.extend(number.chars().map(|c| if c.is_ascii_digit() { 'd' } else { c }));
        } else {
            masked.push_str(number);
        }
        let end = after.find(is_of_number).unwrap_or(after.len());
        let (other, after) = after.split_at(end);
        masked.push_str(other);
        rest = after;
    }
    masked
}

fn is_of_number(character: char) -> bool {
    character.is_ascii_digit() || " +-./()".contains(character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_stays() {
        let plain = "The request is missing authorization parameter (400-001), \
                     see generateConsolidatedUnratedCallDetailRecord.";
        assert_eq!(quote(plain, &["secret"]), plain);
    }

    #[test]
    fn what_is_not_to_be_shown() {
        for (text, shown) in [
            ("key abc-def is wrong", "key [secret] is wrong"),
            ("no such number +447700900123", "no such number +dddddddddddd"),
            ("call (0770) 090-0123.", "call (dddd) ddd-dddd."),
            ("447700900123x", "ddddddddddddx"),
            ("invalid eyJraWQiOiIxMTM4NzQwNTI2NDMyMDE0NjcyODI1", "invalid …"),
            ("é1 é123456 é", "é1 é123456 é"),
            ("a\r\nb\u{1b}[31mc\u{202e}d", "a  b [31mc d"),
            ("", ""),
        ] {
            assert_eq!(quote(text, &["abc-def", ""]), shown, "{text:?}");
        }
        assert_eq!(quote(&"é ".repeat(1000), &[]).chars().count(), LONGEST + 1);
    }
}
