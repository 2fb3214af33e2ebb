//! The end of a zip: how many entries it says there are, before a directory of that many is read.
//!
//! The `zip` crate makes room for as many entries as the end record declares, and takes any end
//! record that it finds near the end. Here there is one, at the very end, with the archive's comment.
//! Zeros may follow it, any number of them, as they may follow a gzip; anything else there is as wrong
//! as garbage after a gzip. With zeros after it the end record must also tell where it stands: one
//! that was cut off and filled up with zeros does not.

use std::cell::Cell;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use crate::damage::Damage;
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
    /// Where the archive ends.
    pub(crate) archive_len: u64,
    /// Zeros that follow it.
    pub(crate) zeros: u64,
}

impl EndRecord {
    /// Of an archive that can seek.
    pub(crate) fn read(archive: &mut (impl Read + Seek)) -> Result<Self, SourceError> {
        let (last, len, zeros) =
            last_bytes(archive).map_err(|error| SourceError::of_read(0, error))?;
        Self::of(&last, len, zeros).map_err(SourceError::Zip)
    }

    /// Returns the end of the archive in `last`, the last bytes of a file. The file has `len` bytes up to
    /// the last that is not zero, and `zeros` zeros after that.
    fn of(last: &[u8], len: u64, zeros: u64) -> Result<Self, Damage> {
        const NOT_AT_END: Damage = Damage("its end record does not stand at its end");
        let at = memchr::memmem::rfind(last, b"PK\x05\x06")
            .ok_or(Damage("there is no end record; it was cut off"))?;
        let (before, end) = last.split_at(at);
        let position = len - end.len() as u64;
        // Its own last bytes may be zeros.
        let mut record = [0; END_LEN];
        let of_record = end.len().min(END_LEN);
        record[..of_record].copy_from_slice(&end[..of_record]);
        let comment_len = usize::from(u16::from_le_bytes([record[20], record[21]]));
        let archive_len = position + (END_LEN + comment_len) as u64;
        let zeros = (len + zeros).checked_sub(archive_len).filter(|_| archive_len >= len);
        let zeros = zeros.ok_or(NOT_AT_END)?;
        let entries = u16::from_le_bytes([record[10], record[11]]);
        let end64 = End64::before(before, position);
        if zeros > 0 && !follows_directory(&record, position, end64.as_ref()) {
            return Err(NOT_AT_END);
        }
        let entries = match end64 {
            Some(end64) if entries == u16::MAX => end64.found()?.entries,
            _ => u64::from(entries),
        };
        Ok(Self { entries, comment_len, archive_len, zeros })
    }
}

/// The last bytes of a file without the zeros that it ends with, its length without them, and how
/// many they are.
fn last_bytes(file: &mut (impl Read + Seek)) -> io::Result<(Vec<u8>, u64, u64)> {
    let (len, zeros) = len_and_zeros(file)?;
    let start = len.saturating_sub(MOST as u64);
    file.seek(SeekFrom::Start(start))?;
    let mut last = Vec::with_capacity(MOST);
    file.take(len - start).read_to_end(&mut last)?;
    Ok((last, len, zeros))
}

