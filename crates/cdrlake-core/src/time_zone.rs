//! Local times to instants.

use std::fmt;
use std::sync::Arc;

use jiff::tz::{TimeZoneDatabase, TimeZoneTransition};
use jiff::{Timestamp, civil};
use thiserror::Error;

use crate::country::Country;

/// The zone of each country that has one; of parts of the country that keep another time, see
/// [`NoTimeZone::Several`].
#[rustfmt::skip]
const ZONES: [(&str, &str); 20] = [
    ("AT", "Europe/Vienna"),   ("BE", "Europe/Brussels"),   ("CH", "Europe/Zurich"),
    ("CZ", "Europe/Prague"),   ("DE", "Europe/Berlin"),     ("DK", "Europe/Copenhagen"),
    ("FI", "Europe/Helsinki"), ("FR", "Europe/Paris"),      ("GB", "Europe/London"),
    ("HK", "Asia/Hong_Kong"),  ("IE", "Europe/Dublin"),     ("IT", "Europe/Rome"),
    ("JP", "Asia/Tokyo"),      ("LU", "Europe/Luxembourg"), ("NL", "Europe/Amsterdam"),
    ("NO", "Europe/Oslo"),     ("PL", "Europe/Warsaw"),     ("RO", "Europe/Bucharest"),
    ("SE", "Europe/Stockholm"), ("SK", "Europe/Bratislava"),
];

/// First and last year of a call (the contract's `date`), with one to spare for the offset.
const YEARS: (i16, i16) = (1899, 2101);

/// What clocks show in one place: a zone of the IANA database, of which a copy is built in, so that
/// the same version of this crate gives the same instants everywhere.
///
/// ```
/// use cdrlake_core::TimeZone;
///
/// let london: TimeZone = "europe/london".parse()?;
/// assert_eq!(london.name(), "Europe/London");
/// # Ok::<(), cdrlake_core::NoTimeZone>(())
/// ```
#[derive(Clone)]
pub struct TimeZone {
    name: Arc<str>,
    spans: Arc<[Span]>,
}

/// Why there is no time zone.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum NoTimeZone {
    /// No zone of this name.
    #[error("unknown time zone {0:?}; give a name of the IANA database, such as Europe/London")]
    Unknown(String),
    /// The country's clocks do not all show the same: Spain and Portugal have islands, Canada and
    /// the United States several zones.
    #[error("{country} has several time zones; name one, such as {example}")]
    Several {
        /// The country.
        country: Country,
        /// The zone of its capital, or a large one.
        example: &'static str,
    },
}

/// A span of local time that maps to instants in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// Its first microsecond, local.
    start: i64,
    clock: Clock,
}

/// What the clock does in a span; offsets are microseconds east of Greenwich.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Runs {
        offset: i64,
    },
    /// It shows the same once more; the offset is the first time's.
    Repeats {
        offset: i64,
    },
    /// It never shows this: it went forward.
    Skips,
}

/// When a local time was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant {
    /// Microseconds since 1970-01-01T00:00:00Z; none for a time that the clock skipped, the earlier
    /// one for a time that it showed twice.
    pub(crate) microseconds: Option<i64>,
    /// Whether the clock showed it twice.
    pub(crate) is_ambiguous: bool,
}

impl TimeZone {
    /// The zone of a country that has one.
    ///
    /// # Errors
    ///
    /// [`NoTimeZone::Several`] for `CA`, `ES`, `PT` and `US`.
    pub fn of_country(country: Country) -> Result<Self, NoTimeZone> {
        match ZONES.iter().find(|(code, _)| *code == country.code()) {
            Some((_, name)) => name.parse(),
            None => {
                let example = match country.code() {
                    "CA" => "America/Toronto",
                    "ES" => "Europe/Madrid",
                    "PT" => "Europe/Lisbon",
                    _ => "America/New_York",
                };
                Err(NoTimeZone::Several { country, example })
            }
        }
    }

