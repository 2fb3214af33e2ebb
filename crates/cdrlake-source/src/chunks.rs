//! A file as the `parquet` crate reads it, which remembers why it could not be read: that crate tells
//! errors of the system in words that cannot be told from its own.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::damage::{Beneath, Kept};

/// Pieces of a file.
pub(crate) struct Chunks {
    file: File,
    len: u64,
    kept: Kept,
}

impl Chunks {
    /// Of a file of this length, whose errors `kept` keeps.
    pub(crate) fn of(file: File, len: u64, kept: Kept) -> Self {
        Self { file, len, kept }
    }

    fn from(&self, start: u64) -> io::Result<Beneath<File>> {
        let file = self.file.try_clone().map_err(|error| self.kept.keep(error))?;
        let mut file = self.kept.beneath(file);
        file.seek(SeekFrom::Start(start))?;
        Ok(file)
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Chunks {
    type T = BufReader<Beneath<File>>;

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
