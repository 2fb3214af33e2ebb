//! Runs that give a report instead of a stream.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use cdrlake::{
    Chain, ConvertOptions, Duplicates, LakeError, LakeLocation, LakeOptions, LoadOptions, Locked,
    NetworkFileSystem, Overwrite, Repeated, Report,
};
use pyo3::prelude::*;

use crate::arguments::{LoadArguments, StopFlag, parse};
use crate::errors::{self, THREAD_DIED, value_error};
use crate::inputs::Inputs;

/// How often signals are looked for.
const PATIENCE: Duration = Duration::from_millis(50);

/// What is written, and how.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct OutputArguments {
    output: PathBuf,
    rejects: Option<PathBuf>,
    columns: Option<String>,
    where_date: Option<String>,
    compression: Option<String>,
    overwrite: bool,
    partition_by: Option<String>,
    replace: bool,
    deduplicate: bool,
    target_file_size: u64,
    ledger: Option<PathBuf>,
    wait: bool,
    allow_network_filesystem: bool,
}

/// Converts sources to one Parquet file or into a lake; gives the report as JSON.
#[pyfunction]
pub(crate) fn convert(
    py: Python<'_>,
    inputs: Inputs,
    load: LoadArguments,
    output: OutputArguments,
) -> PyResult<String> {
    let (load, stop) = load.options(inputs)?;
    let work = output.work(load)?;
    json(&run(py, &stop, work)?)
}

/// Judges sources and writes nothing; gives the report as JSON.
#[pyfunction]
pub(crate) fn validate(py: Python<'_>, inputs: Inputs, load: LoadArguments) -> PyResult<String> {
    let (load, stop) = load.options(inputs)?;
    let work = Box::new(move || Ok(cdrlake::validate(&load, &mut |_, _| {})?));
    json(&run(py, &stop, work)?)
}

type Work = Box<dyn FnOnce() -> Result<Report, LakeError> + Send>;

impl OutputArguments {
    fn work(self, load: LoadOptions) -> PyResult<Work> {
        let compression = parse(self.compression)?.unwrap_or_default();
        if self.output.extension().is_some_and(|extension| extension == "parquet") {
            let options = ConvertOptions {
                load,
                output: self.output,
                rejects: self.rejects,
                columns: parse(self.columns)?.unwrap_or_default(),
                where_date: parse(self.where_date)?,
                compression,
                overwrite: if self.overwrite { Overwrite::Replace } else { Overwrite::Refuse },
            };
            return Ok(Box::new(move || Ok(cdrlake::convert(&options)?)));
        }
        let interrupt = load.interrupt.clone();
        let lake = LakeLocation {
            ledger: self.ledger,
            locked: if self.wait { Locked::Wait } else { Locked::Refuse },
            network: match self.allow_network_filesystem {
                true => NetworkFileSystem::Allow,
                false => NetworkFileSystem::Refuse,
            },
            interrupt,
            ..LakeLocation::new(self.output)
        };
        let options = LakeOptions {
            partition_by: parse(self.partition_by)?,
            repeated: if self.replace { Repeated::Replace } else { Repeated::Skip },
            duplicates: if self.deduplicate { Duplicates::Drop } else { Duplicates::Keep },
            compression,
            target_file_size: self.target_file_size,
            ..LakeOptions::new(load, lake)
        };
        Ok(Box::new(move || cdrlake::convert_to_lake(&options)))
    }
}

/// Runs `work` without the GIL; a signal's exception ends it.
fn run(py: Python<'_>, stop: &StopFlag, work: Work) -> PyResult<Report> {
    let (sender, mut receiver) = sync_channel(1);
    let run = move || {
        let _ = sender.send(work());
    };
    thread::Builder::new().name("cdrlake".to_owned()).spawn(run)?;
    let mut raised: PyResult<()> = Ok(());
    let result = loop {
        let receiver = &mut receiver;
        match py.detach(move || receiver.recv_timeout(PATIENCE)) {
            Ok(result) => break result,
            Err(RecvTimeoutError::Timeout) if raised.is_ok() => {
                raised = py.check_signals();
                if raised.is_err() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break Err(THREAD_DIED),
        }
    };
    raised?;
    result.map_err(|error| errors::exception(py, &error))
}

pub(crate) fn json(report: &Report) -> PyResult<String> {
    serde_json::to_string(report).map_err(|error| value_error(Chain(&error)))
}

/// Rejected lines are not in the stream, and must not go unnoticed.
pub(crate) fn warn_of_rejects(py: Python<'_>, report: &Report) -> PyResult<()> {
    let totals = &report.totals;
    if totals.records_rejected == 0 {
        return Ok(());
    }
    let codes: Vec<_> =
        totals.rejects.iter().map(|(code, count)| format!("{code} {count}")).collect();
    let message = format!(
        "{} of {} records were rejected ({}); cdrlake.rejects() gives them, max_rejects limits them",
        totals.records_rejected,
        totals.records_read,
        codes.join(", "),
    );
    let warnings = py.import("warnings")?;
    let category = py.import("cdrlake._errors")?.getattr("RejectsWarning")?;
    warnings.call_method1("warn", (message, category, 2)).map(drop)
}
