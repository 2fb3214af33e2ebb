//! The end of a zip: how many entries it says there are, before a directory of that many is read.
//!
//! The `zip` crate makes room for as many entries as the end record declares, and takes any end
//! record that it finds near the end. Here there is one, at the very end: what follows it, unless
//! it is the archive's comment, is as wrong as garbage behind a gzip.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::result::{ZipError, ZipResult};

use crate::error::SourceError;

const END_LEN: usize = 22;
const LOCATOR_LEN: usize = 20;
const END64_LEN: usize = 56;
/// The longest end: a zip64 record and its locator, the end record, a comment.
const MOST: usize = END64_LEN + LOCATOR_LEN + END_LEN + u16::MAX as usize;

/// What the end of an archive says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndRecord {
    pub(crate) entries: u64,
    pub(crate) comment_len: usize,
}

impl EndRecord {
    pub(crate) fn read(archive: &mut (impl Read + Seek)) -> ZipResult<Self> {
        let len = archive.seek(SeekFrom::End(0))?;
        archive.seek(SeekFrom::Start(len.saturating_sub(MOST as u64)))?;
        let mut last = Vec::with_capacity(MOST.min(len as usize));
        archive.take(MOST as u64).read_to_end(&mut last)?;
        archive.seek(SeekFrom::Start(0))?;
        Self::of(&last, len)
    }

    /// Of the last bytes of an archive of this length.
    fn of(last: &[u8], len: u64) -> ZipResult<Self> {
        let invalid = |problem: &'static str| ZipError::InvalidArchive(problem.into());
        let at = memchr::memmem::rfind(last, b"PK\x05\x06")
            .ok_or_else(|| invalid("there is no end record; it was cut off"))?;
        let end = &last[at..];
        let comment_len = u16_at(end, 20).map(usize::from);
        let comment_len = comment_len
            .filter(|comment_len| END_LEN + comment_len == end.len())
            .ok_or_else(|| invalid("its end record does not stand at its end"))?;
        let entries = u16_at(end, 10).unwrap_or_default();
        if entries != u16::MAX || !last[..at].ends_with_locator() {
            return Ok(Self { entries: u64::from(entries), comment_len });
        }
        let end64 = at.checked_sub(LOCATOR_LEN + END64_LEN);
        let position = end64.map(|at| len - last.len() as u64 + at as u64);
        let located = u64_at(last, at - LOCATOR_LEN + 8);
        let end64 = end64.and_then(|at| last.get(at..)).filter(|end64| {
            end64.starts_with(b"PK\x06\x06") && located.is_some() && located == position
        });
        let entries = end64.and_then(|end64| u64_at(end64, 32));
        let entries =
            entries.ok_or_else(|| invalid("its zip64 end record is not where it should be"))?;
        Ok(Self { entries, comment_len })
    }
}

trait EndsWithLocator {
    fn ends_with_locator(&self) -> bool;
}

impl EndsWithLocator for [u8] {
    /// Whether a zip64 end record is located by what stands last.
    fn ends_with_locator(&self) -> bool {
        let at = self.len().checked_sub(LOCATOR_LEN);
        at.is_some_and(|at| self[at..].starts_with(b"PK\x06\x07"))
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|bytes| u16::from_le_bytes(*bytes))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Reads an archive, and fails while its directory is read if that is too long to be held.
pub(crate) struct DirectoryReader<R> {
    inner: R,
    room: Rc<Room>,
}

/// How much of a directory may be read.
pub(crate) struct Room {
    left: Cell<Option<u64>>,
    most: u64,
}

impl Room {
    /// The directory has been read; from now on it is members.
    pub(crate) fn lift(&self) {
        self.left.set(None);
    }
}

impl<R: Read + Seek> DirectoryReader<R> {
    /// For a directory that is to have so many entries, and must not take more bytes than `most`.
    pub(crate) fn new(inner: R, entries: u64, most: u64) -> (Self, Rc<Room>) {
        /// For the search of the end, and what a single entry may need.
        const ANY: u64 = 1 << 20;
        /// Of an entry in the mean, longer than any path but a strange one.
        const EACH: u64 = 4096;
        let left = entries.saturating_mul(EACH).min(most).saturating_add(ANY);
        let room = Rc::new(Room { left: Cell::new(Some(left)), most });
        (Self { inner, room: Rc::clone(&room) }, room)
    }
}

impl<R: Read> Read for DirectoryReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        if let Some(left) = self.room.left.get() {
            let most = self.room.most;
            let left = left
                .checked_sub(read as u64)
                .ok_or_else(|| io::Error::other(SourceError::ZipDirectoryTooLarge { most }))?;
            self.room.left.set(Some(left));
        }
        Ok(read)
    }
}

