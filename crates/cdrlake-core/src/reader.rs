//! An ordinary reader on top of the push decoder.

use std::fmt;
use std::io::{self, Read};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use thiserror::Error;

use crate::decoder::Decoder;
use crate::error::{Fault, Reject};
use crate::framing::Position;
use crate::options::SourceOptions;
use crate::scan::Counts;

/// Bytes asked for at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// Why a [`Reader`] stopped.
#[derive(Debug, Error)]
pub enum Error {
    /// The source could not be read.
    #[error("{source_file}: {error}")]
    Io {
        /// The source's name.
        source_file: String,
        /// What the operating system or the decompressor says.
        #[source]
        error: io::Error,
    },
    /// A line was rejected, and no handler was set to take it.
    #[error("{source_file}, {message}")]
    Rejected {
        /// The source's name.
        source_file: String,
        /// The line's place.
        position: Position,
        /// Why, and in which field.
        fault: Fault,
        /// Position, expectation and shape of the value, as [`Reject`] displays them.
        message: String,
    },
    /// Arrays do not fit together: a defect of this crate.
    #[error("{source_file}: {error}")]
    Arrow {
        /// The source's name.
        source_file: String,
        /// What Arrow says.
        #[source]
        error: ArrowError,
    },
}

impl From<Error> for ArrowError {
    fn from(error: Error) -> Self {
        match error {
            Error::Arrow { error, .. } => error,
            other => Self::ExternalError(Box::new(other)),
        }
    }
}

type OnReject<'h> = Box<dyn FnMut(Reject<'_>) + Send + 'h>;

/// Batches of one source, from anything that can be read.
///
/// The first rejected line ends the reading with an error, so that none is lost unnoticed; with a
/// handler set by [`on_reject`](Self::on_reject) reading goes on.
///
/// ```
/// use cdrlake_core::{Reader, SourceOptions};
///
/// let mut rejected = 0;
/// let reader = Reader::new(&b"not a record\n"[..], SourceOptions::new("calls.cdr"))
///     .on_reject(|reject| rejected += 1);
/// assert_eq!(reader.count(), 0);
/// assert_eq!(rejected, 1);
/// ```
pub struct Reader<'h, R> {
    source: R,
    options: SourceOptions,
    decoder: Decoder,
    on_reject: Option<OnReject<'h>>,
    buffer: Vec<u8>,
    /// What of the buffer is not decoded yet.
    unread: std::ops::Range<usize>,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    /// The source has ended; its last line may be still to come.
    EndOfSource,
    /// Nothing comes any more, for there is nothing or an error was given.
    Done,
}

impl<'h, R: Read> Reader<'h, R> {
    /// A reader at the start of a source.
    pub fn new(source: R, options: SourceOptions) -> Self {
        Self {
            source,
            decoder: Decoder::new(&options),
            options,
            on_reject: None,
            buffer: vec![0; BUFFER_LEN],
            unread: 0..0,
            state: State::Reading,
        }
    }

    /// Gives rejected lines to `handler`, in their order, instead of ending with an error.
    #[must_use]
    pub fn on_reject(self, handler: impl FnMut(Reject<'_>) + Send + 'h) -> Self {
        Self { on_reject: Some(Box::new(handler)), ..self }
    }

    /// The schema of the batches.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.decoder.schema()
    }

    /// What the lines so far were.
    #[must_use]
    pub fn counts(&self) -> &Counts {
        self.decoder.counts()
    }

    /// The same as arrow's `RecordBatchReader`, whose errors are arrow's.
    #[must_use]
    pub fn into_record_batch_reader(self) -> impl RecordBatchReader + use<'h, R> {
        RecordBatches(self)
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Error> {
        while !self.decoder.is_full() && self.state == State::Reading {
            if self.unread.is_empty() {
                self.fill()?;
            }
            let mut first = None;
            let mut on_reject = first_or_handler(&mut self.on_reject, &mut first, &self.options);
            if self.state == State::Reading {
                let bytes = self.buffer.get(self.unread.clone()).unwrap_or_default();
                self.unread.start += self.decoder.decode(bytes, &mut on_reject);
            } else {
                self.decoder.finish(&mut on_reject);
            }
            drop(on_reject);
            if let Some(error) = first {
                return Err(error);
            }
        }
        self.decoder
            .flush()
            .map_err(|error| Error::Arrow { source_file: self.options.source_file.clone(), error })
    }

    /// Reads on; at the end of the source that is the new state.
    fn fill(&mut self) -> Result<(), Error> {
        let read = loop {
            match self.source.read(&mut self.buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let len = read
            .map_err(|error| Error::Io { source_file: self.options.source_file.clone(), error })?;
        self.unread = 0..len;
        if len == 0 {
            self.state = State::EndOfSource;
        }
        Ok(())
    }
}

/// What takes a rejected line: the handler, or else `first`, as an error.
fn first_or_handler<'r>(
    handler: &'r mut Option<OnReject<'_>>,
    first: &'r mut Option<Error>,
    options: &'r SourceOptions,
) -> impl FnMut(Reject<'_>) + 'r {
    move |reject| match handler {
        Some(handler) => handler(reject),
        None => {
            first.get_or_insert_with(|| Error::Rejected {
                source_file: options.source_file.clone(),
                position: Position {
                    record_number: reject.record_number,
                    byte_offset: reject.byte_offset,
                },
                fault: reject.fault,
                message: reject.to_string(),
            });
        }
    }
}

impl<R: Read> Iterator for Reader<'_, R> {
    type Item = Result<RecordBatch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Done {
            return None;
        }
        let batch = self.next_batch().transpose();
        if !matches!(batch, Some(Ok(_))) {
            self.state = State::Done;
        }
        batch
    }
}

impl<R> fmt::Debug for Reader<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("options", &self.options)
            .field("decoder", &self.decoder)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

struct RecordBatches<'h, R>(Reader<'h, R>);

impl<R: Read> Iterator for RecordBatches<'_, R> {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.0.next()?.map_err(ArrowError::from))
    }
}

impl<R: Read> RecordBatchReader for RecordBatches<'_, R> {
    fn schema(&self) -> SchemaRef {
        self.0.schema()
    }
}
