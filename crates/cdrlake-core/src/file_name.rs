//! What the name of a file or archive member tells of the records in it (sections 4.3 and 4.4.5),
//! whatever copies, downloads and other systems made of it.

use crate::calendar::{days, microseconds, seconds_of_day};
use crate::country::Country;
use crate::product::is_identifier;

/// What is known of a source from outside its records: from its name, its archive's, or settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Whose numbering plan national numbers follow.
    pub country: Option<Country>,
    /// The reseller's profile, 1 to 5 letters or digits.
    pub profile: Option<String>,
    /// The product identifier, 1 or 2 letters or digits, in the carrier's table or not.
    pub product_identifier: Option<String>,
    /// The rolling number of the delivery, 0 to 9999, by profile and product.
    pub sequence_number: Option<i32>,
    /// The file's own time, in microseconds since 1970-01-01T00:00:00, no zone.
    pub file_time: Option<i64>,
}

impl Metadata {
    /// What `self` does not tell, taken from `other`: first a member's own name, then its
    /// archive's, then the settings.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        Self {
            country: self.country.or(other.country),
            profile: self.profile.or_else(|| other.profile.clone()),
            product_identifier: self
                .product_identifier
                .or_else(|| other.product_identifier.clone()),
            sequence_number: self.sequence_number.or(other.sequence_number),
            file_time: self.file_time.or(other.file_time),
        }
    }
}

/// What `name`, without directories, tells; nothing if it has neither of the carrier's forms. Letter
/// case does not matter.
///
/// * A name that holds exactly one stem `<country>_<profile>_<product identifier>_<sequence>_\
///   <YYYYMMDDHHmmss>`, between what is neither letter nor digit, is that delivery's, whatever else
///   stands in it: `Copy of …`, `… (2)`, `….cdr.gz.1`. A country that the carrier does not deliver is
///   left out.
/// * `<profile><order id>.cdr[.gz|.zip|.zst]`, a consolidated delivery: the order id begins with a
///   date, so the split is where 1 to 5 characters precede one of 2000 to 2099. If several are
///   possible, `profile` decides. What may follow it, or an ending, is ` (n)`, `(n)`
///   and `_` with eight hexadecimal digits, and `.n` at the very end.
///
/// ```
/// use cdrlake_core::parse_file_name;
///
/// let metadata = parse_file_name("Copy of gb_abc_12_0001_20251019090122.cdr.gz", None);
/// assert_eq!(metadata.country.map(|country| country.code()), Some("GB"));
/// assert_eq!(metadata.profile.as_deref(), Some("ABC"));
/// assert_eq!(metadata.sequence_number, Some(1));
///
/// let consolidated = parse_file_name("AM220120110182.cdr (1).zip", None);
/// assert_eq!(consolidated.profile.as_deref(), Some("AM2"));
/// ```
#[must_use]
pub fn parse_file_name(name: &str, profile: Option<&str>) -> Metadata {
    if let Some(stem) = delivery_stem(name) {
        return delivery(stem).unwrap_or_default();
    }
    let profile = profile.map(str::to_ascii_uppercase);
    let stem = consolidated_stem(name).map(str::to_ascii_uppercase);
    let profile = stem.and_then(|stem| consolidated_profile(&stem, profile.as_deref()));
    Metadata { profile, ..Metadata::default() }
}

/// What the carrier calls a delivery, however its file is named and packed now, in upper case; none if
/// `name` has neither of the carrier's forms. `UK` and `GB` are one country.
///
/// ```
/// use cdrlake_core::carrier_name;
///
/// let name = "GB_ABC_12_0001_20251019090122";
/// assert_eq!(carrier_name(&format!("{name}.cdr.gz")).as_deref(), Some(name));
/// assert_eq!(carrier_name("uk_abc_12_0001_20251019090122 (2).cdr~").as_deref(), Some(name));
/// assert_eq!(carrier_name("calls.cdr.gz"), None);
/// ```
#[must_use]
pub fn carrier_name(name: &str) -> Option<String> {
    if let Some(stem) = delivery_stem(name) {
        let (country, rest) = stem.split_once('_')?;
        let country = country.to_ascii_uppercase();
        let known = country.parse::<Country>().ok().map(Country::code);
        let country = known.unwrap_or(&country);
        return Some(format!("{country}_{}", rest.to_ascii_uppercase()));
    }
    let stem = consolidated_stem(name)?.to_ascii_uppercase();
    (!consolidated_profiles(&stem).is_empty()).then_some(stem)
}

