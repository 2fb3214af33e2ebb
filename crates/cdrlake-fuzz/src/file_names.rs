//! What names of files tell.

use arbitrary::{Arbitrary, Unstructured};
use cdrlake_core::{Metadata, carrier_name, parse_file_name};
use jiff::civil::{Date, DateTime};

/// A name tells what a slow, obvious reading of the carrier's forms says.
///
/// Input: how long the profile is, the profile, and a name.
pub fn file_names(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let len = usize::from(u8::arbitrary(&mut bytes).unwrap_or_default() % 8).min(bytes.len());
    let profile = bytes.bytes(len).map(String::from_utf8_lossy).unwrap_or_default();
    let name = String::from_utf8_lossy(bytes.take_rest());
    for chosen in [None, Some(&*profile)] {
        assert_eq!(parse_file_name(&name, chosen), expected(&name, chosen), "{name:?} {chosen:?}");
    }
    let form = stem(&name)
        .filter(|stem| delivery(stem).is_some() || (1..=5).any(|len| is_consolidated(stem, len)));
    assert_eq!(carrier_name(&name), form);
}

fn expected(name: &str, chosen: Option<&str>) -> Metadata {
    let Some(stem) = stem(name) else { return Metadata::default() };
    if let Some(metadata) = delivery(stem) {
        return metadata;
    }
    let profiles: Vec<&str> =
        (1..=5).filter(|&len| is_consolidated(stem, len)).map(|len| &stem[..len]).collect();
    let profile = match profiles.len() {
        1 => Some(profiles[0]),
        _ => profiles.into_iter().find(|profile| Some(*profile) == chosen),
    };
    Metadata { profile: profile.map(str::to_owned), ..Metadata::default() }
}

/// What stands before `.cdr`, `.cdr.gz` or `.cdr.zip`, in any case.
fn stem(name: &str) -> Option<&str> {
    let lower = name.to_ascii_lowercase();
    let suffix =
        [".cdr.gz", ".cdr.zip", ".cdr"].into_iter().find(|suffix| lower.ends_with(suffix))?;
    Some(&name[..name.len() - suffix.len()])
}

fn delivery(stem: &str) -> Option<Metadata> {
    let parts: Vec<&str> = stem.split('_').collect();
    let [country, profile, product, sequence, time] = parts[..] else { return None };
    let alphanumeric = |text: &str, most: usize| {
        (1..=most).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
    };
    let digits =
        |text: &str, len: usize| text.len() == len && text.chars().all(|c| c.is_ascii_digit());
    let is_country =
        (2..=3).contains(&country.len()) && country.chars().all(|c| c.is_ascii_alphabetic());
    let is_form = is_country
        && alphanumeric(profile, 5)
        && alphanumeric(product, 2)
        && digits(sequence, 4)
        && digits(time, 14);
    // No leap seconds, which the parser would take.
    if !is_form || time.ends_with("60") {
        return None;
    }
    let made = DateTime::strptime("%Y%m%d%H%M%S", time).ok()?;
    if !(1900..=2100).contains(&made.year()) {
        return None;
    }
    let epoch = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    Some(Metadata {
        country: country.parse().ok(),
        profile: Some(profile.to_owned()),
        product_identifier: Some(product.to_owned()),
        sequence_number: sequence.parse().ok(),
        file_time: Some(made.duration_since(epoch).as_secs() * 1_000_000),
    })
}

/// Whether a profile of this length and an order id that begins with a date make the name.
fn is_consolidated(stem: &str, len: usize) -> bool {
    if !stem.is_ascii() || stem.len() < len + 8 || stem.len() > len + 36 {
        return false;
    }
    let (profile, order_id) = stem.split_at(len);
    let date = &order_id[..8];
    profile.chars().all(|c| c.is_ascii_alphanumeric())
        && order_id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && date.starts_with("20")
        && date.chars().all(|c| c.is_ascii_digit())
        && Date::strptime("%Y%m%d", date).is_ok()
}
