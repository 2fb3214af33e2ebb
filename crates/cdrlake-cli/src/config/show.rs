//! `cdrlake config`: what holds, and where it comes from.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use cdrlake::{OnChanged, ProfileSettings, TimeZones};
use cdrlake_core::product_name;
use cdrlake_fetch::Endpoint;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args};
use serde::Serialize;

use super::{Config, VARIABLE};
use crate::load_args::MetadataArguments;
use crate::outcome::Outcome;
use crate::suggest;
use crate::table::{Align, table};

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The file of settings [default: cdrlake.toml, here or in a directory above]
    #[arg(long, value_name = "FILE.toml", env = "CDRLAKE_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,

    /// The lake.
    #[arg(long, env = "CDRLAKE_LAKE", hide_env_values = true)]
    lake: Option<PathBuf>,

    #[command(flatten)]
    metadata: MetadataArguments,

    /// Whose clocks the calls' times are of.
    #[arg(long, value_name = "ZONE|country|profile", value_parser = suggest::time_zones)]
    #[arg(env = "CDRLAKE_TIME_ZONE", hide_env_values = true)]
    time_zone: Option<TimeZones>,

    /// What to do with a delivery that comes again with other content.
    #[arg(long, value_name = "hold|supersede|both|skip", value_parser = suggest::on_changed)]
    #[arg(env = "CDRLAKE_ON_CHANGED", hide_env_values = true)]
    on_changed: Option<OnChanged>,

    /// production, sandbox, or a base URL.
    #[arg(long, value_name = "WHERE", default_value = "production")]
    #[arg(env = "CDRLAKE_ENDPOINT", hide_env_values = true)]
    endpoint: Endpoint,

    /// The file of credentials.
    #[arg(long, value_name = "FILE", env = "CDRLAKE_CREDENTIALS", hide_env_values = true)]
    credentials: Option<PathBuf>,

    /// Certificates to trust.
    #[arg(long, value_name = "FILE.pem", env = "CDRLAKE_CA_FILE", hide_env_values = true)]
    ca_file: Option<PathBuf>,

    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What are secrets: whether they are set is all that is told.
const SECRETS: [&str; 3] =
    ["CDRLAKE_CONSUMER_KEY", "CDRLAKE_CONSUMER_SECRET", "CDRLAKE_ACCESS_TOKEN"];

/// Arguments by name, and their variables.
const SETTINGS: [(&str, &str); 9] = [
    ("lake", "CDRLAKE_LAKE"),
    ("country", "CDRLAKE_COUNTRY"),
    ("profile", "CDRLAKE_PROFILE"),
    ("product", "CDRLAKE_PRODUCT"),
    ("time_zone", "CDRLAKE_TIME_ZONE"),
    ("on_changed", "CDRLAKE_ON_CHANGED"),
    ("endpoint", "CDRLAKE_ENDPOINT"),
    ("credentials", "CDRLAKE_CREDENTIALS"),
    ("ca_file", "CDRLAKE_CA_FILE"),
];

#[derive(Serialize)]
struct Setting {
    name: String,
    value: Option<String>,
    from: Option<String>,
}

/// `matches` are those of the command, with the defaults of `config`.
pub(crate) fn run(
    arguments: &ConfigArguments,
    config: &Config,
    matches: &ArgMatches,
) -> Result<Outcome> {
    let settings = settings(config, matches);
    let text = if arguments.json {
        serde_json::to_string_pretty(&settings).context("cannot write JSON")? + "\n"
    } else {
        let head = [("setting", Align::Left), ("value", Align::Left), ("from", Align::Left)];
        let or_none = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        table(
            head,
            settings
                .into_iter()
                .map(|Setting { name, value, from }| [name, or_none(value), or_none(from)]),
        )
    };
    match io::stdout().write_all(text.as_bytes()) {
        // Nobody reading on is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot print the settings")
        }
        _ => Ok(Outcome::Done),
    }
}

fn settings(config: &Config, matches: &ArgMatches) -> Vec<Setting> {
    let file = config.path.as_ref().map(|path| path.display().to_string());
    let from = |name: &str, variable: &str, otherwise: Option<&str>| {
        let from = match matches.value_source(name)? {
            ValueSource::CommandLine => format!("--{}", name.replace('_', "-")),
            ValueSource::EnvVariable => variable.to_owned(),
            _ => return otherwise.map(str::to_owned),
        };
        Some(from)
    };
    let mut settings = vec![Setting {
        name: "config".to_owned(),
        value: file.clone(),
        from: from("config", VARIABLE, None).or_else(|| file.as_ref().map(|_| "found".to_owned())),
    }];
    for (name, variable) in SETTINGS {
        let raw = matches.get_raw(name).and_then(|mut values| values.next());
        let is_in_file = match name {
            "lake" => config.lake.is_some(),
            "endpoint" => config.endpoint.is_some(),
            "credentials" => config.credentials.is_some(),
            "ca_file" => config.ca_file.is_some(),
            "on_changed" => config.on_changed.is_some(),
            _ => false,
        };
        let otherwise = if is_in_file { file.as_deref() } else { Some("default") };
        settings.push(Setting {
            name: name.to_owned(),
            value: raw.map(|value| value.to_string_lossy().into_owned()),
            from: from(name, variable, otherwise),
        });
    }
    for (name, patterns) in [("include", &config.include), ("exclude", &config.exclude)] {
        if !patterns.is_empty() {
            let (name, value) = (name.to_owned(), Some(patterns.join(" ")));
            settings.push(Setting { name, value, from: file.clone() });
        }
    }
    for name in SECRETS {
        let is_set = std::env::var_os(name).is_some_and(|value| !value.is_empty());
        settings.push(Setting {
            name: name.to_owned(),
            value: Some(if is_set { "set" } else { "not set" }.to_owned()),
            from: is_set.then(|| "environment".to_owned()),
        });
    }
    settings.extend(config.profiles.iter().map(|(profile, known)| Setting {
        name: format!("profile.{profile}"),
        value: Some(described(known)),
        from: file.clone(),
    }));
    settings
}

fn described(known: &ProfileSettings) -> String {
    let product =
        known.product_identifier.as_ref().map(|identifier| match product_name(identifier) {
            Some(name) => format!("{identifier} ({name})"),
            None => identifier.clone(),
        });
    let parts = [
        ("country", known.country.map(|country| country.to_string())),
        ("product", product),
        ("time_zone", known.time_zone.as_ref().map(|zone| zone.name().to_owned())),
    ];
    let told = parts.into_iter().filter_map(|(name, value)| Some(format!("{name} {}", value?)));
    told.collect::<Vec<_>>().join(", ")
}
