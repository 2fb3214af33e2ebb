//! What was counted, for people: tables and a bar chart.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use cdrlake_core::{Country, product_type_name};
use jiff::civil::Date;

use super::counted::Stats;
use super::tally::{By, Count, Tally, product};
use crate::inspect::local_time;
use crate::table::{Align, table};

/// The percentiles that are told.
pub(super) const PERCENTILES: [u64; 7] = [1, 10, 25, 50, 75, 90, 99];

/// Bars in the chart at the most: more days are summed to months, more months to years.
const MAX_BARS: usize = 62;

/// Characters of the longest bar.
const BAR: u64 = 40;

const HEAD: Style = Style::new().bold();
const BARS: Style = AnsiColor::Cyan.on_default();
const BAD: Style = AnsiColor::Red.on_default();

/// Everything, with escape sequences for colour; ends with a line feed.
pub(super) fn to_text(stats: &Stats, top: usize) -> String {
    let Stats { tally, files, failed } = stats;
    let mut text = String::new();
    let _ = write!(
        text,
        "{HEAD}{}{HEAD:#} in {}",
        count(tally.all.records, "record"),
        count(*files, "file")
    );
    if *failed > 0 {
        let _ = write!(text, ", {BAD}{failed} failed{BAD:#}");
    }
    let _ = writeln!(
        text,
        ", {} rejected, {}",
        grouped(tally.rejected()),
        count(tally.blank_lines, "blank line")
    );
    if let Some((first, last)) = tally.span {
        let _ = writeln!(text, "{} to {}", local_time(first), local_time(last));
        let _ = writeln!(text, "{} minutes", minutes(tally.all.tenths));
    }
    if tally.all.records > 0 {
        text += &chart(&tally.days);
        text += &by("country", &tally.countries, tally.all, top, String::clone);
        text += &by("profile", &tally.profiles, tally.all, top, String::clone);
        text += &by("product", &tally.products, tally.all, top, |identifier| product(identifier));
        text += &by("product type", &tally.product_types, tally.all, top, |digits| {
            format!("{digits} {}", product_type_name(digits).unwrap_or_default())
        });
        text += &by("destination", &tally.destinations, tally.all, top, |&code| destination(code));
        text += &durations(tally);
        text += &numbers(tally);
    }
    text += &rejects(tally);
    text
}

