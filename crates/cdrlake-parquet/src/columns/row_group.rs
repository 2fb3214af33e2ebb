//! Batches to a row group: each column to its encoder, unless it is another column's twin.
//!
//! The decoder gives two columns the same array where they hold the same (an account code that
//! repeats the origin). As long as they share every array, only the first is encoded.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema};
use parquet::basic::Type;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::chunk::ColumnChunk;
use super::compression::Compressor;
use super::encoder::ColumnEncoder;
use super::integer::IntegerColumn;
use super::plain::{Booleans, FixedBytes, PlainColumn};
use super::text::TextColumn;

/// Encoders that have done a row group: their buffers are used again, for fresh memory is dear.
pub(crate) type Spares = Mutex<Vec<Encoders>>;

/// What encodes the columns of a row group, one after the other.
pub(crate) struct Encoders {
    columns: Vec<Column>,
    /// The place of the column that is not encoded here, if there is one.
    labels: Option<usize>,
    compressor: Compressor,
}

impl Encoders {
    /// Encoders of the columns of a schema, as Parquet has them in `columns`, but for the one of labels.
    pub(crate) fn new(
        schema: &Schema,
        columns: &[ColumnDescPtr],
        labels: Option<usize>,
        compressor: Compressor,
    ) -> Result<Self> {
        let columns = schema.fields().iter().zip(columns).enumerate();
        let columns = columns.filter(|(index, _)| Some(*index) != labels);
        let columns =
            columns.map(|(_, (field, column))| Ok(Column::new(column, encoder(field, column)?)));
        Ok(Self { columns: columns.collect::<Result<_>>()?, labels, compressor })
    }

    /// Whether a batch has the columns that are encoded, and no others.
    fn is_of_all(&self, batch: &RecordBatch) -> bool {
        let fields = batch.schema_ref().fields().iter();
        let names = self.columns.iter().map(|column| column.descriptor.name());
        fields.len() == self.columns.len() && fields.map(|field| field.name().as_str()).eq(names)
    }

    /// The arrays of the columns that are encoded.
    fn arrays<'b>(&self, batch: &'b RecordBatch) -> Result<Cow<'b, [ArrayRef]>> {
        match self.labels {
            None if batch.num_columns() == self.columns.len() => {
                return Ok(Cow::Borrowed(batch.columns()));
            }
            Some(_) if self.is_of_all(batch) => return Ok(Cow::Borrowed(batch.columns())),
            _ => {}
        }
        let array = |column: &Column| {
            let name = column.descriptor.name();
            let missing = || ParquetError::General(format!("no column {name}"));
            batch.column_by_name(name).cloned().ok_or_else(missing)
        };
        self.columns.iter().map(array).collect::<Result<Vec<_>>>().map(Cow::Owned)
    }
}

/// The encoder of a column.
fn encoder(field: &Field, column: &ColumnDescPtr) -> Result<Box<dyn ColumnEncoder>> {
    Ok(match (column.physical_type(), field.data_type()) {
        (Type::BYTE_ARRAY, _) => Box::new(TextColumn::new(column)),
        (Type::INT32, _) => Box::new(IntegerColumn::<i32>::new(column)),
        (Type::INT64, _) => Box::new(IntegerColumn::<i64>::new(column)),
        (Type::BOOLEAN, _) => Box::new(PlainColumn::new(column, Booleans::default())),
        (Type::FIXED_LEN_BYTE_ARRAY, &DataType::FixedSizeBinary(length)) => {
            Box::new(PlainColumn::new(column, FixedBytes::new(length as usize)))
        }
        (_, other) => return Err(ParquetError::NYI(format!("a column of {other}"))),
    })
}

/// A column under construction.
struct Column {
    descriptor: ColumnDescPtr,
    encoder: Box<dyn ColumnEncoder>,
    kinship: Kinship,
}

/// Whether a column holds the same as another.
enum Kinship {
    /// It has no rows yet.
    Unknown,
    /// It has shared every array with an earlier column.
    Twin {
        index: usize,
        arrays: Vec<ArrayRef>,
    },
    Single,
}

