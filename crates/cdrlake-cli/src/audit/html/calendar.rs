//! A calendar of deliveries for each country, profile and product: a square a day, half a year a
//! picture, gaps marked.
//!
//! Days on which all came are drawn together, as dashed lines, so that years of them take little
//! room; half years without any delivery are a line of text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use cdrlake::{DeliveryDays, Finding, Observation, Overview, Series};
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};
use maud::{Markup, html};

use super::cells::known;
use super::counts::counted;
use super::svg::{path, picture, told_path};

/// Pixels from day to day, a gap of 2 among them.
const PITCH: i32 = 12;
/// Where weeks begin, right of the names of days.
const LEFT: i32 = 28;
/// Where days begin, below the names of months.
const TOP: i32 = 16;
/// A half year touches 27 weeks at the most.
const WIDTH: u32 = LEFT as u32 + 27 * PITCH as u32;
const HEIGHT: u32 = TOP as u32 + 7 * PITCH as u32;
/// Days of a half year that tell what they lack when they are pointed at; beyond, they are drawn
/// together.
const TOLD: usize = 60;

pub(super) fn part(now: DateTime, overview: &Overview) -> Markup {
    if overview.deliveries.is_empty() {
        return html! { p { "No file's name tells when it was delivered." } };
    }
    html! {
        (legend())
        @for days in &overview.deliveries {
            @let calendar = Calendar::new(days, &overview.audit.accepted, now.date());
            (calendar.draw())
        }
    }
}

/// What a day was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Full,
    /// Fewer than the schedule says.
    Short,
    Missing,
    /// Short or missing, which someone has accepted.
    Accepted,
}

impl Day {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Full, "all delivered"),
        (Self::Short, "some missing"),
        (Self::Missing, "none delivered"),
        (Self::Accepted, "missing, and accepted"),
    ];

    const fn class(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Short => "short",
            Self::Missing => "missing",
            Self::Accepted => "accepted",
        }
    }

    /// The shape of it, which tells without the colour.
    fn shape(self, (x, y): (i32, i32)) -> String {
        match self {
            Self::Full => format!("M{} {y}v10", x + 5),
            // An outline, and its lower half filled.
            Self::Short => format!("M{x} {y}h10v10h-10zM{x} {0}h10v5h-10z", y + 5),
            // An outline with a cross.
            Self::Missing => format!("M{x} {y}h10v10h-10zl10 10m0 -10l-10 10"),
            // An outline with a dash.
            Self::Accepted => format!("M{x} {y}h10v10h-10zm2 5h6"),
        }
    }
}

fn legend() -> Markup {
    html! {
        ul.legend aria-label="What the squares mean" {
            @for (day, text) in Day::ALL {
                li {
                    svg aria-hidden="true" viewBox="-1 -1 12 12" width="14" height="14" {
                        (path(day.class(), &day.shape((0, 0))))
                    }
                    (text)
                }
            }
        }
    }
}

/// The days of one country, profile and product, from the first delivery to yesterday.
struct Calendar<'a> {
    of: &'a DeliveryDays,
    first: Date,
    /// The last day that is judged, or that has a delivery.
    last: Date,
    today: Date,
    accepted: BTreeSet<(Date, Date)>,
}

impl<'a> Calendar<'a> {
    fn new(of: &'a DeliveryDays, accepted: &[cdrlake::Accepted], today: Date) -> Self {
        let first = of.days.keys().next().copied().unwrap_or(today);
        let latest = of.days.keys().next_back().copied().unwrap_or(today);
        let accepted = accepted.iter().filter_map(|accepted| gap(&accepted.finding, &of.series));
        let yesterday = today.yesterday().unwrap_or(today);
        Self { of, first, last: yesterday.max(latest), today, accepted: accepted.collect() }
    }

    fn draw(&self) -> Markup {
        let Series { country, profile, product_identifier } = &self.of.series;
        let product = product_identifier.as_deref().and_then(cdrlake_core::product_name);
        let total: u64 = self.of.days.values().map(|&count| u64::from(count)).sum();
        let mut halves = vec![Half::of(self.first)];
        let after = |halves: &[Half]| halves.last().and_then(|half| half.next());
        while let Some(half) = after(&halves).filter(|half| half.first <= self.last) {
            halves.push(half);
        }
        let silent = |half: &Half| self.of.days.range(half.first..=half.last).next().is_none();
        let halves: Vec<_> = halves.chunk_by(|a, b| silent(a) && silent(b)).collect();
        html! {
            section.calendar {
                h4 {
                    span { "country " (known(country.as_ref())) }
                    span { "profile " (known(profile.as_ref())) }
                    span {
                        "product " (known(product_identifier.as_ref()))
                        @if let Some(product) = product { " " (product) }
                    }
                }
                p {
                    (counted(total, "delivery", "deliveries")) " from " (self.first) " to "
                    (self.of.days.keys().next_back().unwrap_or(&self.last))
                    "; the schedule says " (self.of.daily) " a day"
                }
                div.halves {
                    @for halves in halves {
                        @match halves {
                            [half] => (self.half(half)),
                            [first, .., last] => (self.silence(first, last)),
                            [] => {},
                        }
                    }
                }
            }
        }
    }

