//! Where a run's rows and rejected lines go: the seam between loading and every kind of output.
//!
//! A run decodes blocks on many threads and collects what comes of them in input order, on one. So a
//! sink has two halves. Its [`Encoder`] is shared by the threads: it takes the batches of a block as
//! they are decoded, and makes of them what the sink will write. The [`Sink`] itself gets these
//! pieces one after the other, in an order that does not depend on threads.
//!
//! A source is loaded wholly or not at all, and some turn out broken only at their end. Small ones
//! share a block with others; the encoder [takes them back](Encoder::take_back), or the block is
//! encoded once more without them. Large ones, and the members of an archive that only its end can
//! vouch for, are written as they come, after a [savepoint](Sink::savepoint): if they fail, or prove to
//! have the content of another, the sink [rolls back](Sink::rollback) to it, else the savepoint is
//! [released](Sink::release). Savepoints may be inside each other; the last one taken is always the
//! first to go.
//!
//! What came of each source, its rows, rejects and seconds, the [`Report`](crate::Report) tells already;
//! a sink is for what becomes of the rows. Errors of its own become
//! [`LoadError::caller`]. A sink that counts rows (`examples/summary.rs` has one that keeps them by
//! source):
//!
//! ```
//! use arrow_array::RecordBatch;
//! use cdrlake_load::{
//!     Encoder, Input, LoadError, LoadOptions, OpenSource, RejectedLines, Sink, Stream, load_into,
//! };
//!
//! struct CountRows;
//!
//! impl Encoder for CountRows {
//!     type Block = u64;
//!     type Rows = u64;
//!
//!     fn begin(&self) -> Result<u64, LoadError> {
//!         Ok(0)
//!     }
//!
//!     fn add(&self, rows: &mut u64, _: &OpenSource, batch: RecordBatch) -> Result<(), LoadError> {
//!         *rows += batch.num_rows() as u64;
//!         Ok(())
//!     }
//!
//!     fn finish(&self, rows: u64) -> Result<u64, LoadError> {
//!         Ok(rows)
//!     }
//! }
//!
//! struct Count(u64);
//!
//! impl Sink for Count {
//!     type Encoder = CountRows;
//!     type Savepoint = u64;
//!     type Output = u64;
//!
//!     fn encoder(&self) -> CountRows {
//!         CountRows
//!     }
//!
//!     fn write(&mut self, rows: u64) -> Result<(), LoadError> {
//!         self.0 += rows;
//!         Ok(())
//!     }
//!
//!     fn write_rejects(&mut self, _: RejectedLines<'_>) -> Result<(), LoadError> {
//!         Ok(())
//!     }
//!
//!     fn savepoint(&mut self) -> Result<u64, LoadError> {
//!         Ok(self.0)
//!     }
//!
//!     fn rollback(&mut self, rows: u64) -> Result<(), LoadError> {
//!         self.0 = rows;
//!         Ok(())
//!     }
//!
//!     fn finish(self) -> Result<u64, LoadError> {
//!         Ok(self.0)
//!     }
//! }
//!
//! let record = include_bytes!("../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr");
//! let stream = Stream::new("LU_ALB_10_0001_20150917090117.cdr", &record[..]);
//! let options = LoadOptions::new(vec![Input::Stream(stream)]);
//! let (report, rows) = load_into(&options, Count(0))?;
//! assert_eq!(rows, report.totals.records_written);
//! # Ok::<(), LoadError>(())
//! ```

use arrow_array::RecordBatch;
use cdrlake_core::Reject;
use cdrlake_source::Source;

use crate::blocks::{OpenSource, SourceEnd};
use crate::error::LoadError;
use crate::spool::Spool;

/// Where a run's rows and rejected lines go.
pub trait Sink {
    /// What makes rows of a block into what is written, on any thread.
    type Encoder: Encoder;
    /// A state to which the sink can return.
    type Savepoint: Send;
    /// What the sink has made at its end.
    type Output: Send;

    /// The half that is shared by threads; asked for once, before the run begins.
    fn encoder(&self) -> Self::Encoder;

    /// Whether the batches of every source must have their `source_hash`. A source that is larger than a block
    /// is read into a temporary file before any of it is decoded, then. Asked once, before the run begins.
    fn wants_source_hash(&self) -> bool {
        false
    }

