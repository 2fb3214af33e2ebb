//! How a lake is read and changed: the seam between what a run wants to be true and how a kind of lake
//! makes it true.
//!
//! A run takes a [snapshot](Commit::snapshot), makes files in the [staging](Commit::staging) directory
//! of this machine, [stages](Commit::stage) each, and then [commits](Commit::commit) a
//! [`Transaction`] against the version that it saw. A reader of the lake sees all of that or
//! nothing, as far as the kind of lake allows; a process that dies on the way leaves nothing that
//! [`recover`](Commit::recover) cannot finish or clear away.

mod directory;
#[cfg(test)]
mod memory;
mod publish;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::ops::Deref;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use parquet::errors::Result as ParquetResult;
use parquet::file::reader::{ChunkReader, Length};

pub(crate) use self::directory::{DirectoryLake, refuse_foreign};
use crate::error::LakeError;
use crate::model::{AddedFile, CompleteFile, Transaction, Version};
use crate::snapshot::Snapshot;

/// A kind of lake: how it is read, and changed all or nothing.
pub trait Commit {
    /// What is true of the lake at one moment.
    type Snapshot: Snapshot;
    /// How the lake finds a file that was staged.
    type Staged;

    /// What is true of the lake now.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if the lake cannot be read.
    fn snapshot(&self) -> Result<impl Deref<Target = Self::Snapshot>, LakeError>;

    /// A directory of this machine for files under construction.
    fn staging(&self) -> &Path;

    /// Puts a complete file where a commit on top of `base` can take it from. Nobody sees it yet.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if that fails.
    fn stage(
        &self,
        base: Version,
        file: CompleteFile,
    ) -> Result<AddedFile<Self::Staged>, LakeError>;

    /// Makes a transaction true of the lake, if nobody has changed that since `base`. An empty one
    /// changes nothing.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if the lake cannot be written; [`LakeError::Unfinished`] once the
    /// transaction is recorded, so that [`recover`](Self::recover) will finish it.
    fn commit(
        &self,
        base: Version,
        transaction: Transaction<Self::Staged>,
    ) -> Result<Outcome, LakeError>;

    /// Notes that contents which the lake knows came again today. It changes nothing of what the lake holds.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if that fails.
    fn note_seen(&self, contents: &[blake3::Hash]) -> Result<(), LakeError> {
        let _ = contents;
        Ok(())
    }

    /// Finishes, or clears away, what processes that died have left.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if that fails.
    fn recover(&self) -> Result<(), LakeError>;

    /// The bytes of the file at a path in the lake.
    ///
    /// # Errors
    ///
    /// [`LakeError::Read`], with what the system says.
    fn read(&self, path: &str) -> Result<FileChunks, LakeError>;

    /// What messages call the lake.
    fn name(&self) -> PathBuf;

    /// Where a path in the lake is, for messages and reports.
    fn locate(&self, path: &str) -> PathBuf;
}

/// How a commit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The lake has this version now, and the transaction is true of it.
    Committed(Version),
    /// Nothing was changed: the lake had this version already, and not the one that the transaction
    /// is based on. The run may take another snapshot and decide again.
    Conflict(Version),
}

/// The bytes of a file of a lake, read in pieces, in any order.
#[derive(Debug)]
pub enum FileChunks {
    /// On a file system.
    File(File),
    /// In memory.
    Memory(Bytes),
}

impl FileChunks {
    /// The same bytes once more. Only one of both may be read at a time.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::File(file) => Self::File(file.try_clone()?),
            Self::Memory(bytes) => Self::Memory(bytes.clone()),
        })
    }
}

impl Length for FileChunks {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => file.len(),
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }
}

impl ChunkReader for FileChunks {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        Ok(match self {
            Self::File(file) => Box::new(file.get_read(start)?),
            Self::Memory(bytes) => Box::new(io::Cursor::new(bytes.slice(start as usize..))),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Memory(bytes) => bytes.get_bytes(start, length),
        }
    }
}
