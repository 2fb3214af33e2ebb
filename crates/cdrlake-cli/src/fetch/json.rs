//! `cdrlake fetch numbers` and `order`: an answer in JSON, handed on as it came.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::{Context, Result};
use cdrlake::{check_place, new_file_beside};
use cdrlake_fetch::{ErrorKind, Fetcher};

use super::args::{Json, JsonArguments};
use super::checks::CarrierChecks;
use super::options::options;
use super::print::{print_failure, print_out, usage};
use super::told::Told;
use crate::bar::Showing;
use crate::interrupt;
use crate::message::{Event, tell};
use crate::outcome::Outcome;

pub(crate) fn run(json: &Json) -> Result<Outcome> {
    let (lookup, JsonArguments { output, connection }) = (json.lookup(), json.arguments());
    if connection.dry_run {
        let endpoint = &connection.endpoint;
        print_out(&format!("POST {}\nGET {}\n", endpoint.token_url(), lookup.url(endpoint)));
        return Ok(Outcome::Done);
    }
    let options = match options(connection) {
        Ok(options) => options,
        Err(error) => return Ok(usage(error)),
    };
    let checks = CarrierChecks::default();
    let told = Told::new(connection.quiet, Showing::Hidden);
    let fetcher = match Fetcher::new(options, &checks, &told) {
        Ok(fetcher) => fetcher,
        Err(error) => return Ok(usage(error)),
    };
    let answer = {
        let _soon = interrupt::end_soon();
        fetcher.look_up(&lookup)
    };
    match answer {
        Ok(Some(answer)) => write(&answer, output.as_deref())?,
        Ok(None) if connection.quiet => {}
        Ok(None) => tell(Event::RequestEmpty, format_args!("{lookup}: there is nothing")),
        Err(error) => {
            print_failure(&lookup, &error);
            return Ok(match error.kind() {
                ErrorKind::Interrupted => Outcome::Interrupted,
                ErrorKind::Transient => Outcome::TryLater,
                _ => Outcome::Failed,
            });
        }
    }
    Ok(Outcome::Done)
}

/// To a file, which appears when it is whole; else to standard output.
fn write(answer: &[u8], output: Option<&Path>) -> Result<()> {
    let Some(path) = output else {
        let written = io::stdout().lock().write_all(answer);
        // A closed standard output is no error.
        return match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot write to standard output")
            }
            _ => Ok(()),
        };
    };
    check_place(path)?;
    let context = || format!("cannot write {}", path.display());
    if path.metadata().is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir()) {
        // A device or a pipe is written to, never renamed over.
        let mut file = File::options().write(true).open(path).with_context(context)?;
        return file.write_all(answer).with_context(context);
    }
    let mut file = new_file_beside(path).with_context(context)?;
    file.write_all(answer).with_context(context)?;
    file.as_file().sync_all().with_context(context)?;
    file.persist(path).with_context(context)?;
    Ok(())
}