    /// A source was met; it may still fail, or be skipped. They come in input order, and their indexes
    /// count from 0: [`OpenSource::index`] of its rows is the same.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn meet(&mut self, source: Source) -> Result<(), LoadError> {
        let _ = source;
        Ok(())
    }

    /// The source of this index was read to its end, and its rows stay unless an archive takes them back.
    fn end(&mut self, index: usize, end: SourceEnd) {
        let _ = (index, end);
    }

    /// Writes the rows of a block, in input order.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn write(&mut self, rows: <Self::Encoder as Encoder>::Rows) -> Result<(), LoadError>;

    /// Writes the rejected lines of a source that is loaded: called once for each such source that has
    /// any, and for no other, when all its rows are written and nothing can take it back. A later
    /// rollback does not concern them.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn write_rejects(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError>;

    /// Notes the present state, to return to by [`rollback`](Self::rollback), or to
    /// [`release`](Self::release).
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn savepoint(&mut self) -> Result<Self::Savepoint, LoadError>;

    /// Takes back the rows that were written since a savepoint. Rejected lines are not concerned: they
    /// come only when their source stays.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn rollback(&mut self, savepoint: Self::Savepoint) -> Result<(), LoadError>;

    /// What was written since a savepoint stays.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn release(&mut self, savepoint: Self::Savepoint) -> Result<(), LoadError> {
        let _ = savepoint;
        Ok(())
    }

    /// Nothing more will come. It is called once, also if no source was loaded, and only if the run as
    /// a whole succeeds: a sink that is dropped without it must leave nothing behind. It is called
    /// while the run's threads are still there to help ([`defer`](crate::defer)).
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn finish(self) -> Result<Self::Output, LoadError>;

    /// What a source does to the run that fails, or has the same content as another.
    fn on_failure(&self) -> OnFailure {
        OnFailure::Report
    }
}

/// What a source does to the run that fails, or has the same content as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// It is reported, and the run goes on.
    Report,
    /// The run ends: rows that were handed on cannot be taken back.
    EndRun,
}

/// Makes the rows of a block into what a sink writes. Threads share it.
pub trait Encoder: Sync {
    /// Rows of a block, while they come.
    type Block;
    /// All rows of a block, ready to be written.
    type Rows: Send;

    /// Begins a block.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn begin(&self) -> Result<Self::Block, LoadError>;

    /// Adds rows of a source, with the columns of the table of calls; `source_hash` is filled where the
    /// source is whole in one block or the sink [asks for it](Sink::wants_source_hash), and otherwise zeros,
    /// for a source's hash is known only at its end. Within a block all batches of a
    /// source come together, and sources come in input order; a large source has rows in several blocks.
    /// [`tenths`](crate::tenths) sums their durations.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn add(
        &self,
        block: &mut Self::Block,
        source: &OpenSource,
        batch: RecordBatch,
    ) -> Result<(), LoadError>;

    /// Takes back what this block has of `source`, whose rows came last, if it has any, and tells whether
    /// it could. If not, the block is dropped and decoded once more without that source. What earlier
    /// blocks hold of it, [`Sink::rollback`] takes back.
    fn take_back(&self, block: &mut Self::Block, source: &OpenSource) -> bool {
        let _ = (block, source);
        false
    }

    /// All rows of the block have come.
    ///
    /// # Errors
    ///
    /// Whatever ends the run.
    fn finish(&self, block: Self::Block) -> Result<Self::Rows, LoadError>;
}

/// The rejected lines of a source that is loaded.
///
/// Where numbers are masked or pseudonymized and rejected lines are not to be written, they come
/// without their bytes.
#[derive(Debug)]
pub struct RejectedLines<'r> {
    /// The source.
    pub source: &'r OpenSource,
    /// Its content's hash and length.
    pub end: SourceEnd,
    pub(crate) lines: Spool,
}

impl RejectedLines<'_> {
    /// Gives each line to `visit`, in the order of the source.
    ///
    /// # Errors
    ///
    /// What `visit` gives, and [`LoadError::Rejects`] if the lines could not be kept until now.
    pub fn for_each(
        self,
        visit: impl FnMut(&Reject<'_>) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        self.lines.drain(visit)
    }
}
