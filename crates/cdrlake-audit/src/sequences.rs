//! Sequence numbers that are missing, repeated, wrapped or begun anew.
//!
//! The carrier numbers deliveries by profile and product, four digits and round again. In the order
//! of the files' own times, each number is given a place on an endless line: the nearest one that
//! has this number. So 9999 is followed by the 0000 or 0001 of the next lap, and a delivery that
//! was made again later still falls into its hole. A number too far back for either begins a run
//! of its own. Holes between the first and last place of a run are missing, places taken twice
//! repeated.

use std::collections::{BTreeMap, BTreeSet};

use cdrlake_lake::SourceFacts;
use jiff::civil::{Date, DateTime};
use serde::Serialize;

use crate::finding::{DaysLeft, Finding, Observation, Series};

/// How many numbers there are: 0000 to 9999.
const NUMBERS: i64 = 10_000;

/// How far a number may lie from where it is expected across the end of a lap, or back: as many
/// deliveries as the carrier keeps, two a day.
const REACH: i64 = 2 * DaysLeft::KEPT as i64;

/// The deliveries of one profile and product, as their numbers tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SequenceSummary {
    /// Whose; without a country where its countries are numbered together.
    #[serde(flatten)]
    pub series: Series,
    /// Loaded sources with a sequence number.
    pub deliveries: u64,
    /// The earliest one's number.
    pub first: u16,
    /// The latest one's.
    pub last: u16,
    /// Numbers missing, all ranges together.
    pub missing: u64,
    /// Numbers that came several times.
    pub repeated: u64,
    /// How often numbers went from 9999 to the start.
    pub wraps: u64,
    /// How often they began anew before that.
    pub resets: u64,
}

/// What sequence numbers tell of these sources, which are loaded.
pub(super) fn check<'s>(
    sources: impl IntoIterator<Item = &'s SourceFacts>,
    today: Date,
) -> (Vec<SequenceSummary>, Vec<Finding>) {
    let mut all: BTreeMap<Series, Vec<Delivery<'s>>> = BTreeMap::new();
    for source in sources {
        if let (Some(number), Some(time)) = (source.sequence_number, source.file_time) {
            let series = Series { country: None, ..Series::of(source) };
            all.entry(series).or_default().push(Delivery { number, time, source });
        }
    }
    let (mut summaries, mut findings) = (Vec::new(), Vec::new());
    for (series, deliveries) in all {
        for (summary, found) in numbered(&series, deliveries, today) {
            summaries.push(summary);
            findings.extend(found);
        }
    }
    (summaries, findings)
}

type Judged = (SequenceSummary, Vec<Finding>);

/// The carrier's text numbers by profile and product. Should a profile's countries be numbered
/// each for itself after all, that reading is the one with fewer faults.
fn numbered(series: &Series, deliveries: Vec<Delivery<'_>>, today: Date) -> Vec<Judged> {
    let together = judge(series.clone(), deliveries.clone(), today);
    let mut countries: BTreeMap<Series, Vec<Delivery<'_>>> = BTreeMap::new();
    for delivery in deliveries {
        countries.entry(Series::of(delivery.source)).or_default().push(delivery);
    }
    if countries.len() > 1 {
        let apart: Vec<Judged> = countries
            .into_iter()
            .map(|(series, deliveries)| judge(series, deliveries, today))
            .collect();
        if apart.iter().map(faults).sum::<u64>() < faults(&together) {
            return apart;
        }
    }
    vec![together]
}

fn faults((summary, _): &Judged) -> u64 {
    summary.missing + summary.repeated + summary.resets
}

#[derive(Clone)]
struct Delivery<'s> {
    number: u16,
    time: DateTime,
    source: &'s SourceFacts,
}

fn judge(series: Series, mut deliveries: Vec<Delivery<'_>>, today: Date) -> Judged {
    deliveries.sort_by_key(|delivery| (delivery.time, delivery.number));
    let mut summary = SequenceSummary {
        series,
        deliveries: deliveries.len() as u64,
        first: deliveries.first().map_or(0, |delivery| delivery.number),
        last: deliveries.last().map_or(0, |delivery| delivery.number),
        missing: 0,
        repeated: 0,
        wraps: 0,
        resets: 0,
    };
    let mut findings = Vec::new();
    let mut found = |observation| findings.push(Finding::new(summary.series.clone(), observation));
    let runs = runs(&deliveries);
    for pair in runs.windows(2) {
        if let (Some(from), Some(to)) = (pair[0].latest(), pair[1].earliest()) {
            summary.resets += 1;
            found(Observation::SequenceReset {
                from: from.number,
                to: to.number,
                on: to.time.date(),
            });
        }
    }
    for run in &runs {
        for (first, last, before, after) in run.holes() {
            summary.missing += (last - first + 1) as u64;
            found(Observation::MissingSequence {
                first: number(first),
                last: number(last),
                after: before.time.date(),
                before: after.time.date(),
                days_left: DaysLeft::of(before.time.date(), today),
            });
        }
        for (place, deliveries) in run.repeated() {
            summary.repeated += 1;
            found(Observation::RepeatedSequence {
                number: number(place),
                sources: deliveries.iter().map(|delivery| delivery.source.name.clone()).collect(),
                last: deliveries.last().map_or(today, |delivery| delivery.time.date()),
            });
        }
        let laps: BTreeSet<i64> =
            run.places.keys().map(|place| place.div_euclid(NUMBERS)).collect();
        summary.wraps += laps.len() as u64 - 1;
    }
    (summary, findings)
}

