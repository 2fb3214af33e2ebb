//! Bytes in pieces of any size to Arrow batches.

use std::fmt;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};

use crate::decode::Columns;
use crate::error::{Reject, Warning};
use crate::framing::Position;
use crate::options::{MAX_BATCH_SIZE, SourceOptions};
use crate::scan::{Counts, Scanner, Sink};
use crate::schema::schema;
use crate::validate::Sound;

/// A push decoder: the caller brings bytes, however cut, and takes batches away.
///
/// The same source gives the same batches, rejects and counts, whatever pieces it comes in.
///
/// ```
/// use cdrlake_core::{Decoder, SourceOptions};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let pieces = [&b"too short\n"[..]];
/// let mut decoder = Decoder::new(&SourceOptions::new("calls.cdr"));
/// let mut on_reject = |reject: cdrlake_core::Reject<'_>| eprintln!("calls.cdr, {reject}");
/// for mut piece in pieces {
///     while !piece.is_empty() {
///         piece = &piece[decoder.decode(piece, &mut on_reject)..];
///         if decoder.is_full() {
///             let batch = decoder.flush()?;
///             // … use it
///         }
///     }
/// }
/// decoder.finish(&mut on_reject);
/// let last = decoder.flush()?;
/// assert_eq!(decoder.counts().lines(), 1);
/// # Ok(()) }
/// ```
pub struct Decoder {
    scanner: Scanner,
    columns: Columns,
    batch_size: usize,
}

impl Decoder {
    /// A decoder at the start of a source.
    #[must_use]
    pub fn new(options: &SourceOptions) -> Self {
        let mut decoder = Self::resume(options, Position::START);
        if options.metadata.country.is_none() {
            decoder.scanner.warn(Warning::UnknownCountry);
        }
        decoder
    }

    /// A decoder for the rest of a source from the start of a line on, so that parts of a source
    /// can be decoded apart from each other.
    ///
    /// The warning `unknown_country`, being one a source, is left to the [`new`](Self::new) decoder
    /// of the first part.
    #[must_use]
    pub fn resume(options: &SourceOptions, position: Position) -> Self {
        Self {
            scanner: Scanner::new(options.strictness, position),
            columns: Columns::new(options),
            batch_size: options.batch_size.clamp(1, MAX_BATCH_SIZE),
        }
    }

    /// The schema of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        schema()
    }

    /// Decodes `bytes` up to the row that fills a batch, and returns how many bytes that took.
    ///
    /// It is less than `bytes.len()` only if the batch [is full](Self::is_full): flush, and give
    /// the rest again. Rejected lines go to `on_reject`, in their order.
    pub fn decode(&mut self, bytes: &[u8], on_reject: &mut dyn FnMut(Reject<'_>)) -> usize {
        let limit = self.batch_size.saturating_sub(self.columns.rows());
        if limit == 0 {
            return 0;
        }
        self.scanner.scan(bytes, limit, &mut Rows { columns: &mut self.columns, on_reject })
    }

    /// Passes over `count` bytes that continue a line of more than
    /// [`RAW_LIMIT`](crate::RAW_LIMIT) bytes, which the caller has found to hold no line feed.
    ///
    /// They count as if decoded; a caller that meets a line of gigabytes need not keep it. Without
    /// such a line under way it does nothing.
    pub fn skip(&mut self, count: u64) {
        self.scanner.skip(count);
    }

    /// Goes on at another place of the source, for lines that were picked from it.
    ///
    /// Within a line, whose end is still to come, it does nothing.
    pub fn seek(&mut self, position: Position) {
        self.scanner.seek(position);
    }

    /// Ends the source: what stands behind its last line feed is a line, too.
    ///
    /// If the batch is full, flush it first, lest it become one row longer.
    pub fn finish(&mut self, on_reject: &mut dyn FnMut(Reject<'_>)) {
        self.scanner.finish(&mut Rows { columns: &mut self.columns, on_reject });
    }

    /// Whether a batch is complete and must be flushed before decoding goes on.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.columns.rows() >= self.batch_size
    }

    /// The rows since the last flush; none if there are none.
    ///
    /// # Errors
    ///
    /// Only if arrays do not fit together, which would be a defect of this crate.
    pub fn flush(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.columns.rows() == 0 {
            return Ok(None);
        }
        self.columns.finish().map(Some)
    }

    /// What the lines so far were.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.scanner.counts()
    }
}

impl fmt::Debug for Decoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("counts", self.counts())
            .field("rows", &self.columns.rows())
            .finish_non_exhaustive()
    }
}

/// Where a scan's records and rejects go.
struct Rows<'d> {
    columns: &'d mut Columns,
    on_reject: &'d mut dyn FnMut(Reject<'_>),
}

impl Sink for Rows<'_> {
    #[inline]
    fn records(&mut self, group: &[Sound<'_>]) {
        self.columns.append(group);
    }

    fn reject(&mut self, reject: Reject<'_>) {
        (self.on_reject)(reject);
    }
}
