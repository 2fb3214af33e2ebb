//! Which time zone a source's local times are of.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use cdrlake_core::{Country, Metadata, NoTimeZone, TimeZone};

use crate::error::SourceError;
use crate::naming::ProfileSettings;

/// Where the time zones of sources come from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum TimeZones {
    /// From nowhere: `start_time_utc` stays null.
    #[default]
    None,
    /// All sources have this one.
    Named(TimeZone),
    /// Each source's country has one.
    OfCountry,
    /// Each source's profile has one, in its settings.
    OfProfile,
}

impl FromStr for TimeZones {
    type Err = NoTimeZone;

    /// `country`, `profile`, or a name of the IANA database.
    fn from_str(option: &str) -> Result<Self, NoTimeZone> {
        Ok(match option {
            "country" => Self::OfCountry,
            "profile" => Self::OfProfile,
            name => Self::Named(name.parse()?),
        })
    }
}

impl fmt::Display for TimeZones {
    /// As it is parsed; `none` if sources have none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Named(zone) => f.write_str(zone.name()),
            Self::OfCountry => f.write_str("country"),
            Self::OfProfile => f.write_str("profile"),
        }
    }
}

/// [`TimeZones`], and what is known of profiles and of the countries that were met.
#[derive(Debug)]
pub struct KnownTimeZones<'s> {
    zones: TimeZones,
    of_profiles: &'s BTreeMap<String, ProfileSettings>,
    of_countries: Vec<(Country, TimeZone)>,
}

impl<'s> KnownTimeZones<'s> {
    /// Of these settings, for the sources of a run.
    pub fn new(zones: TimeZones, of_profiles: &'s BTreeMap<String, ProfileSettings>) -> Self {
        Self { zones, of_profiles, of_countries: Vec::new() }
    }

    /// Returns the zone of a source, if sources are to have one.
    ///
    /// # Errors
    ///
    /// [`SourceError::NoCountry`], [`SourceError::NoZoneOfProfile`] or [`SourceError::TimeZone`], if
    /// none can be told.
    pub fn of(&mut self, source: &Metadata) -> Result<Option<TimeZone>, SourceError> {
        let zone = match &self.zones {
            TimeZones::None => return Ok(None),
            TimeZones::Named(zone) => zone.clone(),
            TimeZones::OfCountry => match source.country {
                Some(country) => self.of_country(country).map_err(SourceError::TimeZone)?,
                None => return Err(SourceError::NoCountry),
            },
            TimeZones::OfProfile => {
                let profile = source.profile.as_ref();
                let settings = profile.and_then(|profile| self.of_profiles.get(profile));
                let zone = settings.and_then(|settings| settings.time_zone.clone());
                zone.ok_or(SourceError::NoZoneOfProfile)?
            }
        };
        Ok(Some(zone))
    }

    fn of_country(&mut self, country: Country) -> Result<TimeZone, NoTimeZone> {
        let known = self.of_countries.iter().find(|(known, _)| *known == country);
        if let Some((_, zone)) = known {
            return Ok(zone.clone());
        }
        let zone = TimeZone::of_country(country)?;
        self.of_countries.push((country, zone.clone()));
        Ok(zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(
        zones: &mut KnownTimeZones<'_>,
        country: &str,
        profile: &str,
    ) -> Result<String, String> {
        let metadata = Metadata {
            country: country.parse().ok(),
            profile: Some(profile.to_owned()),
            ..Metadata::default()
        };
        let zone = zones.of(&metadata).map_err(|error| {
            assert_eq!(error.code(), "no_time_zone");
            error.to_string()
        })?;
        Ok(zone.map_or("none".to_owned(), |zone| zone.to_string()))
    }

    #[test]
    fn zones_are_named_or_of_the_country_or_profile() {
        let madrid = ProfileSettings {
            time_zone: "Europe/Madrid".parse().ok(),
            ..ProfileSettings::default()
        };
        let profiles = [("ABC".to_owned(), madrid)].into();
        let zones = |option: &str| {
            let zones: TimeZones = option.parse().unwrap();
            assert_eq!(zones.to_string(), option);
            KnownTimeZones::new(zones, &profiles)
        };
        let found = |text: &str| Ok(text.to_owned());
        assert_eq!(
            zone(&mut KnownTimeZones::new(TimeZones::None, &profiles), "GB", "ABC"),
            found("none")
        );
        assert_eq!(zone(&mut zones("Asia/Tokyo"), "GB", "ABC"), found("Asia/Tokyo"));
        let by_country = &mut zones("country");
        for _ in 0..2 {
            assert_eq!(zone(by_country, "GB", "ABC"), found("Europe/London"));
            assert_eq!(zone(by_country, "FR", "ABC"), found("Europe/Paris"));
        }
        let error = zone(by_country, "ES", "ABC").unwrap_err();
        assert!(error.contains("ES has several time zones; name one"), "{error}");
        let error = zone(by_country, "", "ABC").unwrap_err();
        assert_eq!(error, "has no time zone: its country is not known");
        let by_profile = &mut zones("profile");
        assert_eq!(zone(by_profile, "GB", "ABC"), found("Europe/Madrid"));
        let error = zone(by_profile, "GB", "XYZ").unwrap_err();
        assert_eq!(error, "has no time zone");
        assert!("Mars/Base".parse::<TimeZones>().is_err());
    }
}
