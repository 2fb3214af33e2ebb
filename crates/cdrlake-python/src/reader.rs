//! The stream: batches that a thread of its own decodes as far ahead as there is room for.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use arrow_array::{Array, RecordBatch, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};
use cdrlake::{LakeError, LoadError, Report, Split, Table};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use pyo3_arrow::PyRecordBatchReader;
use pyo3_arrow::ffi::to_array_pycapsules;

use crate::arguments::{LoadArguments, ReadArguments, StopFlag};
use crate::errors::{self, THREAD_DIED, value_error};
use crate::inputs::Inputs;
use crate::runs;
use crate::schema::Schema;

/// Batches decoded ahead, beside those of the blocks under way.
const AHEAD: usize = 2;

/// How often signals are looked for while nothing comes.
const PATIENCE: Duration = Duration::from_millis(50);

/// Reads sources as a stream of calls, or of rejected lines.
#[pyfunction]
pub(crate) fn read(
    inputs: Inputs,
    load: LoadArguments,
    reading: ReadArguments,
) -> PyResult<Reader> {
    let (load, stop) = load.options(inputs)?;
    let options = reading.options(load)?;
    let schema = options.schema().map_err(value_error)?;
    let reports_rejects = options.table == Table::Calls;
    let work = move |sender: &SyncSender<Message>| {
        let report = cdrlake::read_batches(&options, &mut |batch| hand_on(sender, batch))?;
        Ok(Some(Box::new(report)))
    };
    Ok(Reader::new(schema, stop, reports_rejects, Box::new(work)))
}

/// A split as it crosses to Python and back: start, end, first record number, and the file's length, time in
/// nanoseconds and `source_hash`.
type SplitTuple = (u64, u64, u64, u64, u64, [u8; 16]);

/// Cuts a large plain file; none if it is to be read as a whole.
#[pyfunction]
pub(crate) fn split_file(
    py: Python<'_>,
    path: PathBuf,
    split_len: u64,
    load: LoadArguments,
    reading: ReadArguments,
) -> PyResult<Option<Vec<SplitTuple>>> {
    let (load, _) = load.options(Inputs::default())?;
    let options = reading.options(load)?;
    let splits = py.detach(move || cdrlake::split_file(&options, &path, split_len));
    let splits = splits.map_err(|error| errors::exception(py, &error.into()))?;
    let tuple = |split: Split| {
        // It lasts until 2554.
        let modified = split.file_modified.as_nanos() as u64;
        (split.start, split.end, split.record_number, split.file_len, modified, split.source_hash)
    };
    Ok(splits.map(|splits| splits.into_iter().map(tuple).collect()))
}

/// Reads one split of a file as a stream of calls.
#[pyfunction]
pub(crate) fn read_split(
    path: PathBuf,
    split: SplitTuple,
    load: LoadArguments,
    reading: ReadArguments,
) -> PyResult<Reader> {
    let (start, end, record_number, file_len, modified, source_hash) = split;
    let file_modified = Duration::from_nanos(modified);
    let split = Split { start, end, record_number, file_len, source_hash, file_modified };
    let (load, stop) = load.options(Inputs::default())?;
    let options = reading.options(load)?;
    let schema = options.schema().map_err(value_error)?;
    let work = move |sender: &SyncSender<Message>| {
        cdrlake::read_split(&options, &path, &split, &mut |batch| hand_on(sender, batch))?;
        Ok(None)
    };
    Ok(Reader::new(schema, stop, false, Box::new(work)))
}

fn hand_on(sender: &SyncSender<Message>, batch: RecordBatch) -> Result<(), LoadError> {
    // Nobody takes it any more.
    sender.send(Message::Batch(batch)).map_err(|_| LoadError::Interrupted)
}

/// What the thread has to tell.
enum Message {
    Batch(RecordBatch),
    /// All was read; a split has no report.
    End(Option<Box<Report>>),
    Failed(LakeError),
}

type Work = Box<dyn FnOnce(&SyncSender<Message>) -> Result<Option<Box<Report>>, LakeError> + Send>;

/// What is known once the stream has ended.
#[derive(Clone, Default)]
enum Outcome {
    #[default]
    NotYet,
    Read(Option<Arc<Report>>),
    Failed(Arc<LakeError>),
}

/// A stream of batches that can be read once.
#[pyclass(module = "cdrlake")]
pub(crate) struct Reader {
    schema: SchemaRef,
    /// None once it was handed over as a stream. Never locked: the methods that use it have the reader
    /// to themselves.
    batches: Mutex<Option<Batches>>,
    outcome: Arc<Mutex<Outcome>>,
}

impl Reader {
    fn new(schema: SchemaRef, stop: StopFlag, reports_rejects: bool, work: Work) -> Self {
        let outcome = Arc::<Mutex<Outcome>>::default();
        let batches = Batches {
            schema: Arc::clone(&schema),
            state: State::Waiting(work),
            stop,
            reports_rejects,
            outcome: Arc::clone(&outcome),
        };
        Self { schema, batches: Mutex::new(Some(batches)), outcome }
    }

    fn batches(&mut self) -> PyResult<&mut Batches> {
        let batches = self.batches.get_mut().unwrap_or_else(PoisonError::into_inner);
        batches.as_mut().ok_or_else(consumed)
    }
}

fn consumed() -> PyErr {
    value_error("this stream was handed over and can be read once; call read() again")
}

#[pymethods]
impl Reader {
    /// The columns of the stream.
    #[getter]
    fn schema(&self) -> Schema {
        Schema(Arc::clone(&self.schema))
    }