/// Whether a name says that its file is still being written, or was left unfinished.
///
/// ```
/// assert!(cdrlake_core::is_unfinished("x.cdr.gz.filepart"));
/// assert!(!cdrlake_core::is_unfinished("x.cdr.gz"));
/// ```
#[must_use]
pub fn is_unfinished(name: &str) -> bool {
    const ENDINGS: [&str; 7] =
        [".filepart", ".part", ".partial", ".tmp", ".crdownload", "._COPYING_", ".swp"];
    ENDINGS.iter().any(|ending| strip_suffix(name, ending).is_some())
}

/// Whether a name, without directories, is one that systems leave beside files: hidden, or a folder's
/// settings and pictures.
///
/// ```
/// assert!(cdrlake_core::is_bystander(".DS_Store"));
/// assert!(cdrlake_core::is_bystander("Thumbs.db"));
/// ```
#[must_use]
pub fn is_bystander(name: &str) -> bool {
    const NAMES: [&str; 4] = ["Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir"];
    name.starts_with('.') || NAMES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The only stem of a delivery that `name` holds between what is neither letter nor digit.
fn delivery_stem(name: &str) -> Option<&str> {
    let is_bound = |next: Option<char>| next.is_none_or(|next| !next.is_alphanumeric());
    let mut found = None;
    // A stem is told by its time: an underscore and 14 digits.
    for (at, _) in name.match_indices('_') {
        let end = at + 1 + TIME_LEN;
        if !name.get(at + 1..end).is_some_and(|time| is_all(time, u8::is_ascii_digit))
            || !is_bound(name[end..].chars().next())
        {
            continue;
        }
        // Before it: country, profile, product identifier and sequence number.
        let Some(rest) = name[..at].rsplitn(4, '_').nth(3) else { continue };
        let letters = rest.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        let start = rest.len() - letters;
        let is_alone = is_bound(rest[..start].chars().next_back());
        let stem = &name[start..end];
        if is_alone && delivery(stem).is_some() && found.replace(stem).is_some() {
            return None;
        }
    }
    found
}

const TIME_LEN: usize = 14;

/// `name` of a consolidated delivery without its endings and what copies add to them.
fn consolidated_stem(name: &str) -> Option<&str> {
    // `wget` numbers what it has already: at the very end.
    let digits = name.bytes().rev().take_while(u8::is_ascii_digit).count();
    let numbered = name[..name.len() - digits].strip_suffix('.').filter(|_| digits > 0);
    let name = undecorated(numbered.unwrap_or(name));
    let packed = [".gz", ".zip", ".zst"].iter().find_map(|end| strip_suffix(name, end));
    let stem = strip_suffix(undecorated(packed.unwrap_or(name)), ".cdr")?;
    Some(undecorated(stem))
}

/// `name` without ` (n)`, `(n)` and `_` with eight hexadecimal digits at its end.
fn undecorated(name: &str) -> &str {
    let mut name = name;
    loop {
        let digits = |text: &str| !text.is_empty() && is_all(text, u8::is_ascii_digit);
        let copy = name
            .strip_suffix(')')
            .and_then(|name| name.rsplit_once('('))
            .filter(|(_, number)| digits(number))
            .map(|(name, _)| name.strip_suffix(' ').unwrap_or(name));
        let hashed = || {
            let is_hash = |hash: &str| hash.len() == 8 && is_all(hash, u8::is_ascii_hexdigit);
            name.rsplit_once('_').filter(|(_, hash)| is_hash(hash))
        };
        let shorter = copy.or_else(|| hashed().map(|(name, _)| name));
        match shorter {
            Some(shorter) => name = shorter,
            None => return name,
        }
    }
}

fn strip_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}

fn delivery(stem: &str) -> Option<Metadata> {
    let mut parts = stem.split('_');
    let (country, profile, product, sequence, time) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_country = matches!(country.len(), 2 | 3) && is_all(country, u8::is_ascii_alphabetic);
    if parts.next().is_some() || !is_country || !is_profile(profile) || !is_identifier(product) {
        return None;
    }
    if sequence.len() != 4 || !is_all(sequence, u8::is_ascii_digit) {
        return None;
    }
    Some(Metadata {
        country: country.to_ascii_uppercase().parse().ok(),
        profile: Some(profile.to_ascii_uppercase()),
        product_identifier: Some(product.to_owned()),
        sequence_number: Some(sequence.parse().ok()?),
        file_time: Some(file_time(time)?),
    })
}

