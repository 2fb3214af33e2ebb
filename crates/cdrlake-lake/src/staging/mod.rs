//! Files that are not visible yet.

mod encoded;
mod parquet;
mod partition_file;
mod partitions;
mod writeback;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::LakeError;

pub(crate) use self::encoded::{EncodedRows, SourceRows, add_rows, encode_large, tenths};
pub(crate) use self::parquet::{Mark, StagedParquet};
pub(crate) use self::partition_file::PartitionFile;
pub(crate) use self::partitions::{Partitions, Tuning};

/// How temporary files' names begin: directory walks leave them out.
const PREFIX: &str = ".cdrlake-";

/// A complete file that waits to be published.
pub(crate) struct StagedFile {
    pub(crate) file: NamedTempFile,
    /// The name it is to have.
    pub(crate) path: PathBuf,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
}

impl StagedFile {
    /// Makes the file last.
    fn sync(&self) -> Result<(), LakeError> {
        self.file.as_file().sync_all().map_err(LakeError::write(&self.path))
    }
}

/// A temporary file in the directory of `path`, with permissions of `mode` less the umask.
pub(crate) fn temporary_file(path: &Path, mode: u32) -> Result<NamedTempFile, LakeError> {
    temporary_in(directory(path), mode).map_err(LakeError::write(path))
}

/// A temporary file in a directory, with permissions of `mode` less the umask.
pub(crate) fn temporary_in(directory: &Path, mode: u32) -> std::io::Result<NamedTempFile> {
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

/// The directory that `path` stands in.
pub(crate) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
