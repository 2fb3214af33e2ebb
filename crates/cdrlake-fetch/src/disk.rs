//! What the disk refuses, and names made to last.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cdrlake_run::ErrorKind;

/// What came over the wire but could not be kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct StoreError {
    /// What was being done.
    pub(crate) action: &'static str,
    /// To which path.
    pub(crate) path: PathBuf,
    /// What the system said.
    pub(crate) source: io::Error,
}

impl StoreError {
    /// Returns the kind of failure: [`ErrorKind::Io`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Io
    }
}

/// Makes a rename last.
pub(crate) fn sync(directory: &Path) -> io::Result<()> {
    // Other systems cannot open directories.
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}

/// Makes the system's error of `action` one that tells the path.
pub(crate) fn failed<'a>(
    action: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> StoreError + use<'a> {
    move |source| StoreError { action, path: path.to_owned(), source }
}
