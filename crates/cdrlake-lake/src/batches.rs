//! Sources to Arrow batches for a caller who keeps them: the same verdicts, nothing written.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::take::take;
use cdrlake_core::{RECORD_LEN, RecordId, Reject};

use crate::blocks::OpenSource;
use crate::check_outputs::check_outputs;
use crate::error::LakeError;
use crate::known::{History, NothingKnown, Repeated};
use crate::load::Destination;
use crate::publish::Overwrite;
use crate::rejects;
use crate::report::Report;
use crate::run::{LoadOptions, Loaded, Run, load};
use crate::work;

/// Bytes of a block: no row group comes of it, so it is smaller than others.
const BLOCK_LEN: usize = ReadOptions::MAX_BATCH_SIZE * (RECORD_LEN + 1);

/// What is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Table {
    /// A row a record.
    #[default]
    Calls,
    /// A row a rejected line, with its bytes.
    Rejects,
}

/// How text of few different values is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextType {
    /// `Dictionary(Int32, Utf8)`: a value once a batch. Each batch has its own dictionary.
    #[default]
    Dictionary,
    /// `Utf8`, for engines that take no dictionaries.
    Plain,
}

/// What [`read_batches`] reads, and as what.
#[derive(Clone, Debug)]
pub struct ReadOptions {
    /// How sources are read and judged.
    pub load: LoadOptions,
    /// What is read.
    pub table: Table,
    /// The columns, in this order; all of the table's if none.
    pub columns: Option<Vec<String>>,
    /// How text is typed.
    pub text_type: TextType,
    /// Rows of a batch at the most, from 1 to [`MAX_BATCH_SIZE`](Self::MAX_BATCH_SIZE). A batch never has
    /// rows of two sources.
    pub batch_size: usize,
}

impl ReadOptions {
    /// As many as a block has records: batches of some MiB, so that those decoded ahead take little memory.
    pub const MAX_BATCH_SIZE: usize = 16_384;

    /// All calls of these.
    #[must_use]
    pub fn new(load: LoadOptions) -> Self {
        Self {
            load,
            table: Table::default(),
            columns: None,
            text_type: TextType::default(),
            batch_size: Self::MAX_BATCH_SIZE,
        }
    }

    /// The schema of the batches.
    ///
    /// # Errors
    ///
    /// [`LakeError::NoColumn`], if the table has no column of a name that is wanted.
    pub fn schema(&self) -> Result<SchemaRef, LakeError> {
        self.shape().map(|shape| shape.schema)
    }

    pub(crate) fn shape(&self) -> Result<Shape, LakeError> {
        let table = match self.table {
            Table::Calls => cdrlake_core::schema(),
            Table::Rejects => rejects::schema(),
        };
        let at =
            |name: &String| table.index_of(name).map_err(|_| LakeError::NoColumn(name.clone()));
        let columns: Vec<usize> = match &self.columns {
            Some(names) => names.iter().map(at).collect::<Result<_, _>>()?,
            None => (0..table.fields().len()).collect(),
        };
        let fields = columns.iter().map(|&at| match (self.text_type, table.field(at)) {
            (TextType::Plain, field) if is_dictionary(field.data_type()) => {
                Field::new(field.name(), DataType::Utf8, field.is_nullable())
            }
            (_, field) => field.clone(),
        });
        Ok(Shape { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns })
    }
}

/// Reads all sources of the inputs and gives their batches to `on_batch`, in input order, while
/// other threads decode what comes next. Memory stays within the limit however large the inputs are.
///
/// What was handed on cannot be taken back, so the first source that fails ends the reading, and
/// the caller must not use what it has of it; so does one whose content was read before under
/// another name. The report has the counts of all sources.
///
/// # Errors
///
/// [`LakeError::Source`] for a source that fails, what `on_batch` gives, and other [`LakeError`]s if
/// the reading as a whole cannot be done.
pub fn read_batches(
    options: &ReadOptions,
    on_batch: &mut (dyn FnMut(RecordBatch) -> Result<(), LakeError> + Send),
) -> Result<Report, LakeError> {
    let shape = options.shape()?;
    let mut load_options = options.load.clone();
    load_options.block_len = load_options.block_len.min(BLOCK_LEN);
    load_options.batch_size = options.batch_size.min(ReadOptions::MAX_BATCH_SIZE);
    let written = check_outputs(&load_options, &[], Overwrite::Refuse)?;
    let (privacy, kept) = load_options.privacy.settle(load_options.record_id)?;
    let (rows, record_id) = match options.table {
        Table::Calls => (work::Rows::Shaped(&shape), load_options.record_id),
        Table::Rejects => (work::Rows::Judged, RecordId::Omit),
    };
    let handover = Handover {
        table: options.table,
        shape: &shape,
        rejects: rejects::Rows::default(),
        on_batch,
    };
    let loaded = load(Run {
        options: &load_options,
        rows,
        spool_near: None,
        destination: Destination::Reader(Box::new(handover)),
        record_id,
        privacy,
        rejects: kept,
        written: &written,
        history: History {
            known: &NothingKnown,
            repeated: Repeated::Skip,
            changed: load_options.changed,
        },
    })?;
    let reports = Loaded::reports(loaded.sources);
    Ok(Report::new(options.load.run_id(), reports, loaded.empty_inputs, Vec::new()))
}

/// Which columns the caller wants, and as what.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) schema: SchemaRef,
    /// Their places in the table.
    columns: Vec<usize>,
}

impl Shape {
    /// A batch of the table in this shape.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        let arrays = self.columns.iter().zip(self.schema.fields()).map(|(&at, field)| {
            let array = batch.column(at);
            match is_dictionary(array.data_type()) && !is_dictionary(field.data_type()) {
                true => plain(array),
                false => Ok(Arc::clone(array)),
            }
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}

fn is_dictionary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Dictionary(..))
}

/// The values of a dictionary array, row by row.
fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let array = array.as_dictionary::<Int32Type>();
    take(array.values(), array.keys(), None)
}

/// What goes to the caller, who keeps it.
pub(crate) struct Handover<'r> {
    table: Table,
    shape: &'r Shape,
    /// Rejected lines that do not make a batch yet.
    rejects: rejects::Rows,
    on_batch: &'r mut (dyn FnMut(RecordBatch) -> Result<(), LakeError> + Send),
}

impl Handover<'_> {
    pub(crate) fn rows(&mut self, batch: RecordBatch) -> Result<(), LakeError> {
        (self.on_batch)(batch)
    }

    /// A rejected line of a source that is accepted.
    pub(crate) fn reject(
        &mut self,
        source: &OpenSource,
        source_hash: &str,
        reject: &Reject<'_>,
    ) -> Result<(), LakeError> {
        if self.table == Table::Calls {
            return Ok(());
        }
        self.rejects.push(&source.options, source_hash, reject);
        if self.rejects.is_full() { self.flush() } else { Ok(()) }
    }

    /// Hands on rejected lines that wait for more.
    pub(crate) fn flush(&mut self) -> Result<(), LakeError> {
        if self.rejects.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.rejects).finish()?;
        let batch = self.shape.apply(&batch).map_err(|error| LakeError::Encode(error.into()))?;
        (self.on_batch)(batch)
    }
}