    /// Several half years without any delivery.
    fn silence(&self, first: &Half, last: &Half) -> Markup {
        let (first, last) = (first.first.max(self.first), last.last.min(self.last));
        html! {
            p.silence { strong { "✕ nothing delivered" } " from " (first) " to " (last) }
        }
    }

    /// What a day was; none if there is nothing to say. The day of the first delivery and today
    /// need not be whole.
    fn day(&self, day: Date) -> Option<Day> {
        let delivered = self.of.days.get(&day).copied().unwrap_or(0);
        let is_accepted = || {
            let before = self.accepted.iter().take_while(|(first, _)| *first <= day);
            before.into_iter().any(|(_, last)| day <= *last)
        };
        if day < self.first || day > self.last {
            None
        } else if delivered >= self.of.daily
            || (day == self.first || day >= self.today) && delivered > 0
        {
            Some(Day::Full)
        } else if day >= self.today {
            None
        } else if is_accepted() {
            Some(Day::Accepted)
        } else if delivered > 0 {
            Some(Day::Short)
        } else {
            Some(Day::Missing)
        }
    }

    fn half(&self, half: &Half) -> Markup {
        let mut full = String::new();
        let mut others: BTreeMap<&str, Vec<(Date, Day)>> = BTreeMap::new();
        let (mut judged, mut lacking) = (0, 0);
        let mut run: Option<((i32, i32), i32)> = None;
        let end_run = |run: Option<((i32, i32), i32)>, full: &mut String| {
            if let Some(((x, y), days)) = run {
                // The dashes of a line are its days.
                let _ = write!(full, "M{} {y}v{}", x + 5, days * PITCH - 2);
            }
        };
        for day in half.days() {
            let (x, y) = half.place(day);
            match self.day(day) {
                Some(Day::Full) => {
                    judged += 1;
                    run = match run {
                        Some((from, days)) if from.0 == x => Some((from, days + 1)),
                        _ => {
                            end_run(run, &mut full);
                            Some(((x, y), 1))
                        }
                    };
                    continue;
                }
                Some(other) => {
                    (judged, lacking) = (judged + 1, lacking + 1);
                    others.entry(other.class()).or_default().push((day, other));
                }
                None => {}
            }
            end_run(run.take(), &mut full);
        }
        end_run(run, &mut full);
        let caption =
            format!("{}: {lacking} of {} short", half.name(), counted(judged, "day", "days"));
        let is_told = lacking as usize <= TOLD;
        let content = html! {
            (half.labels())
            (path("full", &full))
            @for (class, days) in &others {
                @if is_told {
                    @for &(day, kind) in days {
                        (told_path(class, &kind.shape(half.place(day)), &self.told(day)))
                    }
                } @else {
                    (path(class, &days.iter().map(|&(day, kind)| kind.shape(half.place(day))).collect::<String>()))
                }
            }
        };
        html! {
            figure {
                figcaption { (caption) }
                (picture(&caption, WIDTH, HEIGHT, &content))
            }
        }
    }

    fn told(&self, day: Date) -> String {
        let delivered = self.of.days.get(&day).copied().unwrap_or(0);
        format!("{day}: {delivered} of {}", self.of.daily)
    }
}

/// The days of a finding about deliveries of this series that are missing.
fn gap(finding: &Finding, series: &Series) -> Option<(Date, Date)> {
    match finding.observation {
        Observation::MissingDelivery { first_day, last_day, .. } if finding.series == *series => {
            Some((first_day, last_day))
        }
        _ => None,
    }
}

/// January to June, or July to December.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Half {
    first: Date,
    last: Date,
}

impl Half {
    fn of(day: Date) -> Self {
        let (from, to, last) = if day.month() <= 6 { (1, 6, 30) } else { (7, 12, 31) };
        Self { first: date(day.year(), from, 1), last: date(day.year(), to, last) }
    }

