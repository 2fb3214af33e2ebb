//! Batches to column chunks: how each column of the table is encoded in Parquet.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{
    ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves,
};
use parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesPtr};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, SchemaDescPtr};

/// How pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard, level 1 to 22.
    Zstd(i32),
    /// Snappy.
    Snappy,
    /// Not at all.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(1)
    }
}

impl Compression {
    fn codec(self) -> Result<Codec> {
        Ok(match self {
            Self::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
            Self::Snappy => Codec::SNAPPY,
            Self::None => Codec::UNCOMPRESSED,
        })
    }
}

/// Key of the table's version in a Parquet file.
const SCHEMA_VERSION_KEY: &str = "cdrlake.schema_version";

/// What names the program in a Parquet file.
const CREATED_BY: &str = concat!("cdrlake version ", env!("CARGO_PKG_VERSION"));

/// Columns whose values count up: stored as differences.
const RISING: [&str; 2] = ["record_number", "start_time"];

/// Columns of nearly unique text: a dictionary would only cost.
const UNIQUE: [&str; 5] =
    ["origin", "origin_e164", "destination", "destination_e164", "account_code"];

/// How a table is laid out in Parquet: shared by all row groups of a file.
pub(crate) struct Layout {
    pub(crate) schema: SchemaDescPtr,
    pub(crate) properties: WriterPropertiesPtr,
    arrow_schema: SchemaRef,
    factory: ArrowRowGroupWriterFactory,
}

impl Layout {
    /// The layout of the table of calls, without some of its columns.
    pub(crate) fn calls(compression: Compression, without: &[&str]) -> Result<Self> {
        let mut properties = WriterProperties::builder();
        for name in RISING {
            let path = ColumnPath::from(name);
            properties = properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
        }
        for name in UNIQUE {
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name), false);
        }
        let version = cdrlake_core::SCHEMA_VERSION.to_string();
        properties = properties.set_key_value_metadata(Some(vec![KeyValue::new(
            SCHEMA_VERSION_KEY.to_owned(),
            version,
        )]));
        let properties = properties
            .set_compression(compression.codec()?)
            .set_created_by(CREATED_BY.to_owned())
            .set_statistics_enabled(EnabledStatistics::Page)
            .build();
        let schema = cdrlake_core::schema();
        let fields = schema.fields().iter();
        let fields = fields.filter(|field| !without.contains(&field.name().as_str())).cloned();
        Self::new(Arc::new(Schema::new(fields.collect::<Vec<_>>())), properties)
    }

    /// Parquet has no dictionary type: readers see plain strings, so the Arrow schema, which would
    /// tell them otherwise, is not stored.
    fn new(arrow_schema: SchemaRef, properties: WriterProperties) -> Result<Self> {
        let properties = Arc::new(properties);
        let descriptor = ArrowSchemaConverter::new().convert(&plain(&arrow_schema))?;
        // The factory takes schema and properties from a file writer, which is not used further.
        let writer = SerializedFileWriter::new(
            std::io::sink(),
            descriptor.root_schema_ptr(),
            Arc::clone(&properties),
        )?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&arrow_schema));
        Ok(Self { schema: Arc::new(descriptor), properties, arrow_schema, factory })
    }

    /// The schema of the batches that are encoded.
    pub(crate) fn arrow_schema(&self) -> SchemaRef {
        Arc::clone(&self.arrow_schema)
    }

    /// A row group of these batches, which may have more columns; none if they have no rows.
    pub(crate) fn encode(&self, batches: &[RecordBatch]) -> Result<Option<RowGroup>> {
        let mut encoder = self.row_group()?;
        for batch in batches {
            let columns = self.arrow_schema.fields().iter();
            let columns = columns.map(|field| batch.schema_ref().index_of(field.name()));
            let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
            encoder.write(&batch.project(&columns)?)?;
        }
        encoder.finish()
    }

    /// Begins a row group; it belongs to no file yet.
    pub(crate) fn row_group(&self) -> Result<RowGroupEncoder> {
        Ok(RowGroupEncoder {
            schema: Arc::clone(&self.arrow_schema),
            columns: self.factory.create_column_writers(0)?,
            rows: 0,
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

/// A row group under construction, in memory.
pub(crate) struct RowGroupEncoder {
    schema: SchemaRef,
    columns: Vec<ArrowColumnWriter>,
    rows: u64,
}

impl RowGroupEncoder {
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut columns = self.columns.iter_mut();
        for (field, array) in self.schema.fields().iter().zip(batch.columns()) {
            for (leaf, column) in compute_leaves(field, array)?.iter().zip(columns.by_ref()) {
                column.write(leaf)?;
            }
        }
        self.rows += batch.num_rows() as u64;
        Ok(())
    }

    /// The encoded row group; none if it has no rows.
    pub(crate) fn finish(self) -> Result<Option<RowGroup>> {
        if self.rows == 0 {
            return Ok(None);
        }
        let chunks = self.columns.into_iter().map(ArrowColumnWriter::close);
        Ok(Some(RowGroup { chunks: chunks.collect::<Result<_>>()? }))
    }
}

/// Encoded columns, ready to be appended to a file.
pub(crate) struct RowGroup {
    pub(crate) chunks: Vec<ArrowColumnChunk>,
}
