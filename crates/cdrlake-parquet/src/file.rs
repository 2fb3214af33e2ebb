//! Row groups to a staged file: a Parquet file that is not visible yet, and that can take row
//! groups back.
//!
//! A source is loaded wholly or not at all, but a large one turns out broken only at its end, when
//! many of its row groups are written. So a staged file can return to a [`Savepoint`]: it is cut to its
//! length then, and forgets the row groups since. No source is read twice, and no row group copied.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{
    FileMetaData, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::writer::{SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use rustix::io::Errno;
use tempfile::NamedTempFile;

use crate::column_statistics::ColumnStatistics;
use crate::columns::{Bounds, RowGroup, of_statistics, union};
use crate::error::Error;
use crate::layout::Layout;
use crate::temporary::{StagedFile, temporary_in};
use crate::writeback::Writeback;

const MAGIC: &[u8; 4] = b"PAR1";

/// A Parquet file under construction.
pub struct StagedParquet {
    layout: Arc<Layout>,
    path: PathBuf,
    temporary: NamedTempFile,
    output: TrackedWrite<Tail>,
    failure: Failure,
    hash: RunningHash,
    writeback: Writeback,
    row_groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
}

/// A state of a staged file to which it can be rolled back.
#[derive(Clone, Debug)]
pub struct Savepoint {
    len: u64,
    hash: Box<blake3::Hasher>,
    row_groups: usize,
}

impl StagedParquet {
    /// Begins a file in a directory; `path` is what messages name.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], with what the operating system says.
    pub fn create(directory: &Path, path: &Path, layout: Arc<Layout>) -> Result<Self, Error> {
        let temporary = temporary_in(directory, 0o666).map_err(Error::write(path))?;
        let file = temporary.as_file().try_clone().map_err(Error::write(path))?;
        let (failure, hash) = (Failure::default(), RunningHash::default());
        let mut output = TrackedWrite::new(Tail::new(file, 0, failure.clone(), hash.clone()));
        output.write_all(MAGIC).map_err(Error::write(path))?;
        Ok(Self {
            layout,
            path: path.to_owned(),
            temporary,
            output,
            failure,
            hash,
            writeback: Writeback::default(),
            row_groups: Vec::new(),
            column_indexes: Vec::new(),
            offset_indexes: Vec::new(),
        })
    }

    /// Appends a row group.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`], if it cannot be written, or is one too many: a file has 32,767.
    pub fn append(&mut self, row_group: RowGroup) -> Result<(), Error> {
        self.try_append(row_group).map_err(Error::parquet(&self.path))
    }

    fn try_append(&mut self, row_group: RowGroup) -> ParquetResult<()> {
        let ordinal = i16::try_from(self.row_groups.len())
            .map_err(|_| ParquetError::General("more than 32,767 row groups".to_owned()))?;
        let mut closed = None;
        let on_close = |_: &mut TrackedWrite<Tail>,
                        metadata,
                        _,
                        column_indexes: Vec<Option<ColumnIndexMetaData>>,
                        offset_indexes: Vec<Option<OffsetIndexMetaData>>| {
            closed = Some((metadata, column_indexes, offset_indexes));
            Ok(())
        };
        let mut writer = SerializedRowGroupWriter::new(
            Arc::clone(&self.layout.schema),
            Arc::clone(&self.layout.properties),
            &mut self.output,
            ordinal,
            Some(Box::new(on_close)),
        );
        for chunk in row_group.chunks {
            chunk.append_to_row_group(&mut writer)?;
        }
        writer.close()?;
        self.output.flush()?;
        let Some((metadata, column_indexes, offset_indexes)) = closed else {
            return Err(ParquetError::General("a row group was not closed".to_owned()));
        };
        let none = ColumnIndexMetaData::NONE;
        let column_indexes = column_indexes.into_iter().map(|index| index.unwrap_or(none.clone()));
        self.row_groups.push(metadata);
        self.column_indexes.push(column_indexes.collect());
        self.offset_indexes.push(offset_indexes.into_iter().flatten().collect());
        self.writeback.advance(self.temporary.as_file(), self.byte_len());
        Ok(())
    }

    /// Bytes so far.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.output.bytes_written() as u64
    }

    /// The state as it is now, to which the file can be rolled back.
    #[must_use]
    pub fn savepoint(&self) -> Savepoint {
        Savepoint {
            len: self.byte_len(),
            hash: Box::new(self.hash.state()),
            row_groups: self.row_groups.len(),
        }
    }

    /// Takes back every row group since `savepoint`.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], with what the operating system says.
    pub fn rollback(&mut self, savepoint: &Savepoint) -> Result<(), Error> {
        self.try_rollback(savepoint).map_err(Error::write(&self.path))
    }

    fn try_rollback(&mut self, savepoint: &Savepoint) -> io::Result<()> {
        self.output.flush()?;
        let mut file = self.temporary.as_file().try_clone()?;
        file.set_len(savepoint.len)?;
        file.seek(SeekFrom::Start(savepoint.len))?;
        // Only what is written counts for the offsets that row groups get. So what stands already
        // is written again, as zeros that go nowhere.
        let (failure, hash) = (self.failure.clone(), self.hash.clone());
        hash.restore(&savepoint.hash);
        let mut output = TrackedWrite::new(Tail::new(file, savepoint.len, failure, hash));
        io::copy(&mut io::repeat(0).take(savepoint.len), &mut output)?;
        output.flush()?;
        self.output = output;
        self.writeback.cut(savepoint.len);
        self.row_groups.truncate(savepoint.row_groups);
        self.column_indexes.truncate(savepoint.row_groups);
        self.offset_indexes.truncate(savepoint.row_groups);
        Ok(())
    }

    /// Writes indexes and footer and syncs the file.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`] or [`Error::Write`], if that fails.
    pub fn finish(self) -> Result<StagedFile, Error> {
        let staged = self.complete()?;
        staged.sync()?;
        Ok(staged)
    }

    /// Writes indexes and footer; the file is on its way to the disk, and yet to be synced.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`], if that fails.
    pub fn complete(self) -> Result<StagedFile, Error> {
        let (begun, hash, path) = (self.writeback.clone(), self.hash.clone(), self.path.clone());
        let rows = self.row_groups.iter().map(|row_group| row_group.num_rows() as u64).sum();
        let statistics = self.statistics();
        let temporary = self.write_footer().map_err(Error::parquet(&path))?;
        let bytes = temporary.as_file().metadata().map_err(Error::write(&path))?.len();
        begun.finish(temporary.as_file(), bytes);
        let hash = hash.state().finalize();
        Ok(StagedFile { file: temporary, path, rows, bytes, hash, statistics })
    }

    /// What each column holds, over all row groups.
    fn statistics(&self) -> Vec<ColumnStatistics> {
        let columns = self.layout.schema.columns().iter().enumerate();
        let of_column = |(at, column): (usize, &ColumnDescPtr)| {
            let mut nulls = 0;
            let mut bounds: Bounds = None;
            for chunk in self.row_groups.iter().map(|row_group| row_group.column(at)) {
                if let Some(statistics) = chunk.statistics() {
                    nulls += statistics.null_count_opt().unwrap_or_default();
                    bounds = union(bounds, of_statistics(statistics));
                }
            }
            ColumnStatistics { column: column.name().to_owned(), nulls, bounds }
        };
        columns.map(of_column).collect()
    }

    fn write_footer(self) -> ParquetResult<NamedTempFile> {
        let properties = &self.layout.properties;
        let file_metadata = FileMetaData::new(
            properties.writer_version().as_num(),
            self.row_groups.iter().map(RowGroupMetaData::num_rows).sum(),
            Some(properties.created_by().to_owned()),
            properties.key_value_metadata().cloned(),
            Arc::clone(&self.layout.schema),
            None,
        );
        let metadata = ParquetMetaDataBuilder::new(file_metadata)
            .set_row_groups(self.row_groups)
            .set_column_index(Some(self.column_indexes))
            .set_offset_index(Some(self.offset_indexes))
            .build();
        let mut output = self.output;
        output.flush()?;
        ParquetMetaDataWriter::new_with_tracked(output, &metadata).finish()?;
        self.failure.check()?;
        Ok(self.temporary)
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
struct Tail {
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
    fn a_footer_that_cannot_be_written_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let schema = Arc::new(arrow_schema::Schema::empty());
        let layout = Arc::new(Layout::new(schema, Vec::new(), crate::Compression::None).unwrap());
        let create = || {
            StagedParquet::create(directory.path(), directory.path(), Arc::clone(&layout)).unwrap()
        };
        create().finish().unwrap();
        let mut staged = create();
        // Nothing can be written to what was opened to be read.
        let path = staged.temporary.path();
        let (file, failure) = (File::open(path).unwrap(), staged.failure.clone());
        staged.output = TrackedWrite::new(Tail::new(file, 0, failure, RunningHash::default()));
        assert!(matches!(staged.finish(), Err(Error::Parquet { .. })));
    }
}
