//! How a table is laid out in Parquet: its columns, properties and metadata, shared by all row groups
//! of a file.

use std::sync::{Arc, PoisonError};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::schema::types::SchemaDescPtr;

use crate::columns::{Compression, Encoders, RowGroup, RowGroupEncoder, Spares};

/// What names the program in a Parquet file.
const CREATED_BY: &str = concat!("cdrlake version ", env!("CARGO_PKG_VERSION"));

/// How a table is laid out in Parquet: shared by all row groups of a file.
pub struct Layout {
    pub(crate) schema: SchemaDescPtr,
    pub(crate) properties: WriterPropertiesPtr,
    pub(crate) compression: Compression,
    pub(crate) arrow_schema: SchemaRef,
    /// The place of the column of labels, if there is one.
    pub(crate) labels: Option<usize>,
    spares: Arc<Spares>,
}

impl Layout {
    /// The layout of a table of this schema, in files that tell `metadata` as keys and values.
    ///
    /// Parquet has no dictionary type: readers see plain strings, so the Arrow schema, which would
    /// tell them otherwise, is not stored.
    ///
    /// # Errors
    ///
    /// A schema that Parquet does not have, or a compression level out of range.
    pub fn new(
        arrow_schema: SchemaRef,
        metadata: Vec<KeyValue>,
        compression: Compression,
    ) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_key_value_metadata(Some(metadata).filter(|metadata| !metadata.is_empty()))
            .set_compression(compression.codec()?)
            .set_created_by(CREATED_BY.to_owned())
            .build();
        let schema = Arc::new(ArrowSchemaConverter::new().convert(&plain(&arrow_schema))?);
        let (properties, spares) = (Arc::new(properties), Arc::default());
        Ok(Self { schema, properties, compression, arrow_schema, labels: None, spares })
    }

    /// The same, but the values of this column of bytes, which has no nulls, are labels: they come with the
    /// [row groups](crate::StagedParquet::append) and not with the batches, and what each stands for is told
    /// when the file is [complete](crate::StagedParquet::complete). Their pages stand behind those of all row
    /// groups. Without a column of this name nothing changes.
    #[must_use]
    pub fn with_labels(self, column: &str) -> Self {
        Self { labels: self.arrow_schema.index_of(column).ok(), ..self }
    }

    /// The schema of the batches that are encoded.
    #[must_use]
    pub fn arrow_schema(&self) -> SchemaRef {
        Arc::clone(&self.arrow_schema)
    }

    /// Returns a row group of these batches; none if they have no rows.
    ///
    /// # Errors
    ///
    /// A batch that lacks a column of the layout, or has one of another type.
    pub fn encode(&self, batches: &[RecordBatch]) -> Result<Option<RowGroup>> {
        let mut encoder = self.row_group()?;
        for batch in batches {
            encoder.write(batch)?;
        }
        encoder.finish()
    }

    /// Begins a row group; it belongs to no file yet.
    ///
    /// # Errors
    ///
    /// A column of a type that has no encoding here.
    pub fn row_group(&self) -> Result<RowGroupEncoder> {
        let spare = self.spares.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let encoders = match spare {
            Some(encoders) => encoders,
            None => Encoders::new(
                &self.arrow_schema,
                self.schema.columns(),
                self.labels,
                self.compression.compressor()?,
            )?,
        };
        Ok(RowGroupEncoder::new(encoders, Arc::clone(&self.spares)))
    }
}

/// `schema` with dictionary-encoded text as plain text.
pub(crate) fn plain(schema: &Schema) -> Schema {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Dictionary(_, values) => {
            Field::new(field.name(), values.as_ref().clone(), field.is_nullable())
        }
        _ => field.as_ref().clone(),
    });
    Schema::new(fields.collect::<Vec<_>>())
}