fn file_time(text: &str) -> Option<i64> {
    let (date, time) = text.as_bytes().split_first_chunk::<8>()?;
    Some(microseconds(days(*date)?, seconds_of_day(time.try_into().ok()?)?))
}

/// The profile in front of an order id. `chosen` decides if several splits are possible.
fn consolidated_profile(stem: &str, chosen: Option<&str>) -> Option<String> {
    let profiles = consolidated_profiles(stem);
    match profiles[..] {
        [profile] => Some(profile),
        _ => chosen.filter(|profile| profiles.contains(profile)),
    }
    .map(str::to_owned)
}

/// The profiles that may stand in front of an order id.
fn consolidated_profiles(stem: &str) -> Vec<&str> {
    const MAX_ORDER_ID: usize = 36;
    (1..=5)
        .filter_map(|len| stem.split_at_checked(len))
        .filter(|(profile, order_id)| {
            is_profile(profile)
                && order_id.len() <= MAX_ORDER_ID
                && is_all(order_id, |byte| byte.is_ascii_alphanumeric() || *byte == b'-')
                && begins_with_date(order_id)
        })
        .map(|(profile, _)| profile)
        .collect()
}

fn begins_with_date(order_id: &str) -> bool {
    order_id
        .as_bytes()
        .first_chunk::<8>()
        .is_some_and(|date| date.starts_with(b"20") && days(*date).is_some())
}

/// Whether a reseller's profile can be called so: 1 to 5 ASCII letters or digits, as the API's
/// `serviceProfile`.
///
/// ```
/// assert!(cdrlake_core::is_profile("ABC12"));
/// assert!(!cdrlake_core::is_profile("ÄBC"));
/// ```
#[must_use]
pub fn is_profile(text: &str) -> bool {
    (1..=5).contains(&text.len()) && is_all(text, u8::is_ascii_alphanumeric)
}

