//! Which rows of a column are null: definition levels, counted as long as they are all the same.

use std::ops::Range;

use arrow_array::Array;
use arrow_buffer::BooleanBufferBuilder;
use arrow_buffer::bit_chunk_iterator::UnalignedBitChunk;
use parquet::errors::{ParquetError, Result};

use super::bit_packing::{push_bitmap, push_run};

/// Whether each row of a column has a value.
pub(super) struct Levels {
    is_nullable: bool,
    rows: usize,
    nulls: usize,
    /// A bit a row, set if it has a value; only once there are both kinds.
    bitmap: Option<BooleanBufferBuilder>,
    spare: Option<BooleanBufferBuilder>,
}

impl Levels {
    pub(super) fn new(is_nullable: bool) -> Self {
        Self { is_nullable, rows: 0, nulls: 0, bitmap: None, spare: None }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn nulls(&self) -> usize {
        self.nulls
    }

    /// How many rows have a value.
    pub(super) fn values(&self) -> usize {
        self.rows - self.nulls
    }

    /// Appends the rows of `array`.
    pub(super) fn append(&mut self, array: &dyn Array) -> Result<()> {
        let (rows, nulls) = (array.len(), array.null_count());
        if nulls > 0 && !self.is_nullable {
            return Err(ParquetError::General("a null where none may be".to_owned()));
        }
        if self.bitmap.is_none() && self.is_mixed_with(rows, nulls) {
            let mut bitmap = self.spare.take().unwrap_or_else(|| BooleanBufferBuilder::new(0));
            bitmap.truncate(0);
            bitmap.append_n(self.rows, self.nulls == 0);
            self.bitmap = Some(bitmap);
        }
        if let Some(bitmap) = &mut self.bitmap {
            match array.nulls() {
                Some(validity) if nulls < rows => bitmap.append_buffer(validity.inner()),
                _ => bitmap.append_n(rows, nulls == 0),
            }
        }
        self.rows += rows;
        self.nulls += nulls;
        Ok(())
    }

    /// Appends rows that have values.
    pub(super) fn append_present(&mut self, rows: usize) {
        debug_assert!(self.nulls == 0);
        self.rows += rows;
    }

    fn is_mixed_with(&self, rows: usize, nulls: usize) -> bool {
        let all_nulls = self.nulls + nulls;
        all_nulls > 0 && all_nulls < self.rows + rows
    }

    /// How many of these rows have a value.
    pub(super) fn values_in(&self, rows: Range<usize>) -> usize {
        match &self.bitmap {
            Some(bitmap) => count_ones(bitmap.as_slice(), rows),
            None if self.nulls == 0 => rows.len(),
            None => 0,
        }
    }

    /// Appends these rows' levels as a page of data begins with them: none if no row may be null.
    /// `rows` begins at a multiple of eight.
    pub(super) fn push(&self, rows: Range<usize>, values: usize, output: &mut Vec<u8>) {
        if !self.is_nullable {
            return;
        }
        let start = output.len();
        output.extend_from_slice(&[0; 4]);
        match &self.bitmap {
            Some(bitmap) if values > 0 && values < rows.len() => {
                push_bits(bitmap.as_slice(), rows, output);
            }
            _ => push_run(u16::from(values > 0), rows.len(), 1, output),
        }
        let len = (output.len() - start - 4) as u32;
        output[start..start + 4].copy_from_slice(&len.to_le_bytes());
    }

    /// Begins anew.
    pub(super) fn clear(&mut self) {
        (self.rows, self.nulls) = (0, 0);
        self.spare = self.bitmap.take().or(self.spare.take());
    }
}

/// Set bits among `bits`.
fn count_ones(bytes: &[u8], bits: Range<usize>) -> usize {
    UnalignedBitChunk::new(bytes, bits.start, bits.len()).count_ones()
}

fn push_bits(bytes: &[u8], bits: Range<usize>, output: &mut Vec<u8>) {
    let bitmap = &bytes[bits.start / 8..bits.end.div_ceil(8)];
    let start = output.len();
    push_bitmap(bitmap, bits.len(), output);
    // What stands behind the last row's bit must be zero.
    if let (Some(last), used @ 1..) = (output[start..].last_mut(), bits.len() % 8) {
        *last &= (1 << used) - 1;
    }
}
