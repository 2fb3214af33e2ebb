//! What was probably meant by a name that there is not.

use cdrlake::{Columns, OnChanged, PartitionBy, TimeZones};
use cdrlake_core::{Country, TimeZone, parse_product};
use jiff::tz::TimeZoneDatabase;

/// English names of the carrier's countries, and their codes of three letters.
#[rustfmt::skip]
const COUNTRIES: [(&str, &str, &str); 24] = [
    ("AT", "AUT", "Austria"),     ("BE", "BEL", "Belgium"),     ("CA", "CAN", "Canada"),
    ("CH", "CHE", "Switzerland"), ("CZ", "CZE", "Czechia"),     ("DE", "DEU", "Germany"),
    ("DK", "DNK", "Denmark"),     ("ES", "ESP", "Spain"),       ("FI", "FIN", "Finland"),
    ("FR", "FRA", "France"),      ("GB", "GBR", "United Kingdom"), ("HK", "HKG", "Hong Kong"),
    ("IE", "IRL", "Ireland"),     ("IT", "ITA", "Italy"),       ("JP", "JPN", "Japan"),
    ("LU", "LUX", "Luxembourg"),  ("NL", "NLD", "Netherlands"), ("NO", "NOR", "Norway"),
    ("PL", "POL", "Poland"),      ("PT", "PRT", "Portugal"),    ("RO", "ROU", "Romania"),
    ("SE", "SWE", "Sweden"),      ("SK", "SVK", "Slovakia"),    ("US", "USA", "United States"),
];

/// What a product may be called besides its identifier.
const PRODUCTS: [&str; 8] = [
    "Voice Line",
    "SIP Trunking",
    "IP Voice Line",
    "IN for Resellers",
    "Geographic Number Hosting",
    "Wholesale SIP",
    "CIC for Resellers",
    "CIC Opc Reseller",
];

/// The candidate that is most like `name`, if one is much like it; whatever the case.
pub(crate) fn nearest<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    /// As much as two of seven letters differ.
    const MUCH: f64 = 0.7;
    let name = name.trim().to_lowercase();
    let likeness = |candidate: &str| {
        let candidate = candidate.to_lowercase();
        let likeness = strsim::normalized_damerau_levenshtein(&name, &candidate);
        // A part that is a name of its own, as month is of call_month; one slip in any name, however
        // short, such as a profile's.
        let is_part = name.len() >= 4 && candidate.split(['_', ' ', '/']).any(|part| part == name);
        let is_slip = name.len() >= 3 && strsim::damerau_levenshtein(&name, &candidate) == 1;
        match is_part || is_slip {
            true => MUCH + (1.0 - MUCH) * likeness,
            false => likeness,
        }
    };
    candidates
        .into_iter()
        .map(|candidate| (likeness(candidate), candidate))
        .filter(|(likeness, _)| *likeness >= MUCH)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `; did you mean "call_month"?`, or nothing.
pub(crate) fn did_you_mean<'c>(
    name: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> String {
    nearest(name, candidates).map(|name| format!("; did you mean {name:?}?")).unwrap_or_default()
}

/// A country of the command line or of `cdrlake.toml`.
pub(crate) fn country(text: &str) -> Result<Country, String> {
    text.parse().map_err(|error| {
        // Codes of two letters are all alike; only a longer word tells what was meant.
        let names = COUNTRIES.iter().flat_map(|(_, long, name)| [*long, *name]);
        let meant = nearest(text, names).filter(|_| text.trim().len() > 2);
        let meant = meant.and_then(|meant| {
            COUNTRIES.iter().find(|(_, long, name)| [*long, *name].contains(&meant))
        });
        match meant {
            Some((code, _, name)) => format!("{error}; did you mean {code}, {name}?"),
            None => format!("{error}"),
        }
    })
}

/// The identifier of a product of the command line or of `cdrlake.toml`.
pub(crate) fn product(text: &str) -> Result<String, String> {
    parse_product(text).map_err(|error| format!("{error}{}", did_you_mean(text, PRODUCTS)))
}

