//! The rejects table, and the file that it is written to.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use cdrlake_core::{Country, Field, Reject, SourceOptions};
use cdrlake_parquet::{SmallParquet, StagedFile, temporary_file};
use roaring::RoaringTreemap;

use crate::blocks::OpenSource;
use crate::error::LoadError;
use crate::privacy::ClearRejects;
use crate::provenance::{SourceRows, add_rows};
use crate::sink::RejectedLines;

/// The table of rejected lines.
pub(crate) fn schema() -> SchemaRef {
    let field = |name, data_type, nullable| ArrowField::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        field("source_file", DataType::Utf8, false),
        field("record_number", DataType::Int64, false),
        field("byte_offset", DataType::Int64, false),
        field("code", DataType::Utf8, false),
        field("field", DataType::Utf8, true),
        field("message", DataType::Utf8, false),
        field("raw", DataType::Binary, false),
        field("raw_length", DataType::Int64, false),
        field("country", DataType::Utf8, true),
        field("profile", DataType::Utf8, true),
        field("product_identifier", DataType::Utf8, true),
        field("source_hash", DataType::Utf8, false),
    ]))
}

/// The rejects file under construction; there is none before the first rejected line, nor if lines
/// are only counted.
pub struct RejectsFile {
    path: PathBuf,
    kept: ClearRejects,
    writer: Option<SmallParquet>,
    rows: RejectRows,
    /// Lines that were counted and not written.
    omitted: u64,
    /// Whose its rows are, from the first to the last.
    sources: Vec<SourceRows>,
    /// The record numbers in it, by the source's index.
    record_numbers: HashMap<usize, RoaringTreemap>,
}

impl RejectsFile {
    /// A file that is to be published as `path`.
    #[must_use]
    pub fn new(path: PathBuf, kept: ClearRejects) -> Self {
        Self {
            path,
            kept,
            writer: None,
            rows: RejectRows::default(),
            omitted: 0,
            sources: Vec::new(),
            record_numbers: HashMap::new(),
        }
    }

    /// The path that it is to have.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the rejected lines of a source.
    ///
    /// # Errors
    ///
    /// [`LoadError::Write`] or [`LoadError::Parquet`], if that fails.
    pub fn write(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError> {
        let (source, hash) = (rejects.source, rejects.end.hash.to_hex());
        rejects.for_each(|reject| self.write_line(source, &hash, reject))
    }

    fn write_line(
        &mut self,
        source: &OpenSource,
        source_hash: &str,
        reject: &Reject<'_>,
    ) -> Result<(), LoadError> {
        self.record_numbers.entry(source.index).or_default().insert(reject.record_number);
        if self.kept == ClearRejects::Omit {
            self.omitted += 1;
            return Ok(());
        }
        add_rows(&mut self.sources, SourceRows { source: source.index, rows: 1 });
        self.rows.push(&source.options, source_hash, reject);
        if self.rows.is_full() { self.write_rows() } else { Ok(()) }
    }

    fn write_rows(&mut self) -> Result<(), LoadError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        self.write_batch(&rows.finish()?)
    }

    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), LoadError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(create_writer(&self.path)?),
        };
        Ok(writer.write(batch)?)
    }

    /// Returns the record numbers of a source's rejected lines, by the source's index, once.
    pub fn take_record_numbers(&mut self, source: usize) -> RoaringTreemap {
        self.record_numbers.remove(&source).unwrap_or_default()
    }

    /// Lines that were counted and not written.
    #[must_use]
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Whose its rows are, from the first to the last.
    #[must_use]
    pub fn sources(&self) -> &[SourceRows] {
        &self.sources
    }

    /// Returns the finished file; none if nothing was rejected.
    ///
    /// # Errors
    ///
    /// [`LoadError::Write`] or [`LoadError::Parquet`], if that fails.
    pub fn finish(mut self) -> Result<Option<StagedFile>, LoadError> {
        self.write_rows()?;
        Ok(self.writer.map(SmallParquet::finish).transpose()?)
    }
}

/// A staged file of rows of the rejects table, in a directory.
///
/// # Errors
///
/// What `batches` gives, and [`LoadError::Write`] or [`LoadError::Parquet`], if writing fails.
pub fn copy_rejects<E: From<LoadError>>(
    directory: &Path,
    batches: impl Iterator<Item = Result<RecordBatch, E>>,
) -> Result<StagedFile, E> {
    let path = directory.join("rejects");
    let mut file = RejectsFile::new(path, ClearRejects::Write);
    for batch in batches {
        file.write_batch(&batch?)?;
    }
    file.finish()?.ok_or(LoadError::Defect("a rejects file without rows").into())
}

/// Rejects hold raw lines, subscribers' numbers among them: nobody else may read them.
const REJECTS_MODE: u32 = 0o640;

fn create_writer(path: &Path) -> Result<SmallParquet, LoadError> {
    let file = temporary_file(path, REJECTS_MODE)?;
    Ok(SmallParquet::create(file, path, schema(), None)?)
}

/// Rows of the rejects table under construction.
#[derive(Default)]
pub(crate) struct RejectRows {
    source_file: StringBuilder,
    record_number: Int64Builder,
    byte_offset: Int64Builder,
    code: StringBuilder,
    field: StringBuilder,
    message: StringBuilder,
    raw: BinaryBuilder,
    raw_length: Int64Builder,
    country: StringBuilder,
    profile: StringBuilder,
    product_identifier: StringBuilder,
    source_hash: StringBuilder,
    len: usize,
    raw_bytes: usize,
}

impl RejectRows {
    pub(crate) fn push(&mut self, source: &SourceOptions, source_hash: &str, reject: &Reject<'_>) {
        let metadata = &source.metadata;
        self.source_file.append_value(&source.source_file);
        self.record_number.append_value(reject.record_number as i64);
        self.byte_offset.append_value(reject.byte_offset as i64);
        self.code.append_value(reject.fault.code.as_str());
        self.field.append_option(reject.fault.field.map(Field::name));
        self.message.append_value(reject.message().to_string());
        self.raw.append_value(reject.raw);
        self.raw_length.append_value(reject.raw_length as i64);
        self.country.append_option(metadata.country.map(Country::code));
        self.profile.append_option(metadata.profile.as_deref());
        self.product_identifier.append_option(metadata.product_identifier.as_deref());
        self.source_hash.append_value(source_hash);
        self.len += 1;
        self.raw_bytes += reject.raw.len();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        const MAX_ROWS: usize = 16_384;
        const MAX_RAW_BYTES: usize = 8 << 20;
        self.len >= MAX_ROWS || self.raw_bytes >= MAX_RAW_BYTES
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, LoadError> {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.source_file.finish()),
            Arc::new(self.record_number.finish()),
            Arc::new(self.byte_offset.finish()),
            Arc::new(self.code.finish()),
            Arc::new(self.field.finish()),
            Arc::new(self.message.finish()),
            Arc::new(self.raw.finish()),
            Arc::new(self.raw_length.finish()),
            Arc::new(self.country.finish()),
            Arc::new(self.profile.finish()),
            Arc::new(self.product_identifier.finish()),
            Arc::new(self.source_hash.finish()),
        ];
        RecordBatch::try_new(schema(), arrays).map_err(|error| LoadError::Encode(error.into()))
    }
}