/// So many of what goes by `name`.
fn count(number: u64, name: &str) -> String {
    format!("{} {name}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// From a date to the first one of its period, or of the next.
type Step = fn(Date) -> Date;

/// Calls by day, month or year, with those between that have none.
fn chart(days: &BTreeMap<i64, Count>) -> String {
    let by_day: BTreeMap<Date, u64> =
        days.iter().map(|(&day, count)| (date(day), count.records)).collect();
    let steps: [(&str, Step, Step, &str); 3] = [
        ("day", |date| date, next, "%F %a"),
        ("month", Date::first_of_month, |date| next(date.last_of_month()), "%Y-%m"),
        ("year", Date::first_of_year, |date| next(date.last_of_year()), "%Y"),
    ];
    let mut text = String::new();
    for (index, (name, start_of, next_of, format)) in steps.into_iter().enumerate() {
        let mut bars: BTreeMap<Date, u64> = BTreeMap::new();
        for (&date, records) in &by_day {
            *bars.entry(start_of(date)).or_default() += records;
        }
        let (Some((&first, _)), Some((&last, _))) = (bars.first_key_value(), bars.last_key_value())
        else {
            return text;
        };
        let dates: Vec<Date> = std::iter::successors(Some(first), |&date| Some(next_of(date)))
            .take_while(|&date| date <= last)
            .take(MAX_BARS * 4)
            .collect();
        if dates.len() > MAX_BARS && index + 1 < 3 {
            continue;
        }
        let most = bars.values().copied().max().unwrap_or_default().max(1);
        let widest = grouped(most).len();
        let _ = writeln!(text, "\n{HEAD}calls per {name}{HEAD:#}");
        for date in dates {
            let records = bars.get(&date).copied().unwrap_or_default();
            let (when, count) = (date.strftime(format), grouped(records));
            let bar = bar(records, most);
            let _ = write!(text, "  {when}  {count:>widest$}");
            let _ = if bar.is_empty() {
                writeln!(text)
            } else {
                writeln!(text, "  {BARS}{bar}{BARS:#}")
            };
        }
        return text;
    }
    text
}

fn next(date: Date) -> Date {
    date.tomorrow().unwrap_or(Date::MAX)
}

/// A bar in eighths of a character; what is not none has one at least.
fn bar(records: u64, most: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (u128::from(records) * u128::from(BAR * 8)).div_ceil(u128::from(most)) as usize;
    "█".repeat(eighths / 8) + EIGHTHS[eighths % 8]
}

/// A table of the values with most records.
fn by<K: Ord>(
    title: &str,
    by: &By<K>,
    all: Count,
    top: usize,
    name: impl Fn(&K) -> String,
) -> String {
    let mut rows: Vec<_> = by.iter().collect();
    rows.sort_by_key(|(_, count)| Reverse(count.records));
    let others = rows.split_off(top.min(rows.len()));
    let row = |name: String, count: Count| {
        [name, grouped(count.records), percent(count.records, all.records), minutes(count.tenths)]
    };
    let mut cells: Vec<_> = rows
        .iter()
        .map(|(key, count)| row(key.as_ref().map_or_else(|| "unknown".to_owned(), &name), **count))
        .collect();
    if !others.is_empty() {
        let sum = others.iter().fold(Count::default(), |sum, (_, count)| Count {
            records: sum.records + count.records,
            tenths: sum.tenths + count.tenths,
        });
        cells.push(row(format!("{} others", others.len()), sum));
    }
    let head = [
        (title, Align::Left),
        ("records", Align::Right),
        ("share", Align::Right),
        ("minutes", Align::Right),
    ];
    format!("\n{}", headed(&table(head, cells), HEAD))
}

/// A country code, and the carrier's countries that have it.
fn destination(code: u16) -> String {
    let text = code.to_string();
    let countries = Country::all().filter(|country| country.calling_code() == text);
    let names: Vec<_> = countries.map(Country::code).collect();
    format!("+{code} {}", names.join("/"))
}

fn durations(tally: &Tally) -> String {
    let durations = &tally.durations;
    let percentiles = PERCENTILES.into_iter().filter_map(|percent| {
        let tenths = durations.percentile(percent)?;
        Some([format!("{percent} % of calls, at most"), seconds(tenths.into())])
    });
    let others = [
        ("longest", durations.longest().map(u64::from)),
        ("mean", tally.all.tenths.checked_div(tally.all.records)),
    ];
    let others =
        others.into_iter().filter_map(|(name, tenths)| Some([name.to_owned(), seconds(tenths?)]));
    let text =
        table([("duration", Align::Left), ("seconds", Align::Right)], percentiles.chain(others));
    let zero = durations.zero();
    let share = percent(zero, tally.all.records);
    format!("\n{}  no time: {} ({share})\n", headed(&text, HEAD), count(zero, "call"))
}

fn numbers(tally: &Tally) -> String {
    let row = |name: &str, part, of| [name.to_owned(), grouped(part), percent(part, of)];
    let rows = [
        row("origins that are masked", tally.masked, tally.origins),
        row("origins without E.164", tally.origins_unnormalized, tally.origins),
        row(
            "destinations without E.164",
            tally.destinations_unnormalized,
            tally.destinations_given,
        ),
    ];
    let head = [("numbers", Align::Left), ("records", Align::Right), ("share", Align::Right)];
    format!("\n{}", headed(&table(head, rows), HEAD))
}

/// A table whose first line is in this style.
fn headed(table: &str, style: Style) -> String {
    let (first, rest) = table.split_once('\n').unwrap_or((table, ""));
    format!("{style}{first}{style:#}\n{rest}")
}

fn rejects(tally: &Tally) -> String {
    if tally.rejects.is_empty() {
        return String::new();
    }
    let head = [("rejected for", Align::Left), ("lines", Align::Right)];
    let mut rows: Vec<_> = tally.rejects.iter().collect();
    rows.sort_by_key(|(_, count)| Reverse(**count));
    let rows = rows.into_iter().map(|(code, &count)| [code.clone(), grouped(count)]);
    format!("\n{}", headed(&table(head, rows), BAD))
}

/// A day since 1970.
pub(super) fn date(day: i64) -> Date {
    cdrlake_core::local_time::date_of_day(day)
}

/// Tenths of a second as seconds.
pub(super) fn seconds(tenths: u64) -> String {
    format!("{}.{}", tenths / 10, tenths % 10)
}

fn minutes(tenths: u64) -> String {
    let tenths_of_minutes = (tenths + 30) / 60;
    format!("{}.{}", grouped(tenths_of_minutes / 10), tenths_of_minutes % 10)
}

/// With a comma between thousands.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share to a tenth of a percent; what is neither none nor all is not rounded to either.
fn percent(part: u64, of: u64) -> String {
    if of == 0 {
        return "-".to_owned();
    }
    let exact = part as f64 * 100.0 / of as f64;
    match part {
        0 => "0 %".to_owned(),
        part if part == of => "100 %".to_owned(),
        _ => format!("{:.1} %", exact.clamp(0.1, 99.9)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(seconds(1234), "123.4");
        assert_eq!(minutes(600), "1.0");
        assert_eq!(minutes(36_000_000), "60,000.0");
        assert_eq!(
            (percent(0, 3), percent(3, 3), percent(0, 0)),
            ("0 %".into(), "100 %".into(), "-".into())
        );
        assert_eq!(
            (percent(1, 1_000_000), percent(999_999, 1_000_000)),
            ("0.1 %".into(), "99.9 %".into())
        );
    }

    #[test]
    fn bars_are_as_long_as_their_share() {
        assert_eq!(bar(0, 10), "");
        assert_eq!(bar(10, 10).chars().count(), 40);
        assert_eq!(bar(5, 10).chars().count(), 20);
        assert_eq!(bar(1, u64::MAX), "▏");
    }

    #[test]
    fn charts_show_gaps_and_have_a_bounded_length() {
        let days =
            |days: &[i64]| days.iter().map(|&day| (day, Count { records: 7, tenths: 0 })).collect();
        let bars = |text: &str| text.lines().count() - 2;
        let text = chart(&days(&[0, 2]));
        assert!(text.contains("calls per day") && text.contains("1970-01-02 Fri  0"), "{text}");
        assert_eq!(bars(&text), 3);
        let text = chart(&days(&[0, 61]));
        assert_eq!((bars(&text), text.contains("per day")), (62, true));
        let text = chart(&days(&[0, 62]));
        assert!(text.contains("calls per month") && bars(&text) == 3, "{text}");
        let text = chart(&days(&[-25_567, 47_846]));
        assert!(text.contains("calls per year") && bars(&text) == 201, "{}", bars(&text));
    }
}
