//! How many rejected lines a source may have.

use std::fmt;
use std::str::FromStr;

use cdrlake_core::Counts;

/// How many of a source's records may be rejected before it fails as a whole.
///
/// ```
/// use cdrlake_load::MaxRejects;
///
/// assert_eq!("10".parse(), Ok(MaxRejects::Count(10)));
/// assert_eq!("0.5%".parse::<MaxRejects>()?.to_string(), "0.5%");
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaxRejects {
    /// So many.
    Count(u64),
    /// So many of a million of its records, rejected ones included; a percentage when displayed.
    PerMillion(u32),
}

impl MaxRejects {
    pub(crate) fn is_exceeded_by(self, counts: &Counts) -> bool {
        let rejected = counts.rejected();
        match self {
            Self::Count(limit) => rejected > limit,
            Self::PerMillion(limit) => {
                let records = counts.records + rejected;
                u128::from(rejected) * 1_000_000 > u128::from(limit) * u128::from(records)
            }
        }
    }
}

impl FromStr for MaxRejects {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = match text.strip_suffix('%') {
            None => text.parse().ok().map(Self::Count),
            Some(percent) => per_million(percent).map(Self::PerMillion),
        };
        parsed.ok_or_else(|| {
            format!(
                "expected a count, or a percentage of up to four decimals like 0.5%, found {text:?}"
            )
        })
    }
}

/// Of a percentage, exactly.
fn per_million(percent: &str) -> Option<u32> {
    const DECIMALS: usize = 4;
    let (whole, decimals) = percent.split_once('.').unwrap_or((percent, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || decimals.len() > DECIMALS || !is_number(whole) || !is_number(decimals) {
        return None;
    }
    let per_million = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
    (per_million <= 1_000_000).then_some(per_million)
}

impl fmt::Display for MaxRejects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::PerMillion(limit) => write!(f, "{}%", f64::from(*limit) / 10_000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn max_rejects() {
        for wrong in ["", "%", "-1", "x", "101%", "-1%", "nan%", "1.5", "0.00001%", "1.%x", ".5%"] {
            assert!(wrong.parse::<MaxRejects>().is_err(), "{wrong:?}");
        }
        assert_eq!("100%".parse(), Ok(MaxRejects::PerMillion(1_000_000)));
        assert_eq!("0.7%".parse(), Ok(MaxRejects::PerMillion(7_000)));
    }

    /// A limit that is met exactly is not exceeded.
    #[test]
    fn percentages_are_exact() {
        for (percent, rejected, records) in [
            ("0.7%", 77, 11_000),
            ("0.57%", 57, 10_000),
            ("2.3%", 69, 3_000),
            ("4.35%", 261, 6_000),
        ] {
            let limit: MaxRejects = percent.parse().unwrap();
            assert!(!limit.is_exceeded_by(&counts(records - rejected, rejected)), "{percent}");
            assert!(
                limit.is_exceeded_by(&counts(records - rejected - 1, rejected + 1)),
                "{percent}"
            );
            assert_eq!(limit.to_string(), percent);
        }
    }

    /// What a source of so many records and so many short lines counts.
    fn counts(records: usize, rejected: usize) -> Counts {
        let sample = include_bytes!("../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr");
        let source = [sample.repeat(records), b"x\n".repeat(rejected)].concat();
        let mut decoder = cdrlake_core::Decoder::new(&cdrlake_core::SourceOptions::new(""));
        let mut rest = &source[..];
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest, &mut |_| {})..];
            decoder.flush().unwrap();
        }
        decoder.counts().clone()
    }
}
