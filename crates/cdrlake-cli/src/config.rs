//! `cdrlake.toml`: what is known of each profile's sources, and where things are.
//!
//! ```toml
//! lake = "/data/calls"
//! on_changed = "supersede"
//! exclude = ["*.txt", "old/*"]
//!
//! [profile.ABC]
//! country = "GB"
//! product = "IN for Resellers"
//! time_zone = "Europe/London"
//! ```
//!
//! Consolidated archives name no country, so this is where theirs comes from. The file is found by
//! walking up from the current directory, unless `--config` or `CDRLAKE_CONFIG` names one. Only a file
//! that is named may say where credentials go (`endpoint`, `credentials`, `ca_file`): one that merely
//! lies in a directory could be anybody's. Flags come before the environment, and that before the file.

mod defaults;
mod show;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Error, Result, anyhow, bail};
use cdrlake::{NamePattern, ProfileSettings};
use cdrlake_fetch::Endpoint;
use clap::ArgMatches;
use clap::parser::ValueSource;
use serde::Deserialize;

pub(crate) use self::defaults::with_defaults;
pub(crate) use self::show::{ConfigArguments, run};
use crate::message::{Event, Message, tell};
use crate::suggest;

const FILE_NAME: &str = "cdrlake.toml";

/// The environment's name for the lake.
const LAKE_VARIABLE: &str = "CDRLAKE_LAKE";

/// The environment's name for `--config`.
const VARIABLE: &str = "CDRLAKE_CONFIG";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lake: Option<PathBuf>,
    endpoint: Option<String>,
    credentials: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    on_changed: Option<String>,
    #[serde(default)]
    include: Vec<String>,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
}

/// What the file says.
#[derive(Debug, Default)]
pub(crate) struct Config {
    /// The file, if there is one.
    path: Option<PathBuf>,
    lake: Option<PathBuf>,
    endpoint: Option<String>,
    credentials: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    /// What to do with a delivery that comes again with other content.
    on_changed: Option<String>,
    /// What is read, and what is not, by its name.
    include: Vec<String>,
    exclude: Vec<String>,
    profiles: BTreeMap<String, ProfileSettings>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    country: Option<String>,
    product: Option<String>,
    time_zone: Option<String>,
}

/// The profiles of the file at `path`, or of the one found by walking up. If it is wrong that is
/// said, and there is nothing.
pub(crate) fn profiles_or_usage(path: Option<&Path>) -> Option<BTreeMap<String, ProfileSettings>> {
    let config = load(path).inspect_err(|error| tell(Event::Usage, format_args!("{error:#}")));
    Some(config.ok()?.profiles)
}

/// The file that a command line or else the environment names.
pub(crate) fn named(arguments: impl IntoIterator<Item = OsString>) -> Option<PathBuf> {
    given(arguments, "--config").or_else(|| std::env::var_os(VARIABLE)).map(PathBuf::from)
}

/// The value of an option as a command line has it that may not parse.
pub(crate) fn given(
    arguments: impl IntoIterator<Item = OsString>,
    option: &str,
) -> Option<OsString> {
    let mut arguments = arguments.into_iter().take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == option {
            return arguments.next();
        }
        let value = argument.to_str().and_then(|text| text.strip_prefix(option)?.strip_prefix('='));
        if let Some(value) = value {
            return Some(value.into());
        }
    }
    None
}

/// Where a command's lake comes from, if not from the command line: the environment or the file.
pub(crate) fn lake_from(config: &Config, matches: &ArgMatches) -> Option<String> {
    // Clap takes it for a mistake to ask for what the command does not have.
    matches.try_contains_id("output").ok()?;
    match matches.value_source("output")? {
        ValueSource::EnvVariable => Some(LAKE_VARIABLE.to_owned()),
        ValueSource::DefaultValue => config.path.as_ref().map(|path| path.display().to_string()),
        _ => None,
    }
}

/// Says which lake will be changed though the command line does not name it.
pub(crate) fn tell_lake(lake: &Path, from: &str) {
    let text = format_args!("the lake is {}, as {from} says", lake.display());
    Message::new(Event::LakeChosen, text).with("lake", lake).with("from", from).tell();
}

/// What the file at `path` says, or the one found by walking up, if any.
pub(crate) fn load(path: Option<&Path>) -> Result<Config> {
    let (path, text, is_named) = match path {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            (path.to_owned(), text, true)
        }
        None => match find()? {
            Some((path, text)) => (path, text, false),
            None => return Ok(Config::default()),
        },
    };
    let config = parse(&text).with_context(|| format!("{} is wrong", path.display()))?;
    let of_fetching = [
        ("endpoint", config.endpoint.is_some()),
        ("credentials", config.credentials.is_some()),
        ("ca_file", config.ca_file.is_some()),
    ];
    if let (false, Some((name, _))) = (is_named, of_fetching.iter().find(|(_, is_set)| *is_set)) {
        bail!(
            "{} sets {name}, which only a file that is named may: give --config {0}, or set \
             {VARIABLE}",
            path.display()
        );
    }
    let beside = path.parent().unwrap_or(Path::new(""));
    Ok(Config {
        lake: config.lake.map(|lake| beside.join(lake)),
        credentials: config.credentials.map(|file| beside.join(file)),
        ca_file: config.ca_file.map(|file| beside.join(file)),
        path: Some(path),
        ..config
    })
}