impl Column {
    fn new(descriptor: &ColumnDescPtr, encoder: Box<dyn ColumnEncoder>) -> Self {
        Self { descriptor: descriptor.clone(), encoder, kinship: Kinship::Unknown }
    }

    /// Appends the rows of `array`, the next of `arrays`, which begin with those of `earlier` columns.
    fn write(&mut self, array: &ArrayRef, earlier: &[Self], arrays: &[ArrayRef]) -> Result<()> {
        let levels = self.descriptor.max_def_level();
        match &mut self.kinship {
            Kinship::Unknown => {
                let mut others = earlier.iter().zip(arrays);
                let twin = others.position(|(column, other)| {
                    Arc::ptr_eq(other, array) && column.descriptor.max_def_level() == levels
                });
                self.kinship = match twin {
                    Some(index) => Kinship::Twin { index, arrays: vec![Arc::clone(array)] },
                    None => Kinship::Single,
                };
            }
            Kinship::Twin { index, arrays: shared } if Arc::ptr_eq(&arrays[*index], array) => {
                shared.push(Arc::clone(array));
            }
            Kinship::Twin { arrays, .. } => {
                arrays.iter().try_for_each(|array| self.encoder.write(array))?;
                self.kinship = Kinship::Single;
            }
            Kinship::Single => {}
        }
        match self.kinship {
            Kinship::Single => self.encoder.write(array),
            Kinship::Unknown | Kinship::Twin { .. } => Ok(()),
        }
    }

    /// The column so far as a chunk, `earlier` being those before it; begins anew.
    fn finish(
        &mut self,
        earlier: &[ColumnChunk],
        compressor: &mut Compressor,
    ) -> Result<ColumnChunk> {
        match std::mem::replace(&mut self.kinship, Kinship::Unknown) {
            Kinship::Twin { index, .. } => earlier[index].of_twin(&self.descriptor),
            Kinship::Unknown | Kinship::Single => self.encoder.finish(compressor),
        }
    }
}

/// A row group under construction, in memory.
pub struct RowGroupEncoder {
    encoders: Encoders,
    rows: usize,
    spares: Arc<Spares>,
}

impl RowGroupEncoder {
    pub(crate) fn new(encoders: Encoders, spares: Arc<Spares>) -> Self {
        Self { encoders, rows: 0, spares }
    }

    /// Appends the rows of a batch, which may be a slice of one, of any source. It may have more
    /// columns than are encoded.
    ///
    /// # Errors
    ///
    /// A batch that lacks a column of the layout, or has one of another type.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let arrays = self.encoders.arrays(batch)?;
        let arrays = &arrays[..];
        for (index, array) in arrays.iter().enumerate() {
            let (earlier, rest) = self.encoders.columns.split_at_mut(index);
            rest[0].write(array, earlier, arrays)?;
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    /// Returns the encoded row group; none if it has no rows.
    ///
    /// # Errors
    ///
    /// What the compressor says.
    pub fn finish(mut self) -> Result<Option<RowGroup>> {
        let Encoders { columns, compressor, .. } = &mut self.encoders;
        let row_group = if self.rows == 0 {
            None
        } else {
            let mut chunks = Vec::with_capacity(columns.len());
            for column in columns {
                chunks.push(column.finish(&chunks, compressor)?);
            }
            Some(RowGroup { chunks, rows: self.rows as u64 })
        };
        self.spares.lock().unwrap_or_else(PoisonError::into_inner).push(self.encoders);
        Ok(row_group)
    }
}

/// Encoded columns, ready to be appended to a file.
pub struct RowGroup {
    /// Of all columns but the one of labels.
    pub(crate) chunks: Vec<ColumnChunk>,
    pub(crate) rows: u64,
}

impl RowGroup {
    /// Bytes of its pages, those of columns that share another's included.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        self.chunks.iter().map(ColumnChunk::len).sum()
    }
}
