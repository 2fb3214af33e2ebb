//! The ledger's readable face: a Parquet file, one row a source, for SQL.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use arrow_array::builder::{
    Decimal128Builder, Int32Builder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use cdrlake_core::local_time;
use cdrlake_parquet::{Existing, SmallParquet, persist, temporary_in};
use jiff::civil::DateTime;
use parquet::file::metadata::{KeyValue, ParquetMetaDataReader};
use rusqlite::Row;

use super::{Ledger, MODE};
use crate::error::LakeError;

/// What a column of the face holds, and so how it is read from the ledger.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int32,
    Int64,
    /// Tenths of seconds in the ledger, seconds with one decimal in the face.
    Seconds,
    /// ISO 8601 in the ledger, a timestamp without zone in the face.
    LocalTime,
}

/// The columns: names in the face and expressions over the ledger.
const COLUMNS: [(&str, &str, Kind); 36] = [
    ("source", "name", Kind::Text),
    ("source_file", "source_file", Kind::Text),
    ("content_hash", "content_hash", Kind::Text),
    ("status", "sources.status", Kind::Text),
    ("error_code", "error_code", Kind::Text),
    ("error", "error", Kind::Text),
    ("country", "country", Kind::Text),
    ("profile", "profile", Kind::Text),
    ("product_identifier", "product_identifier", Kind::Text),
    ("sequence_number", "sequence_number", Kind::Int32),
    ("file_time", "file_time", Kind::LocalTime),
    ("records_read", "records_read", Kind::Int64),
    ("records_written", "records_written", Kind::Int64),
    ("records_rejected", "records_rejected", Kind::Int64),
    ("records_duplicate", "records_duplicate", Kind::Int64),
    ("blank_lines", "blank_lines", Kind::Int64),
    ("bytes_read", "bytes_read", Kind::Int64),
    ("duration_seconds", "duration_tenths", Kind::Seconds),
    ("first_start_time", "first_start_time", Kind::LocalTime),
    ("last_start_time", "last_start_time", Kind::LocalTime),
    ("rejects_state", "rejects_state", Kind::Text),
    ("run", "run", Kind::Int64),
    ("run_id", "run_id", Kind::Text),
    ("command", "command", Kind::Text),
    ("options", "options", Kind::Text),
    ("tool_version", "tool_version", Kind::Text),
    ("rules_version", "rules_version", Kind::Int64),
    ("ended_run", "ended_run", Kind::Int64),
    ("first_seen", "first_seen", Kind::Text),
    ("user", "user", Kind::Text),
    ("host", "host", Kind::Text),
    ("country_told_by", "country_told_by", Kind::Text),
    ("profile_told_by", "profile_told_by", Kind::Text),
    ("product_told_by", "product_told_by", Kind::Text),
    ("time_zone", "time_zone", Kind::Text),
    ("time_zone_told_by", "time_zone_told_by", Kind::Text),
];

impl Kind {
    fn data_type(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Seconds => DataType::Decimal128(18, 1),
            Self::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
        }
    }
}

/// Writes `path` anew from the ledger, by way of a directory on the same file system.
pub(crate) fn write_face(ledger: &Ledger, staging: &Path, path: &Path) -> Result<(), LakeError> {
    /// Rows of a row group.
    const CHUNK: usize = 16_384;
    let file = temporary_in(staging, MODE).map_err(LakeError::write(path))?;
    let mut writer = SmallParquet::create(file, path, schema(), Some(settings(ledger)?))?;
    let mut last = 0;
    loop {
        let mut rows = Rows::new();
        last = rows.read(ledger, last, CHUNK)?;
        let len = rows.len;
        writer.write(&rows.finish()?)?;
        if len < CHUNK {
            break;
        }
    }
    let staged = writer.finish()?;
    persist(staged.file, path, Existing::Replace).map_err(LakeError::write(path))
}