    /// What came of all sources, as JSON; None for a split.
    #[getter]
    fn report_json(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match outcome {
            Outcome::NotYet => Err(value_error("there is a report once the stream has ended")),
            Outcome::Read(report) => report.map(|report| runs::json(&report)).transpose(),
            Outcome::Failed(error) => Err(errors::exception(py, &error)),
        }
    }

    fn __iter__(this: PyRef<'_, Self>) -> PyRef<'_, Self> {
        this
    }

    fn __next__(&mut self, py: Python<'_>) -> PyResult<Option<Batch>> {
        Ok(self.batches()?.receive(py)?.map(Batch))
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        Ok(pyo3_arrow::ffi::to_schema_pycapsule(py, self.schema.as_ref())?)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &mut self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let batches = self.batches.get_mut().unwrap_or_else(PoisonError::into_inner);
        let batches = batches.take().ok_or_else(consumed)?;
        let reader = PyRecordBatchReader::new(Box::new(batches));
        Py::new(py, reader)?.into_bound(py).call_method1("__arrow_c_stream__", (requested_schema,))
    }
}

/// One batch of a stream.
#[pyclass(module = "cdrlake", frozen)]
pub(crate) struct Batch(RecordBatch);

#[pymethods]
impl Batch {
    /// How many rows it has.
    #[getter]
    fn num_rows(&self) -> usize {
        self.0.num_rows()
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let array = StructArray::from(self.0.clone());
        let fields = DataType::Struct(self.0.schema().fields().clone());
        let field = Arc::new(Field::new("", fields, array.is_nullable()));
        Ok(to_array_pycapsules(py, field, &array, requested_schema)?)
    }

    fn __repr__(&self) -> String {
        format!("<cdrlake.Batch of {} rows>", self.0.num_rows())
    }
}

/// The end of the channel that batches come out of.
struct Batches {
    schema: SchemaRef,
    state: State,
    stop: StopFlag,
    /// Whether rejected lines are warned of at the end.
    reports_rejects: bool,
    outcome: Arc<Mutex<Outcome>>,
}

enum State {
    /// Nothing was opened yet.
    Waiting(Work),
    Reading(Receiver<Message>),
    Ended,
}

impl Batches {
    /// The next batch. While none is there the GIL is free, and signals are looked for.
    fn receive(&mut self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        loop {
            let receiver = match &mut self.state {
                State::Reading(receiver) => receiver,
                State::Ended => return Ok(None),
                waiting => {
                    let State::Waiting(work) = std::mem::replace(waiting, State::Ended) else {
                        return Ok(None);
                    };
                    *waiting = State::Reading(start(work)?);
                    continue;
                }
            };
            match py.detach(move || receiver.recv_timeout(PATIENCE)) {
                Ok(Message::Batch(batch)) => {
                    self.check_signals(py)?;
                    return Ok(Some(batch));
                }
                Ok(Message::End(report)) => {
                    let report = report.map(Arc::from);
                    self.end(Outcome::Read(report.clone()));
                    if let Some(report) = report.filter(|_| self.reports_rejects) {
                        runs::warn_of_rejects(py, &report)?;
                    }
                    return Ok(None);
                }
                Ok(Message::Failed(error)) => return Err(self.fail(py, error)),
                Err(RecvTimeoutError::Timeout) => self.check_signals(py)?,
                Err(RecvTimeoutError::Disconnected) => return Err(self.fail(py, THREAD_DIED)),
            }
        }
    }

    fn check_signals(&mut self, py: Python<'_>) -> PyResult<()> {
        py.check_signals().inspect_err(|_| {
            self.end(Outcome::Failed(Arc::new(LakeError::Interrupted)));
        })
    }

    fn fail(&mut self, py: Python<'_>, error: LakeError) -> PyErr {
        let error = Arc::new(error);
        self.end(Outcome::Failed(Arc::clone(&error)));
        errors::exception(py, &error)
    }

    /// Ends the thread, too, if it still works.
    fn end(&mut self, outcome: Outcome) {
        self.stop.store(true, Ordering::Relaxed);
        self.state = State::Ended;
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = outcome;
    }
}

fn start(work: Work) -> PyResult<Receiver<Message>> {
    let (sender, receiver) = sync_channel(AHEAD);
    let run = move || {
        let last = match work(&sender) {
            Ok(report) => Message::End(report),
            Err(error) => Message::Failed(error),
        };
        // If nobody takes it any more, nobody wants to know.
        let _ = sender.send(last);
    };
    thread::Builder::new().name("cdrlake".to_owned()).spawn(run)?;
    Ok(receiver)
}

/// A stream that nobody reads on must not be decoded on.
impl Drop for Batches {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, ArrowError>;

    /// Called by whoever took the stream, from any thread, holding the GIL or not.
    fn next(&mut self) -> Option<Self::Item> {
        let received = Python::try_attach(|py| {
            self.receive(py).map_err(|error| {
                // The taker makes an error of its own of it, so this must say that it was a signal.
                let message = match error.is_instance_of::<PyKeyboardInterrupt>(py) {
                    true => "interrupted (KeyboardInterrupt)".to_owned(),
                    false => error.value(py).to_string(),
                };
                ArrowError::ExternalError(message.into())
            })
        });
        received
            .unwrap_or_else(|| Err(ArrowError::ExternalError("Python is shutting down".into())))
            .transpose()
    }
}

impl RecordBatchReader for Batches {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}