impl<R: Seek> Seek for DirectoryReader<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.inner.seek(position)
    }
}

/// A stream, and its last bytes so far.
pub(crate) struct LastBytes<R> {
    stream: R,
    len: u64,
    last: Vec<u8>,
}

impl<R: Read> LastBytes<R> {
    pub(crate) fn of(stream: R) -> Self {
        Self { stream, len: 0, last: Vec::with_capacity(4 * MOST) }
    }

    /// The end record, now that the stream has ended.
    pub(crate) fn end_record(&mut self) -> ZipResult<EndRecord> {
        io::copy(self, &mut io::sink())?;
        EndRecord::of(&self.last[self.last.len().saturating_sub(MOST)..], self.len)
    }
}

impl<R: Read> Read for LastBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.len += read as u64;
        let bytes = &buffer[..read];
        let bytes = &bytes[read.saturating_sub(MOST)..];
        if self.last.len() + bytes.len() > 4 * MOST {
            self.last.drain(..self.last.len().saturating_sub(MOST));
        }
        self.last.extend_from_slice(bytes);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(entries: u16, comment: &[u8]) -> Vec<u8> {
        let mut end = [&b"PK\x05\x06\0\0\0\0"[..], &entries.to_le_bytes()].concat();
        end.extend_from_slice(&entries.to_le_bytes());
        end.extend_from_slice(&[0; 8]);
        end.extend_from_slice(&(comment.len() as u16).to_le_bytes());
        end.extend_from_slice(comment);
        end
    }

    fn read(archive: &[u8]) -> Option<EndRecord> {
        let of_file = EndRecord::read(&mut io::Cursor::new(archive)).ok();
        let mut last = LastBytes::of(archive);
        let mut small = [0; 100];
        while last.read(&mut small).unwrap() > 0 {}
        assert_eq!(last.end_record().ok(), of_file);
        of_file
    }

    #[test]
    fn an_end_record_stands_at_the_end() {
        for before in [0, 1, 100, 300_000] {
            let before = vec![b'x'; before];
            for comment in [&b""[..], b"hello", &[b'c'; 0xFFFF]] {
                let archive = [&before[..], &end(7, comment)].concat();
                let expected = EndRecord { entries: 7, comment_len: comment.len() };
                assert_eq!(read(&archive), Some(expected));
                assert_eq!(read(&[&archive[..], b"\0"].concat()), None);
                assert_eq!(read(&archive[..archive.len() - 1]), None);
            }
        }
        assert_eq!(read(b""), None);
    }

    #[test]
    fn a_zip64_end_record_stands_before_it() {
        for before in [0, 100, 300_000_u64] {
            let mut archive = vec![b'x'; before as usize];
            archive.extend_from_slice(b"PK\x06\x06");
            archive.extend_from_slice(&[0; 28]);
            archive.extend_from_slice(&2_500_000_u64.to_le_bytes());
            archive.extend_from_slice(&[0; 16]);
            archive.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            let located = archive.len();
            archive.extend_from_slice(&before.to_le_bytes());
            archive.extend_from_slice(&1_u32.to_le_bytes());
            archive.extend_from_slice(&end(0xFFFF, b"c"));
            let expected = EndRecord { entries: 2_500_000, comment_len: 1 };
            assert_eq!(read(&archive), Some(expected));
            archive[located] ^= 1;
            assert_eq!(read(&archive), None);
        }
    }
}
