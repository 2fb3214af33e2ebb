//! Rejects files to the sources that their lines came from.
//!
//! The operator may have changed `raw`, or what was known of the source (`country`, `profile`,
//! `product_identifier`), with any tool that writes Parquet.

use std::fs::{self, File};
use std::io;
use std::iter;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, BinaryArray, Int64Array, RecordBatch, StringArray};
use cdrlake_core::{Metadata, Position, RAW_LIMIT};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use super::naming::Naming;
use super::{Opening, RejectedLine, SourceError, Visitor};

/// Visits the sources of a rejects file, or of every `.parquet` file in a directory.
pub(super) fn visit_rejects<V: Visitor>(
    path: &Path,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    match files(path) {
        Ok(files) => files.iter().try_for_each(|file| visit_file(file, opening, visitor)),
        Err(error) => {
            let naming = Naming::of_path(path, opening.settings);
            visitor.failed(naming.source(opening.settings), SourceError::Open(error))
        }
    }
}

fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path()));
    let mut files = entries.collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "parquet"));
    files.sort();
    Ok(files)
}

fn visit_file<V: Visitor>(
    path: &Path,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    let settings = opening.settings;
    let naming = Naming::of_path(path, settings);
    let mut failure = None;
    match Rows::open(path) {
        Err(error) => failure = Some(error),
        Ok(rows) => {
            let mut rows = rows.peekable();
            while failure.is_none() {
                let provenance = match rows.peek() {
                    None => break,
                    Some(Ok(row)) => row.provenance.clone(),
                    Some(Err(_)) => {
                        failure = rows.next().and_then(Result::err);
                        break;
                    }
                };
                let mut lines = iter::from_fn(|| {
                    let is_next = |row: &Result<Row, _>| match row {
                        Ok(row) => row.provenance == provenance,
                        Err(_) => true,
                    };
                    Some(rows.next_if(is_next)?.map(|row| row.line).map_err(|error| {
                        failure = Some(error);
                        SourceError::ArchiveFailed { archive: path.display().to_string() }
                    }))
                });
                let Provenance { source_file, hash, known } = &provenance;
                let source = naming.replayed(source_file, known, settings);
                visitor.replay(source, *hash, &mut lines)?;
                // What the visitor had no use for.
                lines.for_each(drop);
            }
        }
    }
    match failure {
        Some(error) => visitor.failed(naming.source(settings), error),
        None => Ok(()),
    }
}

/// A row of a rejects file, as far as it is replayed.
struct Row {
    provenance: Provenance,
    line: RejectedLine,
}

/// What a row tells of its source.
#[derive(Clone, PartialEq)]
struct Provenance {
    source_file: String,
    hash: blake3::Hash,
    known: Metadata,
}

/// The rows of a rejects file, in order; the first error ends them.
struct Rows {
    reader: ParquetRecordBatchReader,
    batch: Option<Columns>,
    /// Of the next row, in the batch.
    index: usize,
    /// Rows before the next one.
    passed: u64,
    is_broken: bool,
}

impl Rows {
    fn open(path: &Path) -> Result<Self, SourceError> {
        /// Each may be 64 KiB.
        const BATCH_SIZE: usize = 256;
        let file = File::open(path).map_err(SourceError::Open)?;
        // Whatever tool wrote the file, its types are those of Parquet.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)
            .map_err(SourceError::Rejects)?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), Columns::NAMES);
        let reader = builder
            .with_projection(mask)
            .with_batch_size(BATCH_SIZE)
            .build()
            .map_err(SourceError::Rejects)?;
        Ok(Self { reader, batch: None, index: 0, passed: 0, is_broken: false })
    }

    fn try_next(&mut self) -> Result<Option<Row>, SourceError> {
        while self.batch.as_ref().is_none_or(|batch| self.index == batch.len()) {
            let Some(batch) = self.reader.next() else { return Ok(None) };
            let batch = batch.map_err(|error| SourceError::Rejects(error.into()))?;
            self.batch = Some(Columns::of(&batch)?);
            self.index = 0;
        }
        let Some(batch) = &self.batch else { return Ok(None) };
        self.passed += 1;
        let row = batch
            .row(self.index)
            .map_err(|problem| SourceError::RejectsRow { row: self.passed, problem })?;
        self.index += 1;
        Ok(Some(row))
    }
}

