//! A column of labels: what is the same for long runs of rows, and known only when the file ends.

use parquet::errors::Result;
use parquet::schema::types::ColumnDescPtr;

use super::chunk::ColumnChunk;
use super::compression::Compressor;
use super::text::TextColumn;

/// Consecutive rows of one label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelRun {
    /// Which label: what it stands for is told when the file is complete.
    pub label: usize,
    /// How many rows.
    pub rows: u64,
}

/// The chunk of a row group whose rows have these labels, to stand at `start` of its file.
pub(crate) fn encode<'v>(
    column: &ColumnDescPtr,
    runs: &[LabelRun],
    value: impl Fn(usize) -> &'v [u8],
    start: u64,
    compressor: &mut Compressor,
) -> Result<ColumnChunk> {
    let mut text = TextColumn::new(column);
    for run in runs {
        text.push_run(value(run.label), run.rows as usize);
    }
    text.finish_at(start, compressor)
}
