//! The requests of a plan, into an inbox.

use std::path::Path;

use cdrlake_fetch::{Checks, Fetcher, Inbox, Options, Progress, Report, Task};

use crate::error::SyncError;

/// Does `tasks`, and puts what comes into the inbox, which is made if it is not there. The report
/// tells which of them failed.
///
/// # Errors
///
/// [`SyncError::Setup`]: nothing can be fetched at all; [`SyncError::Store`]: the inbox cannot be made
/// or opened.
pub fn fetch(
    tasks: &[Task],
    inbox: &Path,
    options: Options,
    checks: &dyn Checks,
    progress: &dyn Progress,
) -> Result<Report, SyncError> {
    let fetcher = Fetcher::new(options, checks, progress)?;
    let inbox = Inbox::open(inbox)?;
    Ok(fetcher.run(tasks, &inbox))
}
