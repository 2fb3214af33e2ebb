//! Words of a command line, as a message shows it.

/// As a shell takes it for one word.
pub(crate) fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_a_shell() {
        for (word, expected) in
            [("a_b:c..d", "a_b:c..d"), ("", "''"), ("a b", "'a b'"), ("it's;", r"'it'\''s;'")]
        {
            assert_eq!(quoted(word), expected);
        }
    }
}