    /// Its name in the IANA database.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// When this local time was; `near` is where a time close to it was found, and is kept.
    #[inline]
    pub(crate) fn instant(&self, local: i64, near: &mut Near) -> Instant {
        if !(near.start <= local && local < near.end) {
            *near = self.span(local);
        }
        let offset = match near.clock {
            Clock::Runs { offset } | Clock::Repeats { offset } => offset,
            Clock::Skips => return Instant { microseconds: None, is_ambiguous: false },
        };
        let is_ambiguous = matches!(near.clock, Clock::Repeats { .. });
        Instant { microseconds: Some(local - offset), is_ambiguous }
    }

    #[cold]
    fn span(&self, local: i64) -> Near {
        let next = self.spans.partition_point(|span| span.start <= local);
        let end = self.spans.get(next).map_or(i64::MAX, |span| span.start);
        // The first span begins before all times.
        let Span { start, clock } = self.spans[next.max(1) - 1];
        Near { start, end, clock }
    }
}

/// The span of a local time that was looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Near {
    start: i64,
    end: i64,
    clock: Clock,
}

impl Default for Near {
    /// Of no time yet.
    fn default() -> Self {
        Self { start: 0, end: 0, clock: Clock::Skips }
    }
}

impl std::str::FromStr for TimeZone {
    type Err = NoTimeZone;

    /// A zone by its name, in any case.
    fn from_str(name: &str) -> Result<Self, NoTimeZone> {
        let unknown = || NoTimeZone::Unknown(name.to_owned());
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())?;
        let known_as = zone.iana_name().ok_or_else(unknown)?;
        let spans = spans(&zone).ok_or_else(unknown)?;
        Ok(Self { name: known_as.into(), spans: spans.into() })
    }
}

/// The spans of a zone's local time, in order.
fn spans(zone: &jiff::tz::TimeZone) -> Option<Vec<Span>> {
    let year = |year| -> Option<Timestamp> {
        let start = civil::Date::new(year, 1, 1).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        Some(start.timestamp())
    };
    let (first, last) = (year(YEARS.0)?, year(YEARS.1)?);
    let mut offset = microseconds(zone.to_offset(first));
    let mut spans = vec![Span { start: i64::MIN, clock: Clock::Runs { offset } }];
    for transition in zone.following(first).take_while(|transition| transition.timestamp() < last) {
        let (instant, next) = at(&transition);
        let (before, after) = (instant + offset, instant + next);
        let clock = if after < before { Clock::Repeats { offset } } else { Clock::Skips };
        if before != after {
            spans.push(Span { start: before.min(after), clock });
            spans.push(Span { start: before.max(after), clock: Clock::Runs { offset: next } });
        }
        offset = next;
    }
    Some(spans)
}

/// When a transition is, and the offset from then on.
fn at(transition: &TimeZoneTransition<'_>) -> (i64, i64) {
    (transition.timestamp().as_microsecond(), microseconds(transition.offset()))
}

fn microseconds(offset: jiff::tz::Offset) -> i64 {
    i64::from(offset.seconds()) * 1_000_000
}

impl PartialEq for TimeZone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for TimeZone {}

