//! The rows of a rejects file, in order.
//!
//! The operator may have changed `raw`, or what was known of the source (`country`, `profile`,
//! `product_identifier`), with any tool that writes Parquet. So only the columns that are replayed
//! need to be there, and their types may be others that hold the same.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Int8Type, Int16Type, Int32Type, Int64Type, UInt32Type,
};
use arrow_array::{
    Array, ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, new_null_array,
};
use arrow_schema::DataType;
use cdrlake_core::{Metadata, Position, RAW_LIMIT, RECORD_LEN, RejectCode};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;

use crate::chunks::Chunks;
use crate::damage::{Damage, Kept};
use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::source::{LineEnd, RejectedLine};

/// A row of a rejects file, as far as it is replayed.
pub(crate) struct Row {
    pub(crate) provenance: Provenance,
    pub(crate) line: RejectedLine,
}

/// What a row tells of its source.
#[derive(Clone, PartialEq)]
pub(crate) struct Provenance {
    pub(crate) source_file: String,
    pub(crate) hash: blake3::Hash,
    pub(crate) known: Metadata,
}

/// The rows of a rejects file, in order; the first error ends them.
pub(crate) struct Rows {
    reader: ParquetRecordBatchReader,
    file: WatchedFile,
    kept: Kept,
    batch: Option<Columns>,
    /// Of the next row, in the batch.
    index: usize,
    /// Rows before the next one.
    passed: u64,
    is_broken: bool,
    /// Whether the file is a table of calls, and so none of rejects.
    pub(crate) is_of_calls: bool,
}

impl Rows {
    pub(crate) fn open(file: WatchedFile) -> Result<Self, SourceError> {
        /// Each may be 64 KiB.
        const BATCH_SIZE: usize = 256;
        // Whatever tool wrote the file, its types are those of Parquet.
        let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
        let kept = Kept::default();
        let error = |error| damaged(&error, &kept);
        let opened = file.try_clone().map_err(SourceError::Open)?;
        let chunks = Chunks::of(opened, file.len(), kept.clone());
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(chunks, options)
            .map_err(error)?;
        let has = |name| builder.schema().column_with_name(name).is_some();
        let is_of_calls = has("start_time") && has("origin_e164") && !has("raw");
        let mask = ProjectionMask::columns(builder.parquet_schema(), Columns::NAMES);
        let reader =
            builder.with_projection(mask).with_batch_size(BATCH_SIZE).build().map_err(error)?;
        let (batch, index, passed, is_broken) = (None, 0, 0, false);
        Ok(Self { reader, file, kept, batch, index, passed, is_broken, is_of_calls })
    }

