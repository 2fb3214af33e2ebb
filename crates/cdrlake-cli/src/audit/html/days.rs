//! Calls and minutes by day, as bars: a chart a year, or one where all is within few days.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cdrlake::TotalsRow;
use jiff::ToSpan;
use jiff::civil::{Date, date};
use maud::{Markup, html};

use super::counts::grouped;
use super::svg::{band, path, told_path};

/// Days that are one chart, whatever years they are of.
const ONE_CHART: i32 = 100;
/// Days that tell their figures when they are pointed at; of more only the bars are drawn.
const TOLD: usize = 1_000;
/// Years that are drawn at the most, the latest. A wrong date can be any of two centuries.
const YEARS: usize = 15;
/// Units from bar to bar, a gap of 1 among them.
const PITCH: u32 = 4;
const HEIGHT: u32 = 96;
/// Pixels from bar to bar at the most.
const WIDEST: u32 = 30;

#[derive(Clone, Copy, Default)]
struct Sum {
    calls: u64,
    tenths: u64,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.tenths += other.tenths;
    }
}

pub(super) fn part(rows: &[TotalsRow]) -> Markup {
    let mut days: BTreeMap<Date, Sum> = BTreeMap::new();
    for row in rows {
        if let Some(day) = row.key.period.as_deref().and_then(|period| period.parse().ok()) {
            let sum = Sum { calls: row.sum.calls, tenths: row.sum.seconds.tenths() };
            days.entry(day).or_default().add(&sum);
        }
    }
    let spans = spans(&days);
    let (Some(&first), Some(&last)) = (days.keys().next(), days.keys().next_back()) else {
        return html! { p { "No calls." } };
    };
    let drawn = &spans[spans.len().saturating_sub(YEARS)..];
    let is_told = days.len() <= TOLD;
    html! {
        p {
            "Calls started from " (first) " to " (last) ", on " (grouped(days.len() as u64)) " days."
            @if drawn.len() < spans.len() {
                " The last " (drawn.len()) " years with calls are drawn."
            }
        }
        @for &(measure, of) in &MEASURES {
            @let most = drawn.iter().flat_map(|&(from, to)| days.range(from..=to));
            @let most = most.map(|(day, sum)| (of(sum), *day)).max_by_key(|(figure, _)| *figure);
            @if let Some((most, on)) = most {
                h4 { (measure) " a day" }
                p { "The tallest bar is " (grouped(most)) " " (measure) ", on " (on) "." }
                @for &(from, to) in drawn {
                    (Chart { days: &days, from, to, measure, of, most, is_told }.draw())
                }
            }
        }
    }
}

type Figure = fn(&Sum) -> u64;

const MEASURES: [(&str, Figure); 2] =
    [("calls", |sum| sum.calls), ("minutes", |sum| sum.tenths / 600)];

/// The first and last day of each chart.
fn spans(days: &BTreeMap<Date, Sum>) -> Vec<(Date, Date)> {
    let (Some(&first), Some(&last)) = (days.keys().next(), days.keys().next_back()) else {
        return Vec::new();
    };
    if (last - first).get_days() < ONE_CHART {
        return vec![(first, last)];
    }
    let mut years: Vec<i16> = days.keys().map(|day| day.year()).collect();
    years.dedup();
    years.into_iter().map(|year| (date(year, 1, 1), date(year, 12, 31))).collect()
}

struct Chart<'a> {
    days: &'a BTreeMap<Date, Sum>,
    from: Date,
    to: Date,
    measure: &'a str,
    of: Figure,
    most: u64,
    is_told: bool,
}

impl Chart<'_> {
    fn draw(&self) -> Markup {
        let days = self.days.range(self.from..=self.to);
        let mut total = Sum::default();
        days.clone().for_each(|(_, sum)| total.add(sum));
        let span = if self.from.year() == self.to.year() && self.from.first_of_year() == self.from {
            self.from.year().to_string()
        } else {
            format!("{} to {}", self.from, self.to)
        };
        let title = format!("{span}: {} {}", grouped((self.of)(&total)), self.measure);
        let days_drawn = (self.to - self.from).get_days() as u32 + 1;
        let width = days_drawn * PITCH;
        // Few bars need not be as wide as the page.
        let widest = (days_drawn * WIDEST).max(240);
        let mut all = String::new();
        let bars = html! {
            @for (&day, sum) in days {
                @let figure = (self.of)(sum);
                @if self.is_told {
                    (told_path("bar", &self.bar(day, figure), &format!("{day}: {} {}", grouped(figure), self.measure)))
                } @else {
                    @let _ = all.write_str(&self.bar(day, figure));
                }
            }
            (path("bar", &all))
        };
        html! {
            figure.days style=(format!("max-width:min(100%,{widest}px)")) {
                figcaption { (title) }
                (band(&title, width, HEIGHT, &bars))
                (self.months())
            }
        }
    }

    /// From the ground up; what is there at all is seen.
    fn bar(&self, day: Date, figure: u64) -> String {
        let x = (day - self.from).get_days() as u32 * PITCH;
        let share = figure as f64 / self.most.max(1) as f64;
        let height = ((share * f64::from(HEIGHT)).round() as u32).max(u32::from(figure > 0));
        match height {
            0 => String::new(),
            height => format!("M{x} {HEIGHT}v-{height}h3v{height}z"),
        }
    }

    /// Months below their days, each as wide as it has days, those of few days without a name.
    fn months(&self) -> Markup {
        /// A name needs one of so many parts of the width.
        const NAMED: i32 = 16;
        let all = (self.to - self.from).get_days() + 1;
        let months = self.from.first_of_month().series(1.month());
        let months = months.take_while(|&month| month <= self.to);
        html! {
            div.months aria-hidden="true" {
                @for month in months {
                    @let days = (month.last_of_month().min(self.to) - month.max(self.from)).get_days() + 1;
                    span style=(format!("flex-grow:{days}")) {
                        @if days * NAMED >= all { (month.strftime("%b")) }
                    }
                }
            }
        }
    }
}
