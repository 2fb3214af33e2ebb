//! What stands in checksum files.

use super::ENDINGS;
use super::kind::Expected;

/// Bytes of a checksum file at the most: a list of some thousand files.
pub(crate) const MOST_BYTES: u64 = 1 << 20;

/// Files that list the checksums of others, in lower case and without an ending.
const LISTS: [&str; 6] = ["md5sums", "sha1sums", "sha256sums", "sha512sums", "md5sum", "sha256sum"];

/// A checksum, and of which file it is if it says so.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) expected: Expected,
    /// Without directories.
    pub(super) name: Option<String>,
}

/// Whether a name is that of a checksum file, in any case.
pub(crate) fn is_checksum_file(name: &str) -> bool {
    stem(name).is_some() || is_list(name)
}

/// The name of the file that a checksum file is of, if its own name tells.
pub(super) fn stem(name: &str) -> Option<&str> {
    ENDINGS.iter().find_map(|ending| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        (end.eq_ignore_ascii_case(ending) && !stem.is_empty()).then_some(stem)
    })
}

fn is_list(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    LISTS.contains(&name.strip_suffix(".txt").unwrap_or(&name))
}

/// The names of files that a checksum file may be of.
pub(super) fn named_files(name: &str, bytes: &[u8]) -> Vec<String> {
    let own = stem(name).map(str::to_owned);
    own.into_iter().chain(sums(bytes).into_iter().filter_map(|sum| sum.name)).collect()
}

/// The checksums in a file's bytes. What is no checksum is left out.
pub(super) fn sums(bytes: &[u8]) -> Vec<Sum> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
    text.lines().filter_map(|line| sum(line.trim())).collect()
}

/// `<hex>`, `<hex>  name`, `<hex> *name`, `MD5 (name) = <hex>`, and `name <hex>` of an sfv file.
fn sum(line: &str) -> Option<Sum> {
    if line.starts_with([';', '#']) {
        return None;
    }
    // A backslash says that there are others in the name.
    let line = line.strip_prefix('\\').unwrap_or(line);
    let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    if let Some(expected) = Expected::parse(first) {
        let name = rest.trim_start();
        return Some(Sum { expected, name: file_name(name.strip_prefix('*').unwrap_or(name)) });
    }
    if let Some((head, hexadecimal)) = line.rsplit_once(") = ") {
        let (_, name) = head.split_once(" (")?;
        return Some(Sum { expected: Expected::parse(hexadecimal)?, name: file_name(name) });
    }
    let (name, hexadecimal) = line.rsplit_once(char::is_whitespace)?;
    Some(Sum { expected: Expected::parse(hexadecimal)?, name: file_name(name.trim_end()) })
}

/// A name without directories, for these were the sender's.
fn file_name(path: &str) -> Option<String> {
    let name = path.rsplit(['/', '\\']).next()?;
    (!name.is_empty() && name != "-").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_checksum_files() {
        for (name, of) in [
            ("a.cdr.gz.md5", Some("a.cdr.gz")),
            ("A.ZIP.SHA256", Some("A.ZIP")),
            ("é.sfv", Some("é")),
            (".md5", None),
            ("a.cdr", None),
            ("md5", None),
        ] {
            assert_eq!(stem(name), of, "{name}");
        }
        for list in ["MD5SUMS", "sha256sums.txt", "SHA512SUMS"] {
            assert!(is_checksum_file(list), "{list}");
        }
        assert!(!is_checksum_file("sums") && !is_checksum_file("a.cdr.gz"));
    }

    #[test]
    fn lines_of_every_form() {
        let hex = "900150983CD24FB0D6963F7D28E17F72";
        for (line, name) in [
            (hex.to_owned(), None),
            (format!("{hex}  a b.zip"), Some("a b.zip")),
            (format!("{hex} *a.zip"), Some("a.zip")),
            (format!("{hex}\tout/2026/a.zip"), Some("a.zip")),
            (format!("\\{hex}  C:\\out\\a.zip"), Some("a.zip")),
            (format!("{hex}  -"), None),
            (format!("MD5 (a (1).zip) = {hex}"), Some("a (1).zip")),
            ("a b.zip 352441C2".to_owned(), Some("a b.zip")),
        ] {
            let sums = sums(format!("\u{FEFF}; comment\r\n{line}\r\n\r\n").as_bytes());
            assert_eq!(sums.len(), 1, "{line}");
            assert_eq!(sums[0].name.as_deref(), name, "{line}");
        }
        for none in
            [&b""[..], b"# x", b"hello world", b"\xFF\xFE9\x000\x00", b"MD5 (a) = ", b") = "]
        {
            assert!(sums(none).is_empty(), "{none:?}");
        }
    }
}
