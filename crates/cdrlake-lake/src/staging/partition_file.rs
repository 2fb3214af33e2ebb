//! A partition's file: while it takes row groups, when it is complete, and synced.

use std::path::Path;
use std::sync::Arc;

use cdrlake_load::{SourceIdentities, SourceRows, add_rows, labels};
use cdrlake_parquet::{ColumnStatistics, Layout, Savepoint, StagedFile, StagedParquet};
use tempfile::TempPath;

use super::encoded::EncodedRows;
use crate::error::LakeError;
use crate::partition::Partition;

/// A file that takes row groups.
pub(super) struct OpenFile {
    /// Larger the later the file was begun.
    pub(super) id: u64,
    pub(super) partition: Partition,
    staged: StagedParquet,
    sources: Vec<SourceRows>,
    tenths: u64,
    /// The number of its last row group among all.
    pub(super) last_append: u64,
}

/// How far a file had come.
pub(super) struct FileMark {
    pub(super) id: u64,
    mark: Savepoint,
    sources: Vec<SourceRows>,
    tenths: u64,
}

impl OpenFile {
    /// Begins a file in a directory.
    pub(super) fn begin(
        id: u64,
        partition: Partition,
        directory: &Path,
        layout: &Arc<Layout>,
    ) -> Result<Self, LakeError> {
        let staged = StagedParquet::create(directory, directory, Arc::clone(layout))?;
        Ok(Self { id, partition, staged, sources: Vec::new(), tenths: 0, last_append: 0 })
    }

    /// Appends a row group, which has this number among all.
    pub(super) fn append(&mut self, rows: EncodedRows, number: u64) -> Result<(), LakeError> {
        self.staged.append(rows.row_group, labels(&rows.sources))?;
        self.last_append = number;
        self.tenths += rows.tenths;
        rows.sources.into_iter().for_each(|rows| add_rows(&mut self.sources, rows));
        Ok(())
    }

    /// Bytes so far.
    pub(super) fn len(&self) -> u64 {
        self.staged.byte_len()
    }

    pub(super) fn mark(&self) -> FileMark {
        FileMark {
            id: self.id,
            mark: self.staged.savepoint(),
            sources: self.sources.clone(),
            tenths: self.tenths,
        }
    }

    pub(super) fn rollback(&mut self, mark: &FileMark) -> Result<(), LakeError> {
        self.staged.rollback(&mark.mark)?;
        self.sources.clone_from(&mark.sources);
        self.tenths = mark.tenths;
        Ok(())
    }

    /// Closes its handle until there is more to write.
    pub(super) fn suspend(&mut self) -> Result<(), LakeError> {
        Ok(self.staged.suspend()?)
    }

    /// Whether it can be complete: the content of all its sources is known.
    pub(super) fn can_end(&self, identities: &SourceIdentities) -> bool {
        identities.are_known(&self.sources)
    }

    pub(super) fn finish(
        self,
        run: u64,
        identities: &SourceIdentities,
    ) -> Result<PartitionFile, LakeError> {
        let file = self.complete(run, identities)?;
        file.sync()?;
        Ok(file.into_partition_file())
    }

    pub(super) fn complete(
        self,
        run: u64,
        identities: &SourceIdentities,
    ) -> Result<ClosedFile, LakeError> {
        let Self { id, partition, staged, sources, tenths, .. } = self;
        if !identities.are_known(&sources) {
            return Err(LakeError::Defect("rows of a source that has not ended"));
        }
        let metadata = identities.metadata(Some(run), &sources);
        let staged = staged.complete(|source| identities.source_hash(source), metadata)?;
        Ok(ClosedFile { id, partition, staged, sources, tenths })
    }
}

/// A file that takes no more row groups, and is not yet synced.
pub(super) struct ClosedFile {
    id: u64,
    partition: Partition,
    staged: StagedFile,
    sources: Vec<SourceRows>,
    tenths: u64,
}

impl ClosedFile {
    pub(super) fn sync(&self) -> Result<(), LakeError> {
        Ok(self.staged.sync()?)
    }

    pub(super) fn into_partition_file(self) -> PartitionFile {
        let Self { id, partition, staged, sources, tenths } = self;
        let StagedFile { file, rows, bytes, hash, statistics, .. } = staged;
        let file = file.into_temp_path();
        PartitionFile {
            id,
            partition,
            file,
            rows,
            bytes,
            blake3: hash,
            tenths,
            statistics,
            sources,
        }
    }
}

/// A complete file of calls of one partition.
#[derive(Debug)]
pub(crate) struct PartitionFile {
    /// Larger the later the file was begun.
    pub(crate) id: u64,
    pub(crate) partition: Partition,
    pub(crate) file: TempPath,
    pub(crate) rows: u64,
    pub(crate) bytes: u64,
    /// BLAKE3 of these bytes.
    pub(crate) blake3: blake3::Hash,
    /// Tenths of seconds of its calls.
    pub(crate) tenths: u64,
    /// What each column holds.
    pub(crate) statistics: Vec<ColumnStatistics>,
    /// Whose its rows are, from the first to the last.
    pub(crate) sources: Vec<SourceRows>,
}
