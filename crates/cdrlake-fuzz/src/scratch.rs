//! A directory for a run's files, in memory where the system has that.

use std::path::Path;

use tempfile::TempDir;

pub(crate) fn directory() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let directory = if in_memory.is_dir() { in_memory.to_owned() } else { std::env::temp_dir() };
    tempfile::Builder::new().prefix("cdrlake-fuzz").tempdir_in(directory).expect("a directory")
}
