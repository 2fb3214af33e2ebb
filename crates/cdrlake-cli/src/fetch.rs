//! `cdrlake fetch`.

mod args;
mod checks;
mod told;

use std::fmt;
use std::io::{self, Write};

use anyhow::Result;
use cdrlake_fetch::{
    Credentials, Error, Fetched, Fetcher, Inbox, Options, Report, Retry, Stored, Task, Warning,
};

pub(crate) use self::args::FetchArguments;
use self::args::{ConnectionArguments, What};
use self::checks::CarrierChecks;
use self::told::Told;
use crate::outcome::Outcome;
use crate::summary;

pub(crate) fn run(arguments: &FetchArguments) -> Result<Outcome> {
    let what = &arguments.what;
    let connection = what.connection();
    let tasks = match what.tasks() {
        Ok(tasks) => tasks,
        Err(error) => return Ok(usage(error)),
    };
    if connection.endpoint.has_no_files() && !connection.quiet {
        summary::line(format_args!(
            "warning: the carrier keeps no files in its sandbox; it is for trying calls out"
        ));
    }
    let Some(output) = connection.output.as_ref().filter(|_| !connection.dry_run) else {
        print_requests(connection, &tasks);
        return Ok(Outcome::Done);
    };
    let credentials = match &connection.credentials {
        Some(path) => Credentials::from_file(path),
        None => Credentials::from_environment(),
    };
    let options = match credentials {
        Ok(credentials) => options(what, credentials),
        Err(error) => return Ok(usage(error)),
    };
    if !connection.quiet {
        warn(&tasks, &options);
    }
    let checks = CarrierChecks { profile: what.profile().map(ToString::to_string) };
    let told = Told::new(connection.quiet, !connection.no_progress);
    let fetcher = match Fetcher::new(options, &checks, &told) {
        Ok(fetcher) => fetcher,
        Err(error) => {
            let path = connection.ca_file.as_deref().unwrap_or(output).display();
            return Ok(usage(format_args!("cannot use {path}: {error}")));
        }
    };
    let inbox = Inbox::open(output)?;
    let report = fetcher.run(&tasks, &inbox);
    told.finish();
    print(&report, connection.quiet);
    Ok(outcome(&report))
}

fn options(what: &What, credentials: Credentials) -> Options {
    let connection = what.connection();
    let mut options = Options::new(connection.endpoint.clone(), credentials);
    options.ca_file.clone_from(&connection.ca_file);
    options.jobs = connection.jobs;
    options.retry = Retry { budget: connection.retry_for, ..Retry::default() };
    options.deadlines.total = connection.timeout;
    options.wait = what.wait().unwrap_or(options.wait);
    options
}

fn usage(error: impl fmt::Display) -> Outcome {
    summary::line(format_args!("error: {error}"));
    Outcome::Usage
}

/// What would be sent, on standard output.
fn print_requests(connection: &ConnectionArguments, tasks: &[Task]) {
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

fn warn(tasks: &[Task], options: &Options) {
    for warning in Warning::of_all(tasks, options.today) {
        summary::line(format_args!("warning: {warning}"));
    }
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
