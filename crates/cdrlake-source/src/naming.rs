//! What sources are called, and what their names and the settings tell of them.

use std::collections::BTreeMap;
use std::path::Path;

use cdrlake_core::{Country, Metadata, TimeZone, carrier_name, parse_file_name};

use crate::inboxes::Ordered;
use crate::source::Source;
use crate::told_by::{MetadataToldBy, ToldBy};

/// What is known of sources whose names do not tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// For all sources.
    pub metadata: Metadata,
    /// For the sources of a profile, after all else.
    pub profiles: BTreeMap<String, ProfileSettings>,
}

/// What is known of a profile's sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProfileSettings {
    /// Whose numbering plan national numbers follow.
    pub country: Option<Country>,
    /// The product identifier.
    pub product_identifier: Option<String>,
    /// Whose clocks the times are of, for [`TimeZones::OfProfile`](crate::TimeZones).
    pub time_zone: Option<TimeZone>,
}

/// A source's names so far, from the outside in.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    name: String,
    source_file: String,
    /// Its own, if it has one of the carrier's forms.
    carrier_name: Option<String>,
    /// What the names tell: a member's own first, then its archive's.
    metadata: Metadata,
    /// What was asked for when the file was fetched.
    ordered: Ordered,
    /// The name of what is being unwrapped: the last one, less the endings that are unwrapped.
    content: String,
}

impl Naming {
    pub(crate) fn of_path(path: &Path, settings: &Settings) -> Self {
        Self::of_file(path, Ordered::default(), settings)
    }

    /// A file of which an inbox may know what was asked for.
    pub(crate) fn of_file(path: &Path, ordered: Ordered, settings: &Settings) -> Self {
        let source_file = label(&path.file_name().unwrap_or_default().to_string_lossy());
        let profile = ordered.metadata.profile.as_deref();
        let profile = profile.or(settings.metadata.profile.as_deref());
        Self {
            name: label(&path.display().to_string()),
            carrier_name: carrier_name(&source_file),
            metadata: parse_file_name(&source_file, profile),
            ordered,
            content: source_file.clone(),
            source_file,
        }
    }

    pub(crate) fn of_stream(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            source_file: "-".to_owned(),
            carrier_name: None,
            metadata: Metadata::default(),
            ordered: Ordered::default(),
            content: String::new(),
        }
    }

    /// For messages: the path as the user gave it, and `!member`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Its own name, without directories.
    pub(crate) fn file_name(&self) -> &str {
        &self.content
    }

    /// A member of this archive. Its name is a label, whatever it looks like.
    pub(crate) fn member(&self, entry: &str, settings: &Settings) -> Self {
        let entry = label(entry);
        // What calls itself a directory, and has content, is a file.
        let file_name = entry.trim_end_matches(['/', '\\']);
        let file_name = file_name.rsplit(['/', '\\']).next().unwrap_or_default();
        let profile = self.ordered.metadata.profile.as_deref();
        let profile = profile.or(settings.metadata.profile.as_deref());
        let profile = profile.or(self.metadata.profile.as_deref());
        Self {
            name: format!("{}!{entry}", self.name),
            source_file: format!("{}!{entry}", self.source_file),
            carrier_name: carrier_name(file_name),
            metadata: parse_file_name(file_name, profile).or(&self.metadata),
            ordered: self.ordered.clone(),
            content: file_name.to_owned(),
        }
    }

    /// A source whose rejected lines stand in this file. What was known of it when it was loaded
    /// counts first, then what its names tell.
    pub(crate) fn replayed(
        &self,
        source_file: &str,
        known: &Metadata,
        settings: &Settings,
    ) -> Source {
        let profile = known.profile.as_deref().or(settings.metadata.profile.as_deref());
        let names = source_file.rsplit('!').map(|name| name.rsplit(['/', '\\']).next());
        let told = names.flatten().map(|name| parse_file_name(name, profile));
        let metadata = told.fold(known.clone(), |known, told| known.or(&told));
        let source_file = label(source_file);
        let name = format!("{}!{source_file}", self.name);
        let (carrier_name, content, ordered) = (None, String::new(), Ordered::default());
        Self { metadata, carrier_name, name, source_file, ordered, content }.source(settings)
    }

    /// What is inside this gzip: `x.tar.gz` holds `x.tar`.
    pub(crate) fn decompressed(&self) -> Self {
        let content = match self.content.rsplit_once('.') {
            Some((stem, end)) if end.eq_ignore_ascii_case("gz") => stem.to_owned(),
            Some((stem, end)) if end.eq_ignore_ascii_case("tgz") => format!("{stem}.tar"),
            _ => String::new(),
        };
        Self { content, ..self.clone() }
    }

    /// The ending of what is being unwrapped, in lower case.
    pub(crate) fn extension(&self) -> Option<String> {
        self.content.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase())
    }

    /// The source of this name, and all that is known of it.
    pub(crate) fn source(&self, settings: &Settings) -> Source {
        let known = self.metadata.clone().or(&self.ordered.metadata).or(&settings.metadata);
        let profile = known.profile.as_ref().and_then(|profile| settings.profiles.get(profile));
        let of_profile = profile.map_or_else(Metadata::default, |profile| Metadata {
            country: profile.country,
            product_identifier: profile.product_identifier.clone(),
            ..Metadata::default()
        });
        let metadata = known.or(&of_profile);
        let all = [&self.metadata, &self.ordered.metadata, &settings.metadata, &of_profile];
        let told_by = MetadataToldBy {
            country: ToldBy::first(all.map(|told| told.country.is_some())),
            profile: ToldBy::first(all.map(|told| told.profile.is_some())),
            product_identifier: ToldBy::first(all.map(|told| told.product_identifier.is_some())),
        };
        Source {
            name: self.name.as_str().into(),
            source_file: self.source_file.clone(),
            carrier_name: self.carrier_name.clone(),
            metadata,
            told_by,
            arrived: self.ordered.arrived,
        }
    }
}

