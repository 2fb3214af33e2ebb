//! What a journal tells of the files that stand beside it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::line::{Asked, FileEntry};
use crate::read::read_journal;

/// What a journal tells of the files beside it, by their names.
#[derive(Debug, Default)]
pub struct KnownFiles(HashMap<String, Vec<Known>>);

/// What a journal tells of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Its length.
    pub bytes: u64,
    /// BLAKE3 of its bytes as they stand.
    pub hash: Option<blake3::Hash>,
    /// When it came first, in microseconds since 1970 in UTC.
    pub arrived: Option<i64>,
    /// Whose it is, if all that brought it asked for the same profile.
    pub profile: Option<Arc<str>>,
    /// The product, by the name that the carrier's API has for it, if all asked for the same.
    pub product: Option<Arc<str>>,
    /// Of what was asked for before.
    asked: Vec<Arc<Asked>>,
}

impl KnownFiles {
    /// Reads the journal of a directory. One that is not there, or cannot be read, tells nothing.
    #[must_use]
    pub fn of(directory: &Path) -> Self {
        let mut known = Self::default();
        // Part of a journal is as good as a shorter one.
        let _ = read_journal(directory, |line| {
            let asked = line.asked.map(Arc::new);
            for file in &line.files {
                known.note(file, asked.as_ref());
            }
        });
        known
    }

    /// Whether it tells of no file.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is known of the file of this name and length, and whatever `is_content` says of a hash.
    pub fn find(
        &self,
        name: &str,
        bytes: u64,
        mut is_content: impl FnMut(&blake3::Hash) -> bool,
    ) -> Option<&Known> {
        let mut known = self.0.get(name)?.iter().filter(|known| known.bytes == bytes);
        known.find(|known| known.hash.as_ref().is_none_or(&mut is_content))
    }

    fn note(&mut self, file: &FileEntry, asked: Option<&Arc<Asked>>) {
        let (bytes, hash) = (file.bytes, file.content_hash());
        let contents = self.0.entry(file.file.clone()).or_default();
        // Of two that tell different hashes the file can only be one.
        let is_this = |known: &Known| match (known.hash, hash) {
            (Some(known_hash), Some(hash)) => known.bytes == bytes && known_hash == hash,
            _ => known.bytes == bytes,
        };
        let at = contents.iter().position(is_this);
        let at = at.unwrap_or_else(|| {
            contents.push(Known { bytes, hash, ..Known::default() });
            contents.len() - 1
        });
        if let Some(known) = contents.get_mut(at) {
            known.hash = known.hash.or(hash);
            known.arrived = known.arrived.into_iter().chain(file.arrived()).min();
            known.ask(asked);
        }
    }
}

impl Known {
    /// It came when this was asked for.
    fn ask(&mut self, asked: Option<&Arc<Asked>>) {
        let Some(asked) = asked.filter(|asked| !self.asked.contains(asked)) else { return };
        self.asked.push(Arc::clone(asked));
        self.profile = common(&self.asked, |asked| asked.profile.as_deref());
        self.product = common(&self.asked, |asked| asked.product.as_deref());
    }
}

