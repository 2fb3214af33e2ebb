//! What a run at any time has to ask for, from what was delivered so far.

use std::collections::BTreeSet;
use std::num::NonZero;

use jiff::civil::Date;

use crate::days::{Days, plus};
use crate::horizon::{UNRATED_DAYS, Warning};
use crate::parameters::{Offering, Profile};
use crate::request::{Operation, Usage};
use crate::task::Task;

/// What is known of the files of one profile and product.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// Days on which a file was delivered, from the times in the files' names.
    pub days: BTreeSet<Date>,
    /// Where sequence numbers are missing: from the day of the file before to that of the file
    /// after.
    pub gaps: Vec<Days>,
}

/// What to ask for, and what to say before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The oldest days first, for they are the first to be gone.
    pub tasks: Vec<Task>,
    /// Missing days that the carrier will not have for long.
    pub warnings: Vec<Warning>,
}

impl Plan {
    /// The plan for one profile and product, in requests of at most `chunk` days.
    ///
    /// Of the days that the carrier still has, it asks for those without a file and those with a
    /// gap, and in any case for the last day with a file, the day before, and all days since: a
    /// day's last calls come with a file of the next day, and a file may be late. A day on which
    /// there were no calls looks like one whose files are missing, so it is asked for again; that
    /// costs a request, and guessing otherwise might cost records. Days with a gap are asked for
    /// even if their files were fetched ([`Task::Again`]), for one of them is missing.
    #[must_use]
    pub fn new(
        profile: &Profile,
        offering: Offering,
        deliveries: &Deliveries,
        today: Date,
        chunk: NonZero<u32>,
    ) -> Self {
        let horizon = || (0..=UNRATED_DAYS).rev().filter_map(|ago| plus(today, -i64::from(ago)));
        let again_from = deliveries
            .days
            .range(..=today)
            .next_back()
            .and_then(|last| plus(*last, -1))
            .unwrap_or(Date::MIN);
        let has_gap = |days: &Days| {
            deliveries.gaps.iter().any(|gap| gap.from() <= days.to() && days.from() <= gap.to())
        };
        let is_missing = |day: &Date| {
            !deliveries.days.contains(day) || Days::new(*day, *day).is_ok_and(|day| has_gap(&day))
        };
        let wanted = ranges(horizon().filter(|day| *day >= again_from || is_missing(day)));
        let tasks = wanted.iter().flat_map(|days| days.chunks(chunk)).map(|days| {
            let (profile, offering) = (profile.clone(), offering);
            let operation = Operation::Unrated(Usage { profile, offering, days });
            if has_gap(&days) { Task::Again(operation) } else { Task::Download(operation) }
        });
        let expiring = horizon().take(EXPIRING_DAYS).filter(is_missing);
        Self {
            tasks: tasks.collect(),
            // Where nothing was ever delivered there may be nothing to lose.
            warnings: if deliveries.days.is_empty() {
                Vec::new()
            } else {
                ranges(expiring).into_iter().map(Warning::Expiring).collect()
            },
        }
    }
}

/// For how many days before they are gone there is a warning.
const EXPIRING_DAYS: usize = 7;

