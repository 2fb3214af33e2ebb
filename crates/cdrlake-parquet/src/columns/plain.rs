//! Columns that are written as they are: booleans, a bit each, and bytes of one length.

use std::ops::Range;

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{ChunkWriter, ColumnChunk, DataPage};
use super::compression::Compressor;
use super::encoder::{ColumnEncoder, pages};
use super::levels::Levels;
use super::statistics::{Bound, Bounds, text_bounds};

/// The values of a plain column that are not null.
pub(super) trait PlainValues: Send {
    /// Appends those of `array`, which has some.
    fn append(&mut self, array: &dyn Array) -> Result<()>;

    /// Appends the values of this range to a page, and returns between which they lie.
    fn push_page(&self, range: Range<usize>, page: &mut Vec<u8>) -> Bounds;

    fn is_empty(&self) -> bool;

    fn clear(&mut self);
}

/// A plain column under construction.
pub(super) struct PlainColumn<V> {
    column: ColumnDescPtr,
    levels: Levels,
    values: V,
    page: Vec<u8>,
}

impl<V> PlainColumn<V> {
    pub(super) fn new(column: &ColumnDescPtr, values: V) -> Self {
        let levels = Levels::new(column.max_def_level() > 0);
        Self { column: column.clone(), levels, values, page: Vec::new() }
    }
}

impl<V: PlainValues> ColumnEncoder for PlainColumn<V> {
    fn write(&mut self, array: &dyn Array) -> Result<()> {
        self.levels.append(array)?;
        if array.null_count() < array.len() { self.values.append(array) } else { Ok(()) }
    }

    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk> {
        let Self { column, levels, values, page } = self;
        let mut writer = ChunkWriter::new(column, compressor);
        let mut first = 0;
        for rows in pages(levels, values.is_empty()) {
            let (count, present) = (rows.len(), levels.values_in(rows.clone()));
            page.clear();
            levels.push(rows, present, page);
            let bounds = values.push_page(first..first + present, page);
            first += present;
            let (encoding, nulls) = (Encoding::PLAIN, count - present);
            writer.data(DataPage { bytes: page, encoding, rows: count, nulls, bounds })?;
        }
        levels.clear();
        values.clear();
        writer.finish()
    }
}

#[derive(Default)]
pub(super) struct Booleans(Vec<bool>);

impl PlainValues for Booleans {
    fn append(&mut self, array: &dyn Array) -> Result<()> {
        let Some(array) = array.as_boolean_opt() else {
            return Err(ParquetError::NYI(array.data_type().to_string()));
        };
        self.0.extend(array.iter().flatten());
        Ok(())
    }

    fn push_page(&self, range: Range<usize>, page: &mut Vec<u8>) -> Bounds {
        let values = &self.0[range];
        let mut bits = BooleanBufferBuilder::new(values.len());
        bits.append_slice(values);
        page.extend_from_slice(bits.as_slice());
        let bounds = values.iter().min().zip(values.iter().max());
        bounds.map(|(&min, &max)| (Bound::Boolean(min), Bound::Boolean(max)))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

/// Values of `length` bytes, one behind the other.
pub(super) struct FixedBytes {
    length: usize,
    bytes: Vec<u8>,
}

impl FixedBytes {
    pub(super) fn new(length: usize) -> Self {
        Self { length, bytes: Vec::new() }
    }
}

impl PlainValues for FixedBytes {
    fn append(&mut self, array: &dyn Array) -> Result<()> {
        if array.data_type() != &DataType::FixedSizeBinary(self.length as i32) {
            return Err(ParquetError::NYI(array.data_type().to_string()));
        }
        let values = array.as_fixed_size_binary().iter().flatten();
        values.for_each(|value| self.bytes.extend_from_slice(value));
        Ok(())
    }

    fn push_page(&self, range: Range<usize>, page: &mut Vec<u8>) -> Bounds {
        let values = &self.bytes[range.start * self.length..range.end * self.length];
        page.extend_from_slice(values);
        text_bounds(values.chunks_exact(self.length))
    }

    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn clear(&mut self) {
        self.bytes.clear();
    }
}
