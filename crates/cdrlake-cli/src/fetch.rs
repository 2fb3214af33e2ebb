//! `cdrlake fetch`.

mod args;
mod checks;
mod json;
mod told;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use cdrlake_fetch::{
    Credentials, CredentialsError, Error, Fetched, Fetcher, Inbox, Operation, Options, Profile,
    Report, Retry, Stored, Task, Warning,
};

use self::args::{ConnectionArguments, Files, What};
pub(crate) use self::args::{FetchArguments, TransferArguments, offering};
use self::checks::CarrierChecks;
use self::told::Told;
use crate::bar::Showing;
use crate::interrupt;
use crate::message::{Event, Message, tell};
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

/// That the carrier's sandbox has nothing to fetch.
pub(crate) fn warn_of_endpoint(connection: &ConnectionArguments) {
    if connection.endpoint.has_no_files() && !connection.quiet {
        tell(
            Event::Warned,
            "the carrier keeps no files in its sandbox; it is for trying calls out",
        );
    }
}

pub(crate) fn options(connection: &ConnectionArguments) -> Result<Options, CredentialsError> {
    keep_out_of_dumps();
    let credentials = match &connection.credentials {
        Some(path) => Credentials::from_file(path),
        None => Credentials::from_environment(),
    }?;
    let mut options = Options::new(connection.endpoint.clone(), credentials);
    options.ca_file.clone_from(&connection.ca_file);
    options.interrupt = interrupt::of_fetch();
    options.retry = Retry { budget: connection.retry_for, ..Retry::default() };
    options.deadlines.total = connection.timeout;
    Ok(options)
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
    let checks = CarrierChecks { profile: profile.map(ToString::to_string) };
    let told = Told::new(is_quiet, Showing::of(is_quiet, transfer.no_progress));
    let fetcher = match Fetcher::new(options, &checks, &told) {
        Ok(fetcher) => fetcher,
        Err(error) => return Ok(usage(error)),
    };
    let inbox = Inbox::open(output)?;
    let report = {
        let _soon = interrupt::end_soon();
        fetcher.run(tasks, &inbox)
    };
    drop(fetcher);
    drop(told);
    print(&report, is_quiet);
    Ok(outcome(&report))
}

/// A core dump would hold the secrets, and a debugger of the same user could read them.
fn keep_out_of_dumps() {
    // Where that cannot be had, fetching goes on without.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

pub(crate) fn usage(error: impl fmt::Display) -> Outcome {
    tell(Event::Usage, error);
    Outcome::Usage
}

/// What would be sent, on standard output.
pub(crate) fn print_requests(connection: &ConnectionArguments, tasks: &[Task]) {
    let endpoint = &connection.endpoint;
    let mut requests = format!("POST {}\n", endpoint.token_url());
    for task in tasks {
        let operation = task.operation();
        let url = Fetcher::url(endpoint, &operation);
        requests.push_str(&format!("{} {url}\n", operation.method()));
    }
    print_out(&requests);
}

/// A closed standard output is no error.
fn print_out(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// New files on standard output, a line each; everything else on standard error.
fn print(report: &Report, is_quiet: bool) {
    let mut new = String::new();
    let [mut stored, mut already, mut nothing, mut not_tried, mut interrupted] = [0; 5];
    for task in &report.tasks {
        match &task.result {
            Ok(Fetched::Files(files)) => {
                for file in files {
                    match file {
                        Stored::Already(_) => already += 1,
                        _ => stored += 1,
                    }
                    match file {
                        Stored::Already(_) => continue,
                        Stored::Beside { path, taken } if !is_quiet => {
                            let (taken, new) = (taken.display(), path.display());
                            let text =
                                format_args!("{taken} has other content, so the new one is {new}");
                            Message::new(Event::FileStoredBeside, text).with("path", path).tell();
                        }
                        _ => {}
                    }
                    let text = format_args!("{} is stored", file.path().display());
                    let message = Message::new(Event::FileStored, text).with("path", file.path());
                    if !is_quiet {
                        message.with("request", task.operation.to_string()).tell_machines();
                    }
                    new.push_str(&format!("{}\n", file.path().display()));
                }
            }
            Ok(Fetched::Earlier(files)) => already += files.len(),
            Ok(Fetched::Nothing) => {
                nothing += 1;
                if !is_quiet {
                    let text = format_args!("{}: nothing to download", task.operation);
                    let message = Message::new(Event::RequestEmpty, text);
                    message.with("request", task.operation.to_string()).tell();
                }
            }
            Err(Error::NotTried) => not_tried += 1,
            Err(error) => {
                interrupted += usize::from(matches!(error, Error::Interrupted));
                print_failure(&task.operation, error);
                print_order(&task.operation, error);
            }
        }
    }
    print_out(&new);
    if interrupted > 0 {
        Message::new(Event::Interrupted, "interrupted; what was stored before stays")
            .with("files_stored", stored)
            .tell();
    }
    if not_tried > 0 {
        Message::new(Event::RequestsNotTried, format_args!("{not_tried} requests were not tried"))
            .with("requests", not_tried)
            .tell();
    }
    if !is_quiet {
        let is_failure = |error: &Error| !matches!(error, Error::NotTried | Error::Interrupted);
        let results = report.tasks.iter().map(|task| task.result.as_ref());
        let failed = results.filter(|result| result.is_err_and(is_failure)).count();
        let text = format!(
            "{stored} files stored, {already} already there, {nothing} requests with nothing to \
             download, {failed} failed"
        );
        Message::new(Event::FetchSummary, text)
            .with("files_stored", stored)
            .with("files_already_there", already)
            .with("requests_empty", nothing)
            .with("requests_failed", failed)
            .tell();
    }
}

/// What failed, why, and what to do.
fn print_failure(what: &dyn fmt::Display, error: &Error) {
    let advice = error.advice().map(|advice| format!("; {advice}"));
    let text = format_args!("{what}: {error}{}", advice.unwrap_or_default());
    Message::new(Event::RequestFailed, text)
        .with("request", what.to_string())
        .with("is_transient", error.is_transient())
        .tell();
}

/// How to get what was ordered, without ordering it again.
fn print_order(operation: &Operation, error: &Error) {
    if let Operation::Consolidated { profile, order_id } = operation
        // Another error of the service may mean that there is no such order.
        && (error.is_transient() || !matches!(error, Error::Service(_)))
        && !matches!(error, Error::NotReady { .. })
    {
        let text = format_args!(
            "order {order_id} is placed; --profile {profile} --order-id {order_id} resumes it"
        );
        let message = Message::new(Event::OrderPlaced, text);
        message.with("order_id", order_id.to_string()).tell();
    }
}

/// The worst of what a report tells.
fn outcome(report: &Report) -> Outcome {
    let errors = || report.tasks.iter().filter_map(|task| task.result.as_ref().err());
    if errors().any(|error| matches!(error, Error::Interrupted)) {
        Outcome::Interrupted
    } else if errors().next().is_none() {
        Outcome::Done
    } else if errors().all(Error::is_transient) {
        Outcome::TryLater
    } else if report.tasks.iter().any(|task| task.result.is_ok()) {
        Outcome::SourcesFailed
    } else {
        Outcome::Failed
    }
}