/// The length of a file without the zeros that it ends with, and how many these are.
fn len_and_zeros(file: &mut (impl Read + Seek)) -> io::Result<(u64, u64)> {
    const PIECE_LEN: usize = 64 << 10;
    let whole = file.seek(SeekFrom::End(0))?;
    let mut len = whole;
    let mut piece = vec![0; PIECE_LEN];
    while len > 0 {
        let start = len.saturating_sub(PIECE_LEN as u64);
        let piece = &mut piece[..(len - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        if let Some(last) = piece.iter().rposition(|&byte| byte != 0) {
            len = start + last as u64 + 1;
            break;
        }
        len = start;
    }
    Ok((len, whole - len))
}

/// Whether the directory ends where the end record begins, or the zip64 end record before it.
fn follows_directory(record: &[u8], position: u64, end64: Option<&End64>) -> bool {
    const IN_END64: u32 = u32::MAX;
    let end64 = end64.and_then(|end64| end64.found.as_ref());
    let of_directory = |at, of_end64: fn(&FoundEnd64) -> u64| match u32_at(record, at) {
        Some(IN_END64) => end64.map(of_end64),
        value => value.map(u64::from),
    };
    let directory_len = of_directory(12, |end64| end64.directory_len);
    let directory = of_directory(16, |end64| end64.directory);
    let end = directory.zip(directory_len).and_then(|(at, len)| at.checked_add(len));
    end == Some(end64.map_or(position, |end64| end64.position))
}

/// A zip64 end record, which a locator between it and the end record tells of.
struct End64 {
    found: Option<FoundEnd64>,
}

/// One that stands where its locator says.
struct FoundEnd64 {
    position: u64,
    entries: u64,
    directory_len: u64,
    directory: u64,
}

impl End64 {
    /// Of the bytes before an end record at `position`; none if there is no locator.
    fn before(bytes: &[u8], position: u64) -> Option<Self> {
        let (bytes, locator) = bytes.split_at_checked(bytes.len().checked_sub(LOCATOR_LEN)?)?;
        let located = u64_at(locator.strip_prefix(b"PK\x06\x07")?, 4);
        let found = || {
            let end64 = &bytes[bytes.len().checked_sub(END64_LEN)?..];
            let position = position.checked_sub((LOCATOR_LEN + END64_LEN) as u64)?;
            let is_there = end64.starts_with(b"PK\x06\x06") && located == Some(position);
            let at = |at| u64_at(end64, at).filter(|_| is_there);
            let (entries, directory_len, directory) = (at(32)?, at(40)?, at(48)?);
            Some(FoundEnd64 { position, entries, directory_len, directory })
        };
        Some(Self { found: found() })
    }

    fn found(self) -> Result<FoundEnd64, Damage> {
        self.found.ok_or(Damage("its zip64 end record is not where it should be"))
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
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
    /// Returns a reader of a directory that should have `entries` entries, and must not take more than
    /// `most` bytes.
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
    /// Up to the last byte that is not zero.
    len: u64,
    last: Vec<u8>,
    /// Zeros since.
    zeros: u64,
}

impl<R: Read> LastBytes<R> {
    pub(crate) fn of(stream: R) -> Self {
        Self { stream, len: 0, last: Vec::with_capacity(4 * MOST), zeros: 0 }
    }

    /// The end record, now that the stream has ended.
    pub(crate) fn end_record(&mut self) -> Result<EndRecord, SourceError> {
        io::copy(self, &mut io::sink()).map_err(|error| SourceError::of_read(0, error))?;
        let last = &self.last[self.last.len().saturating_sub(MOST)..];
        EndRecord::of(last, self.len, self.zeros).map_err(SourceError::Zip)
    }

    fn note(&mut self, bytes: &[u8]) {
        static ZEROS: [u8; MOST] = [0; MOST];
        let Some(last) = bytes.iter().rposition(|&byte| byte != 0) else {
            self.zeros += bytes.len() as u64;
            return;
        };
        let (bytes, zeros) = bytes.split_at(last + 1);
        self.keep(&ZEROS[..self.zeros.min(MOST as u64) as usize]);
        self.keep(&bytes[bytes.len().saturating_sub(MOST)..]);
        self.len += self.zeros + bytes.len() as u64;
        self.zeros = zeros.len() as u64;
    }

    fn keep(&mut self, bytes: &[u8]) {
        if self.last.len() + bytes.len() > 4 * MOST {
            self.last.drain(..self.last.len().saturating_sub(MOST));
        }
        self.last.extend_from_slice(bytes);
    }
}

impl<R: Read> Read for LastBytes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.note(&buffer[..read]);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An end record for a directory of a byte a entry, which it follows.
    fn end(position: usize, entries: u16, comment: &[u8]) -> Vec<u8> {
        let mut end = [&b"PK\x05\x06\0\0\0\0"[..], &entries.to_le_bytes()].concat();
        end.extend_from_slice(&entries.to_le_bytes());
        end.extend_from_slice(&u32::from(entries).to_le_bytes());
        end.extend_from_slice(&(position as u32).wrapping_sub(entries.into()).to_le_bytes());
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
        for before in [7, 100, 300_000] {
            let before = vec![b'x'; before];
            for comment in [&b""[..], b"hello", b"0\0\0", &[b'c'; 0xFFFF]] {
                let archive = [&before[..], &end(before.len(), 7, comment)].concat();
                let archive_len = archive.len() as u64;
                let comment_len = comment.len();
                let expected = EndRecord { entries: 7, comment_len, archive_len, zeros: 0 };
                assert_eq!(read(&archive), Some(expected));
                assert_eq!(read(&archive[..archive.len() - 1]), None);
                for zeros in [1, 100, 200_000] {
                    let padded = [&archive[..], &vec![0; zeros]].concat();
                    let expected = EndRecord { zeros: zeros as u64, ..expected };
                    assert_eq!(read(&padded), Some(expected));
                    for garbage in [&b"x"[..], b"x\0", b"PK\x05\x06\0\0"] {
                        assert_eq!(read(&[&padded, garbage].concat()), None);
                    }
                }
                for garbage in [&b"x"[..], b"x\0", b"PK\x05\x06\0\0"] {
                    assert_eq!(read(&[&archive, garbage].concat()), None);
                }
            }
        }
        assert_eq!(read(b""), None);
        assert_eq!(read(&[0; 100]), None);
    }

    /// A file whose last pages were never written does not pass for an archive with less in it.
    #[test]
    fn an_end_record_that_was_cut_off_is_not_filled_up_by_zeros() {
        let before = vec![b'x'; 0x01_02_03];
        let archive = [&before[..], &end(before.len(), 0x1234, b"")].concat();
        // What is zero anyway may be missing.
        let told = archive.iter().rposition(|&byte| byte != 0).unwrap() + 1;
        for len in before.len()..told {
            assert_eq!(read(&[&archive[..len], &[0; 1000]].concat()), None, "cut at {len}");
        }
        assert!(read(&[&archive[..told], &[0; 1000]].concat()).is_some());
    }

    #[test]
    fn a_zip64_end_record_stands_before_it() {
        for before in [0, 100, 300_000_u64] {
            let mut archive = vec![b'x'; before as usize];
            archive.extend_from_slice(b"PK\x06\x06");
            archive.extend_from_slice(&[0; 28]);
            archive.extend_from_slice(&2_500_000_u64.to_le_bytes());
            archive.extend_from_slice(&before.to_le_bytes());
            archive.extend_from_slice(&[0; 8]);
            archive.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            let located = archive.len();
            archive.extend_from_slice(&before.to_le_bytes());
            archive.extend_from_slice(&1_u32.to_le_bytes());
            let directory = archive.len() + 12;
            archive.extend_from_slice(&end(0, 0xFFFF, b"c"));
            archive[directory..directory + 8].fill(0xFF);
            let archive_len = archive.len() as u64;
            let expected = EndRecord { entries: 2_500_000, comment_len: 1, archive_len, zeros: 0 };
            assert_eq!(read(&archive), Some(expected));
            let padded = [&archive[..], &[0; 10]].concat();
            assert_eq!(read(&padded), Some(EndRecord { zeros: 10, ..expected }));
            archive[located] ^= 1;
            assert_eq!(read(&archive), None);
        }
    }
}
