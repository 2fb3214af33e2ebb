//! Sources to Arrow batches for a caller who keeps them: the same verdicts, nothing written.

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use cdrlake_core::{RECORD_LEN, RecordId};
use parquet::errors::ParquetError;

use crate::blocks::OpenSource;
use crate::check_outputs::check_outputs;
use crate::error::LoadError;
use crate::load_run::{Run, load};
use crate::options::LoadOptions;
use crate::publish::Overwrite;
use crate::rejects::{self, RejectRows};
use crate::report::Report;
use crate::shape::{Shape, TextType};
use crate::sink::{Encoder, OnFailure, RejectedLines, Sink};

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
    /// [`LoadError::NoColumn`], if the table has no column of a name that is wanted.
    pub fn schema(&self) -> Result<SchemaRef, LoadError> {
        self.shape().map(|shape| shape.schema)
    }

    pub(crate) fn shape(&self) -> Result<Shape, LoadError> {
        let table = match self.table {
            Table::Calls => cdrlake_core::schema(),
            Table::Rejects => rejects::schema(),
        };
        Shape::new(&table, self.columns.as_deref(), self.text_type)
    }
}

/// Reads all sources of the inputs and gives their batches to `on_batch`, in input order, while
/// other threads decode what comes next. Memory stays within the limit however large the inputs are.
///
/// The column `source_hash` is of a source as a whole. Where it is read, a source of more than some MiB is
/// decompressed into an unnamed temporary file first; whoever does not need it leaves it out.
///
/// What was handed on cannot be taken back, so the first source that fails ends the reading, and
/// the caller must not use what it has of it; so does one whose content was read before under
/// another name. The report has the counts of all sources.
///
/// # Errors
///
/// [`LoadError::Source`] for a source that fails, what `on_batch` gives, and other [`LoadError`]s if
/// the reading as a whole cannot be done.
pub fn read_batches(
    options: &ReadOptions,
    on_batch: &mut (dyn FnMut(RecordBatch) -> Result<(), LoadError> + Send),
) -> Result<Report, LoadError> {
    let shape = options.shape()?;
    let mut load_options = options.load.clone();
    load_options.sizes.block_len = load_options.sizes.block_len.min(BLOCK_LEN);
    load_options.sizes.batch_size = options.batch_size.min(ReadOptions::MAX_BATCH_SIZE);
    let excluded = check_outputs(&load_options, &[], Overwrite::Refuse)?;
    let (privacy, kept) = load_options.privacy.settle(load_options.record_id)?;
    let record_id = match options.table {
        Table::Calls => load_options.record_id,
        Table::Rejects => RecordId::Omit,
    };
    let reader = Reader { table: options.table, shape, rejects: RejectRows::default(), on_batch };
    let run = Run { record_id, privacy, rejects: kept, ..Run::alone(&load_options, &excluded) };
    let (report, ()) = load(run, reader)?.into_report(options.load.run_id());
    Ok(report)
}

/// Hands rows, or rejected lines, to a caller who keeps what it was given.
struct Reader<'r> {
    table: Table,
    shape: Shape,
    /// Rejected lines that do not make a batch yet.
    rejects: RejectRows,
    on_batch: &'r mut (dyn FnMut(RecordBatch) -> Result<(), LoadError> + Send),
}

impl Reader<'_> {
    /// Hands on rejected lines that wait for more.
    fn flush(&mut self) -> Result<(), LoadError> {
        if self.rejects.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.rejects).finish()?;
        let batch = self.shape.apply(&batch).map_err(|error| LoadError::Encode(error.into()))?;
        (self.on_batch)(batch)
    }
}

impl Sink for Reader<'_> {
    type Encoder = Shaper;
    type Savepoint = ();
    type Output = ();

    fn encoder(&self) -> Shaper {
        match self.table {
            Table::Calls => Shaper(Some(self.shape.clone())),
            Table::Rejects => Shaper(None),
        }
    }

    fn wants_source_hash(&self) -> bool {
        self.table == Table::Calls && self.shape.schema.index_of("source_hash").is_ok()
    }

    fn write(&mut self, batches: Vec<(usize, RecordBatch)>) -> Result<(), LoadError> {
        batches.into_iter().try_for_each(|(_, batch)| (self.on_batch)(batch))
    }

    fn write_rejects(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError> {
        if self.table == Table::Calls {
            return Ok(());
        }
        let source = rejects.source.options.clone();
        let hash = rejects.end.hash.to_hex();
        rejects.for_each(|reject| {
            self.rejects.push(&source, &hash, reject);
            if self.rejects.is_full() { self.flush() } else { Ok(()) }
        })
    }

    fn savepoint(&mut self) -> Result<(), LoadError> {
        Ok(())
    }

    /// The run ends with the source that fails, so nothing needs to be taken back.
    fn rollback(&mut self, (): ()) -> Result<(), LoadError> {
        Ok(())
    }

    fn finish(mut self) -> Result<(), LoadError> {
        self.flush()
    }

    fn on_failure(&self) -> OnFailure {
        OnFailure::EndRun
    }
}

/// Shapes batches of calls; where rejected lines are read, rows are none.
struct Shaper(Option<Shape>);

impl Encoder for Shaper {
    /// With the indexes of their sources.
    type Block = Vec<(usize, RecordBatch)>;
    type Rows = Vec<(usize, RecordBatch)>;

    fn begin(&self) -> Result<Self::Block, LoadError> {
        Ok(Vec::new())
    }

    fn add(
        &self,
        block: &mut Self::Block,
        source: &OpenSource,
        batch: RecordBatch,
    ) -> Result<(), LoadError> {
        if let Self(Some(shape)) = self {
            block.push((source.index, shape.apply(&batch).map_err(ParquetError::from)?));
        }
        Ok(())
    }

    fn take_back(&self, block: &mut Self::Block, source: &OpenSource) -> bool {
        block.retain(|(index, _)| *index != source.index);
        true
    }

    fn finish(&self, block: Self::Block) -> Result<Self::Rows, LoadError> {
        Ok(block)
    }
}