/// Whether there is a face at `path` that can be read, and tells as many sources as this ledger,
/// of the same lake.
pub(crate) fn is_sound_face(ledger: &Ledger, path: &Path) -> Result<bool, LakeError> {
    let sources = ledger.query("SELECT count(*) FROM sources", [], |row| row.get::<_, i64>(0))?;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(LakeError::Read { path: path.to_owned(), error }),
    };
    let Ok(metadata) = ParquetMetaDataReader::new().parse_and_finish(&file) else {
        return Ok(false);
    };
    let file = metadata.file_metadata();
    let told = file.key_value_metadata().cloned().unwrap_or_default();
    let is_told = |setting: &KeyValue| told.contains(setting);
    Ok(sources.first() == Some(&file.num_rows()) && settings(ledger)?.iter().all(is_told))
}

/// The lake's settings, as the face tells them.
fn settings(ledger: &Ledger) -> Result<Vec<KeyValue>, LakeError> {
    let settings = ledger.settings()?.into_iter();
    Ok(settings.map(|(name, value)| KeyValue::new(format!("cdrlake.lake.{name}"), value)).collect())
}

fn schema() -> SchemaRef {
    let fields = COLUMNS.map(|(name, _, kind)| Field::new(name, kind.data_type(), true));
    Arc::new(Schema::new(fields.to_vec()))
}

/// Rows under construction, column by column.
struct Rows {
    columns: Vec<Column>,
    len: usize,
}

enum Column {
    Text(StringBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Seconds(Decimal128Builder),
    LocalTime(TimestampMicrosecondBuilder),
}

impl Rows {
    fn new() -> Self {
        let columns = COLUMNS.map(|(_, _, kind)| match kind {
            Kind::Text => Column::Text(StringBuilder::new()),
            Kind::Int32 => Column::Int32(Int32Builder::new()),
            Kind::Int64 => Column::Int64(Int64Builder::new()),
            Kind::Seconds => {
                Column::Seconds(Decimal128Builder::new().with_data_type(kind.data_type()))
            }
            Kind::LocalTime => Column::LocalTime(TimestampMicrosecondBuilder::new()),
        });
        Self { columns: columns.into(), len: 0 }
    }

    /// Reads so many sources behind the one of number `last`; gives the number of the last.
    fn read(&mut self, ledger: &Ledger, last: i64, count: usize) -> Result<i64, LakeError> {
        let expressions = COLUMNS.map(|(_, expression, _)| expression).join(", ");
        let sql = format!(
            "SELECT source, {expressions} FROM sources JOIN runs USING (run) \
             WHERE source > ?1 ORDER BY source LIMIT ?2"
        );
        let numbers = ledger.query(&sql, [last, count as i64], |row| {
            for (index, column) in self.columns.iter_mut().enumerate() {
                column.push(row, index + 1)?;
            }
            self.len += 1;
            row.get::<_, i64>(0)
        })?;
        Ok(numbers.last().copied().unwrap_or(last))
    }

    fn finish(self) -> Result<RecordBatch, LakeError> {
        let arrays = self.columns.into_iter().map(|column| -> ArrayRef {
            match column {
                Column::Text(mut builder) => Arc::new(builder.finish()),
                Column::Int32(mut builder) => Arc::new(builder.finish()),
                Column::Int64(mut builder) => Arc::new(builder.finish()),
                Column::Seconds(mut builder) => Arc::new(builder.finish()),
                Column::LocalTime(mut builder) => Arc::new(builder.finish()),
            }
        });
        RecordBatch::try_new(schema(), arrays.collect())
            .map_err(|error| LakeError::Encode(error.into()))
    }
}

impl Column {
    fn push(&mut self, row: &Row<'_>, index: usize) -> rusqlite::Result<()> {
        match self {
            Self::Text(builder) => builder.append_option(row.get::<_, Option<String>>(index)?),
            Self::Int32(builder) => builder.append_option(row.get(index)?),
            Self::Int64(builder) => builder.append_option(row.get(index)?),
            Self::Seconds(builder) => {
                builder.append_option(row.get::<_, Option<i64>>(index)?.map(i128::from));
            }
            Self::LocalTime(builder) => {
                let time = row.get::<_, Option<String>>(index)?;
                builder.append_option(time.and_then(|time| microseconds(&time)));
            }
        }
        Ok(())
    }
}

/// Of an ISO 8601 date and time without zone, since 1970-01-01T00:00:00.
fn microseconds(time: &str) -> Option<i64> {
    time.parse::<DateTime>().ok().map(local_time::microseconds)
}
