//! Days on which fewer deliveries came than the carrier's schedule says, and deliveries that ceased.
//!
//! The carrier delivers at about 9 and 17 o'clock, every day of the week; once a day for the
//! countries of Global SIP (its sections 4 and 4.4).

use std::collections::BTreeMap;

use cdrlake_lake::SourceFacts;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::finding::{DaysLeft, Finding, GapState, Observation, Series};

/// Whose calls are delivered once a day.
const DAILY: [&str; 4] = ["LU", "CZ", "SK", "RO"];

/// The deliveries of one country, profile and product, as their files' times tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduleSummary {
    /// Whose.
    #[serde(flatten)]
    pub series: Series,
    /// How many deliveries have a time.
    pub deliveries: u64,
    /// How many the schedule says a day.
    pub daily: u32,
    /// Time of the earliest.
    #[serde(serialize_with = "text")]
    pub first: DateTime,
    /// Time of the latest.
    #[serde(serialize_with = "text")]
    pub last: DateTime,
    /// Days with fewer deliveries than the schedule says.
    pub short_days: u64,
}

/// The deliveries of one country, profile and product, by day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryDays {
    /// Whose.
    pub series: Series,
    /// How many the schedule says a day.
    pub daily: u32,
    /// How many came on each day on which any came, by the files' times.
    pub days: BTreeMap<Date, u32>,
}

fn text<S: serde::Serializer>(time: &DateTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// What the files' times tell of these sources, which are loaded. Neither the day of a series' first delivery nor
/// today need be whole.
pub(super) fn check<'s>(
    sources: impl IntoIterator<Item = &'s SourceFacts>,
    now: DateTime,
    max_age: Option<jiff::SignedDuration>,
) -> (Vec<ScheduleSummary>, Vec<Finding>) {
    let mut all: BTreeMap<Series, Vec<DateTime>> = BTreeMap::new();
    for source in sources {
        if let Some(time) = source.file_time {
            all.entry(Series::of(source)).or_default().push(time);
        }
    }
    let (mut summaries, mut findings) = (Vec::new(), Vec::new());
    for (series, mut times) in all {
        times.sort_unstable();
        let (Some(&first), Some(&last)) = (times.first(), times.last()) else { continue };
        let daily = daily(&series);
        let gaps = gaps(&times, daily, now.date());
        summaries.push(ScheduleSummary {
            series: series.clone(),
            deliveries: times.len() as u64,
            daily,
            first,
            last,
            short_days: gaps.iter().map(Gap::days).sum(),
        });
        let observations = gaps.iter().map(|gap| gap.observation(last.date(), daily, now.date()));
        findings.extend(observations.map(|observation| Finding::new(series.clone(), observation)));
        let age = now.duration_since(last);
        if max_age.is_some_and(|max_age| age > max_age) {
            let age_hours = age.as_hours();
            findings
                .push(Finding::new(series, Observation::StaleDelivery { latest: last, age_hours }));
        }
    }
    (summaries, findings)
}

/// The deliveries of these sources, which are loaded, by day; in the order of their series.
pub(super) fn by_day<'s>(sources: impl IntoIterator<Item = &'s SourceFacts>) -> Vec<DeliveryDays> {
    let mut all: BTreeMap<Series, BTreeMap<Date, u32>> = BTreeMap::new();
    for source in sources {
        if let Some(time) = source.file_time {
            *all.entry(Series::of(source)).or_default().entry(time.date()).or_default() += 1;
        }
    }
    let days = all.into_iter();
    days.map(|(series, days)| DeliveryDays { daily: daily(&series), series, days }).collect()
}

/// Deliveries a day.
fn daily(series: &Series) -> u32 {
    match series.country.as_deref() {
        Some(country) if DAILY.contains(&country) => 1,
        _ => 2,
    }
}

/// Consecutive days with too few deliveries.
struct Gap {
    first: Date,
    last: Date,
    delivered: u32,
}

impl Gap {
    fn days(&self) -> u64 {
        (self.last - self.first).get_days() as u64 + 1
    }

