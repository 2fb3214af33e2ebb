//! `cdrlake fetch`.

mod advice;
mod args;
mod checks;
mod json;
mod options;
mod print;
mod told;

use std::path::Path;

use anyhow::Result;
use cdrlake::sync::{SyncError, fetch};
use cdrlake_fetch::{Error, ErrorKind, Options, Profile, Report, Task, Warning};

pub(crate) use self::args::{FetchArguments, TransferArguments};
use self::args::{Files, What};
use self::checks::CarrierChecks;
pub(crate) use self::options::options;
use self::print::print;
pub(crate) use self::print::{print_requests, usage, warn_of_endpoint};
use self::told::Told;
use crate::bar::Showing;
use crate::interrupt;
use crate::message::{Event, tell};
use crate::outcome::Outcome;

pub(crate) fn run(arguments: &FetchArguments) -> Result<Outcome> {
    match &arguments.what {
        What::Files(files) => run_files(files),
        What::Json(json) => json::run(json),
    }
}

fn run_files(what: &Files) -> Result<Outcome> {
    let download = what.download();
    let tasks = match what.tasks() {
        Ok(tasks) => tasks,
        Err(error) => return Ok(usage(error)),
    };
    let (transfer, connection) = (&download.transfer, &download.transfer.connection);
    warn_of_endpoint(connection);
    let Some(output) = download.output.as_ref().filter(|_| !connection.dry_run) else {
        print_requests(connection, &tasks);
        return Ok(Outcome::Done);
    };
    let mut options = match options(connection) {
        Ok(options) => options,
        Err(error) => return Ok(usage(error)),
    };
    options.jobs = transfer.jobs;
    options.wait = what.wait().unwrap_or(options.wait);
    if !connection.quiet {
        for warning in Warning::of_all(&tasks, options.today) {
            tell(Event::Warned, warning);
        }
    }
    download_into(output, &tasks, options, transfer, what.profile())
}

/// Does `tasks`, and tells what came of them. `profile` decides where a file's name can be split in
/// several ways.
pub(crate) fn download_into(
    output: &Path,
    tasks: &[Task],
    options: Options,
    transfer: &TransferArguments,
    profile: Option<&Profile>,
) -> Result<Outcome> {
    let is_quiet = transfer.connection.quiet;
    let checks = CarrierChecks { profile: profile.map(ToString::to_string), is_quiet };
    let told = Told::new(is_quiet, Showing::of(is_quiet, transfer.no_progress));
    let fetched = {
        let _soon = interrupt::end_soon();
        fetch(tasks, output, options, &checks, &told)
    };
    drop(told);
    let report = match fetched {
        Ok(report) => report,
        Err(SyncError::Setup(error)) => return Ok(usage(error)),
        Err(error) => return Err(error.into()),
    };
    print(&report, is_quiet);
    Ok(outcome(&report))
}

/// The worst of what a report tells.
fn outcome(report: &Report) -> Outcome {
    let errors = report.tasks.iter().filter_map(|task| task.result.as_ref().err());
    let kinds: Vec<ErrorKind> = errors.map(Error::kind).collect();
    if kinds.contains(&ErrorKind::Interrupted) {
        Outcome::Interrupted
    } else if kinds.is_empty() {
        Outcome::Done
    } else if kinds.iter().all(|kind| *kind == ErrorKind::Transient) {
        Outcome::TryLater
    } else if report.tasks.iter().any(|task| task.result.is_ok()) {
        Outcome::SourcesFailed
    } else {
        Outcome::Failed
    }
}
