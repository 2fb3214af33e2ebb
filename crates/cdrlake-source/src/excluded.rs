//! Files that are left out wherever they are met, by whatever name.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Files that are no sources, such as those that the run itself writes.
#[derive(Debug, Default)]
pub struct Excluded(Vec<FileId>);

/// What is the same for all names of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileId {
    device: u64,
    inode: u64,
}

impl From<&fs::Metadata> for FileId {
    fn from(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl Excluded {
    /// Those of `paths` that exist.
    #[must_use]
    pub fn existing(paths: &[&Path]) -> Self {
        let existing = paths.iter().filter_map(|path| fs::metadata(path).ok());
        Self(existing.map(|metadata| FileId::from(&metadata)).collect())
    }

    /// Whether a file, by whatever name it was met, is among them.
    #[must_use]
    pub fn holds(&self, metadata: &fs::Metadata) -> bool {
        metadata.is_file() && self.0.contains(&metadata.into())
    }
}