/// A name as it may stand in a message or a column: control characters would garble either.
fn label(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_archives_settings_and_profiles_in_this_order() {
        let profile = ProfileSettings {
            country: "FR".parse().ok(),
            product_identifier: Some("00".to_owned()),
            time_zone: None,
        };
        let settings = Settings {
            metadata: Metadata { country: "DE".parse().ok(), ..Metadata::default() },
            profiles: [("AM2".to_owned(), profile.clone()), ("ABC".to_owned(), profile)].into(),
        };
        let archive = Naming::of_path(Path::new("in/AM220120110182.cdr.zip"), &settings);
        let country = |naming: &Naming| naming.source(&settings).metadata.country.unwrap().code();
        let product = |naming: &Naming| naming.source(&settings).metadata.product_identifier;
        assert_eq!((country(&archive), product(&archive).unwrap().as_str()), ("DE", "00"));
        let own = archive.member("2012/GB_ABC_12_0001_20251019090122.cdr", &settings);
        assert_eq!((country(&own), product(&own).unwrap().as_str()), ("GB", "12"));
        let told_by = |naming: &Naming| {
            let told = naming.source(&settings).told_by;
            (told.country.unwrap().name(), told.product_identifier.unwrap().name())
        };
        assert_eq!(
            (told_by(&archive), told_by(&own)),
            (("flag", "configuration"), ("name", "name"))
        );
        let nameless = archive.member("..\\calls\n", &settings);
        let source = nameless.source(&settings);
        assert_eq!(source.source_file, "AM220120110182.cdr.zip!..\\calls\u{FFFD}");
        assert_eq!(&*source.name, "in/AM220120110182.cdr.zip!..\\calls\u{FFFD}");
        assert_eq!(source.metadata.profile.as_deref(), Some("AM2"));
        let without = Settings { metadata: Metadata::default(), ..settings };
        assert_eq!(nameless.source(&without).metadata.country.unwrap().code(), "FR");
    }

    #[test]
    fn endings_are_unwrapped_one_by_one() {
        let naming = Naming::of_path(Path::new("a.TAR.gz"), &Settings::default());
        assert_eq!(naming.extension().as_deref(), Some("gz"));
        assert_eq!(naming.decompressed().extension().as_deref(), Some("tar"));
        let tgz = Naming::of_path(Path::new("a.tgz"), &Settings::default());
        assert_eq!(tgz.decompressed().extension().as_deref(), Some("tar"));
        let other = Naming::of_path(Path::new("a.zip"), &Settings::default());
        assert_eq!(other.decompressed().extension(), None);
    }
}
