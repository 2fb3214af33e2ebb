//! A file as the `parquet` crate reads it, which remembers why it could not be read: that crate tells
//! errors of the system in words that cannot be told from its own.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

/// Pieces of a file.
pub(crate) struct Chunks {
    file: File,
    len: u64,
    failed: Failed,
}

/// Why a file could not be read, if it could not.
#[derive(Clone, Default)]
pub(crate) struct Failed(Arc<Mutex<Option<io::Error>>>);

impl Failed {
    /// The last error, once.
    pub(crate) fn take(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        if kind != io::ErrorKind::Interrupted {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        }
        kind.into()
    }
}

impl Chunks {
    /// Of a file of this length, whose errors `failed` keeps.
    pub(crate) fn of(file: File, len: u64, failed: Failed) -> Self {
        Self { file, len, failed }
    }

    fn from(&self, start: u64) -> io::Result<Noted> {
        let failed = self.failed.clone();
        let mut file = self.file.try_clone().map_err(|error| failed.note(error))?;
        file.seek(SeekFrom::Start(start)).map_err(|error| failed.note(error))?;
        Ok(Noted { file, failed })
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Noted>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(BufReader::new(self.from(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<bytes::Bytes> {
        let cut = || ParquetError::EOF("the file is shorter".to_owned());
        // A length in a damaged file may be any: no room is made for what is not there.
        let end = start.checked_add(length as u64).filter(|&end| end <= self.len);
        end.ok_or_else(cut)?;
        let mut read = Vec::with_capacity(length);
        self.from(start)?.take(length as u64).read_to_end(&mut read)?;
        if read.len() == length { Ok(read.into()) } else { Err(cut()) }
    }
}

/// A file, from somewhere on.
pub(crate) struct Noted {
    file: File,
    failed: Failed,
}

impl Read for Noted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer).map_err(|error| self.failed.note(error))
    }
}