    fn try_next(&mut self) -> Result<Option<Row>, SourceError> {
        while self.batch.as_ref().is_none_or(|batch| self.index == batch.len()) {
            let Some(batch) = self.reader.next() else {
                let unchanged = self.file.check_unchanged();
                return unchanged.map(|()| None).map_err(|error| {
                    let bytes = self.file.len();
                    SourceError::Read { bytes, error }
                });
            };
            let batch = batch.map_err(|error| damaged(&error.into(), &self.kept))?;
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

/// Why a file fails, given an error of the `parquet` crate.
fn damaged(error: &ParquetError, kept: &Kept) -> SourceError {
    match kept.take() {
        Some(error) => SourceError::of_read(0, error),
        None => SourceError::Rejects(Damage::of_parquet(error)),
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
    code: StringArray,
    field: StringArray,
    raw: BinaryArray,
    raw_length: Int64Array,
    country: StringArray,
    profile: StringArray,
    product_identifier: StringArray,
    source_hash: StringArray,
}

impl Columns {
    const NAMES: [&str; 11] = [
        "source_file",
        "record_number",
        "byte_offset",
        "code",
        "field",
        "raw",
        "raw_length",
        "country",
        "profile",
        "product_identifier",
        "source_hash",
    ];

    fn of(batch: &RecordBatch) -> Result<Self, SourceError> {
        use Presence::{Optional, Required};
        Ok(Self {
            source_file: text(batch, "source_file", Required)?,
            record_number: number(batch, "record_number", Required)?,
            byte_offset: number(batch, "byte_offset", Required)?,
            code: text(batch, "code", Optional)?,
            field: text(batch, "field", Optional)?,
            raw: bytes(batch, "raw")?,
            raw_length: number(batch, "raw_length", Optional)?,
            country: text(batch, "country", Optional)?,
            profile: text(batch, "profile", Optional)?,
            product_identifier: text(batch, "product_identifier", Optional)?,
            source_hash: text(batch, "source_hash", Required)?,
        })
    }

    fn len(&self) -> usize {
        self.record_number.len()
    }

    /// One row, or what is wrong with it.
    fn row(&self, index: usize) -> Result<Row, &'static str> {
        let text = |column| value(column, index).map(str::to_owned);
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
        let hash = value(&self.source_hash, index);
        let hash = hash.and_then(|hash| blake3::Hash::from_hex(hash).ok());
        let country = value(&self.country, index).map(str::parse);
        let known = Metadata {
            country: country.transpose().map_err(|_| "country is none that is known")?,
            profile: checked(text(&self.profile), 5)
                .map_err(|()| "profile is not 1 to 5 letters or digits")?,
            product_identifier: checked(text(&self.product_identifier), 2)
                .map_err(|()| "product_identifier is not 1 or 2 letters or digits")?,
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
        let end = line_end(raw, value(&self.code, index), value(&self.field, index));
        let raw = raw[..raw.len().min(RAW_LIMIT)].to_vec();
        Ok(RejectedLine { position, raw, raw_length, end })
    }
}

/// How a rejected line ended: the table has no column that says so.
///
/// One that was rejected for its missing line feed had none. Neither had one that ends in 0x1A,
/// which only at the end of a source is no byte of the line; unless it was rejected for that very
/// byte, or for a length that counts it, for then a line feed followed. So a line that nobody has
/// edited gets the verdict it had. Any other line is taken to have had its line feed, which costs
/// no more than a warning.
fn line_end(raw: &[u8], code: Option<&str>, field: Option<&str>) -> LineEnd {
    const SUBSTITUTE: u8 = 0x1A;
    let is = |wanted: RejectCode| code == Some(wanted.as_str());
    if is(RejectCode::MissingLineFeed) && !raw.is_empty() {
        return LineEnd::EndOfSource;
    }
    let Some((&SUBSTITUTE, line)) = raw.split_last() else { return LineEnd::LineFeed };
    let was_in_line = match field {
        Some("trailer") => is(RejectCode::NotAscii),
        Some("end_of_record") => is(RejectCode::NotAscii) && raw.len() == RECORD_LEN,
        _ => is(RejectCode::LongRecord),
    };
    // At the end of a source these are blank, and never were rejected.
    let is_blank = matches!(line, b"" | b"\r");
    if was_in_line || is_blank { LineEnd::LineFeed } else { LineEnd::EndOfSource }
}

/// A text of 1 to `most` letters or digits, if any.
fn checked(text: Option<String>, most: usize) -> Result<Option<String>, ()> {
    let is_sound = |text: &String| {
        (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    if text.as_ref().is_none_or(is_sound) { Ok(text) } else { Err(()) }
}

fn value(column: &StringArray, index: usize) -> Option<&str> {
    column.is_valid(index).then(|| column.value(index))
}

/// Whether a column must be there, or may be absent or of no type, as nulls without a value are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

fn text(
    batch: &RecordBatch,
    name: &'static str,
    presence: Presence,
) -> Result<StringArray, SourceError> {
    let column = column(batch, name, presence, "string", &DataType::Utf8)?;
    let text = column.as_string_opt::<i32>();
    text.cloned().ok_or_else(|| other_type(name, &column, "string"))
}

fn bytes(batch: &RecordBatch, name: &'static str) -> Result<BinaryArray, SourceError> {
    let column = column(batch, name, Presence::Required, "binary", &DataType::Binary)?;
    match column.data_type() {
        DataType::Utf8 => column.as_string_opt::<i32>().cloned().map(BinaryArray::from),
        _ => column.as_binary_opt::<i32>().cloned(),
    }
    .ok_or_else(|| other_type(name, &column, "binary"))
}

fn number(
    batch: &RecordBatch,
    name: &'static str,
    presence: Presence,
) -> Result<Int64Array, SourceError> {
    let column = column(batch, name, presence, "int64", &DataType::Int64)?;
    match column.data_type() {
        DataType::Int8 => widened::<Int8Type>(&column),
        DataType::Int16 => widened::<Int16Type>(&column),
        DataType::Int32 => widened::<Int32Type>(&column),
        DataType::UInt32 => widened::<UInt32Type>(&column),
        _ => column.as_primitive_opt::<Int64Type>().cloned(),
    }
    .ok_or_else(|| other_type(name, &column, "int64"))
}

fn widened<T: ArrowPrimitiveType<Native: Into<i64>>>(column: &dyn Array) -> Option<Int64Array> {
    column.as_primitive_opt::<T>().map(|array| array.unary(Into::into))
}

/// A column; nulls of type `instead` if it is not there, or has no type, and may.
fn column(
    batch: &RecordBatch,
    name: &'static str,
    presence: Presence,
    wanted: &'static str,
    instead: &DataType,
) -> Result<ArrayRef, SourceError> {
    match batch.column_by_name(name) {
        Some(column) if *column.data_type() != DataType::Null => Ok(column.clone()),
        _ if presence == Presence::Optional => Ok(new_null_array(instead, batch.num_rows())),
        found => Err(SourceError::RejectsColumn {
            name,
            found: found.map(|_| "of no type".to_owned()),
            wanted,
        }),
    }
}

fn other_type(name: &'static str, column: &ArrayRef, wanted: &'static str) -> SourceError {
    // What follows a bracket is the file's: lengths, zones, names of fields.
    let found = column.data_type().to_string();
    let found = found.split('(').next().map(|found| format!("of type {found}"));
    SourceError::RejectsColumn { name, found, wanted }
}