/// The nearest file in the current directory and those above it.
fn find() -> Result<Option<(PathBuf, String)>> {
    let here = std::env::current_dir().context("cannot tell the current directory")?;
    for directory in here.ancestors() {
        let path = directory.join(FILE_NAME);
        match fs::read_to_string(&path) {
            Ok(text) => return Ok(Some((path, text))),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read {}", path.display()));
            }
        }
    }
    Ok(None)
}

/// Paths are as they are written.
fn parse(text: &str) -> Result<Config> {
    let parsed = toml::from_str(text);
    let File { lake, endpoint, credentials, ca_file, on_changed, include, exclude, profile } =
        parsed.map_err(|error| anyhow!("{}{}", error.to_string().trim_end(), hint(text)))?;
    if let Some(endpoint) = &endpoint {
        endpoint.parse::<Endpoint>().context("endpoint")?;
    }
    if let Some(on_changed) = &on_changed {
        suggest::on_changed(on_changed).map_err(Error::msg).context("on_changed")?;
    }
    for (key, patterns) in [("include", &include), ("exclude", &exclude)] {
        for pattern in patterns {
            pattern.parse::<NamePattern>().context(key)?;
        }
    }
    let profiles = profile.into_iter().map(|(name, profile)| {
        let context = || format!("profile {name}");
        let country = profile.country.map(|country| suggest::country(&country)).transpose();
        let product = profile.product.map(|product| suggest::product(&product)).transpose();
        let time_zone = profile.time_zone.map(|zone| suggest::time_zone(&zone)).transpose();
        let settings = ProfileSettings {
            country: country.map_err(Error::msg).with_context(context)?,
            product_identifier: product.map_err(Error::msg).with_context(context)?,
            time_zone: time_zone.map_err(Error::msg).with_context(context)?,
        };
        Ok((name, settings))
    });
    let profiles = profiles.collect::<Result<_>>()?;
    let path = None;
    Ok(Config {
        path,
        lake,
        endpoint,
        credentials,
        ca_file,
        on_changed,
        include,
        exclude,
        profiles,
    })
}

/// What a key that there is not was meant to be.
fn hint(text: &str) -> String {
    const KEYS: [&str; 8] = [
        "lake",
        "endpoint",
        "credentials",
        "ca_file",
        "on_changed",
        "include",
        "exclude",
        "profile",
    ];
    const OF_PROFILE: [&str; 3] = ["country", "product", "time_zone"];
    let Ok(file) = text.parse::<toml::Table>() else { return String::new() };
    let unknown = |table: &toml::Table, keys: &[&'static str]| {
        let key = table.keys().find(|key| !keys.contains(&key.as_str()))?;
        Some(suggest::did_you_mean(key, keys.iter().copied()))
    };
    let profiles = file.get("profile").and_then(toml::Value::as_table);
    let mut profiles = profiles.into_iter().flatten().filter_map(|(_, it)| it.as_table());
    unknown(&file, &KEYS)
        .or_else(|| profiles.find_map(|profile| unknown(profile, &OF_PROFILE)))
        .unwrap_or_default()
}

/// Says so if a profile of the command line is much like one that the file knows, but none of those.
pub(crate) fn warn_of_profile(profile: &str, profiles: &BTreeMap<String, ProfileSettings>) {
    let meant = suggest::nearest(profile, profiles.keys().map(String::as_str));
    if let (Some(meant), false) = (meant, profiles.contains_key(profile)) {
        let text = format_args!("cdrlake.toml knows no profile {profile}; did you mean {meant:?}?");
        tell(Event::Warned, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_countries_and_products() {
        let text = "[profile.ABC]\ncountry = \"uk\"\nproduct = \"wholesale sip\"\n\
            time_zone = \"Europe/London\"\n[profile.X1]\n";
        let profiles = parse(text).unwrap().profiles;
        let settings = &profiles["ABC"];
        assert_eq!(settings.country.unwrap().code(), "GB");
        assert_eq!(settings.product_identifier.as_deref(), Some("15"));
        assert_eq!(settings.time_zone.as_ref().unwrap().name(), "Europe/London");
        assert_eq!(profiles["X1"], ProfileSettings::default());
        assert!(parse("").unwrap().profiles.is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, message) in [
            ("[profile.ABC]\ncountry = \"XX\"", "profile ABC: unknown country \"XX\""),
            ("[profile.ABC]\nproduct = \"SIP\"", "profile ABC: unknown product \"SIP\""),
            ("[profile.ABC]\ntime_zone = \"Mars\"", "profile ABC: unknown time zone \"Mars\""),
            ("[profile.ABC]\ncontry = \"GB\"", "unknown field `contry`"),
            ("[profiles.ABC]", "unknown field `profiles`"),
            ("endpoint = \"ftp://x\"", "endpoint: "),
            ("lakes = \"x\"", "unknown field `lakes`"),
            ("[profile.ABC", "TOML parse error at line 1"),
            ("[profile.ABC]\ncontry = \"GB\"", "did you mean \"country\"?"),
            ("[profiles.ABC]", "did you mean \"profile\"?"),
            ("[profile.ABC]\ncountry = \"Germany\"", "did you mean DE, Germany?"),
            ("[profile.ABC]\ntime_zone = \"Europe/Rom\"", "did you mean \"Europe/Rome\"?"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn the_command_line_names_the_file() {
        let named = |line: &str| named(line.split(' ').map(OsString::from));
        for line in ["convert --config a.toml x", "--config=a.toml", "fetch x --config a.toml"] {
            assert_eq!(named(line), Some("a.toml".into()), "{line}");
        }
        assert_eq!(named("convert -- --config"), None);
        assert_eq!(named("convert --config"), None);
    }
}