fn number(place: i64) -> u16 {
    place.rem_euclid(NUMBERS) as u16
}

/// Deliveries that are numbered on from each other, by their places.
struct Run<'d, 's> {
    places: BTreeMap<i64, Vec<&'d Delivery<'s>>>,
}

impl<'d, 's> Run<'d, 's> {
    fn new(first: &'d Delivery<'s>) -> Self {
        Self { places: [(i64::from(first.number), vec![first])].into() }
    }

    fn earliest(&self) -> Option<&'d Delivery<'s>> {
        self.places.values().flatten().min_by_key(|delivery| delivery.time).copied()
    }

    fn latest(&self) -> Option<&'d Delivery<'s>> {
        self.places.last_key_value().and_then(|(_, deliveries)| deliveries.last()).copied()
    }

    /// The place of the next delivery, if it is of this run. `following` come after it.
    fn place(&self, number: u16, following: &[Delivery<'_>]) -> Option<i64> {
        let first = self.places.first_key_value().map_or(0, |(&place, _)| place);
        let last = self.places.last_key_value().map_or(0, |(&place, _)| place);
        let step = signed_step(last, number);
        let place = last + step;
        let same_lap = place.div_euclid(NUMBERS) == last.div_euclid(NUMBERS);
        let is_of_run = if step >= 0 {
            same_lap || step <= REACH
        } else if -step > REACH {
            false
        } else {
            let fills_hole = place > first && !self.places.contains_key(&place);
            fills_hole || returns(last, number, following)
        };
        is_of_run.then_some(place)
    }

    /// Places left out, as ranges within a lap, and the deliveries around them. A lap may begin
    /// with 0001.
    fn holes(&self) -> Vec<(i64, i64, &'d Delivery<'s>, &'d Delivery<'s>)> {
        let mut holes = Vec::new();
        for ((&a, before), (&b, after)) in self.places.iter().zip(self.places.iter().skip(1)) {
            let (Some(before), Some(after)) = (before.last(), after.first()) else { continue };
            let mut first = a + 1;
            while first < b {
                let lap_end = (first.div_euclid(NUMBERS) + 1) * NUMBERS - 1;
                let last = lap_end.min(b - 1);
                let first_needed = if number(first) == 0 { first + 1 } else { first };
                if first_needed <= last {
                    holes.push((first_needed, last, *before, *after));
                }
                first = last + 1;
            }
        }
        holes
    }

    /// Places that several deliveries have, and these.
    fn repeated(&self) -> impl Iterator<Item = (i64, &[&'d Delivery<'s>])> {
        let several = self.places.iter().filter(|(_, deliveries)| deliveries.len() > 1);
        several.map(|(&place, deliveries)| (place, &deliveries[..]))
    }
}

/// From a place to the nearest one of this number.
fn signed_step(place: i64, number: u16) -> i64 {
    let forward = (i64::from(number) - place).rem_euclid(NUMBERS);
    if forward > NUMBERS / 2 { forward - NUMBERS } else { forward }
}

/// Whether a step back to `number` was one delivery made again: afterwards numbers jump on beyond
/// `last`, rather than count up from `number`.
fn returns(last: i64, number: u16, following: &[Delivery<'_>]) -> bool {
    let mut previous = number;
    for delivery in following {
        if signed_step(i64::from(previous), delivery.number) != 1 {
            let step = signed_step(last, delivery.number);
            return (1..=REACH).contains(&step);
        }
        previous = delivery.number;
        if signed_step(last, previous) > 0 {
            return false;
        }
    }
    // Nothing tells yet; numbers begin with 0000 or 0001.
    number > 1
}

fn runs<'d, 's>(deliveries: &'d [Delivery<'s>]) -> Vec<Run<'d, 's>> {
    let mut runs: Vec<Run<'d, 's>> = Vec::new();
    for (index, delivery) in deliveries.iter().enumerate() {
        let following = &deliveries[index + 1..];
        let place = runs.last().and_then(|run| run.place(delivery.number, following));
        match (place, runs.last_mut()) {
            (Some(place), Some(run)) => run.places.entry(place).or_default().push(delivery),
            _ => runs.push(Run::new(delivery)),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::delivery;

    /// `+` a number that came twice, `3-5` missing, `r` a reset, `w` a wrap.
    fn told(numbers: &[u16]) -> String {
        let sources: Vec<_> = numbers
            .iter()
            .enumerate()
            .map(|(index, &number)| {
                delivery("GB", number, index as i64 / 2, 9 + 8 * (index % 2) as i8)
            })
            .collect();
        let today = jiff::civil::date(2026, 1, 1);
        let (summaries, findings) = check(&sources, today);
        let mut parts: Vec<String> = findings
            .iter()
            .map(|finding| match &finding.observation {
                Observation::MissingSequence { first, last, .. } => format!("{first}-{last}"),
                Observation::RepeatedSequence { number, .. } => format!("+{number}"),
                Observation::SequenceReset { from, to, .. } => format!("r{from}>{to}"),
                other => panic!("{other:?}"),
            })
            .collect();
        parts.extend((0..summaries[0].wraps).map(|_| "w".to_owned()));
        parts.join(" ")
    }

    #[test]
    fn what_numbers_tell() {
        let cases: &[(&[u16], &str)] = &[
            (&[1, 2, 3], ""),
            (&[0, 1, 2], ""),
            (&[7], ""),
            (&[1, 2, 5, 6, 8], "3-4 7-7"),
            (&[1, 2, 2, 3], "+2"),
            // Wraps, whole and with holes.
            (&[9998, 9999, 0, 1], "w"),
            (&[9998, 9999, 1, 2], "w"),
            (&[9998, 9999, 2], "1-1 w"),
            (&[9997, 2], "9998-9999 1-1 w"),
            // Resets: not from the end of the numbers.
            (&[5000, 5001, 1, 2, 3], "r5001>1"),
            (&[3, 4, 5, 1, 2, 3, 4, 5, 6], "r5>1"),
            (&[1, 2, 3, 0, 1], "r3>0"),
            (&[1, 2, 3, 4, 1], "r4>1"),
            (&[9000, 1, 2], "r9000>1"),
            // Made again later: into their hole, or once more.
            (&[1, 2, 4, 5, 3, 6], ""),
            (&[1, 4, 5, 2, 3, 6], ""),
            (&[1, 2, 3, 4, 2, 5], "+2"),
            (&[1, 2, 3, 4, 2, 3, 5], "+2 +3"),
            (&[5, 6, 7, 3, 8], "4-4"),
            (&[9998, 9999, 1, 9997, 2], "w"),
            (&[9996, 9998, 9999, 0, 9997, 1], "w"),
        ];
        for (numbers, expected) in cases {
            assert_eq!(told(numbers), *expected, "{numbers:?}");
        }
    }

    #[test]
    fn countries_are_numbered_together_or_each_for_itself() {
        let today = jiff::civil::date(2026, 1, 1);
        let together = [
            delivery("GB", 1, 0, 9),
            delivery("DE", 2, 0, 10),
            delivery("GB", 3, 1, 9),
            delivery("DE", 4, 1, 10),
        ];
        let (summaries, findings) = check(&together, today);
        assert_eq!((summaries.len(), findings.len()), (1, 0));
        assert_eq!(summaries[0].series.country, None);
        let apart = [
            delivery("GB", 1, 0, 9),
            delivery("DE", 1, 0, 10),
            delivery("GB", 2, 1, 9),
            delivery("DE", 2, 1, 10),
        ];
        let (summaries, findings) = check(&apart, today);
        assert_eq!((summaries.len(), findings.len()), (2, 0));
    }

    #[test]
    fn a_hole_tells_how_long_it_can_be_fetched() {
        let sources = [delivery("GB", 1, 0, 9), delivery("GB", 3, 1, 9)];
        let left = |today| {
            let (_, findings) = check(&sources, today);
            findings[0].message.clone()
        };
        // The first delivery is of 2025-10-01.
        assert_eq!(
            left(jiff::civil::date(2025, 10, 2)),
            "sequence number 0002 is missing, between 2025-10-01 and 2025-10-02; \
             89 days left to fetch again"
        );
        assert!(left(jiff::civil::date(2025, 12, 29)).ends_with("; 1 day left to fetch again"));
        assert!(left(jiff::civil::date(2025, 12, 30)).ends_with("too late to fetch again"));
    }
}
