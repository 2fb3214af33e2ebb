//! The bytes of a block: memory that is cleared once, as it comes from the system, and used again
//! and again.

use std::io::{self, ErrorKind, Read};
use std::ops::Deref;
use std::sync::{Mutex, PoisonError};

use cdrlake_core::RECORD_LEN;

/// Bytes of a full block: 65,536 records, which make a row group of two MiB or so.
///
/// Twice as many made the file of a million records 0.4 % smaller, and took 298 MiB instead of 222
/// on two threads.
pub(crate) const BLOCK_LEN: usize = 65_536 * (RECORD_LEN + 1);

/// Bytes read at a time: few enough that they are still in the second-level cache when they are
/// hashed.
const STEP: usize = 256 << 10;

/// Bytes that are appended, and behind them room that is there already.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    /// As long as it ever was; what was never touched takes no memory.
    bytes: Vec<u8>,
    len: usize,
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl Buffer {
    pub(super) fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    pub(super) fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.len += bytes.len();
    }

    /// Reads until there are `most` bytes more or the stream ends, and shows `note` all that is
    /// read, also before an error. Returns how many.
    pub(super) fn read_from(
        &mut self,
        stream: &mut dyn Read,
        most: usize,
        mut note: impl FnMut(&[u8]),
    ) -> io::Result<usize> {
        let mut done = 0;
        while done < most {
            let room = self.room(STEP.min(most - done));
            match stream.read(room) {
                Ok(0) => break,
                Ok(read) => {
                    note(&room[..read]);
                    self.len += read;
                    done += read;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    /// `len` bytes behind those there are; what they hold means nothing.
    fn room(&mut self, len: usize) -> &mut [u8] {
        let end = self.len + len;
        if self.bytes.len() < end {
            self.bytes.resize(end, 0);
        }
        &mut self.bytes[self.len..end]
    }
}

/// Buffers that are used again and again: fresh memory is dear.
#[derive(Debug, Default)]
pub(crate) struct Buffers(Mutex<Vec<Buffer>>);

impl Buffers {
    pub(super) fn take(&self) -> Buffer {
        let spare = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Buffer { bytes: vec![0; BLOCK_LEN], len: 0 })
    }

    pub(crate) fn give_back(&self, mut buffer: Buffer) {
        buffer.len = 0;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a few bytes at a time, and sometimes only a signal.
    struct Drip(u8);

    impl Read for Drip {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 += 1;
            match self.0 % 4 {
                0 => Err(ErrorKind::Interrupted.into()),
                _ if self.0 > 20 => Err(ErrorKind::TimedOut.into()),
                count => {
                    buffer[..count.into()].fill(self.0);
                    Ok(count.into())
                }
            }
        }
    }

    #[test]
    fn bytes_are_appended_cut_and_noted() {
        let mut buffer = Buffer::default();
        buffer.extend_from_slice(b"abc");
        let mut noted = Vec::new();
        let mut note = |bytes: &[u8]| noted.extend_from_slice(bytes);
        assert_eq!(buffer.read_from(&mut &b"defgh"[..], 4, &mut note).unwrap(), 4);
        assert_eq!(buffer.read_from(&mut &b"h"[..], 4, &mut note).unwrap(), 1);
        assert_eq!(&*buffer, b"abcdefgh");
        buffer.truncate(2);
        buffer.extend_from_slice(b"x");
        assert_eq!(&*buffer, b"abx");
        assert_eq!(noted, b"defgh");
    }

    #[test]
    fn a_signal_ends_no_read_and_an_error_loses_nothing() {
        let (mut buffer, mut noted) = (Buffer::default(), Vec::new());
        let read = |buffer: &mut Buffer, noted: &mut Vec<u8>| {
            buffer.read_from(&mut Drip(0), 1000, |bytes| noted.extend_from_slice(bytes))
        };
        assert_eq!(read(&mut buffer, &mut noted).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(buffer.len(), (1..=20).map(|count| count % 4).sum::<usize>());
        assert_eq!(&*buffer, &noted[..]);
    }

    #[test]
    fn what_is_given_back_is_empty_and_keeps_its_memory() {
        let buffers = Buffers::default();
        let mut buffer = buffers.take();
        buffer.extend_from_slice(&[7; 100]);
        let at = buffer.as_ptr();
        buffers.give_back(buffer);
        let again = buffers.take();
        assert!(again.is_empty());
        assert_eq!(again.bytes.as_ptr(), at);
    }
}
