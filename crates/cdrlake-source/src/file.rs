//! Files that are watched while they are read: one that changes meanwhile is neither its old self
//! nor its new.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::time::SystemTime;

use thiserror::Error;

/// A file is not what it was when it was opened.
#[derive(Clone, Copy, Debug, Error)]
#[error("the file changed while it was read")]
pub(crate) struct FileChanged;

/// An open file, and what it was when it was opened.
#[derive(Clone)]
pub(crate) struct WatchedFile {
    file: Rc<File>,
    len: u64,
    modified: Option<SystemTime>,
}

impl WatchedFile {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        let modified = modified(&metadata);
        Ok(Self { file: Rc::new(file), len: metadata.len(), modified })
    }

    /// Fails if the file is not what it was.
    pub(crate) fn check_unchanged(&self) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        if metadata.len() == self.len && modified(&metadata) == self.modified {
            return Ok(());
        }
        Err(io::Error::other(FileChanged))
    }

    /// The same open file, unwatched.
    pub(crate) fn try_clone(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Its length when it was opened.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// `stream`, which reads from this file, with an end that fails if the file has changed.
    pub(crate) fn watch<R: Read>(&self, stream: R) -> WatchedStream<R> {
        WatchedStream { stream, file: self.clone() }
    }
}

fn modified(metadata: &Metadata) -> Option<SystemTime> {
    metadata.modified().ok()
}

impl Read for WatchedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.file).read(buffer)
    }
}

impl Seek for WatchedFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        (&*self.file).seek(position)
    }
}

/// What is read from a watched file, directly or unwrapped.
pub(crate) struct WatchedStream<R> {
    stream: R,
    file: WatchedFile,
}

impl<R: Read> Read for WatchedStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        if read == 0 && !buffer.is_empty() {
            self.file.check_unchanged()?;
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_grows_while_it_is_read_fails_at_its_end() {
        let mut named = tempfile::NamedTempFile::new().unwrap();
        named.write_all(b"12345678").unwrap();
        let open = || {
            let file = WatchedFile::new(File::open(named.path()).unwrap()).unwrap();
            file.watch(file.clone())
        };
        let mut content = Vec::new();
        open().read_to_end(&mut content).unwrap();
        assert_eq!(content, b"12345678");
        let mut stream = open();
        stream.read_exact(&mut [0; 4]).unwrap();
        named.as_file().write_all(b"9").unwrap();
        let error = stream.read_to_end(&mut content).unwrap_err();
        assert!(error.to_string().contains("changed while it was read"), "{error}");
    }
}
