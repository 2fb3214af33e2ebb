//! The directory that files are fetched into; the only place that renames.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::civil::Date;
use tempfile::NamedTempFile;

use crate::disk::{StoreError, failed, sync};
use crate::file_name::{generated, is_named_for, with_hash};
use crate::format::Format;
use crate::journal::Journal;

/// Begins the names of files that are not whole yet. Who reads the inbox leaves out what begins
/// with a dot.
const TEMPORARY: &str = ".cdrlake-fetch-";
/// No download takes so long.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A directory for files that were fetched.
#[derive(Debug)]
pub struct Inbox {
    directory: PathBuf,
    /// Where files of these were stored before they had a directory of their own.
    earlier: Option<PathBuf>,
    pub(crate) journal: Journal,
}

/// Where a file ended up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is new.
    New(PathBuf),
    /// The same content was there already, and was left alone.
    Already(PathBuf),
    /// Other content has its name, so it is stored under another.
    Beside {
        /// Where it is.
        path: PathBuf,
        /// What has its name.
        taken: PathBuf,
    },
}

/// An archive that is whole, sound and on disk, but not in its place yet.
pub(crate) struct Received {
    pub(crate) file: NamedTempFile,
    pub(crate) format: Format,
    /// BLAKE3, in hexadecimal.
    pub(crate) hash: String,
    pub(crate) bytes: u64,
    /// The server's, if it is a plain one of the carrier's.
    pub(crate) name: Option<String>,
    /// The day it was for the service, if it said so.
    pub(crate) day: Option<Date>,
}

impl Stored {
    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::New(path) | Self::Already(path) | Self::Beside { path, .. } => path,
        }
    }
}

impl Inbox {
    /// Opens a directory, and makes it if it is not there. What runs that were killed have left
    /// is removed.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be made or read.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(directory).map_err(failed("make", directory))?;
        remove_abandoned(directory).map_err(failed("read", directory))?;
        let journal = Journal::open(directory)?;
        Ok(Self { directory: directory.to_owned(), earlier: None, journal })
    }

    /// A directory in it, for files that are no call detail records. What stands in the inbox itself from
    /// earlier versions is left where it is.
    pub(crate) fn room(&self, name: &str) -> Result<Self, StoreError> {
        let room = Self::open(&self.directory.join(name))?;
        sync(&self.directory).map_err(failed("sync", &self.directory))?;
        Ok(Self { earlier: Some(self.directory.clone()), ..room })
    }

    /// A file that vanishes unless it is published.
    pub(crate) fn temporary(&self) -> Result<NamedTempFile, StoreError> {
        let mut builder = tempfile::Builder::new();
        builder.prefix(TEMPORARY).suffix(".part");
        // It holds subscribers' numbers; the umask may take away more.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o640));
        builder.tempfile_in(&self.directory).map_err(failed("write to", &self.directory))
    }

    /// Puts a file in its place: under the server's name, else under `stem` with its hash. Nothing
    /// is ever replaced.
    pub(crate) fn publish(&self, received: Received, stem: &str) -> Result<Stored, StoreError> {
        const SHOWN: usize = 8;
        let Received { mut file, format, hash, name, .. } = received;
        let short = hash.get(..SHOWN).unwrap_or(&hash);
        let name = name.filter(|name| is_named_for(name, format));
        let name = name.unwrap_or_else(|| generated(stem, short, format));
        let wanted = self.directory.join(&name);
        let names = [name.clone(), with_hash(&name, short), with_hash(&name, &hash)];
        for name in self.earlier.iter().flat_map(|earlier| names.iter().map(|n| earlier.join(n))) {
            if has_content(&name, &hash).is_ok_and(|has_content| has_content) {
                return Ok(Stored::Already(name));
            }
        }
        for (number, name) in names.into_iter().enumerate() {
            let path = self.directory.join(name);
            match file.persist_noclobber(&path) {
                Ok(_) => {
                    sync(&self.directory).map_err(failed("sync", &self.directory))?;
                    return Ok(match number {
                        0 => Stored::New(path),
                        _ => Stored::Beside { path, taken: wanted },
                    });
                }
                Err(error) if error.error.kind() == ErrorKind::AlreadyExists => {
                    if has_content(&path, &hash).map_err(failed("read", &path))? {
                        return Ok(Stored::Already(path));
                    }
                    file = error.file;
                }
                Err(error) => {
                    return Err(StoreError { action: "rename to", path, source: error.error });
                }
            }
        }
        let source = io::Error::from(ErrorKind::AlreadyExists);
        Err(StoreError { action: "rename to", path: wanted, source })
    }
}

/// Whether `path` is a plain file with content of that hash.
fn has_content(path: &Path, hash: &str) -> io::Result<bool> {
    if !fs::symlink_metadata(path)?.is_file() {
        return Ok(false);
    }
    let mut hasher = blake3::Hasher::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().to_hex().as_str() == hash)
}

