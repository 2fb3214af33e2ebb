//! What the file says as defaults of the command line, so that flags and the environment come before
//! it, and `--help` shows it.

use std::ffi::OsString;

use clap::Command;

use super::Config;

/// Arguments that stand for the lake, by command.
const LAKES: [(&str, &str); 5] = [
    ("convert", "output"),
    ("sync", "output"),
    ("audit", "paths"),
    ("stats", "inputs"),
    ("info", "lake"),
];

/// Commands below `fetch`.
const FETCHED: [&str; 6] = ["unrated", "consolidated", "rated", "non-usage", "numbers", "order"];

/// `command` with the defaults of `config`.
pub(crate) fn with_defaults(mut command: Command, config: &Config) -> Command {
    if let Some(lake) = &config.lake {
        for (name, argument) in LAKES {
            command = command.mut_subcommand(name, |it| with_default(it, argument, lake.into()));
        }
        command = command.mut_subcommand("config", |it| with_default(it, "lake", lake.into()));
    }
    for name in ["convert", "sync", "validate"] {
        if let Some(on_changed) = &config.on_changed {
            let value = on_changed.into();
            command = command.mut_subcommand(name, |it| with_default(it, "on_changed", value));
        }
        for (argument, patterns) in [("include", &config.include), ("exclude", &config.exclude)] {
            if !patterns.is_empty() {
                let values: Vec<OsString> = patterns.iter().map(OsString::from).collect();
                command = command.mut_subcommand(name, |it| {
                    it.mut_arg(argument, |argument| argument.default_values(values))
                });
            }
        }
    }
    if let Some(on_changed) = &config.on_changed {
        let value = on_changed.into();
        command = command.mut_subcommand("config", |it| with_default(it, "on_changed", value));
    }
    let of_fetching = [
        ("endpoint", config.endpoint.as_ref().map(OsString::from)),
        ("credentials", config.credentials.as_ref().map(OsString::from)),
        ("ca_file", config.ca_file.as_ref().map(OsString::from)),
    ];
    for (argument, value) in of_fetching {
        let Some(value) = value else { continue };
        command = command.mut_subcommand("fetch", |mut fetch| {
            for name in FETCHED {
                fetch = fetch.mut_subcommand(name, |it| with_default(it, argument, value.clone()));
            }
            fetch
        });
        for name in ["sync", "config"] {
            command = command.mut_subcommand(name, |it| with_default(it, argument, value.clone()));
        }
    }
    command
}

fn with_default(command: Command, argument: &'static str, value: OsString) -> Command {
    command.mut_arg(argument, |it| it.required(false).default_value(value))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::args::Arguments;

    /// Every command that is named has the arguments that are.
    #[test]
    fn defaults_are_of_arguments_that_there_are() {
        let text = Some("production".to_owned());
        let path = Some("x".into());
        let config = Config {
            lake: path.clone(),
            endpoint: text,
            credentials: path.clone(),
            ca_file: path,
            on_changed: Some("skip".to_owned()),
            include: vec!["GB_*".to_owned()],
            exclude: vec!["*.txt".to_owned(), "old/*".to_owned()],
            ..Config::default()
        };
        with_defaults(Arguments::command(), &config).debug_assert();
        assert!(Arguments::try_parse_from(["cdrlake", "convert", "x.cdr"]).is_err());
        let command = with_defaults(Arguments::command(), &config);
        assert!(command.try_get_matches_from(["cdrlake", "convert", "x.cdr"]).is_ok());
    }
}
