//! Row groups to a staged file: a Parquet file that is not visible yet, and that can take row
//! groups back.
//!
//! A source is loaded wholly or not at all, but a large one turns out broken only at its end, when
//! many of its row groups are written. So a staged file can return to a [`Savepoint`]: it is cut to its
//! length then, and forgets the row groups since. No source is read twice, and no row group copied.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{
    FileMetaData, KeyValue, ParquetMetaDataBuilder, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::page_index::column_index::ColumnIndexMetaData;
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::writer::{SerializedRowGroupWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use tempfile::NamedTempFile;

use crate::column_statistics::ColumnStatistics;
use crate::columns::{
    Bounds, ColumnChunk, LabelRun, RowGroup, encode_labels, of_statistics, union,
};
use crate::error::Error;
use crate::layout::Layout;
use crate::output::{Output, Tail};
use crate::temporary::StagedFile;

const MAGIC: &[u8; 4] = b"PAR1";

/// A Parquet file under construction.
pub struct StagedParquet {
    layout: Arc<Layout>,
    path: PathBuf,
    output: Output,
    row_groups: Vec<RowGroupMetaData>,
    column_indexes: Vec<Vec<ColumnIndexMetaData>>,
    offset_indexes: Vec<Vec<OffsetIndexMetaData>>,
    /// Of the rows of each row group.
    labels: Vec<Vec<LabelRun>>,
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
        let mut output = Output::create(directory).map_err(Error::write(path))?;
        let writer = output.writer().map_err(Error::write(path))?;
        writer.write_all(MAGIC).map_err(Error::write(path))?;
        Ok(Self {
            layout,
            path: path.to_owned(),
            output,
            row_groups: Vec::new(),
            column_indexes: Vec::new(),
            offset_indexes: Vec::new(),
            labels: Vec::new(),
        })
    }

    /// Appends a row group whose rows have these labels; they count only where the layout has a column of
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`], if it cannot be written, is one too many (a file has 32,767), or the labels are not
    /// those of its rows.
    pub fn append(&mut self, row_group: RowGroup, labels: Vec<LabelRun>) -> Result<(), Error> {
        self.try_append(row_group, labels).map_err(Error::parquet(&self.path))
    }

    fn try_append(&mut self, mut row_group: RowGroup, labels: Vec<LabelRun>) -> ParquetResult<()> {
        if let Some(at) = self.layout.labels {
            let rows = row_group.rows;
            if labels.iter().map(|run| run.rows).sum::<u64>() != rows {
                return Err(ParquetError::General("not a label for each row".to_owned()));
            }
            let (column, codec) = (self.layout.schema.column(at), self.layout.compression.codec()?);
            row_group.chunks.insert(at, ColumnChunk::of_rows(&column, rows, codec)?);
            self.labels.push(labels);
        }
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
            self.output.writer()?,
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
        Ok(())
    }

    /// Bytes so far.
    #[must_use]
    pub fn byte_len(&self) -> u64 {
        self.output.len()
    }

    /// The state as it is now, to which the file can be rolled back.
    #[must_use]
    pub fn savepoint(&self) -> Savepoint {
        Savepoint {
            len: self.byte_len(),
            hash: Box::new(self.output.hash()),
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
        self.output.cut(savepoint.len, &savepoint.hash)?;
        self.row_groups.truncate(savepoint.row_groups);
        self.column_indexes.truncate(savepoint.row_groups);
        self.offset_indexes.truncate(savepoint.row_groups);
        self.labels.truncate(savepoint.row_groups);
        Ok(())
    }

    /// Closes the file's handle until there is more to write.
    ///
    /// # Errors
    ///
    /// [`Error::Write`], with what the operating system says.
    pub fn suspend(&mut self) -> Result<(), Error> {
        self.output.suspend().map_err(Error::write(&self.path))
    }

    /// Writes what is still to be written and syncs the file, as [`complete`](Self::complete) does.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`] or [`Error::Write`], if that fails.
    pub fn finish<'v>(
        self,
        label: impl Fn(usize) -> &'v [u8],
        metadata: Vec<KeyValue>,
    ) -> Result<StagedFile, Error> {
        let staged = self.complete(label, metadata)?;
        staged.sync()?;
        Ok(staged)
    }

    /// Writes what the labels stand for, `metadata` beside that of the layout, indexes and footer; the file is
    /// on its way to the disk, and yet to be synced.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`], if that fails.
    pub fn complete<'v>(
        mut self,
        label: impl Fn(usize) -> &'v [u8],
        metadata: Vec<KeyValue>,
    ) -> Result<StagedFile, Error> {
        let path = self.path.clone();
        self.write_labels(label).map_err(Error::parquet(&path))?;
        let rows = self.row_groups.iter().map(|row_group| row_group.num_rows() as u64).sum();
        let statistics = self.statistics();
        let (file, bytes, hash) = self.write_footer(metadata).map_err(Error::parquet(&path))?;
        Ok(StagedFile { file, path, rows, bytes, hash, statistics })
    }

    /// Writes the column of labels of all row groups, one chunk behind the other.
    fn write_labels<'v>(&mut self, label: impl Fn(usize) -> &'v [u8]) -> ParquetResult<()> {
        let Some(at) = self.layout.labels else { return Ok(()) };
        let column = self.layout.schema.column(at);
        let mut compressor = self.layout.compression.compressor()?;
        for (index, runs) in std::mem::take(&mut self.labels).iter().enumerate() {
            let start = self.byte_len();
            let chunk = encode_labels(&column, runs, &label, start, &mut compressor)?;
            let (pages, close) = chunk.into_parts();
            self.output.writer()?.write_all(&pages)?;
            let row_group = self.row_groups[index].clone();
            let bytes = row_group.total_byte_size() + close.metadata.uncompressed_size();
            let mut columns = row_group.columns().to_vec();
            columns[at] = close.metadata;
            let row_group = row_group.into_builder();
            let row_group = row_group.set_column_metadata(columns).set_total_byte_size(bytes);
            self.row_groups[index] = row_group.build()?;
            let none = ColumnIndexMetaData::NONE;
            self.column_indexes[index][at] = close.column_index.unwrap_or(none);
            self.offset_indexes[index].extend(close.offset_index);
            // Its own was left out when the row group was written.
            self.offset_indexes[index][at..].rotate_right(1);
        }
        self.output.flush()?;
        Ok(())
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

    fn write_footer(
        self,
        more: Vec<KeyValue>,
    ) -> ParquetResult<(NamedTempFile, u64, blake3::Hash)> {
        let properties = &self.layout.properties;
        let mut metadata = properties.key_value_metadata().cloned().unwrap_or_default();
        metadata.extend(more);
        let file_metadata = FileMetaData::new(
            properties.writer_version().as_num(),
            self.row_groups.iter().map(RowGroupMetaData::num_rows).sum(),
            Some(properties.created_by().to_owned()),
            Some(metadata).filter(|metadata| !metadata.is_empty()),
            Arc::clone(&self.layout.schema),
            None,
        );
        let metadata = ParquetMetaDataBuilder::new(file_metadata)
            .set_row_groups(self.row_groups)
            .set_column_index(Some(self.column_indexes))
            .set_offset_index(Some(self.offset_indexes))
            .build();
        Ok(self.output.finish(|writer| {
            ParquetMetaDataWriter::new_with_tracked(writer, &metadata)
                .finish()
                .map_err(io::Error::other)
        })?)
    }
}
