//! Which time zones were in force when sources were loaded, for the ledger.

use std::collections::HashMap;

use cdrlake_core::Country;
use cdrlake_load::LoadOptions;
use cdrlake_source::{KnownTimeZones, Source, TimeZones};

/// The zones of a run's sources.
pub(crate) struct ZonesInForce {
    zones: TimeZones,
    settings: cdrlake_source::Settings,
    /// Their names by what tells them.
    known: HashMap<(Option<Country>, Option<String>), Option<String>>,
}

impl ZonesInForce {
    pub(crate) fn of_run(options: &LoadOptions) -> Self {
        let (zones, settings) = (options.time_zones.clone(), options.settings.clone());
        Self { zones, settings, known: HashMap::new() }
    }

    /// The zone of a source, and what tells it: `flag`, `country` or `configuration`.
    pub(crate) fn of(&mut self, source: &Source) -> Option<(String, &'static str)> {
        let told_by = match self.zones {
            TimeZones::None => return None,
            TimeZones::Named(_) => "flag",
            TimeZones::OfCountry => "country",
            TimeZones::OfProfile => "configuration",
        };
        let key = (source.metadata.country, source.metadata.profile.clone());
        let name = self.known.entry(key).or_insert_with(|| {
            let mut zones = KnownTimeZones::new(self.zones.clone(), &self.settings.profiles);
            let zone = zones.of(&source.metadata).ok().flatten();
            zone.map(|zone| zone.name().to_owned())
        });
        name.clone().map(|name| (name, told_by))
    }
}
