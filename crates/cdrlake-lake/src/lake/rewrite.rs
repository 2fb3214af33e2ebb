//! Files of a lake written anew without the rows of some sources.

use std::fs::File;
use std::sync::Arc;

use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;

use super::Lake;
use crate::columns::{Compression, Layout};
use crate::error::LakeError;
use crate::ledger::{FileKind, LedgerFile, SourceId};
use crate::publish::{AddedFile, Plan, SourceRef};
use crate::rejects;
use crate::staging::{StagedFile, StagedParquet, tenths};

impl Lake {
    /// Adds to a plan what it takes for no file to hold rows of these sources any more.
    pub(super) fn leave_out(
        &self,
        sources: &[SourceId],
        plan: &mut Plan,
        compression: Compression,
    ) -> Result<(), LakeError> {
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
        sources: &[SourceId],
        compression: Compression,
    ) -> Result<Without, LakeError> {
        let path = self.root.join(&file.path);
        let parquet = |error| LakeError::Parquet { path: path.clone(), error };
        let input = File::open(&path).map_err(LakeError::write(&path))?;
        let mut options = ArrowReaderOptions::new();
        let layout = match file.kind {
            FileKind::Calls => {
                let columns = self.settings.partition_by.columns();
                let layout = Arc::new(Layout::calls(compression, columns)?);
                options = options.with_schema(layout.arrow_schema());
                Some(layout)
            }
            FileKind::Rejects => None,
        };
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(input, options)
            .map_err(parquet)?;
        let in_file = builder.metadata().file_metadata().num_rows() as u64;
        if in_file != file.rows || in_file != rows.iter().map(|(_, rows)| rows).sum::<u64>() {
            return Err(LakeError::FileChanged(path));
        }
        let selection: RowSelection = rows
            .iter()
            .map(|&(source, rows)| match sources.contains(&source) {
                true => RowSelector::skip(rows as usize),
                false => RowSelector::select(rows as usize),
            })
            .collect::<Vec<_>>()
            .into();
        let reader = builder.with_row_selection(selection).with_batch_size(BATCH_SIZE);
        let batches = reader.build().map_err(parquet)?;
        let batches =
            batches.map(|batch| batch.map_err(|error| parquet(ParquetError::from(error))));
        match layout {
            Some(layout) => {
                let mut staged = StagedParquet::create(&self.staging, &path, Arc::clone(&layout))?;
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
                Ok(Without { file: staged.finish()?, tenths: sum })
            }
            None => Ok(Without { file: rejects::copy(&self.staging, batches)?, tenths: 0 }),
        }
    }
}

/// A staged file that has some rows less.
struct Without {
    file: StagedFile,
    /// Tenths of seconds of its calls.
    tenths: u64,
}

const BATCH_SIZE: usize = 4096;

/// Batches of a row group.
const ROW_GROUP_BATCHES: usize = 32;

/// The directory of a file below that of its kind.
fn partition_of(file: &LedgerFile) -> &str {
    let below = file.path.strip_prefix(file.kind.directory()).unwrap_or_default();
    below.rsplit_once('/').map_or("", |(directory, _)| directory.trim_start_matches('/'))
}