fn is_all(text: &str, allowed: impl Fn(&u8) -> bool) -> bool {
    text.as_bytes().iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deliveries() {
        let metadata = parse_file_name("DE_ABC_01_0001_20101208090122.cdr.gz", None);
        assert_eq!(metadata.country.unwrap().code(), "DE");
        assert_eq!(metadata.profile.as_deref(), Some("ABC"));
        assert_eq!(metadata.product_identifier.as_deref(), Some("01"));
        assert_eq!(metadata.sequence_number, Some(1));
        assert_eq!(metadata.file_time, Some(1_291_798_882_000_000));
        for name in [
            "DE_ABC_01_0001_20101208090122.cdr",
            "DE_ABC_01_0001_20101208090122.cdr.zip",
            "DE_ABC_01_0001_20101208090122.CDR.GZ",
            "de_abc_01_0001_20101208090122.cdr.gz",
            "DE_ABC_01_0001_20101208090122",
            "DE_ABC_01_0001_20101208090122.cdr.bz2",
            "DE_ABC_01_0001_20101208090122.cdr.gz.1",
            "DE_ABC_01_0001_20101208090122.cdr~",
            "DE_ABC_01_0001_20101208090122.cdr.bak",
            "DE_ABC_01_0001_20101208090122 (2).cdr.gz",
            "DE_ABC_01_0001_20101208090122 - Kopie.cdr",
            "DE_ABC_01_0001_20101208090122_1a2b3c4d.cdr.gz",
            "DE_ABC_01_0001_20101208090122_2.cdr.gz",
            "Copy of DE_ABC_01_0001_20101208090122.cdr",
            "x_DE_ABC_01_0001_20101208090122.cdr",
            "[é]DE_ABC_01_0001_20101208090122…",
        ] {
            let stem = carrier_name(name);
            assert_eq!(stem.as_deref(), Some("DE_ABC_01_0001_20101208090122"), "{name}");
            assert_eq!(parse_file_name(name, None), metadata, "{name}");
        }
        let luxembourg = parse_file_name("LUX_AL_10_9999_20150916090000.cdr.gz", None);
        assert_eq!(luxembourg.country.unwrap().code(), "LU");
        let unknown = parse_file_name("XX_AL_10_9999_20150916090000.cdr.gz", None);
        assert_eq!((unknown.country, unknown.sequence_number), (None, Some(9999)));
    }

    #[test]
    fn names_of_no_form_tell_nothing() {
        for name in [
            "",
            ".cdr",
            "calls.txt",
            "calls.cdr",
            "DE_ABC_01_0001_20101308090122.cdr.gz",
            "DE_ABC_01_0001_20101208240000.cdr.gz",
            "DE_ABC_01_001_20101208090122.cdr.gz",
            "DE_ABC_01_00001_20101208090122.cdr.gz",
            "DE_ABC_012_0001_20101208090122.cdr.gz",
            "DE_ABCDEF_01_0001_20101208090122.cdr.gz",
            "DE__01_0001_20101208090122.cdr.gz",
            "D_ABC_01_0001_20101208090122.cdr.gz",
            "ADEN_ABC_01_0001_20101208090122.cdr",
            "1DE_ABC_01_0001_20101208090122.cdr",
            "éDE_ABC_01_0001_20101208090122.cdr",
            "DE_ABC_01_0001_201012080901225.cdr",
            "DE_ABC_01_0001_20101208090122é.cdr",
            "DE_ABC_01_0001_20101208090122 FR_ABC_01_0001_20101208090122.cdr",
            "É_ABC_01_0001_20101208090122.cdr.gz",
        ] {
            assert_eq!(parse_file_name(name, None), Metadata::default(), "{name}");
        }
    }

    #[test]
    fn consolidated() {
        let cases = [
            ("AM220120110182.cdr.zip", None, Some("AM2")),
            ("ABC2023092012.cdr.zip", None, Some("ABC")),
            ("ABC2023092012.cdr", None, Some("ABC")),
            ("ABC20230920-a1.cdr.zip", None, Some("ABC")),
            ("ABC2023133012.cdr.zip", None, None),
            ("ABC1999092012.cdr.zip", None, None),
            ("2023092012.cdr.zip", None, None),
            ("ABCDEF2023092012.cdr.zip", None, None),
            ("ABC20230920.12.cdr.zip", None, None),
            ("ABC20230920aaaabbbbccccddddeeeeffff0000.cdr.zip", None, Some("ABC")),
            ("ABC20230920aaaabbbbccccddddeeeeffff00001.cdr.zip", None, None),
            // 2 + 20201201… or 220 + 20120112….
            ("22020120112.cdr.zip", None, None),
            ("22020120112.cdr.zip", Some("220"), Some("220")),
            ("22020120112.cdr.zip", Some("2"), Some("2")),
            ("22020120112.cdr.zip", Some("ABC"), None),
        ];
        for (name, chosen, profile) in cases {
            assert_eq!(parse_file_name(name, chosen).profile.as_deref(), profile, "{name}");
            // Which of several profiles it is does not matter for the name.
            let is_carriers = profile.is_some() || name.starts_with("220");
            assert_eq!(carrier_name(name).is_some(), is_carriers, "{name}");
        }
        assert_eq!(carrier_name("calls.cdr"), None);
        let uk = carrier_name("UK_ABC_12_0001_20251019090122.cdr");
        assert_eq!(uk.as_deref(), Some("GB_ABC_12_0001_20251019090122"));
        for name in [
            "AM220120110182.CDR.zip",
            "am220120110182.cdr",
            "AM220120110182 (1).cdr.zip",
            "AM220120110182(12).cdr.zip",
            "AM220120110182.cdr (1).zip",
            "AM220120110182.cdr.zip.1",
            "AM220120110182_1a2b3c4d.cdr.zip.2",
            "AM220120110182.cdr.zst",
        ] {
            assert_eq!(carrier_name(name).as_deref(), Some("AM220120110182"), "{name}");
            assert_eq!(parse_file_name(name, None).profile.as_deref(), Some("AM2"), "{name}");
        }
        for name in
            ["Copy of AM220120110182.cdr.zip", "AM220120110182.cdr.zip~", "AM220120110182 (x).cdr"]
        {
            assert_eq!(carrier_name(name), None, "{name}");
        }
    }

    #[test]
    fn the_first_that_tells_counts() {
        let member = parse_file_name("GB_ABC_12_0001_20251019090122.cdr.gz", None);
        let archive = parse_file_name("XYZ2023092012.cdr.zip", None);
        assert_eq!(member.clone().or(&archive), member);
        assert_eq!(Metadata::default().or(&archive).profile.as_deref(), Some("XYZ"));
    }
}
