//! What the journals of inboxes tell of the files beside them.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cdrlake_core::{Metadata, is_profile, parse_product};
use cdrlake_inbox::{Known, KnownFiles};

/// The journals of the directories in which files are met; each is read once, or seldom more often.
#[derive(Debug, Default)]
pub struct Inboxes(Mutex<HashMap<PathBuf, Arc<KnownFiles>>>);

/// What is known of a file by what was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ordered {
    pub(crate) metadata: Metadata,
    /// When it came, in microseconds since 1970 in UTC.
    pub(crate) arrived: Option<i64>,
}

/// Directories that are known to have no journal, at a time.
const MOST_WITHOUT: usize = 1024;
/// Journals that are held at a time: each may take more memory than its file.
const MOST_JOURNALS: usize = 2;

/// A larger file is known by its name and length: to hash it would take as long as to read it.
const MOST_HASHED: u64 = 16 << 20;

impl Inboxes {
    /// What was asked for when the file at `path` came; nothing if it is not the file that came then.
    pub(crate) fn ordered(&self, path: &Path, len: u64) -> Ordered {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Ordered::default();
        };
        let directory = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let files = self.known_files(directory);
        let mut found = None;
        let known = files.find(name, len, |hash| {
            len > MOST_HASHED || *found.get_or_insert_with(|| hash_of(path).ok()) == Some(*hash)
        });
        known.map(Ordered::from).unwrap_or_default()
    }

    fn known_files(&self, directory: &Path) -> Arc<KnownFiles> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(files) = held.get(directory) {
            return Arc::clone(files);
        }
        let files = Arc::new(KnownFiles::of(directory));
        if held.len() >= MOST_WITHOUT {
            held.clear();
        }
        let journals = held.values().filter(|files| !files.is_empty()).count();
        if !files.is_empty() && journals >= MOST_JOURNALS {
            held.retain(|_, files| files.is_empty());
        }
        held.insert(directory.to_owned(), Arc::clone(&files));
        files
    }
}

fn hash_of(path: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize())
}

impl From<&Known> for Ordered {
    fn from(known: &Known) -> Self {
        let profile = known.profile.as_deref().filter(|profile| is_profile(profile));
        let product = known.product.as_deref().and_then(|product| parse_product(product).ok());
        let metadata = Metadata {
            profile: profile.map(str::to_ascii_uppercase),
            product_identifier: product,
            ..Metadata::default()
        };
        Self { metadata, arrived: known.arrived }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_was_asked_for_counts_while_the_file_is_the_one_that_came() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.zip");
        let hash = blake3::hash(b"abc");
        let line = format!(
            r#"{{"asked": {{"resource": "r", "profile": "abc", "product": "wholesale sip"}}, "files": [{{"file": "a.zip", "bytes": 3, "hash": "{hash}", "came": "1970-01-01T00:00:01Z"}}]}}"#
        );
        fs::write(directory.path().join(cdrlake_inbox::JOURNAL), line).unwrap();
        let ordered = |content: &[u8]| {
            fs::write(&path, content).unwrap();
            let Ordered { metadata, arrived } =
                Inboxes::default().ordered(&path, content.len() as u64);
            (metadata.profile, metadata.product_identifier, arrived)
        };
        let told = (Some("ABC".to_owned()), Some("15".to_owned()), Some(1_000_000));
        assert_eq!(ordered(b"abc"), told);
        assert_eq!(ordered(b"abd"), (None, None, None));
        assert_eq!(ordered(b"abcd"), (None, None, None));
    }
}