/// What all say that say anything.
fn common(asked: &[Arc<Asked>], of: impl Fn(&Asked) -> Option<&str>) -> Option<Arc<str>> {
    let mut said = asked.iter().filter_map(|asked| of(asked));
    let first = said.next()?;
    said.all(|other| other == first).then(|| first.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::names::JOURNAL;

    fn known(journal: impl AsRef<[u8]>) -> KnownFiles {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(JOURNAL), journal).unwrap();
        KnownFiles::of(directory.path())
    }

    #[test]
    fn lines_of_the_first_journals_and_of_today() {
        let hash = blake3::hash(b"abc");
        let known = known(format!(
            r#"{{"request": "http://x/y", "files": [{{"file": "old.zip", "bytes": 3}}]}}
            {{"asked": {{"resource": "r", "profile": "ABC", "product": "SIP Trunking"}}, "files": [{{
            {{"asked": {{"resource": "r", "profile": "ABC", "product": "SIP Trunking", "new": 1}}, "files": [{{"file": "a.zip", "bytes": 3, "hash": "{hash}", "came": "2026-11-30T19:48:12Z"}}]}}
            {{"asked": {{"resource": "r", "profile": "ABC", "product": "SIP Trunking", "from": "2026-11-01"}}, "files": [{{"file": "a.zip", "bytes": 3, "hash": "{hash}", "came": "2026-11-30T19:48:11.5Z"}}]}}"#
        ));
        let old = known.find("old.zip", 3, |_| false).unwrap();
        assert_eq!((old.arrived, &old.profile), (None, &None));
        assert!(known.find("old.zip", 4, |_| true).is_none());
        let new = known.find("a.zip", 3, |found| *found == hash).unwrap();
        assert_eq!(new.arrived, Some(1_796_068_091_500_000));
        assert_eq!(new.profile.as_deref(), Some("ABC"));
        assert_eq!(new.product.as_deref(), Some("SIP Trunking"));
        assert!(known.find("a.zip", 3, |_| false).is_none());
    }

    #[test]
    fn what_was_asked_for_in_several_ways_is_not_known() {
        let line = |product: &str| {
            format!(
                r#"{{"asked": {{"resource": "r", "profile": "ABC", "product": "{product}"}}, "files": [{{"file": "a", "bytes": 3}}]}}"#
            ) + "\n"
        };
        let known = known(["10", "12", "10"].map(line).concat());
        let file = known.find("a", 3, |_| false).unwrap();
        assert_eq!((file.profile.as_deref(), &file.product), (Some("ABC"), &None));
    }

    #[test]
    fn what_is_no_journal_tells_nothing() {
        let files = |name: &str| {
            let name = serde_json::to_string(name).unwrap();
            format!(r#"{{"files": [{{"file": {name}, "bytes": 3}}]}}"#)
        };
        for hostile in [
            String::new(),
            "\u{FFFD}\0".to_owned(),
            "[".repeat(1 << 20),
            r#"{"files": "#.repeat(10_000),
            r#"{"files": [{"file": "a", "bytes": -1}]}"#.to_owned(),
            r#"{"files": [{"file": "a", "bytes": 1e400}]}"#.to_owned(),
            r#"{"files": 7}"#.to_owned(),
            files("../a"),
            files("/etc/passwd"),
            files("."),
            files(""),
            files(".a"),
            files("a\\b"),
            files("a\0"),
            files(&"a".repeat(256)),
            format!(
                r#"{{"x": "{}", "files": [{{"file": "a", "bytes": 3}}]}}"#,
                "x".repeat(1 << 20)
            ),
        ] {
            assert!(known(&hostile).is_empty(), "{}", &hostile[..hostile.len().min(80)]);
        }
        // A wrong time or hash is none.
        let wrong = r#"{"files": [{"file": "a", "bytes": 3, "hash": "zz", "came": "soon"}]}"#;
        let known = known(wrong);
        let file = known.find("a", 3, |_| false).unwrap();
        assert_eq!((file.hash, file.arrived), (None, None));
    }

    #[test]
    fn of_a_journal_that_is_too_long_the_end_counts() {
        let line =
            |name: usize| format!(r#"{{"files": [{{"file": "{name}", "bytes": 3}}]}}"#) + "\n";
        let lines = (17 << 20) / line(1_000_000).len();
        let known = known((0..lines).map(|name| line(1_000_000 + name)).collect::<String>());
        let is_known = |name: usize| known.find(&name.to_string(), 3, |_| false).is_some();
        assert!(is_known(1_000_000 + lines - 1) && is_known(1_000_000 + lines / 2));
        assert!(!is_known(1_000_000));
    }

    #[test]
    fn a_journal_that_is_a_link_or_a_directory_tells_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        assert!(KnownFiles::of(&path("missing")).is_empty());
        fs::write(path("journal"), r#"{"files": [{"file": "a", "bytes": 3}]}"#).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(path("journal"), path(JOURNAL)).unwrap();
        assert!(KnownFiles::of(directory.path()).is_empty());
        fs::remove_file(path(JOURNAL)).unwrap();
        fs::create_dir(path(JOURNAL)).unwrap();
        assert!(KnownFiles::of(directory.path()).is_empty());
    }
}
