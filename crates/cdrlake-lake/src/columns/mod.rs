//! Batches to column chunks: how each column of the table is encoded in Parquet.
//!
//! The pages are our own. The ordinary writer hashes every value of every row, though the decoder
//! knows most columns to be constant or of few values; here a constant column costs per row group
//! and not per row, a batch's dictionary is mapped to the row group's once, and what is mostly
//! different is never looked up. Each column takes the encoding that its values in this row group
//! deserve:
//!
//! | values | encoding |
//! |---|---|
//! | the same as another column's | that column's pages |
//! | all null | levels alone, one run |
//! | one value | a dictionary of one, its id one run |
//! | text that repeats | dictionary, ids in runs or packed |
//! | text mostly different, but alike where it begins | what differs from the value before |
//! | other text | lengths as differences, then bytes |
//! | integers that are few and close together | dictionary |
//! | other integers | differences |
//!
//! Pages are of version 1, for the widest circle of readers; every column has a page index.
//! The ordinary writer stays as the tests' oracle.

mod bit_packing;
mod chunk;
mod compression;
mod delta;
mod dictionary;
mod integer;
mod levels;
mod plain;
mod plain_text;
mod repeats;
mod row_group;
mod statistics;
#[cfg(test)]
mod tests;
mod text;

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use cdrlake_core::Numbers;
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::Type;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::{ColumnDescPtr, SchemaDescPtr};

use self::chunk::ColumnChunk;
pub use self::compression::Compression;
use self::compression::Compressor;
use self::integer::IntegerColumn;
use self::levels::Levels;
use self::plain::{Booleans, FixedBytes, PlainColumn};
use self::row_group::{Column, Encoders};
pub(crate) use self::row_group::{RowGroup, RowGroupEncoder};
use self::text::TextColumn;

/// Key of the table's version in a Parquet file.
const SCHEMA_VERSION_KEY: &str = "cdrlake.schema_version";

/// Key of what became of parties' numbers, where they are not clear.
const PRIVACY_KEY: &str = "cdrlake.privacy";

/// What names the program in a Parquet file.
const CREATED_BY: &str = concat!("cdrlake version ", env!("CARGO_PKG_VERSION"));

/// Rows of a page: few enough to be worth skipping by the page index, enough to compress well.
/// A multiple of eight, so that a page's bits begin with a byte.
const PAGE_ROWS: usize = 16_384;

/// How a table is laid out in Parquet: shared by all row groups of a file.
pub(crate) struct Layout {
    pub(crate) schema: SchemaDescPtr,
    pub(crate) properties: WriterPropertiesPtr,
    compression: Compression,
    arrow_schema: SchemaRef,
    spares: Arc<Spares>,
}

/// Encoders that have done a row group: their buffers are used again, for fresh memory is dear.
type Spares = Mutex<Vec<Encoders>>;

impl Layout {
    /// The layout of the table of calls, without some of its columns.
    pub(crate) fn calls(compression: Compression, without: &[&str]) -> Result<Self> {
        let version = cdrlake_core::SCHEMA_VERSION.to_string();
        let version = KeyValue::new(SCHEMA_VERSION_KEY.to_owned(), version);
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(vec![version]))
            .set_compression(compression.codec()?)
            .set_created_by(CREATED_BY.to_owned())
            .build();
        let schema = cdrlake_core::schema();
        let fields = schema.fields().iter();
        let fields = fields.filter(|field| !without.contains(&field.name().as_str())).cloned();
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        Self::new(schema, properties, compression)
    }

    /// The same layout, in files that tell what became of parties' numbers.
    pub(crate) fn of_privacy(mut self, numbers: Numbers) -> Self {
        if !numbers.are_clear() {
            let mut metadata = self.properties.key_value_metadata().cloned().unwrap_or_default();
            metadata.push(KeyValue::new(PRIVACY_KEY.to_owned(), numbers.to_string()));
            let properties = WriterProperties::clone(&self.properties).into_builder();
            self.properties = Arc::new(properties.set_key_value_metadata(Some(metadata)).build());
        }
        self
    }

    /// Parquet has no dictionary type: readers see plain strings, so the Arrow schema, which would
    /// tell them otherwise, is not stored.
    fn new(
        arrow_schema: SchemaRef,
        properties: WriterProperties,
        compression: Compression,
    ) -> Result<Self> {
        let schema = Arc::new(ArrowSchemaConverter::new().convert(&plain(&arrow_schema))?);
        let (properties, spares) = (Arc::new(properties), Arc::default());
        Ok(Self { schema, properties, compression, arrow_schema, spares })
    }

    /// The schema of the batches that are encoded.
    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        Arc::clone(&self.arrow_schema)
    }

    /// A row group of these batches; none if they have no rows.
    pub(crate) fn encode(&self, batches: &[RecordBatch]) -> Result<Option<RowGroup>> {
        let mut encoder = self.row_group()?;
        for batch in batches {
            encoder.write(batch)?;
        }
        encoder.finish()
    }

    /// Begins a row group; it belongs to no file yet.
    pub(crate) fn row_group(&self) -> Result<RowGroupEncoder> {
        let spare = self.spares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let encoders = match spare {
            Some(encoders) => encoders,
            None => self.encoders()?,
        };
        Ok(RowGroupEncoder::new(encoders, Arc::clone(&self.spares)))
    }

    fn encoders(&self) -> Result<Encoders> {
        let fields = self.arrow_schema.fields().iter();
        let columns = fields.zip(self.schema.columns());
        Ok(Encoders {
            columns: columns
                .map(|(field, column)| Ok(Column::new(column, encoder(field, column)?)))
                .collect::<Result<_>>()?,
            compressor: self.compression.compressor()?,
        })
    }
}

/// `schema` with dictionary-encoded text as plain text.
fn plain(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Dictionary(_, values) => {
            Field::new(field.name(), values.as_ref().clone(), field.is_nullable())
        }
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}

/// Takes a column's arrays of a row group, and gives its chunk.
trait ColumnEncoder: Send {
    fn write(&mut self, array: &dyn Array) -> Result<()>;

    /// The column so far as a chunk; begins anew.
    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk>;
}

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

/// The rows of each page; one page will do if all `is_uniform`.
fn pages(levels: &Levels, is_uniform: bool) -> impl Iterator<Item = Range<usize>> + use<> {
    let rows = levels.rows();
    let is_one = is_uniform && (levels.nulls() == 0 || levels.values() == 0);
    let step = if is_one { rows.max(1) } else { PAGE_ROWS };
    (0..rows).step_by(step).map(move |start| start..rows.min(start + step))
}
