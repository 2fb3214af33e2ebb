//! Files of a lake written anew without the rows of some sources.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use cdrlake_load::{SourceIdentities, SourceRows, add_rows, copy_rejects, labels, tenths};
use cdrlake_parquet::{Compression, Layout, StagedFile, StagedParquet};
use cdrlake_run::Interrupt;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;
use roaring::RoaringTreemap;

use crate::commit::{Commit, FileChunks};
use crate::error::LakeError;
use crate::model::{
    CompleteFile, FileKind, FileSummary, LakeFile, SourceId, SourceRef, Transaction, Version,
};
use crate::open_lake::OpenLake;
use crate::settings::LakeSettings;
use crate::snapshot::Snapshot;
use crate::staging::PartitionFile;

impl<C: Commit> OpenLake<'_, C> {
    /// Adds to a transaction what it takes for no file to hold rows of these sources any more.
    pub(crate) fn leave_out(
        self,
        snapshot: &C::Snapshot,
        sources: &BTreeSet<SourceId>,
        transaction: &mut Transaction<C::Staged>,
        compression: Compression,
    ) -> Result<(), LakeError> {
        // Copies that were left out do not come back when the one that was kept goes.
        if let Some(source_name) = snapshot.has_left_out_duplicates(sources)? {
            return Err(LakeError::DuplicatesLeftOut { source_name });
        }
        let base = snapshot.version()?;
        let mut digest = blake3::Hasher::new();
        let files = snapshot.files_of(sources)?;
        files.iter().for_each(|(file, _)| {
            digest.update(file.path.as_bytes());
        });
        let digest = digest.finalize();
        for (index, (file, rows)) in files.into_iter().enumerate() {
            // A file of which nothing is kept is not read: whatever it holds by now, all that the ledger
            // says it holds is to go. So a damaged one can be replaced by loading again what it held.
            let kept = |(source, _): &(SourceId, u64)| !sources.contains(source);
            if rows.iter().any(kept) {
                let Copy { file: staged, tenths } =
                    self.without(snapshot, &file, &rows, sources, compression)?;
                let left = rows.into_iter().filter(kept);
                let summary = FileSummary {
                    kind: file.kind,
                    partition: file.partition,
                    rows: staged.rows,
                    bytes: staged.bytes,
                    blake3: staged.hash,
                    tenths,
                    statistics: staged.statistics,
                    sources: left.map(|(source, rows)| (SourceRef::Known(source), rows)).collect(),
                };
                let (file, number) = (staged.file.into_temp_path(), index + 1);
                let complete = CompleteFile { file, digest, number, summary };
                transaction.add.push(self.lake.stage(base, complete)?);
            }
            transaction.remove.push(file);
        }
        Ok(())
    }

    fn without(
        self,
        snapshot: &C::Snapshot,
        file: &LakeFile,
        rows: &[(SourceId, u64)],
        sources: &BTreeSet<SourceId>,
        compression: Compression,
    ) -> Result<Copy, LakeError> {
        let mut dropped = RoaringTreemap::new();
        let mut kept = Vec::new();
        let mut identities = SourceIdentities::default();
        let mut indexes = HashMap::new();
        let mut first = 0;
        for &(source, rows) in rows {
            if sources.contains(&source) {
                dropped.insert_range(first..first + rows);
            } else {
                let index = match indexes.get(&source) {
                    Some(&index) => index,
                    None => {
                        let (source_file, hash) = snapshot.identity(source)?;
                        identities.push(&source_file, hash);
                        let index = indexes.len();
                        indexes.insert(source, index);
                        index
                    }
                };
                add_rows(&mut kept, SourceRows { source: index, rows });
            }
            first += rows;
        }
        let path = self.lake.locate(&file.path);
        if first != file.rows {
            return Err(LakeError::FileChanged(path));
        }
        let rewriter = Rewriter::new(self, file.kind, compression, snapshot.version()?)?;
        let of_kept = Provenance { identities: &identities, rows: &kept };
        rewriter.copy(self.read_verified(file)?, &path, file.rows, &dropped, of_kept)
    }
}

/// Whose rows are, in their order.
#[derive(Clone, Copy)]
pub(crate) struct Provenance<'p> {
    pub(crate) identities: &'p SourceIdentities,
    pub(crate) rows: &'p [SourceRows],
}

/// Copies files of a lake to its staging directory, but for some rows.
pub(crate) struct Rewriter<'r> {
    staging: &'r Path,
    interrupt: &'r Interrupt,
    /// The number of the run.
    run: u64,
    /// None for rejects.
    layout: Option<Arc<Layout>>,
}

/// A staged copy.
pub(crate) struct Copy {
    pub(crate) file: StagedFile,
    /// Tenths of seconds of its calls.
    pub(crate) tenths: u64,
}

impl<'r> Rewriter<'r> {
    pub(crate) fn new<C: Commit>(
        open: OpenLake<'r, C>,
        kind: FileKind,
        compression: Compression,
        base: Version,
    ) -> Result<Self, LakeError> {
        let LakeSettings { format, numbers, partition_by, .. } = open.settings;
        let layout = match kind {
            FileKind::Calls => {
                let columns = partition_by.columns();
                Some(Arc::new(format.calls_layout(compression, columns, *numbers)?))
            }
            FileKind::Rejects => None,
        };
        let (staging, interrupt) = (open.lake.staging(), open.interrupt);
        Ok(Self { staging, interrupt, run: base.0 + 1, layout })
    }