impl fmt::Debug for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;
    use jiff::tz::AmbiguousOffset;

    use super::*;

    fn zone(name: &str) -> TimeZone {
        name.parse().unwrap()
    }

    fn local(text: &str) -> i64 {
        let time: DateTime = text.parse().unwrap();
        time.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_microsecond()
    }

    fn instant(zone: &TimeZone, text: &str) -> (Option<String>, bool) {
        let instant = zone.instant(local(text), &mut Near::default());
        let text = |us| Timestamp::from_microsecond(us).unwrap().to_string();
        (instant.microseconds.map(text), instant.is_ambiguous)
    }

    #[test]
    fn clocks_go_forward_and_back() {
        let london = zone("Europe/London");
        let at = |text: &str| instant(&london, text);
        let was = |text: &str| Some(text.to_owned());
        assert_eq!(at("2025-01-15T12:00:00"), (was("2025-01-15T12:00:00Z"), false));
        assert_eq!(at("2025-07-15T12:00:00"), (was("2025-07-15T11:00:00Z"), false));
        assert_eq!(at("2025-03-30T00:59:59"), (was("2025-03-30T00:59:59Z"), false));
        assert_eq!(at("2025-03-30T01:00:00"), (None, false));
        assert_eq!(at("2025-03-30T01:59:59"), (None, false));
        assert_eq!(at("2025-03-30T02:00:00"), (was("2025-03-30T01:00:00Z"), false));
        assert_eq!(at("2025-10-26T00:59:59"), (was("2025-10-25T23:59:59Z"), false));
        assert_eq!(at("2025-10-26T01:00:00"), (was("2025-10-26T00:00:00Z"), true));
        assert_eq!(at("2025-10-26T01:59:59"), (was("2025-10-26T00:59:59Z"), true));
        assert_eq!(at("2025-10-26T02:00:00"), (was("2025-10-26T02:00:00Z"), false));
        assert_eq!(at("2099-07-15T12:00:00"), (was("2099-07-15T11:00:00Z"), false));
    }

    /// Every quarter of an hour around each change of every country's clocks, and a day of each
    /// month of two centuries, as jiff itself says.
    #[test]
    fn all_zones_agree_with_their_database() {
        let of_countries = ZONES.iter().map(|(_, name)| *name);
        let others = ["Europe/Madrid", "Europe/Lisbon", "America/New_York", "Asia/Kolkata", "UTC"];
        for name in of_countries.chain(others) {
            let ours = zone(name);
            let theirs = TimeZoneDatabase::bundled().get(name).unwrap();
            let mut times: Vec<i64> = Vec::new();
            for span in &ours.spans[1..] {
                times.extend((-12..=12).flat_map(|quarter| {
                    let at = span.start + quarter * 900_000_000;
                    [at - 1_000_000, at]
                }));
            }
            times.extend((0..2400).map(|month| {
                local("1900-01-01T00:00:00") + month * 30 * 86_400_000_000 + 12_345_000_000
            }));
            let mut near = Near::default();
            for time in times {
                let civil = Timestamp::from_microsecond(time).unwrap();
                let civil = jiff::tz::TimeZone::UTC.to_datetime(civil);
                let expected = match theirs.to_ambiguous_timestamp(civil).offset() {
                    AmbiguousOffset::Unambiguous { offset } => (Some(offset), false),
                    AmbiguousOffset::Gap { .. } => (None, false),
                    AmbiguousOffset::Fold { before, .. } => (Some(before), true),
                };
                let expected = (expected.0.map(|offset| time - microseconds(offset)), expected.1);
                let found = ours.instant(time, &mut near);
                assert_eq!((found.microseconds, found.is_ambiguous), expected, "{name} {civil}");
            }
        }
    }

    #[test]
    fn a_zone_is_its_name() {
        let london = zone("europe/LONDON");
        assert_eq!(format!("{london} {london:?}"), "Europe/London Europe/London");
        assert_eq!(london, zone("Europe/London"));
        assert_ne!(london, zone("Europe/Paris"));
    }

    #[test]
    fn countries_have_a_zone_or_say_why_not() {
        for country in Country::all() {
            match TimeZone::of_country(country) {
                Ok(zone) => assert!(zone.name().contains('/'), "{country}"),
                Err(NoTimeZone::Several { example, .. }) => drop(zone(example)),
                Err(other) => panic!("{other}"),
            }
        }
        for (country, example) in [
            ("CA", "America/Toronto"),
            ("ES", "Europe/Madrid"),
            ("PT", "Europe/Lisbon"),
            ("US", "America/New_York"),
        ] {
            let error = TimeZone::of_country(country.parse().unwrap()).unwrap_err();
            let message = format!("{country} has several time zones; name one, such as {example}");
            assert_eq!(error.to_string(), message);
        }
        assert_eq!("Mars/Base".parse::<TimeZone>(), Err(NoTimeZone::Unknown("Mars/Base".into())));
    }
}
