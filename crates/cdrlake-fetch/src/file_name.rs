//! Under which name a file is stored.

use crate::format::Format;
use crate::multipart::parameter;

/// File systems allow no longer ones.
const LONGEST: usize = 255;

/// The file name of a Content-Disposition, if it is a plain one. Nothing else of it is trusted.
pub(crate) fn disposition_name(disposition: &str) -> Option<&str> {
    let (_, parameters) = disposition.split_once(';')?;
    parameter(parameters, "filename").filter(|name| is_plain(name))
}

/// Letters, digits and `_ - .`, not at the beginning: no path, nothing hidden, nothing that a
/// shell or terminal takes for something else.
fn is_plain(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
        && !name.starts_with(['.', '-'])
}

/// Whether the end of `name` promises what the file is. A reader that goes by the name would
/// refuse it otherwise.
pub(crate) fn is_named_for(name: &str, format: Format) -> bool {
    name.len() > 4 && {
        let name = name.to_ascii_lowercase();
        match format {
            Format::Zip => name.ends_with(".zip"),
            Format::Gzip => name.ends_with(".gz"),
        }
    }
}

/// `stem_hash.extension`.
pub(crate) fn generated(stem: &str, hash: &str, format: Format) -> String {
    let extension = match format {
        Format::Zip => "zip",
        Format::Gzip => "gz",
    };
    format!("{stem}_{hash}.{extension}")
}

/// `name` with the hash in front of its extensions.
pub(crate) fn with_hash(name: &str, hash: &str) -> String {
    let (stem, extensions) = name.split_at(name.find('.').unwrap_or(name.len()));
    format!("{stem}_{hash}{extensions}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_are_taken() {
        let long = format!("{}.zip", "a".repeat(252));
        let quoted = |name: &str| format!("attachment; filename=\"{name}\"");
        for (disposition, name) in [
            (quoted("AM220120110182.cdr.zip"), Some("AM220120110182.cdr.zip")),
            ("attachment; filename=a.zip".to_owned(), Some("a.zip")),
            ("form-data; name=\"file\"; filename=\"a.zip\"".to_owned(), Some("a.zip")),
            ("form-data; name=\"filename\"".to_owned(), None),
            (quoted("../a.zip"), None),
            (quoted("/etc/cron.d/a.zip"), None),
            (quoted("a\\b.zip"), None),
            (quoted("a\0.zip"), None),
            (quoted(".a.zip"), None),
            (quoted("-rf.zip"), None),
            (quoted("a b.zip"), None),
            (quoted("ä.zip"), None),
            (quoted(".."), None),
            (quoted(""), None),
            (quoted(&long), None),
            (quoted(&long[1..]), Some(&long[1..])),
            ("attachment".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(disposition_name(&disposition), name, "{disposition}");
        }
    }

    #[test]
    fn hashes_stand_before_extensions() {
        assert_eq!(with_hash("AM2.cdr.zip", "0a1b2c3d"), "AM2_0a1b2c3d.cdr.zip");
        assert_eq!(with_hash("AM2", "0a1b2c3d"), "AM2_0a1b2c3d");
        assert_eq!(generated("x_ABC", "0a1b2c3d", Format::Gzip), "x_ABC_0a1b2c3d.gz");
        assert!(is_named_for("A.CDR.ZIP", Format::Zip));
        assert!(!is_named_for("a.cdr.gz", Format::Zip));
    }
}
