//! A file of a lake held against what the ledger says of it, byte by byte.
//!
//! Rows of a file are found by their places alone, so whoever copies some and drops others, or counts
//! whose they are, must know that it is the file that was written: with the same rows in another order
//! one source's calls would go, and another's would be there twice.

use std::fmt;
use std::io::{self, Read};

use cdrlake_run::{Interrupt, Interrupted};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use crate::commit::FileChunks;
use crate::facts::FileFacts;
use crate::file_damage::FileDamage;
use crate::model::LakeFile;

/// What a ledger says of a file.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recorded {
    rows: u64,
    bytes: u64,
    /// None of files that versions before wrote.
    blake3: Option<blake3::Hash>,
}

impl From<&LakeFile> for Recorded {
    fn from(file: &LakeFile) -> Self {
        Self { rows: file.rows, bytes: file.bytes, blake3: file.blake3 }
    }
}

impl From<&FileFacts> for Recorded {
    fn from(file: &FileFacts) -> Self {
        Self { rows: file.rows, bytes: file.bytes, blake3: file.blake3 }
    }
}

/// Why a file does not pass.
#[derive(Debug)]
pub(crate) enum Failed {
    Damaged(FileDamage),
    Interrupted,
}

impl From<Interrupted> for Failed {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

/// Reads a file whole, and returns its BLAKE3 if it is what the ledger says. Of a file whose BLAKE3 no
/// ledger has, every value is read: pages that have a CRC must have the right one. `on_bytes` is told
/// how many bytes more were read.
pub(crate) fn verify(
    file: &FileChunks,
    recorded: Recorded,
    interrupt: &Interrupt,
    on_bytes: &mut dyn FnMut(u64),
) -> Result<blake3::Hash, Failed> {
    let unreadable =
        |error: &dyn fmt::Display| Failed::Damaged(FileDamage::Unreadable(error.to_string()));
    let mut content = file.get_read(0).map_err(|error| unreadable(&error))?;
    let (bytes, blake3) = match hash(&mut content, interrupt, on_bytes) {
        Ok(read) => read?,
        Err(error) => return Err(unreadable(&error)),
    };
    if bytes != recorded.bytes || recorded.blake3.is_some_and(|known| known != blake3) {
        let ledger_bytes = recorded.bytes;
        return Err(Failed::Damaged(FileDamage::Changed { bytes, ledger_bytes, blake3 }));
    }
    if recorded.blake3.is_none() {
        let rows = match read_rows(file, interrupt) {
            Ok(rows) => rows?,
            Err(error) => return Err(unreadable(&error)),
        };
        if rows != recorded.rows {
            let ledger_rows = recorded.rows;
            return Err(Failed::Damaged(FileDamage::Rows { rows, ledger_rows }));
        }
    }
    Ok(blake3)
}

/// How many bytes there are, and their BLAKE3.
fn hash(
    content: &mut dyn Read,
    interrupt: &Interrupt,
    on_bytes: &mut dyn FnMut(u64),
) -> io::Result<Result<(u64, blake3::Hash), Interrupted>> {
    /// Bytes read at a time.
    const PIECE: usize = 1 << 20;
    let mut hasher = blake3::Hasher::new();
    let mut piece = vec![0; PIECE];
    loop {
        if let Err(interrupted) = interrupt.check() {
            return Ok(Err(interrupted));
        }
        let len = match content.read(&mut piece) {
            Ok(0) => return Ok(Ok((hasher.count(), hasher.finalize()))),
            Ok(len) => len,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hasher.update(piece.get(..len).unwrap_or_default());
        on_bytes(len as u64);
    }
}

/// How many rows there are, each of which was read with all its values.
fn read_rows(
    file: &FileChunks,
    interrupt: &Interrupt,
) -> Result<Result<u64, Interrupted>, ParquetError> {
    /// Rows read at a time.
    const BATCH: usize = 8192;
    // The types of the file alone, whatever a writer wished to have read from it.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file.try_clone()?, options)?;
    let mut rows = 0;
    for batch in builder.with_batch_size(BATCH).build()? {
        if let Err(interrupted) = interrupt.check() {
            return Ok(Err(interrupted));
        }
        rows += batch?.num_rows() as u64;
    }
    Ok(Ok(rows))
}
