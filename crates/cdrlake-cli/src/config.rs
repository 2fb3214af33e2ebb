//! `cdrlake.toml`: what is known of each profile's sources, and where things are.
//!
//! ```toml
//! lake = "/data/calls"
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

use anyhow::{Context, Result, bail};
use cdrlake_core::parse_product;
use cdrlake_fetch::Endpoint;
use cdrlake_lake::ProfileSettings;
use serde::Deserialize;

pub(crate) use self::defaults::with_defaults;
pub(crate) use self::show::{ConfigArguments, run};
use crate::summary;

const FILE_NAME: &str = "cdrlake.toml";

/// The environment's name for `--config`.
const VARIABLE: &str = "CDRLAKE_CONFIG";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lake: Option<PathBuf>,
    endpoint: Option<String>,
    credentials: Option<PathBuf>,
    ca_file: Option<PathBuf>,
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
    let config = load(path).inspect_err(|error| summary::line(format_args!("error: {error:#}")));
    Some(config.ok()?.profiles)
}

/// The file that a command line or else the environment names.
pub(crate) fn named(arguments: impl IntoIterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.into_iter().take_while(|argument| argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    std::env::var_os(VARIABLE).map(PathBuf::from)
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
    let File { lake, endpoint, credentials, ca_file, profile } = toml::from_str(text)?;
    if let Some(endpoint) = &endpoint {
        endpoint.parse::<Endpoint>().context("endpoint")?;
    }
    let profiles = profile.into_iter().map(|(name, profile)| {
        let context = || format!("profile {name}");
        let country = profile.country.map(|country| country.parse()).transpose();
        let product = profile.product.map(|product| parse_product(&product)).transpose();
        let time_zone = profile.time_zone.map(|zone| zone.parse()).transpose();
        let settings = ProfileSettings {
            country: country.with_context(context)?,
            product_identifier: product.with_context(context)?,
            time_zone: time_zone.with_context(context)?,
        };
        Ok((name, settings))
    });
    let profiles = profiles.collect::<Result<_>>()?;
    Ok(Config { path: None, lake, endpoint, credentials, ca_file, profiles })
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