/// Days in order, as ranges.
fn ranges(days: impl Iterator<Item = Date>) -> Vec<Days> {
    let mut ranges: Vec<Days> = Vec::new();
    for day in days {
        let joined = ranges
            .last()
            .filter(|range| plus(range.to(), 1) == Some(day))
            .and_then(|range| Days::new(range.from(), day).ok());
        if joined.is_some() {
            ranges.pop();
        }
        ranges.extend(joined.or_else(|| Days::new(day, day).ok()));
    }
    ranges
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2026, 11, 22);
    const ONE: NonZero<u32> = NonZero::<u32>::MIN;

    fn plan(deliveries: &Deliveries, chunk: NonZero<u32>) -> Plan {
        let (profile, offering) = ("ABC".parse().unwrap(), "SIP Trunking".parse().unwrap());
        Plan::new(&profile, offering, deliveries, TODAY, chunk)
    }

    fn asked(plan: &Plan) -> Vec<Days> {
        let days = |task: &Task| match task {
            Task::Download(Operation::Unrated(usage)) | Task::Again(Operation::Unrated(usage)) => {
                usage.days
            }
            task => panic!("{task:?}"),
        };
        plan.tasks.iter().map(days).collect()
    }

    /// Every day of the horizon up to `last`, but not `missing`.
    fn delivered(last: Date, missing: &[Date]) -> Deliveries {
        let first = TODAY - 120.days();
        let days = first.series(1.day()).take_while(|day| *day <= last);
        Deliveries { days: days.filter(|day| !missing.contains(day)).collect(), gaps: Vec::new() }
    }

    fn range(from: Date, to: Date) -> Days {
        Days::new(from, to).unwrap()
    }

    #[test]
    fn a_first_run_asks_for_all_that_there_is() {
        let plan = plan(&Deliveries::default(), NonZero::new(1000).unwrap());
        assert_eq!(asked(&plan), [range(date(2026, 8, 24), TODAY)]);
        assert!(plan.warnings.is_empty());
    }

    #[test]
    fn a_run_that_misses_nothing_asks_for_the_last_days_again() {
        for (last, from) in [
            (TODAY, date(2026, 11, 21)),
            (date(2026, 11, 21), date(2026, 11, 20)),
            (date(2026, 11, 1), date(2026, 10, 31)),
            // A file from the future is no reason to stop asking.
            (TODAY + 3.days(), date(2026, 11, 21)),
        ] {
            let plan = plan(&delivered(last, &[]), NonZero::new(1000).unwrap());
            assert_eq!(asked(&plan), [range(from, TODAY)], "{last}");
            assert!(plan.warnings.is_empty());
        }
    }

    #[test]
    fn missing_days_and_gaps_are_asked_for() {
        let missing = [date(2026, 10, 1), date(2026, 10, 2), date(2026, 10, 3)];
        let mut deliveries = delivered(TODAY, &missing);
        deliveries.gaps = vec![range(date(2026, 9, 10), date(2026, 9, 11))];
        let plan = plan(&deliveries, NonZero::new(2).unwrap());
        assert_eq!(
            asked(&plan),
            [
                range(date(2026, 9, 10), date(2026, 9, 11)),
                range(date(2026, 10, 1), date(2026, 10, 2)),
                range(date(2026, 10, 3), date(2026, 10, 3)),
                range(date(2026, 11, 21), TODAY),
            ]
        );
        let again = plan.tasks.iter().map(|task| matches!(task, Task::Again(_)));
        assert_eq!(again.collect::<Vec<_>>(), [true, false, false, false]);
        assert!(plan.warnings.is_empty());
    }

    #[test]
    fn days_about_to_be_gone_are_told_and_those_that_are_gone_left() {
        let missing = [date(2026, 8, 20), date(2026, 8, 24), date(2026, 8, 30), date(2026, 8, 31)];
        let plan = plan(&delivered(TODAY, &missing), ONE);
        assert_eq!(asked(&plan)[0], range(date(2026, 8, 24), date(2026, 8, 24)));
        assert_eq!(
            plan.warnings,
            [
                Warning::Expiring(range(date(2026, 8, 24), date(2026, 8, 24))),
                Warning::Expiring(range(date(2026, 8, 30), date(2026, 8, 30))),
            ]
        );
    }

    #[test]
    fn each_day_is_asked_for_once_and_none_that_is_missing_is_left_out() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..200 {
            let mut deliveries = delivered(TODAY - random.i64(0..100).days(), &[]);
            deliveries.days.retain(|_| random.f32() < 0.8);
            let chunk = NonZero::new(random.u32(1..10)).unwrap();
            let plan = plan(&deliveries, chunk);
            let mut covered = BTreeSet::new();
            for days in asked(&plan) {
                assert!(days.count() <= chunk.get());
                for day in days.chunks(ONE) {
                    assert!(covered.insert(day.from()), "{day} twice");
                }
            }
            let first = TODAY - 90.days();
            for day in first.series(1.day()).take_while(|day| *day <= TODAY) {
                assert!(covered.remove(&day) || deliveries.days.contains(&day), "{day}");
            }
            assert!(covered.is_empty(), "before the horizon, or after today");
        }
    }
}
