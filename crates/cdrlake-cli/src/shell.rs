//! `cdrlake completions` and `cdrlake man`, for those who package the command.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Command};
use clap_complete::Shell;

use crate::outcome::Outcome;

#[derive(Debug, Args)]
pub(crate) struct CompletionsArguments {
    /// The shell.
    shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArguments {
    /// The directory to write to, a file a command; it must be there.
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

/// Prints a script that completes the command line of `command`.
pub(crate) fn completions(
    arguments: &CompletionsArguments,
    command: &mut Command,
) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, command, "cdrlake", &mut script);
    match io::stdout().write_all(&script) {
        // Nobody reading on is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print the script")
        }
        _ => Ok(Outcome::Done),
    }
}

/// Writes `cdrlake.1` and a page for each command below `command`.
pub(crate) fn man(arguments: &ManArguments, command: Command) -> Result<Outcome> {
    let directory = &arguments.directory;
    clap_mangen::generate_to(command, directory)
        .with_context(|| format!("cannot write to {}", directory.display()))?;
    Ok(Outcome::Done)
}