impl Iterator for Rows {
    type Item = Result<Row, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_broken {
            return None;
        }
        let row = self.try_next().transpose();
        self.is_broken = matches!(row, Some(Err(_)));
        row
    }
}

/// The columns that are replayed.
struct Columns {
    source_file: StringArray,
    record_number: Int64Array,
    byte_offset: Int64Array,
    raw: BinaryArray,
    raw_length: Int64Array,
    country: StringArray,
    profile: StringArray,
    product_identifier: StringArray,
    source_hash: StringArray,
}

impl Columns {
    const NAMES: [&str; 9] = [
        "source_file",
        "record_number",
        "byte_offset",
        "raw",
        "raw_length",
        "country",
        "profile",
        "product_identifier",
        "source_hash",
    ];

    fn of(batch: &RecordBatch) -> Result<Self, SourceError> {
        let text = |name| column(batch, name, |array| array.as_string_opt::<i32>());
        let number = |name| column(batch, name, |array| array.as_primitive_opt::<Int64Type>());
        Ok(Self {
            source_file: text("source_file")?,
            record_number: number("record_number")?,
            byte_offset: number("byte_offset")?,
            raw: column(batch, "raw", |array| array.as_binary_opt::<i32>())?,
            raw_length: number("raw_length")?,
            country: text("country")?,
            profile: text("profile")?,
            product_identifier: text("product_identifier")?,
            source_hash: text("source_hash")?,
        })
    }

    fn len(&self) -> usize {
        self.record_number.len()
    }

    /// One row, or what is wrong with it.
    fn row(&self, index: usize) -> Result<Row, &'static str> {
        let text =
            |column: &StringArray| column.is_valid(index).then(|| column.value(index).to_owned());
        let number = |column: &Int64Array| {
            let number = column.is_valid(index).then(|| column.value(index));
            number.and_then(|number| u64::try_from(number).ok())
        };
        let record_number = number(&self.record_number).filter(|&number| number > 0);
        let position = Position {
            record_number: record_number.ok_or("record_number is not a number from 1 on")?,
            byte_offset: number(&self.byte_offset)
                .ok_or("byte_offset is not a number from 0 on")?,
        };
        let hash = text(&self.source_hash).and_then(|hash| blake3::Hash::from_hex(hash).ok());
        let country = text(&self.country).map(|country| country.parse());
        let known = Metadata {
            country: country.transpose().map_err(|_| "country is none that is known")?,
            profile: text(&self.profile),
            product_identifier: text(&self.product_identifier),
            ..Metadata::default()
        };
        let provenance = Provenance {
            source_file: text(&self.source_file).ok_or("source_file is null")?,
            hash: hash.ok_or("source_hash is not 64 hexadecimal digits")?,
            known,
        };
        Ok(Row { provenance, line: self.line(index, position, number(&self.raw_length))? })
    }

    fn line(
        &self,
        index: usize,
        position: Position,
        raw_length: Option<u64>,
    ) -> Result<RejectedLine, &'static str> {
        let raw = self.raw.value(index);
        if self.raw.is_null(index) {
            return Err("raw is null; leave the row out, or restore the line's bytes");
        }
        if memchr::memchr(b'\n', raw).is_some() {
            return Err("raw holds a line feed, but is to be one line without its line feed");
        }
        // Only a line that fills the column may be longer than what stands there.
        let cut = if raw.len() < RAW_LIMIT { 0 } else { raw_length.unwrap_or(0) };
        let raw_length = cut.max(raw.len() as u64);
        let raw = raw[..raw.len().min(RAW_LIMIT)].to_vec();
        Ok(RejectedLine { position, raw, raw_length })
    }
}

/// A column of a type.
fn column<A: Clone>(
    batch: &RecordBatch,
    name: &str,
    cast: impl Fn(&dyn Array) -> Option<&A>,
) -> Result<A, SourceError> {
    let column = batch.column_by_name(name).and_then(|array| cast(array.as_ref()));
    column.cloned().ok_or_else(|| {
        let problem = format!("there is no column {name}, or not of its type");
        SourceError::Rejects(ParquetError::General(problem))
    })
}
