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
    assert_eq!(carrier_name(&name), called(&name), "{name:?}");
}

fn expected(name: &str, chosen: Option<&str>) -> Metadata {
    if let [stem] = stems(name)[..] {
        return delivery(stem).unwrap_or_default();
    }
    consolidated(name).map(|stem| of_consolidated(&stem, chosen)).unwrap_or_default()
}

fn of_consolidated(stem: &str, chosen: Option<&str>) -> Metadata {
    let profiles: Vec<&str> =
        (1..=5).filter(|&len| is_consolidated(stem, len)).map(|len| &stem[..len]).collect();
    let chosen = chosen.map(str::to_ascii_uppercase);
    let profile = match profiles.len() {
        1 => Some(profiles[0]),
        _ => profiles.into_iter().find(|profile| Some(*profile) == chosen.as_deref()),
    };
    Metadata { profile: profile.map(str::to_owned), ..Metadata::default() }
}

/// What the carrier calls the delivery.
fn called(name: &str) -> Option<String> {
    if let [stem] = stems(name)[..] {
        let upper = stem.to_ascii_uppercase();
        let aliases = [("UK_", "GB_"), ("LUX_", "LU_")];
        let alias = aliases.into_iter().find(|(alias, _)| upper.starts_with(alias));
        return Some(match alias {
            Some((alias, code)) => upper.replacen(alias, code, 1),
            None => upper,
        });
    }
    consolidated(name).filter(|stem| (1..=5).any(|len| is_consolidated(stem, len)))
}

/// All stems of deliveries in a name, between what is neither letter nor digit.
fn stems(name: &str) -> Vec<&str> {
    let starts = name.char_indices().map(|(at, _)| at);
    let windows = starts.flat_map(|at| (26..=32).filter_map(move |len| name.get(at..at + len)));
    windows
        .filter(|stem| {
            let at = stem.as_ptr() as usize - name.as_ptr() as usize;
            let (before, after) = (&name[..at], &name[at + stem.len()..]);
            delivery(stem).is_some()
                && !before.ends_with(char::is_alphanumeric)
                && !after.starts_with(char::is_alphanumeric)
        })
        .collect()
}

/// What stands before `.cdr`, `.cdr.gz`, `.cdr.zip` or `.cdr.zst`, in upper case, without what copies and
/// downloads add.
fn consolidated(name: &str) -> Option<String> {
    let upper = name.to_ascii_uppercase();
    let stem = upper.trim_end_matches(|c: char| c.is_ascii_digit());
    let is_numbered = stem.len() < upper.len() && stem.ends_with('.');
    let upper = plain(if is_numbered { &stem[..stem.len() - 1] } else { &upper });
    let packed = [".GZ", ".ZIP", ".ZST"].into_iter().find_map(|end| upper.strip_suffix(end));
    let unpacked = plain(packed.unwrap_or(&upper));
    unpacked.strip_suffix(".CDR").map(plain)
}

/// A name of upper case without ` (n)`, `(n)` and `_` and eight hexadecimal digits at its end.
fn plain(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let count =
        |end: usize, is: fn(&char) -> bool| chars[..end].iter().rev().take_while(|c| is(c)).count();
    let hex = count(chars.len(), |c| c.is_ascii_digit() || ('A'..='F').contains(c));
    let cut = match chars[..] {
        [.., ')'] => {
            let digits = count(chars.len() - 1, char::is_ascii_digit);
            let open = (chars.len() - 1 - digits).checked_sub(1);
            match open.filter(|&open| digits > 0 && chars[open] == '(') {
                Some(open) if open > 0 && chars[open - 1] == ' ' => Some(open - 1),
                open => open,
            }
        }
        _ => chars.len().checked_sub(9).filter(|&at| hex >= 8 && chars[at] == '_'),
    };
    match cut {
        Some(cut) => plain(&chars[..cut].iter().collect::<String>()),
        None => name.to_owned(),
    }
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
        country: country.to_ascii_uppercase().parse().ok(),
        profile: Some(profile.to_ascii_uppercase()),
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