    /// A copy of a file, which must have so many rows, without those that are dropped; `kept` says whose the
    /// others are. Messages call it `path`.
    pub(crate) fn copy(
        &self,
        file: FileChunks,
        path: &Path,
        rows: u64,
        dropped: &RoaringTreemap,
        kept: Provenance<'_>,
    ) -> Result<Copy, LakeError> {
        let parquet = |error| LakeError::Parquet { path: path.to_owned(), error };
        let mut options = ArrowReaderOptions::new();
        if let Some(layout) = &self.layout {
            options = options.with_schema(layout.arrow_schema());
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(parquet)?;
        if builder.metadata().file_metadata().num_rows() as u64 != rows {
            return Err(LakeError::FileChanged(path.to_owned()));
        }
        let reader = builder
            .with_row_selection(selection(rows, dropped))
            .with_batch_size(BATCH_SIZE)
            .build()
            .map_err(parquet)?;
        let batches = reader.map(|batch| {
            self.interrupt.check()?;
            batch.map_err(|error| parquet(ParquetError::from(error)))
        });
        match &self.layout {
            Some(layout) => self.copy_calls(path, layout, batches, kept),
            None => Ok(Copy { file: copy_rejects(self.staging, batches)?, tenths: 0 }),
        }
    }

    /// A new file without some of its rows; none if none are left.
    pub(crate) fn without_rows(
        &self,
        file: PartitionFile,
        drops: &RoaringTreemap,
        identities: &SourceIdentities,
    ) -> Result<Option<PartitionFile>, LakeError> {
        if drops.is_empty() {
            return Ok(Some(file));
        }
        if drops.len() == file.rows {
            return Ok(None);
        }
        let mut sources = Vec::new();
        let mut first = 0;
        for &SourceRows { source, rows } in &file.sources {
            let left = rows - drops.range_cardinality(first..first + rows);
            if left > 0 {
                add_rows(&mut sources, SourceRows { source, rows: left });
            }
            first += rows;
        }
        let opened = File::open(&file.file).map_err(LakeError::read(&*file.file))?;
        let kept = Provenance { identities, rows: &sources };
        let copy = self.copy(FileChunks::File(opened), &file.file, file.rows, drops, kept)?;
        Ok(Some(PartitionFile {
            id: file.id,
            partition: file.partition,
            rows: copy.file.rows,
            bytes: copy.file.bytes,
            blake3: copy.file.hash,
            tenths: copy.tenths,
            statistics: copy.file.statistics,
            sources,
            file: copy.file.file.into_temp_path(),
        }))
    }

    fn copy_calls(
        &self,
        path: &Path,
        layout: &Arc<Layout>,
        batches: impl Iterator<Item = Result<RecordBatch, LakeError>>,
        Provenance { identities, rows }: Provenance<'_>,
    ) -> Result<Copy, LakeError> {
        let mut rest = Rest(rows.to_vec().into());
        let mut staged = StagedParquet::create(self.staging, path, Arc::clone(layout))?;
        let mut sum = 0;
        let mut waiting = Vec::new();
        for batch in batches {
            let batch = batch?;
            sum += tenths(&batch);
            waiting.push(batch);
            if waiting.len() == ROW_GROUP_BATCHES
                && let Some(row_group) = layout.encode(&waiting)?
            {
                staged.append(row_group, labels(&rest.take(&waiting)))?;
                waiting.clear();
            }
        }
        if let Some(row_group) = layout.encode(&waiting)? {
            staged.append(row_group, labels(&rest.take(&waiting)))?;
        }
        let metadata = identities.metadata(Some(self.run), rows);
        let file = staged.finish(|source| identities.source_hash(source), metadata)?;
        Ok(Copy { file, tenths: sum })
    }
}

/// Whose the rows are that are still to come.
struct Rest(VecDeque<SourceRows>);

impl Rest {
    /// Takes those of batches.
    fn take(&mut self, batches: &[RecordBatch]) -> Vec<SourceRows> {
        let mut wanted = batches.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        let mut taken = Vec::new();
        while wanted > 0
            && let Some(next) = self.0.front_mut()
        {
            let rows = next.rows.min(wanted);
            taken.push(SourceRows { source: next.source, rows });
            (next.rows, wanted) = (next.rows - rows, wanted - rows);
            if next.rows == 0 {
                self.0.pop_front();
            }
        }
        taken
    }
}

/// All of so many rows but those that are dropped.
fn selection(rows: u64, dropped: &RoaringTreemap) -> RowSelection {
    let mut selectors: Vec<RowSelector> = Vec::new();
    let mut next = 0;
    for row in dropped {
        if row > next {
            selectors.push(RowSelector::select((row - next) as usize));
        }
        match selectors.last_mut() {
            Some(last) if last.skip => last.row_count += 1,
            _ => selectors.push(RowSelector::skip(1)),
        }
        next = row + 1;
    }
    selectors.push(RowSelector::select((rows - next) as usize));
    selectors.into()
}

const BATCH_SIZE: usize = 4096;

/// Batches of a row group.
const ROW_GROUP_BATCHES: usize = 32;
