//! The bytes of a file under construction: where they go, their hash, and how it is cut.
//!
//! A lake may have thousands of files under construction, so a file can be [suspended](Output::suspend): it
//! keeps no handle until it is written again.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::file::writer::TrackedWrite;
use rustix::io::Errno;
use tempfile::{NamedTempFile, TempPath};

use crate::temporary::temporary_in;
use crate::writeback::Writeback;

/// A temporary file that grows at its end.
pub(crate) struct Output {
    path: TempPath,
    /// None while it is suspended.
    open: Option<Open>,
    /// As far as it was flushed.
    len: u64,
    failure: Failure,
    hash: RunningHash,
    writeback: Writeback,
}

struct Open {
    file: File,
    writer: TrackedWrite<Tail>,
}

impl Output {
    /// Begins an empty file in a directory; the umask decides who may read it.
    pub(crate) fn create(directory: &Path) -> io::Result<Self> {
        let (file, path) = temporary_in(directory, 0o666)?.into_parts();
        let (failure, hash) = (Failure::default(), RunningHash::default());
        let tail = Tail::new(file.try_clone()?, 0, failure.clone(), hash.clone());
        let open = Some(Open { file, writer: TrackedWrite::new(tail) });
        Ok(Self { path, open, len: 0, failure, hash, writeback: Writeback::default() })
    }

    /// What writes at its end; its offsets are those of the file.
    pub(crate) fn writer(&mut self) -> io::Result<&mut TrackedWrite<Tail>> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let mut file = OpenOptions::new().read(true).write(true).open(&self.path)?;
                file.seek(SeekFrom::Start(self.len))?;
                self.open_at_end(file)?
            }
        };
        Ok(&mut self.open.insert(open).writer)
    }

    /// Only what is written counts for the offsets that row groups get. So what stands already is written
    /// again, as zeros that go nowhere.
    fn open_at_end(&self, file: File) -> io::Result<Open> {
        let (failure, hash) = (self.failure.clone(), self.hash.clone());
        let tail = Tail::new(file.try_clone()?, self.len, failure, hash);
        let mut writer = TrackedWrite::new(tail);
        io::copy(&mut io::repeat(0).take(self.len), &mut writer)?;
        writer.flush()?;
        Ok(Open { file, writer })
    }

    /// Writes out what is held back.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        if let Some(Open { file, writer }) = &mut self.open {
            writer.flush()?;
            self.len = writer.bytes_written() as u64;
            self.writeback.advance(file, self.len);
        }
        Ok(())
    }

    /// Bytes so far.
    pub(crate) fn len(&self) -> u64 {
        self.open.as_ref().map_or(self.len, |open| open.writer.bytes_written() as u64)
    }

    /// Closes the handle; the file is opened again when there is more to write.
    pub(crate) fn suspend(&mut self) -> io::Result<()> {
        self.flush()?;
        self.open = None;
        Ok(())
    }

    /// The hash of the bytes so far, to be gone on with.
    pub(crate) fn hash(&self) -> blake3::Hasher {
        self.hash.state()
    }

    /// Cuts the file to what it was when it had this length and hash.
    pub(crate) fn cut(&mut self, len: u64, hash: &blake3::Hasher) -> io::Result<()> {
        self.writer()?.flush()?;
        let Some(Open { mut file, writer }) = self.open.take() else { return Ok(()) };
        drop(writer);
        file.set_len(len)?;
        file.seek(SeekFrom::Start(len))?;
        self.hash.restore(hash);
        self.len = len;
        self.open = Some(self.open_at_end(file)?);
        self.writeback.cut(len);
        Ok(())
    }

    /// Lets `end` write what ends the file, and returns it with its length and hash. It is on its way to the
    /// disk, and yet to be synced.
    pub(crate) fn finish(
        mut self,
        end: impl FnOnce(TrackedWrite<Tail>) -> io::Result<()>,
    ) -> io::Result<(NamedTempFile, u64, blake3::Hash)> {
        self.writer()?;
        let Self { path, open, failure, hash, writeback, .. } = self;
        let Some(Open { file, writer }) = open else { return Err(io::ErrorKind::Other.into()) };
        end(writer)?;
        failure.check()?;
        let bytes = file.metadata()?.len();
        writeback.finish(&file, bytes);
        Ok((NamedTempFile::from_parts(file, path), bytes, hash.state().finalize()))
    }
}

