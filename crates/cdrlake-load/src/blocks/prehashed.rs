//! A source that is read to its end before any of it is decoded, since rows that are handed on at once must
//! tell the hash of their whole source.

use std::io::{self, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use crate::error::LoadError;

/// The bytes of a source, in memory or in an unnamed temporary file.
pub(super) struct Prehashed {
    hasher: blake3::Hasher,
    spool: SpooledTempFile,
    /// What the source said instead of its end.
    error: Option<io::Error>,
}

impl Prehashed {
    /// Reads a source; so many bytes of it stay in memory at the most. What goes wrong with the source shows
    /// when it is read again from here.
    pub(super) fn read(bytes: &mut dyn Read, memory: usize) -> Result<Self, LoadError> {
        let mut hasher = blake3::Hasher::new();
        let mut spool = tempfile::spooled_tempfile(memory);
        let mut buffer = vec![0; 256 << 10];
        let error = loop {
            match bytes.read(&mut buffer) {
                Ok(0) => break None,
                Ok(len) => {
                    hasher.update(&buffer[..len]);
                    spool.write_all(&buffer[..len]).map_err(LoadError::Spool)?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Some(error),
            }
        };
        spool.seek(SeekFrom::Start(0)).map_err(LoadError::Spool)?;
        Ok(Self { hasher, spool, error })
    }

    pub(super) fn hash(&self) -> blake3::Hash {
        self.hasher.finalize()
    }
}

impl Read for Prehashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.spool.read(buffer)? {
            0 if !buffer.is_empty() => self.error.take().map_or(Ok(0), Err),
            len => Ok(len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its bytes, and then fails.
    struct Broken<'b>(&'b [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("broken")),
                len => Ok(len),
            }
        }
    }

    #[test]
    fn bytes_and_errors_come_as_they_were() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|n| n as u8).collect();
        for memory in [0, 1000, 10_000_000] {
            let mut whole = Prehashed::read(&mut &bytes[..], memory).unwrap();
            assert_eq!(whole.hash(), blake3::hash(&bytes));
            let mut read = Vec::new();
            whole.read_to_end(&mut read).unwrap();
            assert!(read == bytes);
            let mut broken = Prehashed::read(&mut Broken(&bytes), memory).unwrap();
            let mut read = Vec::new();
            let error = broken.read_to_end(&mut read).unwrap_err();
            assert!(read == bytes && error.to_string() == "broken");
        }
    }
}
