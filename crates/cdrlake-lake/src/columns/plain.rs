//! Columns that are written as they are: booleans, a bit each, and bytes of one length.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::{ChunkWriter, ColumnChunk, DataPage};
use super::compression::Compressor;
use super::levels::Levels;
use super::statistics::{Bound, text_bounds};
use super::{ColumnEncoder, pages};

/// A column of booleans under construction.
pub(super) struct BooleanColumn {
    column: ColumnDescPtr,
    levels: Levels,
    values: Vec<bool>,
    page: Vec<u8>,
}

impl BooleanColumn {
    pub(super) fn new(column: &ColumnDescPtr) -> Self {
        let levels = Levels::new(column.max_def_level() > 0);
        Self { column: column.clone(), levels, values: Vec::new(), page: Vec::new() }
    }
}

impl ColumnEncoder for BooleanColumn {
    fn write(&mut self, array: &dyn Array) -> Result<()> {
        self.levels.append(array)?;
        if array.null_count() < array.len() {
            let Some(array) = array.as_boolean_opt() else {
                return Err(ParquetError::NYI(array.data_type().to_string()));
            };
            self.values.extend(array.iter().flatten());
        }
        Ok(())
    }

    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk> {
        let mut writer = ChunkWriter::new(&self.column, compressor);
        let mut rest = &self.values[..];
        for rows in pages(&self.levels, self.values.is_empty()) {
            let (count, present) = (rows.len(), self.levels.values_in(rows.clone()));
            let values;
            (values, rest) = rest.split_at(present);
            self.page.clear();
            self.levels.push(rows, present, &mut self.page);
            let mut bits = BooleanBufferBuilder::new(present);
            bits.append_slice(values);
            self.page.extend_from_slice(bits.as_slice());
            let bounds = values.iter().min().zip(values.iter().max());
            writer.data(DataPage {
                bytes: &self.page,
                encoding: Encoding::PLAIN,
                rows: count,
                nulls: count - present,
                bounds: bounds.map(|(&min, &max)| (Bound::Boolean(min), Bound::Boolean(max))),
            })?;
        }
        self.levels.clear();
        self.values.clear();
        writer.finish()
    }
}

/// A column of bytes of one length under construction.
pub(super) struct BytesColumn {
    column: ColumnDescPtr,
    length: usize,
    levels: Levels,
    values: Vec<u8>,
    page: Vec<u8>,
}

impl BytesColumn {
    pub(super) fn new(column: &ColumnDescPtr, length: usize) -> Self {
        let levels = Levels::new(column.max_def_level() > 0);
        let (values, page) = (Vec::new(), Vec::new());
        Self { column: column.clone(), length, levels, values, page }
    }
}

impl ColumnEncoder for BytesColumn {
    fn write(&mut self, array: &dyn Array) -> Result<()> {
        self.levels.append(array)?;
        if array.null_count() < array.len() {
            if array.data_type() != &DataType::FixedSizeBinary(self.length as i32) {
                return Err(ParquetError::NYI(array.data_type().to_string()));
            }
            for value in array.as_fixed_size_binary().iter().flatten() {
                self.values.extend_from_slice(value);
            }
        }
        Ok(())
    }

    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk> {
        let mut writer = ChunkWriter::new(&self.column, compressor);
        let mut rest = &self.values[..];
        for rows in pages(&self.levels, self.values.is_empty()) {
            let (count, present) = (rows.len(), self.levels.values_in(rows.clone()));
            let values;
            (values, rest) = rest.split_at(present * self.length);
            self.page.clear();
            self.levels.push(rows, present, &mut self.page);
            self.page.extend_from_slice(values);
            writer.data(DataPage {
                bytes: &self.page,
                encoding: Encoding::PLAIN,
                rows: count,
                nulls: count - present,
                bounds: text_bounds(values.chunks_exact(self.length)),
            })?;
        }
        self.levels.clear();
        self.values.clear();
        writer.finish()
    }
}
