//! What every column encoder does, and where its pages end.

use std::ops::Range;

use arrow_array::Array;
use parquet::errors::Result;

use super::chunk::ColumnChunk;
use super::compression::Compressor;
use super::levels::Levels;

/// Rows of a page: few enough to be worth skipping by the page index, enough to compress well.
/// A multiple of eight, so that a page's bits begin with a byte.
const PAGE_ROWS: usize = 16_384;

/// Takes a column's arrays of a row group, and gives its chunk.
pub(super) trait ColumnEncoder: Send {
    fn write(&mut self, array: &dyn Array) -> Result<()>;

    /// The column so far as a chunk; begins anew.
    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk>;
}

/// The rows of each page; one page will do if all `is_uniform`.
pub(super) fn pages(
    levels: &Levels,
    is_uniform: bool,
) -> impl Iterator<Item = Range<usize>> + use<> {
    let rows = levels.rows();
    let is_one = is_uniform && (levels.nulls() == 0 || levels.values() == 0);
    let step = if is_one { rows.max(1) } else { PAGE_ROWS };
    (0..rows).step_by(step).map(move |start| start..rows.min(start + step))
}