/// The error of a write that failed, if any.
///
/// The metadata writer drops its buffer unflushed, and with it the error of the last write.
#[derive(Clone, Debug, Default)]
struct Failure(Arc<AtomicI32>);

impl Failure {
    fn note(&self, error: &io::Error) {
        if error.kind() != io::ErrorKind::Interrupted {
            let code = error.raw_os_error().unwrap_or(Errno::IO.raw_os_error());
            self.0.store(code, Ordering::Relaxed);
        }
    }

    fn check(&self) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            0 => Ok(()),
            code => Err(io::Error::from_raw_os_error(code)),
        }
    }
}

/// BLAKE3 of what was written so far.
#[derive(Clone, Debug, Default)]
struct RunningHash(Arc<Mutex<blake3::Hasher>>);

impl RunningHash {
    fn update(&self, bytes: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).update(bytes);
    }

    fn state(&self) -> blake3::Hasher {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn restore(&self, state: &blake3::Hasher) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone_from(state);
    }
}

/// Writes to a file, but lets the first `ahead` bytes pass: they stand in it already.
///
/// Bytes are gathered, for the parquet crate copies pages in pieces of 8 KiB at the most, and a
/// call for each takes longer than another copy. Between row groups nothing is held: a lake may
/// have thousands of files open.
pub(crate) struct Tail {
    file: File,
    ahead: u64,
    gathered: Vec<u8>,
    failure: Failure,
    hash: RunningHash,
}

impl Tail {
    /// Bytes that are worth a call.
    const FULL: usize = 256 << 10;

    fn new(file: File, ahead: u64, failure: Failure, hash: RunningHash) -> Self {
        Self { file, ahead, gathered: Vec::new(), failure, hash }
    }

    fn write_gathered(&mut self) -> io::Result<()> {
        let gathered = std::mem::take(&mut self.gathered);
        self.hash.update(&gathered);
        self.file.write_all(&gathered).inspect_err(|error| self.failure.note(error))
    }
}

impl Write for Tail {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.ahead > 0 {
            let passed = self.ahead.min(bytes.len() as u64);
            self.ahead -= passed;
            return Ok(passed as usize);
        }
        if self.gathered.len() + bytes.len() > Self::FULL {
            self.write_gathered()?;
        }
        self.gathered.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.write_gathered()?;
        self.file.flush()
    }
}

impl Drop for Tail {
    /// The metadata writer drops its buffer unflushed; what fails here is noted.
    fn drop(&mut self) {
        let _ = self.write_gathered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the buffer holds at the end is written when it is dropped: that may fail as well.
    #[test]
    fn an_end_that_cannot_be_written_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let end = |mut writer: TrackedWrite<Tail>| writer.write_all(b"end");
        Output::create(directory.path()).unwrap().finish(end).unwrap();
        let mut output = Output::create(directory.path()).unwrap();
        // Nothing can be written to what was opened to be read.
        let file = File::open(&output.path).unwrap();
        output.open = Some(output.open_at_end(file).unwrap());
        assert!(output.finish(end).is_err());
    }

    #[test]
    fn a_suspended_file_goes_on_where_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let mut output = Output::create(directory.path()).unwrap();
        output.writer().unwrap().write_all(b"one, ").unwrap();
        output.flush().unwrap();
        let (len, hash) = (output.len(), output.hash());
        output.suspend().unwrap();
        output.writer().unwrap().write_all(b"another").unwrap();
        output.suspend().unwrap();
        output.cut(len, &hash).unwrap();
        output.suspend().unwrap();
        assert_eq!(output.len(), len);
        let (file, bytes, hash) = output.finish(|mut writer| writer.write_all(b"two")).unwrap();
        assert_eq!((std::fs::read(file.path()).unwrap(), bytes), (b"one, two".to_vec(), 8));
        assert_eq!(hash, blake3::hash(b"one, two"));
    }
}