    /// None after the last day that a calendar knows, which a file's name may well give.
    fn next(self) -> Option<Self> {
        self.last.tomorrow().ok().map(Self::of)
    }

    fn name(self) -> String {
        format!("{} to {}", self.first.strftime("%Y, %B"), self.last.strftime("%B"))
    }

    fn days(self) -> impl Iterator<Item = Date> {
        self.first.series(1.day()).take_while(move |&day| day <= self.last)
    }

    /// Where a day is drawn: a column a week, from Monday down.
    fn place(self, day: Date) -> (i32, i32) {
        let before = i32::from(self.first.weekday().to_monday_zero_offset());
        let index = before + (day - self.first).get_days();
        (LEFT + index / 7 * PITCH, TOP + index % 7 * PITCH)
    }

    /// Months above their first weeks, and some days of the week.
    fn labels(self) -> Markup {
        let months = self.first.series(1.month()).take(6);
        html! {
            g aria-hidden="true" {
                @for month in months {
                    text x=(self.place(month).0) y=(TOP - 5) { (month.strftime("%b")) }
                }
                @for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri"), (6, "Sun")] {
                    text x="0" y=(TOP + row * PITCH + 9) { (name) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use cdrlake::{Accepted, DaysLeft, GapState};

    use super::*;

    fn deliveries(days: &[(Date, u32)]) -> DeliveryDays {
        DeliveryDays {
            series: Series { country: Some("GB".to_owned()), ..Series::default() },
            daily: 2,
            days: days.iter().copied().collect(),
        }
    }

    fn accepted(series: &Series, day: Date) -> Accepted {
        let observation = Observation::MissingDelivery {
            first_day: day,
            last_day: day,
            state: GapState::Closed,
            delivered: 0,
            expected: 2,
            days_left: DaysLeft::of(day, day),
            kept_from: None,
        };
        let series = series.clone();
        let finding = Finding { id: String::new(), series, observation, message: String::new() };
        Accepted { finding, reason: String::new() }
    }

    #[test]
    fn days_are_judged_as_the_audit_judges_them() {
        let day = |day| date(2025, 10, day);
        // The first day and today need not be whole; more than the schedule says is whole, too.
        let of = deliveries(&[(day(1), 1), (day(2), 2), (day(3), 1), (day(4), 3), (day(8), 1)]);
        let other = Series::default();
        let accepted = [accepted(&of.series, day(5)), accepted(&other, day(6))];
        let calendar = Calendar::new(&of, &accepted, day(8));
        let expected = [
            (1, Some(Day::Full)),
            (2, Some(Day::Full)),
            (3, Some(Day::Short)),
            (4, Some(Day::Full)),
            (5, Some(Day::Accepted)),
            (6, Some(Day::Missing)),
            (7, Some(Day::Missing)),
            (8, Some(Day::Full)),
            (9, None),
        ];
        for (number, state) in expected {
            assert_eq!(calendar.day(day(number)), state, "{number}");
        }
        assert_eq!(Calendar::new(&of, &[], day(9)).day(day(9)), None);
        let drawn = calendar.draw().into_string();
        assert!(drawn.contains("2025, July to December: 4 of 8 days short"), "{drawn}");
        assert!(drawn.contains("<title>2025-10-03: 1 of 2</title>"), "{drawn}");
    }

    #[test]
    fn a_week_is_a_column_from_monday_down() {
        // 2025-07-01 was a Tuesday.
        let half = Half::of(date(2025, 10, 1));
        assert_eq!(half.place(date(2025, 7, 1)), (LEFT, TOP + PITCH));
        assert_eq!(half.place(date(2025, 7, 6)), (LEFT, TOP + 6 * PITCH));
        assert_eq!(half.place(date(2025, 7, 7)), (LEFT + PITCH, TOP));
        let last = half.days().map(|day| half.place(day).0).max();
        assert!(last.is_some_and(|x| x + PITCH <= WIDTH as i32));
    }

    #[test]
    fn years_without_a_delivery_are_a_line() {
        let of = deliveries(&[(Date::MIN, 2), (date(2025, 10, 1), 2), (Date::MAX, 2)]);
        let drawn = Calendar::new(&of, &[], date(2025, 10, 2)).draw().into_string();
        assert!(drawn.contains("from 2026-01-01 to 9999-06-30"), "{drawn}");
        assert!(drawn.len() < 100_000, "{}", drawn.len());
    }
}
