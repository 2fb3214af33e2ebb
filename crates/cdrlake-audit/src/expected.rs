//! Totals that someone else has counted, compared with the lake's.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use cdrlake_load::Seconds;
use serde::Serialize;

use crate::error::AuditError;
use crate::totals::{TotalsKey, TotalsRow, TotalsSum};

/// Columns that say whose totals a row has. Those that a file does not have are summed over.
const KEYS: [&str; 4] = ["period", "country", "profile", "product_type"];

/// Columns that are compared. A file has one of them at least; an empty cell is not compared.
const MEASURES: [&str; 3] = ["calls", "seconds", "zero_second_calls"];

/// Totals to compare with, from a CSV file with a header.
#[derive(Clone, Debug)]
pub struct ExpectedTotals {
    keys: Vec<usize>,
    rows: BTreeMap<TotalsKey, Expected>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Expected {
    calls: Option<u64>,
    seconds: Option<Seconds>,
    zero_second_calls: Option<u64>,
}

/// One figure that is not what was expected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Whose.
    #[serde(flatten)]
    pub key: TotalsKey,
    /// `calls`, `seconds` or `zero_second_calls`.
    pub measure: &'static str,
    /// None if the file has no such row.
    pub expected: Option<String>,
    /// None if the lake has no such calls.
    pub found: Option<String>,
}

impl ExpectedTotals {
    /// Reads a CSV file: columns `period`, `country`, `profile`, `product_type` (any of them) and
    /// `calls`, `seconds`, `zero_second_calls` (at least one), in any order.
    ///
    /// # Errors
    ///
    /// [`AuditError::ExpectedTotals`], if it cannot be read or is of another form.
    pub fn read(path: &Path) -> Result<Self, AuditError> {
        let fail = |problem: String| AuditError::ExpectedTotals { path: path.to_owned(), problem };
        let file = File::open(path).map_err(|error| fail(error.to_string()))?;
        Self::parse(file).map_err(fail)
    }

    fn parse(input: impl std::io::Read) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
        let header = reader.headers().map_err(|error| error.to_string())?.clone();
        let unknown = header.iter().find(|name| !KEYS.contains(name) && !MEASURES.contains(name));
        if let Some(name) = unknown {
            return Err(format!(
                "unknown column {name:?}; there are {} and {}",
                KEYS.join(", "),
                MEASURES.join(", ")
            ));
        }
        let place = |name: &str| header.iter().position(|found| found == name);
        if MEASURES.iter().all(|name| place(name).is_none()) {
            return Err(format!("there is none of the columns {}", MEASURES.join(", ")));
        }
        let keys = (0..KEYS.len()).filter(|&key| place(KEYS[key]).is_some()).collect();
        let mut rows = BTreeMap::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell = |name: &str| {
                let cell = place(name).and_then(|place| record.get(place));
                cell.filter(|cell| !cell.is_empty()).map(str::to_owned)
            };
            let number = |name: &str| {
                let number = cell(name).map(|cell| cell.parse::<u64>());
                number.transpose().map_err(|_| format!("line {line}: {name} is no number"))
            };
            let seconds = cell("seconds").map(|cell| seconds(&cell)).transpose();
            let expected = Expected {
                calls: number("calls")?,
                seconds: seconds.map_err(|problem| format!("line {line}: {problem}"))?,
                zero_second_calls: number("zero_second_calls")?,
            };
            let [period, country, profile, product_type] = KEYS.map(cell);
            let key = TotalsKey { period, country, profile, product_type };
            if rows.insert(key, expected).is_some() {
                return Err(format!("line {line}: the same totals come twice"));
            }
        }
        Ok(Self { keys, rows })
    }

    /// What of these totals is not as expected.
    #[must_use]
    pub fn compare(&self, totals: &[TotalsRow]) -> Vec<Difference> {
        let mut sums: BTreeMap<TotalsKey, TotalsSum> = BTreeMap::new();
        for row in totals {
            *sums.entry(self.reduced(&row.key)).or_default() += row.sum;
        }
        let mut differences = Vec::new();
        for (key, expected) in &self.rows {
            let found = sums.get(key);
            differences.extend(
                expected
                    .figures()
                    .into_iter()
                    .zip(TotalsSum::figures(found.copied().unwrap_or_default()))
                    .filter(|((_, expected), (_, found))| {
                        expected.as_ref().is_some_and(|expected| expected != found)
                    })
                    .map(|((measure, expected), (_, figure))| Difference {
                        key: key.clone(),
                        measure,
                        expected,
                        found: found.map(|_| figure),
                    }),
            );
        }
        let unexpected = sums.into_iter().filter(|(key, _)| !self.rows.contains_key(key));
        differences.extend(unexpected.map(|(key, sum)| Difference {
            key,
            measure: "calls",
            expected: None,
            found: Some(sum.calls.to_string()),
        }));
        differences
    }

    /// The key without what the file does not tell apart.
    fn reduced(&self, key: &TotalsKey) -> TotalsKey {
        let keep = |index: usize, value: &Option<String>| {
            value.clone().filter(|_| self.keys.contains(&index))
        };
        TotalsKey {
            period: keep(0, &key.period),
            country: keep(1, &key.country),
            profile: keep(2, &key.profile),
            product_type: keep(3, &key.product_type),
        }
    }
}