fn remove_abandoned(directory: &Path) -> io::Result<()> {
    let now = SystemTime::now();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let is_temporary = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.starts_with(TEMPORARY) && name.ends_with(".part"));
        if !is_temporary {
            continue;
        }
        // Another run may just have renamed it.
        let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else {
            continue;
        };
        if now.duration_since(modified).is_ok_and(|age| age > ABANDONED) {
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn received(inbox: &Inbox, content: &[u8], name: Option<&str>) -> Received {
        let mut file = inbox.temporary().unwrap();
        file.write_all(content).unwrap();
        Received {
            file,
            format: Format::Zip,
            hash: blake3::hash(content).to_hex().to_string(),
            bytes: content.len() as u64,
            name: name.map(str::to_owned),
            day: None,
        }
    }

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_is_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(&directory.path().join("a/b")).unwrap();
        let path = |name: &str| directory.path().join("a/b").join(name);
        let publish = |content: &[u8]| {
            inbox.publish(received(&inbox, content, Some("AM2.cdr.zip")), "x").unwrap()
        };
        assert_eq!(publish(b"one"), Stored::New(path("AM2.cdr.zip")));
        assert_eq!(publish(b"one"), Stored::Already(path("AM2.cdr.zip")));
        let hash = blake3::hash(b"two").to_hex();
        let beside = path(&format!("AM2_{}.cdr.zip", &hash[..8]));
        let taken = path("AM2.cdr.zip");
        assert_eq!(publish(b"two"), Stored::Beside { path: beside.clone(), taken: taken.clone() });
        assert_eq!(publish(b"two"), Stored::Already(beside.clone()));
        fs::write(&beside, b"another").unwrap();
        let longer = path(&format!("AM2_{hash}.cdr.zip"));
        assert_eq!(publish(b"two"), Stored::Beside { path: longer, taken });
        assert_eq!(fs::read(path("AM2.cdr.zip")).unwrap(), b"one");
        assert_eq!(names(&path("")).len(), 3);
    }

    #[test]
    fn a_name_that_lies_about_the_kind_is_not_used() {
        let directory = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(directory.path()).unwrap();
        for name in [None, Some("DE_ABC_01_0001_20101208090122.cdr.gz")] {
            let stored = inbox.publish(received(&inbox, b"zip", name), "stem").unwrap();
            let hash = blake3::hash(b"zip").to_hex();
            let expected = directory.path().join(format!("stem_{}.zip", &hash[..8]));
            assert_eq!(stored.path(), expected);
        }
    }

    #[test]
    fn a_room_leaves_alone_what_the_inbox_has() {
        let directory = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(directory.path()).unwrap();
        let put = |inbox: &Inbox, content: &[u8]| {
            inbox.publish(received(inbox, content, Some("bill.zip")), "x").unwrap()
        };
        let old = put(&inbox, b"one");
        let room = inbox.room("rated").unwrap();
        assert_eq!(put(&room, b"one"), Stored::Already(old.path().to_owned()));
        let new = directory.path().join("rated/bill.zip");
        assert_eq!(put(&room, b"two"), Stored::New(new.clone()));
        assert_eq!(put(&inbox.room("rated").unwrap(), b"two"), Stored::Already(new));
    }

    #[cfg(unix)]
    #[test]
    fn links_and_directories_are_no_content() {
        let directory = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(directory.path()).unwrap();
        let elsewhere = NamedTempFile::new().unwrap();
        fs::write(&elsewhere, b"one").unwrap();
        std::os::unix::fs::symlink(&elsewhere, directory.path().join("A.zip")).unwrap();
        fs::create_dir(directory.path().join("B.zip")).unwrap();
        for name in ["A.zip", "B.zip"] {
            let stored = inbox.publish(received(&inbox, b"one", Some(name)), "x").unwrap();
            assert!(matches!(stored, Stored::Beside { .. }), "{stored:?}");
        }
        assert_eq!(fs::read(&elsewhere).unwrap(), b"one");
    }

    #[cfg(unix)]
    #[test]
    fn others_may_not_read_what_is_stored() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let inbox = Inbox::open(directory.path()).unwrap();
        let stored = inbox.publish(received(&inbox, b"one", None), "x").unwrap();
        let mode = fs::metadata(stored.path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o137, 0, "{mode:o}");
    }

    #[test]
    fn what_a_killed_run_left_is_removed_when_it_is_old() {
        let directory = tempfile::tempdir().unwrap();
        let [old, new, other] = [".cdrlake-fetch-a.part", ".cdrlake-fetch-b.part", "c.part"]
            .map(|name| directory.path().join(name));
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        for path in [&old, &new, &other] {
            File::create(path).unwrap();
        }
        for path in [&old, &other] {
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        Inbox::open(directory.path()).unwrap();
        assert_eq!([&old, &new, &other].map(|path| path.exists()), [false, true, true]);
    }
}
