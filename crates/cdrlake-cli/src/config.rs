//! `cdrlake.toml`: what is known of each profile's sources.
//!
//! ```toml
//! [profile.ABC]
//! country = "GB"
//! product = "IN for Resellers"
//! time_zone = "Europe/London"
//! ```
//!
//! Consolidated archives name no country, so this is where theirs comes from. The file is found by
//! walking up from the current directory, unless `--config` names one.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cdrlake_core::parse_product;
use cdrlake_lake::ProfileSettings;
use serde::Deserialize;

use crate::summary;

const FILE_NAME: &str = "cdrlake.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    #[serde(default)]
    profile: BTreeMap<String, Profile>,
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
    profiles(path).inspect_err(|error| summary::line(format_args!("error: {error:#}"))).ok()
}

fn profiles(path: Option<&Path>) -> Result<BTreeMap<String, ProfileSettings>> {
    let (path, text) = match path {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            (path.to_owned(), text)
        }
        None => match find()? {
            Some(found) => found,
            None => return Ok(BTreeMap::new()),
        },
    };
    parse(&text).with_context(|| format!("{} is wrong", path.display()))
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

fn parse(text: &str) -> Result<BTreeMap<String, ProfileSettings>> {
    let config: Config = toml::from_str(text)?;
    let profiles = config.profile.into_iter().map(|(name, profile)| {
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
    profiles.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_have_countries_and_products() {
        let text = "[profile.ABC]\ncountry = \"uk\"\nproduct = \"wholesale sip\"\n\
            time_zone = \"Europe/London\"\n[profile.X1]\n";
        let profiles = parse(text).unwrap();
        let settings = &profiles["ABC"];
        assert_eq!(settings.country.unwrap().code(), "GB");
        assert_eq!(settings.product_identifier.as_deref(), Some("15"));
        assert_eq!(settings.time_zone.as_ref().unwrap().name(), "Europe/London");
        assert_eq!(profiles["X1"], ProfileSettings::default());
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn mistakes_are_named() {
        for (text, message) in [
            ("[profile.ABC]\ncountry = \"XX\"", "profile ABC: unknown country \"XX\""),
            ("[profile.ABC]\nproduct = \"SIP\"", "profile ABC: unknown product \"SIP\""),
            ("[profile.ABC]\ntime_zone = \"Mars\"", "profile ABC: unknown time zone \"Mars\""),
            ("[profile.ABC]\ncontry = \"GB\"", "unknown field `contry`"),
            ("[profiles.ABC]", "unknown field `profiles`"),
            ("[profile.ABC", "TOML parse error at line 1"),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{error}");
        }
    }
}