impl Expected {
    fn figures(self) -> [(&'static str, Option<String>); 3] {
        [
            (MEASURES[0], self.calls.map(|calls| calls.to_string())),
            (MEASURES[1], self.seconds.map(|seconds| seconds.to_string())),
            (MEASURES[2], self.zero_second_calls.map(|calls| calls.to_string())),
        ]
    }
}

impl TotalsSum {
    fn figures(self) -> [(&'static str, String); 3] {
        [
            (MEASURES[0], self.calls.to_string()),
            (MEASURES[1], self.seconds.to_string()),
            (MEASURES[2], self.zero_second_calls.to_string()),
        ]
    }
}

/// Seconds with up to one decimal that counts.
fn seconds(text: &str) -> Result<Seconds, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let tenths = match fraction.len() {
        0 => Some(0),
        1 => fraction.parse::<u64>().ok(),
        _ => None,
    };
    let whole = whole.parse::<u64>().ok().and_then(|whole| whole.checked_mul(10));
    match (whole, tenths) {
        (Some(whole), Some(tenths)) => Ok(Seconds::from_tenths(whole + tenths)),
        _ => Err("seconds is no number with up to one decimal".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(period: &str, profile: &str, calls: u64, tenths: u64) -> TotalsRow {
        TotalsRow {
            key: TotalsKey {
                period: Some(period.to_owned()),
                country: Some("GB".to_owned()),
                profile: Some(profile.to_owned()),
                product_type: Some("79".to_owned()),
            },
            sum: TotalsSum { calls, seconds: Seconds::from_tenths(tenths), zero_second_calls: 1 },
        }
    }

    fn compared(csv: &str) -> Vec<String> {
        let totals = [
            row("2025-10", "ABC", 10, 1005),
            row("2025-10", "XYZ", 5, 20),
            row("2025-11", "ABC", 7, 700),
        ];
        let expected = ExpectedTotals::parse(csv.as_bytes()).unwrap();
        let text = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let told = |it: Difference| {
            let (period, profile) = (text(it.key.period), text(it.key.profile));
            let (expected, found) = (text(it.expected), text(it.found));
            format!("{period} {profile} {} {expected} {found}", it.measure)
        };
        expected.compare(&totals).into_iter().map(told).collect()
    }

    #[test]
    fn differences() {
        let same = "period,country,profile,product_type,calls,seconds,zero_second_calls\n\
                    2025-10,GB,ABC,79,10,100.50,1\n\
                    2025-10,GB,XYZ,79,5,2,1\n\
                    2025-11,GB,ABC,79,7,70.0,1\n";
        assert!(compared(same).is_empty());
        // Summed over what the file does not tell apart; empty cells are not compared.
        assert!(compared("calls, period\n15,2025-10\n,2025-11\n").is_empty());
        assert!(compared("seconds\n172.5\n").is_empty());
        assert_eq!(
            compared("period,profile,calls,seconds\n2025-10,ABC,11,100.4\n2025-09,ABC,1,\n"),
            [
                "2025-09 ABC calls 1 -",
                "2025-10 ABC calls 11 10",
                "2025-10 ABC seconds 100.4 100.5",
                "2025-10 XYZ calls - 5",
                "2025-11 ABC calls - 7",
            ]
        );
    }

    #[test]
    fn files_of_another_form_are_refused() {
        let cases = [
            ("period,minutes\n", "unknown column \"minutes\""),
            ("period\n", "none of the columns"),
            ("calls\nten\n", "line 2: calls is no number"),
            ("seconds\n1.25\n", "line 2: seconds is no number"),
            ("period,calls\n2025-10,1\n2025-10,2\n", "line 3: the same totals come twice"),
            ("period,calls\n2025-10\n", "record"),
        ];
        for (csv, problem) in cases {
            let error = ExpectedTotals::parse(csv.as_bytes()).unwrap_err();
            assert!(error.contains(problem), "{csv:?}: {error}");
        }
    }
}
