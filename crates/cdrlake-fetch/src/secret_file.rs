//! Files that hold a secret: read only if nobody else may read them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cdrlake_run::ErrorKind;
use secrecy::zeroize::Zeroizing;

/// The most bytes of such a file that are read.
const LARGEST: u64 = 64 << 10;

/// What a file holds that is its owner's secret; the memory is cleared when it goes. Of one that is
/// larger only the first 64 KiB come.
///
/// As libpq does with its password file, it is refused if others may read it: it must be the caller's
/// own with mode 0600 or less, or root's with 0640 or less. Symbolic links are followed.
///
/// # Errors
///
/// [`SecretFileError`] if it cannot be read, or others may read it.
pub fn read_secret_file(path: &Path) -> Result<Zeroizing<Vec<u8>>, SecretFileError> {
    let unreadable = |source| SecretFileError::Unreadable { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    check_permissions(path, &file)?;
    // Room for all of it, so that no copy is left behind when it grows.
    let mut content = Zeroizing::new(Vec::with_capacity(LARGEST as usize));
    file.by_ref().take(LARGEST).read_to_end(&mut content).map_err(unreadable)?;
    Ok(content)
}

#[cfg(unix)]
fn check_permissions(path: &Path, file: &File) -> Result<(), SecretFileError> {
    use std::os::unix::fs::MetadataExt;

    let metadata = file
        .metadata()
        .map_err(|source| SecretFileError::Unreadable { path: path.to_owned(), source })?;
    let me = rustix::process::geteuid().as_raw();
    if metadata.is_file() && may_be_trusted(metadata.uid(), metadata.mode() & 0o7777, me) {
        Ok(())
    } else {
        Err(SecretFileError::Permissions { path: path.to_owned() })
    }
}

#[cfg(not(unix))]
fn check_permissions(_: &Path, _: &File) -> Result<(), SecretFileError> {
    Ok(())
}

/// Whether a file of `owner` with `mode` is safe from others than `me`.
#[cfg(unix)]
fn may_be_trusted(owner: u32, mode: u32, me: u32) -> bool {
    const ROOT: u32 = 0;
    match owner {
        ROOT => mode & 0o037 == 0,
        _ => owner == me && mode & 0o077 == 0,
    }
}

/// Why a secret was not read. It shows nothing of it.
#[derive(Debug, thiserror::Error)]
pub enum SecretFileError {
    /// The file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Others may read the file.
    #[error("{} must be a file that nobody else may read: chmod 600 it", path.display())]
    Permissions {
        /// Which file.
        path: PathBuf,
    },
}

impl SecretFileError {
    /// Returns the kind of failure: [`ErrorKind::Usage`], for another file would do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn the_rule_of_libpq() {
        for (owner, mode, me, trusted) in [
            (1000, 0o600, 1000, true),
            (1000, 0o400, 1000, true),
            (1000, 0o640, 1000, false),
            (1000, 0o604, 1000, false),
            (1000, 0o601, 1000, false),
            (1001, 0o600, 1000, false),
            (1001, 0o600, 0, false),
            (0, 0o640, 1000, true),
            (0, 0o600, 0, true),
            (0, 0o640, 0, true),
            (0, 0o660, 1000, false),
            (0, 0o644, 1000, false),
        ] {
            assert_eq!(may_be_trusted(owner, mode, me), trusted, "{owner} {mode:o} {me}");
        }
    }

    #[test]
    fn files_that_others_may_read_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("secret");
        std::fs::write(&path, [0, 255, 7]).unwrap();
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        for (mode, is_fine) in [(0o600, true), (0o604, false), (0o666, false), (0o400, true)] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            for path in [&path, &link] {
                let content = read_secret_file(path).ok();
                assert_eq!(
                    content.as_deref().map(Vec::as_slice),
                    is_fine.then_some(&[0, 255, 7][..])
                );
            }
        }
        assert!(matches!(
            read_secret_file(directory.path()),
            Err(SecretFileError::Permissions { .. })
        ));
        assert!(matches!(
            read_secret_file(&directory.path().join("none")),
            Err(SecretFileError::Unreadable { .. })
        ));
    }
}
