//! A lake's sink: rows to files by partition, rejected lines to a file of their own.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use cdrlake_load::{
    ClearRejects, Encoder, LoadError, OpenSource, RejectedLines, RejectsFile, Sink, SourceEnd,
    SourceIdentities, SourceKind,
};
use cdrlake_parquet::Layout;
use cdrlake_source::Source;
use parquet::errors::ParquetError;

use super::encoded::{EncodedRows, encode_large};
use super::partition_file::PartitionFile;
use super::partitions::{Partitions, Tuning};
use crate::format::LakeFormat;
use crate::partition::{PartitionBy, Pieces};

/// Takes a run's rows into files of a lake that are not visible yet.
pub(crate) struct LakeSink {
    calls: Partitions,
    rejects: RejectsFile,
    sources: Vec<Source>,
    pieces: Partitioner,
}

/// What a run has staged.
pub(crate) struct Staged {
    /// Complete and synced, in the order in which they were begun.
    pub(crate) calls: Vec<PartitionFile>,
    pub(crate) rejects: RejectsFile,
    /// By their index in the run.
    pub(crate) sources: Vec<Source>,
    /// The same, as far as files tell of them.
    pub(crate) identities: SourceIdentities,
}

impl LakeSink {
    /// Files are begun in `staging`, by the run of this number.
    pub(crate) fn new(
        staging: &Path,
        pieces: Partitioner,
        tuning: Tuning,
        rejects: ClearRejects,
        run: u64,
    ) -> Self {
        Self {
            calls: Partitions::new(staging.to_owned(), Arc::clone(&pieces.layout), tuning, run),
            rejects: RejectsFile::new(staging.join("rejects"), rejects),
            sources: Vec::new(),
            pieces,
        }
    }
}

impl Sink for LakeSink {
    type Encoder = Partitioner;
    /// The partitions keep their savepoints themselves, one inside the other.
    type Savepoint = ();
    type Output = Staged;

    fn encoder(&self) -> Partitioner {
        self.pieces.clone()
    }

    fn meet(&mut self, source: Source) -> Result<(), LoadError> {
        self.calls.meet(&source.source_file);
        self.sources.push(source);
        Ok(())
    }

    fn end(&mut self, index: usize, end: SourceEnd) {
        self.calls.end(index, end.hash);
    }

    fn write(&mut self, rows: PartitionedRows) -> Result<(), LoadError> {
        let PartitionedRows { encoded, pieces } = rows;
        encoded.into_iter().try_for_each(|encoded| self.calls.append_encoded(encoded))?;
        for (source, pieces) in pieces {
            pieces.into_iter().try_for_each(|pieces| self.calls.append(source, pieces))?;
        }
        Ok(())
    }

    fn write_rejects(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError> {
        match rejects.source.kind {
            SourceKind::Delivered => self.rejects.write(rejects),
            // The lake has the rejected lines of what is replayed already.
            SourceKind::Replayed => Ok(()),
        }
    }

    fn savepoint(&mut self) -> Result<(), LoadError> {
        Ok(self.calls.savepoint()?)
    }

    fn rollback(&mut self, (): ()) -> Result<(), LoadError> {
        Ok(self.calls.rollback()?)
    }

    fn release(&mut self, (): ()) -> Result<(), LoadError> {
        Ok(self.calls.release()?)
    }

    fn finish(self) -> Result<Staged, LoadError> {
        let Self { calls, rejects, sources, .. } = self;
        let (calls, identities) = calls.finish()?;
        Ok(Staged { calls, rejects, sources, identities })
    }
}

/// Divides a block's rows by partition: of one that has many in the block, a row group, of others
/// batches, which share row groups with those of other blocks.
#[derive(Clone)]
pub(crate) struct Partitioner {
    pub(crate) by: PartitionBy,
    pub(crate) layout: Arc<Layout>,
    /// Rows of a partition in a block from which on they have a row group of their own.
    pub(crate) least: usize,
    pub(crate) format: LakeFormat,
}

/// Rows of a block by partition.
pub(crate) struct PartitionedRows {
    /// Row groups of partitions that have many rows in the block.
    encoded: Vec<EncodedRows>,
    /// The others, with the indexes of their sources.
    pieces: Vec<(usize, Vec<Pieces>)>,
}

impl Encoder for Partitioner {
    type Block = Vec<(usize, Vec<Pieces>)>;
    type Rows = PartitionedRows;

    fn begin(&self) -> Result<Self::Block, LoadError> {
        Ok(Vec::new())
    }

    fn add(
        &self,
        block: &mut Self::Block,
        source: &OpenSource,
        batch: RecordBatch,
    ) -> Result<(), LoadError> {
        let batch = self.format.batch(&batch).map_err(ParquetError::from)?;
        let pieces = self.by.split(batch, source.options.metadata.country);
        let pieces = pieces.map_err(ParquetError::from)?;
        match block.last_mut() {
            Some((index, of_source)) if *index == source.index => of_source.push(pieces),
            _ => block.push((source.index, vec![pieces])),
        }
        Ok(())
    }

    fn take_back(&self, block: &mut Self::Block, source: &OpenSource) -> bool {
        block.retain(|(index, _)| *index != source.index);
        true
    }

    fn finish(&self, mut block: Self::Block) -> Result<PartitionedRows, LoadError> {
        let pieces = block.iter_mut().map(|(index, pieces)| (*index, pieces));
        let encoded = encode_large(pieces, &self.layout, self.least)?;
        Ok(PartitionedRows { encoded, pieces: block })
    }
}
