//! The table of calls, as it is laid out in Parquet files.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};
use cdrlake_core::Numbers;
use cdrlake_parquet::{Compression, Layout};
use parquet::errors::Result;
use parquet::file::metadata::KeyValue;

/// Key of the table's version in a Parquet file.
const SCHEMA_VERSION_KEY: &str = "cdrlake.schema_version";

/// Key of what became of parties' numbers, where they are not clear.
const PRIVACY_KEY: &str = "cdrlake.privacy";

/// The column whose values come with the rows' sources, and are known when these have ended.
const SOURCE_HASH: &str = "source_hash";

/// The layout of the table of calls, without some of its columns, in files that tell what became of
/// parties' numbers unless they are clear. The values of `source_hash` are labels
/// ([`SourceIdentities`](crate::SourceIdentities)).
///
/// # Errors
///
/// A compression level out of range.
pub fn calls_layout(
    compression: Compression,
    without: &[&str],
    numbers: Numbers,
) -> Result<Layout> {
    let schema = cdrlake_core::schema();
    let fields = schema.fields().iter();
    let fields = fields.filter(|field| !without.contains(&field.name().as_str())).cloned();
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    layout(schema, cdrlake_core::SCHEMA_VERSION, compression, numbers)
}

/// The layout of a table of calls of this schema and version, in files that tell it and what became of
/// parties' numbers unless they are clear.
///
/// # Errors
///
/// A compression level out of range.
pub fn layout(
    schema: SchemaRef,
    version: u32,
    compression: Compression,
    numbers: Numbers,
) -> Result<Layout> {
    let mut metadata = vec![KeyValue::new(SCHEMA_VERSION_KEY.to_owned(), version.to_string())];
    if !numbers.are_clear() {
        metadata.push(KeyValue::new(PRIVACY_KEY.to_owned(), numbers.to_string()));
    }
    Ok(Layout::new(schema, metadata, compression)?.with_labels(SOURCE_HASH))
}
