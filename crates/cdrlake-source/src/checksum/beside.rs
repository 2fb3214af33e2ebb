//! Which of the files beside a checksum file it is of.

use std::collections::HashMap;

use super::kind::Expected;
use super::text::{stem, sums};
use crate::visitor::WhyLeftOut;

/// Files that stand together, in a directory or in one of an archive: their names, which are looked up
/// in any case.
#[derive(Debug, Default)]
pub(crate) struct Siblings(HashMap<String, String>);

impl Siblings {
    pub(crate) fn insert(&mut self, name: &str) {
        self.0.entry(name.to_lowercase()).or_insert_with(|| name.to_owned());
        self.0.insert(exact(name), name.to_owned());
    }

    fn find(&self, name: &str) -> Option<&str> {
        let found = self.0.get(&exact(name)).or_else(|| self.0.get(&name.to_lowercase()));
        found.map(String::as_str)
    }
}

/// No name has a slash, so that both kinds of keys are apart.
fn exact(name: &str) -> String {
    format!("/{name}")
}

/// What a checksum file is to the files beside it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It says what these must be.
    Checks(Vec<(String, Expected)>),
    /// It is of a file beside it, but holds no checksum that can be read.
    Unread,
    /// What it is of does not stand beside it.
    Alone,
}

impl Role {
    /// Why it is told that the checksum file is left out; one that checks is as it should be.
    pub(crate) fn why_told(&self) -> Option<WhyLeftOut> {
        match self {
            Self::Checks(_) => None,
            Self::Unread => Some(WhyLeftOut::UnreadChecksum),
            Self::Alone => Some(WhyLeftOut::Checksum),
        }
    }
}

/// The role of a checksum file of this name with these bytes; none if they are too many.
pub(crate) fn role_of(name: &str, bytes: Option<&[u8]>, siblings: &Siblings) -> Role {
    let own = stem(name).and_then(|stem| siblings.find(stem));
    let sums = sums(bytes.unwrap_or_default());
    let is_read = !sums.is_empty();
    let checked: Vec<_> = sums
        .into_iter()
        .filter_map(|sum| {
            // A file that was renamed has the other name in its checksum file.
            let named = sum.name.as_deref().and_then(|name| siblings.find(name));
            Some((named.or(own)?.to_owned(), sum.expected))
        })
        .collect();
    match (checked.is_empty(), own) {
        (false, _) => Role::Checks(checked),
        (true, Some(_)) if !is_read => Role::Unread,
        (true, _) => Role::Alone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_checksum_it_is() {
        let mut siblings = Siblings::default();
        for name in ["a.zip", "B.ZIP", "a.zip.md5", "b.zip.md5"] {
            siblings.insert(name);
        }
        let hex = "900150983cd24fb0d6963f7d28e17f72";
        let of = |name: &str, text: &str| match role_of(name, Some(text.as_bytes()), &siblings) {
            Role::Checks(checked) => checked.into_iter().map(|(name, _)| name).collect(),
            other => vec![format!("{other:?}")],
        };
        assert_eq!(of("a.zip.md5", hex), ["a.zip"]);
        assert_eq!(of("b.zip.MD5", hex), ["B.ZIP"]);
        assert_eq!(of("a.zip.md5", &format!("{hex}  earlier name.zip")), ["a.zip"]);
        let list = format!("{hex}  a.zip\n{hex} *x/b.zip\n{hex}  c.zip\n");
        assert_eq!(of("MD5SUMS", &list), ["a.zip", "B.ZIP"]);
        assert_eq!(of("c.zip.md5", hex), ["Alone"]);
        assert_eq!(of("a.zip.md5", "no checksum"), ["Unread"]);
        assert_eq!(of("MD5SUMS", &format!("{hex}  c.zip")), ["Alone"]);
        assert_eq!(role_of("a.zip.md5", None, &siblings), Role::Unread);
    }
}
