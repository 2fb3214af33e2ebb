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
mod load_args;
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

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Arguments, Command};
use crate::outcome::Outcome;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = config::load(config::named(std::env::args_os()).as_deref());
    let matches = match &config {
        Ok(config) => config::with_defaults(Arguments::command(), config),
        Err(_) => Arguments::command(),
    };
    // Arguments that do not parse end the program here, with status 2.
    let matches = matches.get_matches();
    let command =
        Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit()).command;
    if let Err(error) = interrupt::listen() {
        summary::line(format_args!("warning: signals end the program at once: {error}"));
    }
    if let (Err(error), Command::Config(_) | Command::Fetch(_)) = (&config, &command) {
        summary::line(format_args!("error: {error:#}"));
        return Outcome::Usage.into();
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
        Command::Config(arguments) => match (&config, matches.subcommand()) {
            (Ok(config), Some((_, matches))) => config::run(&arguments, config, matches),
            _ => Ok(Outcome::Usage),
        },
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
