//! What the arguments of a connection ask for.

use cdrlake_fetch::{Credentials, Options, Retry};

use super::advice::of_credentials;
use super::args::ConnectionArguments;
use crate::interrupt;

/// Options of a fetch, with credentials of the file that is named or else of the environment; or why
/// there are none, and what to do about it.
pub(crate) fn options(connection: &ConnectionArguments) -> Result<Options, String> {
    keep_out_of_dumps();
    let credentials = match &connection.credentials {
        Some(path) => Credentials::from_file(path),
        None => Credentials::from_environment(),
    };
    let credentials = credentials.map_err(|error| of_credentials(&error))?;
    let mut options = Options::new(connection.endpoint.clone(), credentials);
    options.ca_file.clone_from(&connection.ca_file);
    options.interrupt = interrupt::request();
    options.retry = Retry { budget: connection.retry_for, ..Retry::default() };
    options.deadlines.total = connection.timeout;
    Ok(options)
}

/// A core dump would hold the secrets, and a debugger of the same user could read them.
fn keep_out_of_dumps() {
    // Where that cannot be had, fetching goes on without.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
