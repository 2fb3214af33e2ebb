//! `cdrlake fetch`.

mod args;
mod checks;
mod told;

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use cdrlake_fetch::{
    Credentials, CredentialsError, Error, Fetched, Fetcher, Inbox, Options, Profile, Report, Retry,
    Stored, Task, Warning,
};

pub(crate) use self::args::{ConnectionArguments, FetchArguments, offering};
use self::checks::CarrierChecks;
use self::told::Told;
use crate::outcome::Outcome;
use crate::summary;

pub(crate) fn run(arguments: &FetchArguments) -> Result<Outcome> {
    let what = &arguments.what;
    let download = what.download();
    let tasks = match what.tasks() {
        Ok(tasks) => tasks,
        Err(error) => return Ok(usage(error)),
    };
    let connection = &download.connection;
    warn_of_endpoint(connection);
    let Some(output) = download.output.as_ref().filter(|_| !connection.dry_run) else {
        print_requests(connection, &tasks);
        return Ok(Outcome::Done);
    };
    let mut options = match options(connection) {
        Ok(options) => options,
        Err(error) => return Ok(usage(error)),
    };
    options.wait = what.wait().unwrap_or(options.wait);
    if !connection.quiet {
        for warning in Warning::of_all(&tasks, options.today) {
            summary::line(format_args!("warning: {warning}"));
        }
    }
    download_into(output, &tasks, options, connection, what.profile())
}

/// That the carrier's sandbox has nothing to fetch.
pub(crate) fn warn_of_endpoint(connection: &ConnectionArguments) {
    if connection.endpoint.has_no_files() && !connection.quiet {
        summary::line(format_args!(
            "warning: the carrier keeps no files in its sandbox; it is for trying calls out"
        ));
    }
}

pub(crate) fn options(connection: &ConnectionArguments) -> Result<Options, CredentialsError> {
    let credentials = match &connection.credentials {
        Some(path) => Credentials::from_file(path),
        None => Credentials::from_environment(),
    }?;
    let mut options = Options::new(connection.endpoint.clone(), credentials);
    options.ca_file.clone_from(&connection.ca_file);
    options.jobs = connection.jobs;
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
    connection: &ConnectionArguments,
    profile: Option<&Profile>,
) -> Result<Outcome> {
    let checks = CarrierChecks { profile: profile.map(ToString::to_string) };
    let told = Told::new(connection.quiet, !connection.no_progress);
    let fetcher = match Fetcher::new(options, &checks, &told) {
        Ok(fetcher) => fetcher,
        Err(error) => {
            let path = connection.ca_file.as_deref().unwrap_or(output).display();
            return Ok(usage(format_args!("cannot use {path}: {error}")));
        }
    };
    let inbox = Inbox::open(output)?;
    let report = fetcher.run(tasks, &inbox);
    told.finish();
    print(&report, connection.quiet);
    Ok(outcome(&report))
}

pub(crate) fn usage(error: impl fmt::Display) -> Outcome {
    summary::line(format_args!("error: {error}"));
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
    let [mut stored, mut already, mut nothing, mut not_tried] = [0; 4];
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
                            summary::line(format_args!(
                                "{} has other content, so the new one is {}",
                                taken.display(),
                                path.display()
                            ));
                        }
                        _ => {}
                    }
                    new.push_str(&format!("{}\n", file.path().display()));
                }
            }
            Ok(Fetched::Earlier(files)) => already += files.len(),
            Ok(Fetched::Nothing) => {
                nothing += 1;
                if !is_quiet {
                    summary::line(format_args!("{}: nothing to download", task.operation));
                }
            }
            Err(Error::NotTried) => not_tried += 1,
            Err(error) => {
                let advice = error.advice().map(|advice| format!("; {advice}"));
                summary::line(format_args!(
                    "failed: {}: {error}{}",
                    task.operation,
                    advice.unwrap_or_default()
                ));
            }
        }
    }
    print_out(&new);
    if not_tried > 0 {
        summary::line(format_args!("{not_tried} requests were not tried"));
    }
    if !is_quiet {
        let failed = report.tasks.iter().filter(|task| task.result.is_err()).count();
        summary::line(format_args!(
            "{stored} files stored, {already} already there, {nothing} requests with nothing to \
             download, {failed} failed"
        ));
    }
}

/// The worst of what a report tells.
fn outcome(report: &Report) -> Outcome {
    let errors = || report.tasks.iter().filter_map(|task| task.result.as_ref().err());
    if errors().next().is_none() {
        Outcome::Done
    } else if errors().all(Error::is_transient) {
        Outcome::TryLater
    } else if report.tasks.iter().any(|task| task.result.is_ok()) {
        Outcome::SourcesFailed
    } else {
        Outcome::Failed
    }
}