    fn observation(&self, latest: Date, daily: u32, today: Date) -> Observation {
        Observation::MissingDelivery {
            first_day: self.first,
            last_day: self.last,
            state: if self.last > latest { GapState::Ongoing } else { GapState::Closed },
            delivered: self.delivered,
            expected: self.days() as u32 * daily,
            days_left: DaysLeft::of(self.first, today),
            kept_from: DaysLeft::kept_from(today)
                .map(|day| day.max(self.first))
                .filter(|&day| day <= self.last),
        }
    }
}

fn gaps(times: &[DateTime], daily: u32, today: Date) -> Vec<Gap> {
    let mut by_day: BTreeMap<Date, u32> = BTreeMap::new();
    for time in times {
        *by_day.entry(time.date()).or_default() += 1;
    }
    let mut gaps: Vec<Gap> = Vec::new();
    let Some((&first, _)) = by_day.first_key_value() else { return gaps };
    let after_first = first.checked_add(1.day()).unwrap_or(Date::MAX);
    for day in after_first.series(1.day()).take_while(|&day| day < today) {
        let delivered = by_day.get(&day).copied().unwrap_or(0);
        if delivered >= daily {
            continue;
        }
        match gaps.last_mut() {
            Some(gap) if gap.last.tomorrow().is_ok_and(|next| next == day) => {
                gap.last = day;
                gap.delivered += delivered;
            }
            _ => gaps.push(Gap { first: day, last: day, delivered }),
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use jiff::civil::date;

    use super::*;
    use crate::tests::delivery;

    fn messages(country: &str, deliveries: &[(i64, i8)], today: Date) -> Vec<String> {
        let sources: Vec<_> =
            deliveries.iter().map(|&(day, hour)| delivery(country, 1, day, hour)).collect();
        let (_, findings) = check(&sources, today.at(12, 0, 0, 0), None);
        findings.into_iter().map(|finding| format!("{}: {}", finding.id, finding.message)).collect()
    }

    /// Day 0 is 2025-10-01.
    #[test]
    fn twice_a_day_and_once_for_global_sip() {
        let twice = [(0, 17), (1, 9), (1, 17), (2, 9), (2, 17), (3, 9)];
        assert!(messages("GB", &twice, date(2025, 10, 4)).is_empty());
        let once = [(0, 9), (1, 9), (2, 9)];
        for country in DAILY {
            assert!(messages(country, &once, date(2025, 10, 4)).is_empty());
        }
        assert_eq!(
            messages("GB", &once, date(2025, 10, 3)),
            ["missing_delivery:GB:ABC:10:2025-10-02..2025-10-02: \
              1 of 2 deliveries on 2025-10-02; 89 days left to fetch again"]
        );
    }

    #[test]
    fn days_without_a_delivery_are_one_finding_while_they_follow_each_other() {
        let deliveries = [(0, 9), (0, 17), (1, 9), (4, 9), (4, 17), (6, 9), (6, 17)];
        assert_eq!(
            messages("GB", &deliveries, date(2025, 12, 31)),
            [
                "missing_delivery:GB:ABC:10:2025-10-02..2025-10-04: 1 of 6 deliveries on \
                 2025-10-02 to 2025-10-04; the carrier still keeps those from 2025-10-03 on",
                "missing_delivery:GB:ABC:10:2025-10-06..2025-10-06: 0 of 2 deliveries on \
                 2025-10-06; 4 days left to fetch again",
                "missing_delivery:GB:ABC:10:2025-10-08..: 0 of 168 deliveries on 2025-10-08 to \
                 2025-12-30, and none since; 6 days left to fetch again",
            ]
        );
    }

    #[test]
    fn the_latest_may_be_too_old() {
        let sources = [delivery("GB", 1, 0, 9), delivery("GB", 2, 0, 17)];
        let at = |day, hour, max_age| {
            let now = date(2025, 10, day).at(hour, 0, 0, 0);
            let (_, findings) = check(&sources, now, Some(SignedDuration::from_hours(max_age)));
            let mut findings = findings.into_iter();
            findings.find(|finding| finding.observation.kind() == "stale_delivery")
        };
        assert_eq!(at(2, 17, 24), None);
        let stale = at(2, 18, 24).unwrap();
        assert_eq!(stale.message, "the latest delivery is of 2025-10-01 17:00:00 (25 hours old)");
        assert_eq!(stale.id, "stale_delivery:GB:ABC:10:2025-10-01T17:00:00");
    }
}
