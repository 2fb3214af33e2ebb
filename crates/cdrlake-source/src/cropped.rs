//! A file of which only the beginning is shown.

use std::io::{self, Read, Seek, SeekFrom};

/// The first `len` bytes of what can seek.
pub(crate) struct Cropped<R> {
    inner: R,
    len: u64,
    position: u64,
}

impl<R: Seek> Cropped<R> {
    /// Of `inner`, which is set to its beginning.
    pub(crate) fn new(mut inner: R, len: u64) -> io::Result<Self> {
        let position = inner.seek(SeekFrom::Start(0))?;
        Ok(Self { inner, len, position })
    }
}

impl<R: Read> Read for Cropped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.len.saturating_sub(self.position);
        let most = left.min(buffer.len() as u64) as usize;
        let read = self.inner.read(&mut buffer[..most])?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: Seek> Seek for Cropped<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let position = match position {
            SeekFrom::End(offset) => SeekFrom::Start(
                self.len.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?,
            ),
            other => other,
        };
        self.position = self.inner.seek(position)?;
        Ok(self.position)
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_seen_of_what_follows() {
        let mut cropped = Cropped::new(io::Cursor::new(b"0123456789"), 6).unwrap();
        let mut read = |position| {
            let mut text = String::new();
            let at = cropped.seek(position).unwrap();
            cropped.read_to_string(&mut text).unwrap();
            assert_eq!(cropped.stream_position().unwrap(), 6.max(at));
            (at, text)
        };
        assert_eq!(read(SeekFrom::Start(0)), (0, "012345".to_owned()));
        assert_eq!(read(SeekFrom::End(-2)), (4, "45".to_owned()));
        assert_eq!(read(SeekFrom::Current(-1)), (5, "5".to_owned()));
        assert_eq!(read(SeekFrom::Start(8)), (8, String::new()));
        assert!(cropped.seek(SeekFrom::End(-7)).is_err());
    }
}
