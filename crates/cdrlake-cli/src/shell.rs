//! `cdrlake completions` and `cdrlake man`, for those who package the command.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::args::Arguments;
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

/// Prints a script that completes the command line.
pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "cdrlake", &mut script);
    match io::stdout().write_all(&script) {
        // Nobody reading on is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print the script")
        }
        _ => Ok(Outcome::Done),
    }
}

/// Writes `cdrlake.1` and a page for each command.
pub(crate) fn man(arguments: &ManArguments) -> Result<Outcome> {
    let directory = &arguments.directory;
    clap_mangen::generate_to(Arguments::command(), directory)
        .with_context(|| format!("cannot write to {}", directory.display()))?;
    Ok(Outcome::Done)
}
