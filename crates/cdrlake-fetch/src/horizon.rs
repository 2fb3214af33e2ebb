//! What the carrier still has: unrated records for 90 days, a consolidated file for 5.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::days::{Days, plus};
use crate::parameters::OrderId;
use crate::request::Operation;
use crate::task::Task;

/// For how many days unrated records are kept (section 3), and how many an order may have (section
/// 4.2).
pub const UNRATED_DAYS: u32 = 90;
/// For how many days a consolidated file is kept (section 4.3).
pub const CONSOLIDATED_DAYS: u32 = 5;
/// After how many days a day's files are final: that of 9 AM holds calls of the day before, and
/// a delivery may be late.
pub(crate) const FINAL_AFTER: u32 = 2;

/// The day it is for the carrier, whose times are CET: UTC+1.
#[must_use]
pub fn today() -> Date {
    day_of(Timestamp::now())
}

/// The day that a time falls on for the carrier.
pub(crate) fn day_of(time: Timestamp) -> Date {
    Offset::constant(1).to_datetime(time).date()
}

/// What may disappoint, told before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// Days that the carrier no longer has.
    Gone(Days),
    /// Missing days that the carrier has for a week at most.
    Expiring(Days),
    /// Days that are not over, or whose files may not all be there.
    Unfinished(Days),
    /// An order whose file the carrier no longer has.
    OrderGone(OrderId),
}

impl Warning {
    /// What there is to say about tasks, today; neighbouring days together.
    #[must_use]
    pub fn of_all(tasks: &[Task], today: Date) -> Vec<Self> {
        let mut warnings: Vec<Self> = Vec::new();
        for warning in tasks.iter().flat_map(|task| Self::of(task, today)) {
            if !warnings.iter_mut().any(|known| known.extend(&warning)) {
                warnings.push(warning);
            }
        }
        warnings
    }

    /// Takes in `other`, if it is of the same kind and the days after.
    fn extend(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Gone(days), Self::Gone(next))
            | (Self::Unfinished(days), Self::Unfinished(next))
                if plus(days.to(), 1) == Some(next.from()) =>
            {
                Days::new(days.from(), next.to()).map(|joined| *days = joined).is_ok()
            }
            _ => false,
        }
    }

    /// What there is to say about a task, today.
    #[must_use]
    pub fn of(task: &Task, today: Date) -> Vec<Self> {
        match task {
            Task::Download(Operation::Unrated(usage))
            | Task::Again(Operation::Unrated(usage))
            | Task::Order(usage) => {
                let gone = first_kept(today)
                    .and_then(|first| plus(first, -1))
                    .and_then(|last| Days::new(usage.days.from(), last.min(usage.days.to())).ok());
                let unfinished = Days::new(today.max(usage.days.from()), usage.days.to()).ok();
                gone.map(Self::Gone).into_iter().chain(unfinished.map(Self::Unfinished)).collect()
            }
            Task::Resume { order_id, .. } => {
                let ordered = order_date(order_id);
                let is_gone = ordered
                    .and_then(|ordered| plus(ordered, i64::from(CONSOLIDATED_DAYS)))
                    .is_some_and(|last| last < today);
                is_gone.then(|| Self::OrderGone(order_id.clone())).into_iter().collect()
            }
            Task::Download(_) | Task::Again(_) => Vec::new(),
        }
    }
}

/// The earliest day of which the carrier has unrated records.
pub(crate) fn first_kept(today: Date) -> Option<Date> {
    plus(today, -i64::from(UNRATED_DAYS))
}

/// Whether asking again for days up to `last` would bring nothing else.
pub(crate) fn is_final(last: Date, today: Date) -> bool {
    plus(last, i64::from(FINAL_AFTER)).is_some_and(|end| end <= today)
}

/// An order id is "the combination of date and unique number" (section 4.3).
fn order_date(order_id: &OrderId) -> Option<Date> {
    Date::strptime("%Y%m%d", order_id.as_str().get(..8)?).ok()
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone(days) => write!(
                f,
                "{days}: the carrier keeps unrated records for {UNRATED_DAYS} days, so it may have \
                 none of these any more"
            ),
            Self::Expiring(days) => write!(
                f,
                "{days}: not all files of these days were delivered, and the carrier keeps them for \
                 {UNRATED_DAYS} days only"
            ),
            Self::Unfinished(days) => {
                write!(f, "{days}: not all files of these days can be there yet")
            }
            Self::OrderGone(order_id) => write!(
                f,
                "order {order_id}: the carrier keeps its file for {CONSOLIDATED_DAYS} days, so it \
                 may be gone; order again"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::request::Usage;

    fn days(from: Date, to: Date) -> Days {
        Days::new(from, to).unwrap()
    }

    #[test]
    fn warnings_are_of_the_days_concerned() {
        let today = date(2026, 11, 22);
        let usage = |from, to| Usage {
            profile: "ABC".parse().unwrap(),
            offering: "SIP Trunking".parse().unwrap(),
            days: days(from, to),
        };
        for (from, to, expected) in [
            (date(2026, 8, 24), date(2026, 11, 21), vec![]),
            (
                date(2026, 8, 20),
                date(2026, 11, 21),
                vec![Warning::Gone(days(date(2026, 8, 20), date(2026, 8, 23)))],
            ),
            (
                date(2026, 1, 1),
                date(2026, 1, 31),
                vec![Warning::Gone(days(date(2026, 1, 1), date(2026, 1, 31)))],
            ),
            (
                date(2026, 11, 20),
                date(2026, 11, 23),
                vec![Warning::Unfinished(days(today, date(2026, 11, 23)))],
            ),
        ] {
            for task in
                [Task::Download(Operation::Unrated(usage(from, to))), Task::Order(usage(from, to))]
            {
                assert_eq!(Warning::of(&task, today), expected, "{from} {to}");
            }
        }
    }

    #[test]
    fn neighbouring_days_are_told_together() {
        let range = days(date(2026, 8, 1), date(2026, 11, 23));
        let tasks: Vec<Task> = range
            .chunks(std::num::NonZero::<u32>::MIN)
            .map(|days| {
                Task::Download(Operation::Unrated(Usage {
                    profile: "ABC".parse().unwrap(),
                    offering: "SIP Trunking".parse().unwrap(),
                    days,
                }))
            })
            .collect();
        assert_eq!(
            Warning::of_all(&tasks, date(2026, 11, 22)),
            [
                Warning::Gone(days(date(2026, 8, 1), date(2026, 8, 23))),
                Warning::Unfinished(days(date(2026, 11, 22), date(2026, 11, 23))),
            ]
        );
    }

    #[test]
    fn orders_are_gone_after_five_days() {
        for (order_id, is_gone) in
            [("2026111712", false), ("2026111612", true), ("x", false), ("9999999999", false)]
        {
            let order_id: OrderId = order_id.parse().unwrap();
            let task = Task::Resume { profile: "ABC".parse().unwrap(), order_id };
            assert_eq!(!Warning::of(&task, date(2026, 11, 22)).is_empty(), is_gone);
        }
    }

    #[test]
    fn a_day_is_final_two_days_later() {
        assert!(!is_final(date(2026, 11, 21), date(2026, 11, 22)));
        assert!(is_final(date(2026, 11, 20), date(2026, 11, 22)));
    }
}
