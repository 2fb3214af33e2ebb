//! The lake's files read again: some columns, batch by batch, with whose rows are where.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, TimestampMicrosecondType};
use arrow_array::{Array, RecordBatch, StringArray};
use cdrlake_core::local_time;
use cdrlake_lake::{FileChunks, FileFacts, FileRows, LakeReader, SourceFacts};
use cdrlake_run::{Interrupt, Progress};
use jiff::civil::Date;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::Length;
use parquet::file::statistics::Statistics;

/// Rows read at a time.
const BATCH: usize = 8192;

/// An open Parquet file of a lake.
pub(super) struct OpenFile {
    builder: ParquetRecordBatchReaderBuilder<FileChunks>,
    path: String,
    bytes: u64,
    interrupt: Interrupt,
    progress: Progress,
}

impl OpenFile {
    pub(super) fn open(lake: &LakeReader, path: &str) -> Result<Self> {
        let file = lake.read(path).map_err(|error| ParquetError::External(error.into()))?;
        let bytes = Length::len(&file);
        let builder = ParquetRecordBatchReaderBuilder::try_new(file)?;
        Ok(Self {
            builder,
            path: lake.locate(path).display().to_string(),
            bytes,
            interrupt: lake.interrupt().clone(),
            progress: lake.progress().clone(),
        })
    }

    /// By the footer.
    pub(super) fn rows(&self) -> u64 {
        self.builder.metadata().file_metadata().num_rows().max(0) as u64
    }

    /// Whether a column has a value in every row, by the footer's statistics.
    pub(super) fn is_filled(&self, column: &str) -> bool {
        let schema = self.builder.parquet_schema();
        let Some(index) = schema.columns().iter().position(|found| found.name() == column) else {
            return false;
        };
        self.builder.metadata().row_groups().iter().all(|group| {
            group.column(index).statistics().and_then(Statistics::null_count_opt) == Some(0)
        })
    }

    /// Reads these columns. Batches come with the number of their first row in the file. If the run
    /// is to end, that is an error, which says nothing of the file.
    pub(super) fn read(
        self,
        columns: &[&str],
        on_batch: &mut dyn FnMut(u64, &RecordBatch) -> Result<()>,
    ) -> Result<()> {
        let rows = self.rows().max(1);
        let bytes_before =
            |row: u64| (u128::from(self.bytes) * u128::from(row) / u128::from(rows)) as u64;
        self.progress.meet(self.path);
        let mask = ProjectionMask::columns(self.builder.parquet_schema(), columns.iter().copied());
        let reader = self.builder.with_projection(mask).with_batch_size(BATCH).build()?;
        let mut first_row = 0;
        for batch in reader {
            self.interrupt.check().map_err(|error| ParquetError::External(error.into()))?;
            let batch = batch?;
            on_batch(first_row, &batch)?;
            let next_row = first_row + batch.num_rows() as u64;
            self.progress.add_lines(batch.num_rows() as u64, 0);
            self.progress.add_bytes(bytes_before(next_row) - bytes_before(first_row));
            first_row = next_row;
        }
        Ok(())
    }
}

/// Whose the rows of a batch are: ranges within it, by the number of the source in the ledger.
pub(super) fn sources_of(
    file: &FileFacts,
    first_row: u64,
    rows: usize,
) -> impl Iterator<Item = (i64, Range<usize>)> {
    let end = first_row + rows as u64;
    let next = file.sources.partition_point(|part| part.first_row + part.rows <= first_row);
    file.sources[next..].iter().take_while(move |part| part.first_row < end).map(
        move |&FileRows { first_row: start, rows, source }| {
            let from = start.max(first_row) - first_row;
            let to = (start + rows).min(end) - first_row;
            (source, from as usize..to as usize)
        },
    )
}

/// The columns that most questions are about.
pub(super) struct CallColumns<'b> {
    start: &'b [i64],
    duration: &'b [i128],
    product_type: &'b StringArray,
    carrier: &'b StringArray,
}

/// What a row tells of its call.
#[derive(Clone, Copy)]
pub(super) struct Call<'b> {
    /// Microseconds since 1970, local.
    pub(super) start: i64,
    pub(super) tenths: u64,
    pub(super) product_type: Option<&'b str>,
    pub(super) carrier: Option<&'b str>,
}

impl<'b> CallColumns<'b> {
    pub(super) const NAMES: [&'static str; 4] =
        ["start_time", "duration", "product_type", "carrier"];

    pub(super) fn of(batch: &'b RecordBatch) -> Result<Self> {
        let times = column(batch, "start_time")?.as_primitive_opt::<TimestampMicrosecondType>();
        let durations = column(batch, "duration")?.as_primitive_opt::<Decimal128Type>();
        let (Some(times), Some(durations)) = (times, durations) else {
            return Err(ParquetError::General("columns have other types".to_owned()));
        };
        Ok(Self {
            start: times.values(),
            duration: durations.values(),
            product_type: text(batch, "product_type")?,
            carrier: text(batch, "carrier")?,
        })
    }

    pub(super) fn call(&self, row: usize) -> Call<'b> {
        Call {
            start: self.start[row],
            tenths: self.duration[row].max(0) as u64,
            product_type: value(self.product_type, row),
            carrier: value(self.carrier, row),
        }
    }
}

pub(super) fn column<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b dyn Array> {
    let column = batch.column_by_name(name);
    column.map(AsRef::as_ref).ok_or_else(|| ParquetError::General(format!("no column {name}")))
}

pub(super) fn text<'b>(batch: &'b RecordBatch, name: &str) -> Result<&'b StringArray> {
    let column = column(batch, name)?.as_string_opt();
    column.ok_or_else(|| ParquetError::General(format!("column {name} is no text")))
}

fn value(column: &StringArray, row: usize) -> Option<&str> {
    column.is_valid(row).then(|| column.value(row))
}

/// The date of a time in microseconds since 1970.
pub(super) fn date(microseconds: i64) -> Date {
    local_time::date_of_day(local_time::day_of(microseconds))
}

/// Is called with each call that can be read, and with the source that holds it.
pub(crate) type OnCall<'c> = &'c mut dyn FnMut(&SourceFacts, Call<'_>);
