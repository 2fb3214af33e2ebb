//! What is said of requests and of what came of them: new files on standard output, the rest on
//! standard error.

use std::fmt;
use std::io::{self, Write};

use cdrlake_fetch::{Error, ErrorKind, Fetched, Fetcher, Operation, Report, Stored, Task};

use super::advice::advice;
use super::args::ConnectionArguments;
use crate::message::{Event, Message, tell};
use crate::outcome::Outcome;

/// Says what is wrong with the command line or a setting.
pub(crate) fn usage(error: impl fmt::Display) -> Outcome {
    tell(Event::Usage, error);
    Outcome::Usage
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
pub(super) fn print_out(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// New files on standard output, a line each; everything else on standard error.
pub(super) fn print(report: &Report, is_quiet: bool) {
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
pub(super) fn print_failure(what: &dyn fmt::Display, error: &Error) {
    let advice = advice(error).map(|advice| format!("; {advice}"));
    let text = format_args!("{what}: {error}{}", advice.unwrap_or_default());
    Message::new(Event::RequestFailed, text)
        .with("request", what.to_string())
        .with("is_transient", matches!(error.kind(), ErrorKind::Transient | ErrorKind::Interrupted))
        .tell();
}

/// How to get what was ordered, without ordering it again.
fn print_order(operation: &Operation, error: &Error) {
    if let Operation::Consolidated { profile, order_id } = operation
        // Another error of the service may mean that there is no such order.
        && (error.kind() == ErrorKind::Transient || !matches!(error, Error::Service(_)))
        && !matches!(error, Error::NotReady { .. })
    {
        let text = format_args!(
            "order {order_id} is placed; --profile {profile} --order-id {order_id} resumes it"
        );
        let message = Message::new(Event::OrderPlaced, text);
        message.with("order_id", order_id.to_string()).tell();
    }
}
