//! Files that are not visible yet, and complete ones that wait to be published.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::column_statistics::ColumnStatistics;
use crate::error::Error;

/// How temporary files' names begin: directory walks leave them out.
const PREFIX: &str = ".cdrlake-";

/// A complete file that waits to be published.
#[derive(Debug)]
pub struct StagedFile {
    /// The file; it goes when this is dropped.
    pub file: NamedTempFile,
    /// The name it is to have.
    pub path: PathBuf,
    /// Rows of the table.
    pub rows: u64,
    /// Bytes of the file.
    pub bytes: u64,
    /// BLAKE3 of these bytes, as they were meant to be written.
    pub hash: blake3::Hash,
    /// What each column holds at least and at most, in the order of the columns.
    pub statistics: Vec<ColumnStatistics>,
}

impl StagedFile {
    /// Makes the file last.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], with what the operating system says.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.as_file().sync_all().map_err(Error::write(&self.path))
    }
}

/// A temporary file in the directory of `path`, with permissions of `mode` less the umask.
///
/// # Errors
///
/// [`Error::Write`], with what the operating system says.
pub fn temporary_file(path: &Path, mode: u32) -> Result<NamedTempFile, Error> {
    temporary_in(directory(path), mode).map_err(Error::write(path))
}

/// A temporary file in a directory, with permissions of `mode` less the umask.
///
/// # Errors
///
/// What the operating system says.
pub fn temporary_in(directory: &Path, mode: u32) -> std::io::Result<NamedTempFile> {
    tempfile::Builder::new()
        .prefix(PREFIX)
        .suffix(".tmp")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(directory)
}

/// A new file that is not visible yet, beside `path`, under which it can be published; the umask
/// decides who may read it.
///
/// # Errors
///
/// What the operating system says.
pub fn new_file_beside(path: &Path) -> std::io::Result<NamedTempFile> {
    temporary_in(directory(path), 0o666)
}

/// What to do if there is a file under a name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and that is an error.
    Keep,
    /// It is replaced, at once and whole.
    Replace,
}

/// Gives a synced temporary file its name, and makes that last.
///
/// # Errors
///
/// What the operating system says: [`AlreadyExists`](std::io::ErrorKind::AlreadyExists), where a file is
/// to be kept.
pub fn persist(file: NamedTempFile, path: &Path, existing: Existing) -> std::io::Result<()> {
    let persisted = match existing {
        Existing::Replace => file.persist(path),
        Existing::Keep => file.persist_noclobber(path),
    };
    persisted.map_err(|error| error.error)?;
    File::open(directory(path))?.sync_all()
}

/// The directory that `path` stands in.
#[must_use]
pub fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
