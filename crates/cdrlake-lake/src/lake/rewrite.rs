//! Files of a lake written anew without the rows of some sources.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;
use roaring::RoaringTreemap;

use super::Lake;
use crate::error::LakeError;
use crate::ledger::{FileKind, LedgerFile, SourceId};
use crate::publish::{AddedFile, Plan, SourceRef};
use cdrlake_load::calls_layout;
use cdrlake_load::tenths;
use cdrlake_parquet::{Compression, Layout, StagedFile, StagedParquet};

impl Lake {
    /// Adds to a plan what it takes for no file to hold rows of these sources any more.
    pub(super) fn leave_out(
        &self,
        sources: &BTreeSet<SourceId>,
        plan: &mut Plan,
        compression: Compression,
    ) -> Result<(), LakeError> {
        // Copies that were left out do not come back when the one that was kept goes.
        if let Some(source_name) = self.ledger.has_left_out_duplicates(sources)? {
            return Err(LakeError::DuplicatesLeftOut { source_name });
        }
        let mut digest = blake3::Hasher::new();
        let files = self.ledger.files_of(sources)?;
        files.iter().for_each(|(file, _)| {
            digest.update(file.path.as_bytes());
        });
        let digest = digest.finalize();
        for (index, (file, rows)) in files.into_iter().enumerate() {
            let kept = |(source, _): &(SourceId, u64)| !sources.contains(source);
            if rows.iter().any(kept) {
                let path = self.new_path(file.kind, partition_of(&file), index + 1, &digest)?;
                let without = self.without(&file, &rows, sources, compression)?;
                let left = rows.into_iter().filter(kept);
                plan.add.push(AddedFile {
                    path,
                    kind: file.kind,
                    rows: without.file.rows,
                    bytes: without.file.bytes,
                    tenths: without.tenths,
                    sources: left.map(|(source, rows)| (SourceRef::Known(source), rows)).collect(),
                    staged: without.file.file.into_temp_path(),
                });
            }
            plan.remove.push(file);
        }
        Ok(())
    }

    fn without(
        &self,
        file: &LedgerFile,
        rows: &[(SourceId, u64)],
        sources: &BTreeSet<SourceId>,
        compression: Compression,
    ) -> Result<Copy, LakeError> {
        let mut dropped = RoaringTreemap::new();
        let mut first = 0;
        for (source, rows) in rows {
            if sources.contains(source) {
                dropped.insert_range(first..first + rows);
            }
            first += rows;
        }
        if first != file.rows {
            return Err(LakeError::FileChanged(self.root.join(&file.path)));
        }
        let rewriter = Rewriter::new(self, file.kind, compression)?;
        rewriter.copy(&self.root.join(&file.path), file.rows, &dropped)
    }
}

/// Copies files of a lake to its staging directory, but for some rows.
pub(super) struct Rewriter<'r> {
    lake: &'r Lake,
    /// None for rejects.
    layout: Option<Arc<Layout>>,
}

/// A staged copy.
pub(super) struct Copy {
    pub(super) file: StagedFile,
    /// Tenths of seconds of its calls.
    pub(super) tenths: u64,
}

impl<'r> Rewriter<'r> {
    pub(super) fn new(
        lake: &'r Lake,
        kind: FileKind,
        compression: Compression,
    ) -> Result<Self, LakeError> {
        let columns = lake.settings.partition_by.columns();
        let layout = match kind {
            FileKind::Calls => {
                Some(Arc::new(calls_layout(compression, columns, lake.settings.numbers)?))
            }
            FileKind::Rejects => None,
        };
        Ok(Self { lake, layout })
    }

    /// A copy of the file at `path`, which must have so many rows, without those that are dropped.
    pub(super) fn copy(
        &self,
        path: &Path,
        rows: u64,
        dropped: &RoaringTreemap,
    ) -> Result<Copy, LakeError> {
        let parquet = |error| LakeError::Parquet { path: path.to_owned(), error };
        let input = File::open(path).map_err(LakeError::write(path))?;
        let mut options = ArrowReaderOptions::new();
        if let Some(layout) = &self.layout {
            options = options.with_schema(layout.arrow_schema());
        }
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(input, options)
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
            self.lake.interrupt.check()?;
            batch.map_err(|error| parquet(ParquetError::from(error)))
        });
        match &self.layout {
            Some(layout) => self.copy_calls(path, layout, batches),
            None => Ok(Copy {
                file: cdrlake_load::copy_rejects(&self.lake.staging, batches)?,
                tenths: 0,
            }),
        }
    }

    fn copy_calls(
        &self,
        path: &Path,
        layout: &Arc<Layout>,
        batches: impl Iterator<Item = Result<RecordBatch, LakeError>>,
    ) -> Result<Copy, LakeError> {
        let mut staged = StagedParquet::create(&self.lake.staging, path, Arc::clone(layout))?;
        let mut sum = 0;
        let mut waiting = Vec::new();
        for batch in batches {
            let batch = batch?;
            sum += tenths(&batch);
            waiting.push(batch);
            if waiting.len() == ROW_GROUP_BATCHES
                && let Some(row_group) = layout.encode(&std::mem::take(&mut waiting))?
            {
                staged.append(row_group)?;
            }
        }
        if let Some(row_group) = layout.encode(&waiting)? {
            staged.append(row_group)?;
        }
        Ok(Copy { file: staged.finish()?, tenths: sum })
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

/// The directory of a file below that of its kind.
fn partition_of(file: &LedgerFile) -> &str {
    let below = file.path.strip_prefix(file.kind.name()).unwrap_or_default();
    below.rsplit_once('/').map_or("", |(directory, _)| directory.trim_start_matches('/'))
}
