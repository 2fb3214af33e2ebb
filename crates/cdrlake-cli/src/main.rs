//! The command `cdrlake`: arguments in, exit status out.
//!
//! Data goes to standard output, everything else to standard error.

mod args;
mod audit;
mod audit_args;
mod config;
mod convert;
mod fetch;
mod generate;
mod inspect;
mod interrupt;
mod outcome;
mod report_file;
mod schema;
mod shell;
mod stats;
mod summary;
mod sync;
mod table;
mod unload;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::outcome::Outcome;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Arguments that do not parse end the program here, with status 2.
    let command = Arguments::parse().command;
    if let Err(error) = interrupt::listen() {
        summary::line(format_args!("warning: signals end the program at once: {error}"));
    }
    let result = match command {
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Unload(arguments) => unload::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Sync(arguments) => sync::run(&arguments),
        Command::Completions(arguments) => shell::completions(&arguments),
        Command::Man(arguments) => shell::man(&arguments),
    };
    result
        .unwrap_or_else(|error| {
            summary::line(format_args!("error: {error:#}"));
            Outcome::Failed
        })
        .into()
}
