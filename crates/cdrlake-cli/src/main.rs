//! The command `cdrlake`: arguments in, exit status out.
//!
//! Data goes to standard output, everything else to standard error.

mod advice;
mod args;
mod audit;
mod audit_args;
mod bar;
mod config;
mod convert;
mod fetch;
mod generate;
mod info;
mod inspect;
mod interrupt;
mod lake_access;
mod load_args;
mod message;
mod metrics;
mod outcome;
mod output_file;
mod privacy_args;
mod quoted;
mod run_advice;
mod schema;
mod shell;
mod standard_error;
mod stats;
mod suggest;
mod summary;
mod sync;
mod table;
mod unload;
mod validate;

use std::process::ExitCode;
use std::time::Instant;

use anyhow::Result;
use cdrlake::{ErrorKind, LoadError};
use clap::{ArgMatches, CommandFactory, FromArgMatches};

use crate::args::{Arguments, Command, LOG_FORMAT};
use crate::config::Config;
use crate::message::{Event, Message, tell};
use crate::outcome::Outcome;
use crate::standard_error::LogFormat;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let config = config::load(config::named(std::env::args_os()).as_deref());
    let matches = match &config {
        Ok(config) => config::with_defaults(Arguments::command(), config),
        Err(_) => Arguments::command(),
    };
    let parsed = matches.try_get_matches().and_then(|matches| {
        Arguments::from_arg_matches(&matches).map(|arguments| (matches, arguments))
    });
    let (matches, Arguments { command, log_format }) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return refuse(&error),
    };
    standard_error::begin(log_format);
    let started = Instant::now();
    let name = command_name(&matches);
    let is_quiet = is_quiet(&matches);
    if !is_quiet {
        Message::new(Event::RunStarted, format_args!("{name} begins"))
            .with("command", &name)
            .with("version", env!("CARGO_PKG_VERSION"))
            .tell_machines();
    }
    let outcome = run(command, &config, &matches).unwrap_or_else(|error| {
        let is_usage = |error: &LoadError| error.kind() == ErrorKind::Usage;
        let (event, outcome) = match error.downcast_ref().is_some_and(is_usage) {
            true => (Event::Usage, Outcome::Usage),
            false => (Event::Failed, Outcome::Failed),
        };
        tell(event, format_args!("{error:#}"));
        outcome
    });
    if !is_quiet {
        Message::new(Event::RunEnded, format_args!("{name} ended"))
            .with("command", &name)
            .with("exit_status", outcome.status())
            .with("elapsed_seconds", started.elapsed().as_secs_f64())
            .tell_machines();
    }
    outcome.into()
}

/// Says what is wrong with a command line, or shows the help that it asks for.
fn refuse(error: &clap::Error) -> ExitCode {
    let format = config::given(std::env::args_os(), "--log-format");
    let format = format.or_else(|| std::env::var_os(LOG_FORMAT));
    if error.use_stderr() && format.is_some_and(|format| format.eq_ignore_ascii_case("json")) {
        standard_error::begin(LogFormat::Json);
        let text = error.render().to_string();
        tell(Event::Usage, text.strip_prefix("error: ").unwrap_or(&text));
        return Outcome::Usage.into();
    }
    error.exit()
}

/// As it is called, such as `fetch unrated`.
fn command_name(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut next = matches.subcommand();
    while let Some((name, matches)) = next {
        names.push(name);
        next = matches.subcommand();
    }
    names.join(" ")
}

/// Whether the command, if it can be told so, is to print errors only.
fn is_quiet(matches: &ArgMatches) -> bool {
    match matches.subcommand() {
        Some((_, matches)) => is_quiet(matches),
        None => matches!(matches.try_get_one::<bool>("quiet"), Ok(Some(true))),
    }
}

fn run(command: Command, config: &Result<Config>, matches: &ArgMatches) -> Result<Outcome> {
    if let Err(error) = interrupt::listen() {
        tell(Event::Warned, format_args!("signals end the program at once: {error}"));
    }
    if let (Err(error), Command::Config(_) | Command::Fetch(_)) = (config, &command) {
        tell(Event::Usage, format_args!("{error:#}"));
        return Ok(Outcome::Usage);
    }
    let subcommand = matches.subcommand().map(|(_, matches)| matches);
    let lake_from = match (config, subcommand) {
        (Ok(config), Some(matches)) => config::lake_from(config, matches),
        _ => None,
    };
    match command {
        Command::Convert(arguments) => convert::run(&arguments, lake_from.as_deref()),
        Command::Unload(arguments) => unload::run(&arguments),
        Command::Audit(arguments) => audit::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::Stats(arguments) => stats::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Sync(arguments) => sync::run(&arguments, lake_from.as_deref()),
        Command::Config(arguments) => match (config, subcommand) {
            (Ok(config), Some(matches)) => config::run(&arguments, config, matches),
            _ => Ok(Outcome::Usage),
        },
        Command::Completions(arguments) => {
            shell::completions(&arguments, &mut Arguments::command())
        }
        Command::Man(arguments) => shell::man(&arguments, Arguments::command()),
    }
}