/// Columns of the command line.
pub(crate) fn columns(text: &str) -> Result<Columns, String> {
    text.parse().map_err(|error: cdrlake::UnknownColumn| {
        let names = Columns::default().to_string();
        let hint = did_you_mean(&error.0, names.split(','));
        format!("{error}{hint}; cdrlake schema lists all")
    })
}

/// What divides a lake's calls.
pub(crate) fn partition_by(text: &str) -> Result<PartitionBy, String> {
    text.parse().map_err(|error| {
        format!("{error}{}", did_you_mean(text, PartitionBy::ALL.map(PartitionBy::name)))
    })
}

/// What to do with a delivery that comes again with other content.
pub(crate) fn on_changed(text: &str) -> Result<OnChanged, String> {
    let known = OnChanged::ALL.iter().find(|(name, _)| *name == text);
    known.map(|(_, known)| *known).ok_or_else(|| {
        let hint = did_you_mean(text, OnChanged::ALL.iter().map(|(name, _)| *name));
        format!("expected hold, supersede, both or skip{hint}")
    })
}

/// Whose clocks times are of.
pub(crate) fn time_zones(text: &str) -> Result<TimeZones, String> {
    text.parse().map_err(|error| format!("{error}{}", time_zone_hint(text)))
}

/// A time zone of `cdrlake.toml`.
pub(crate) fn time_zone(text: &str) -> Result<TimeZone, String> {
    text.parse().map_err(|error| format!("{error}{}", time_zone_hint(text)))
}

/// What a time zone that there is not was meant to be.
fn time_zone_hint(text: &str) -> String {
    let names: Vec<String> =
        TimeZoneDatabase::bundled().available().map(|name| name.to_string()).collect();
    let names = names.iter().map(String::as_str);
    did_you_mean(text, names.chain(["country", "profile"]))
}

#[cfg(test)]
mod tests {
    use cdrlake_core::product_name;

    use super::*;

    #[test]
    fn what_is_much_alike_was_meant() {
        let columns = Columns::default().to_string();
        for (wrong, meant) in [
            ("start_tme", Some("start_time")),
            ("Duration", Some("duration")),
            ("destination_e16", Some("destination_e164")),
            ("zzz", None),
            ("", None),
        ] {
            assert_eq!(nearest(wrong, columns.split(',')), meant, "{wrong}");
        }
        let by = |wrong| nearest(wrong, PartitionBy::ALL.map(PartitionBy::name));
        assert_eq!(by("call_moth"), Some("call_month"));
        assert_eq!(by("month"), Some("call_month"));
        assert_eq!(by("date"), Some("call_date"));
        assert_eq!(by("weekday"), None);
        assert_eq!(nearest("ABD", ["XYZ", "ABC"]), Some("ABC"));
        assert_eq!(nearest("abc", ["ABD", "ABC"]), Some("ABC"));
        assert_eq!(nearest("AB", ["AC"]), None);
    }

    #[test]
    fn every_country_goes_by_its_name() {
        assert_eq!(Country::all().count(), COUNTRIES.len());
        for (code, long, name) in COUNTRIES {
            assert_eq!(code.parse::<Country>().unwrap().code(), code);
            for wrong in [long, name].into_iter().filter(|word| *word != "LUX") {
                assert!(country(wrong).unwrap_err().contains(&format!("mean {code},")), "{wrong}");
            }
        }
        assert!(country("Germny").unwrap_err().ends_with("did you mean DE, Germany?"));
        assert!(!country("XX").unwrap_err().contains("did you mean"));
    }

    #[test]
    fn products_and_time_zones() {
        assert!(PRODUCTS.iter().all(|name| product_name(&parse_product(name).unwrap()).is_some()));
        assert!(product("SIP Trunk").unwrap_err().ends_with("did you mean \"SIP Trunking\"?"));
        let zone = time_zones("Europe/Lundon").unwrap_err();
        assert!(zone.ends_with("did you mean \"Europe/London\"?"), "{zone}");
    }
}
