//! Damage on request: lines that must be rejected, or draw a warning, each for one known reason.

use std::str::FromStr;

use cdrlake_core::{Field, RECORD_LEN, RejectCode};
use thiserror::Error;

use crate::random::Random;

/// How often lines are damaged, by kind; by default never.
///
/// A kind is named by the code that it draws: a reject's, or a warning's (a reject under
/// `--strict`); and `blank_line` puts one before a record. `all` is each kind that is always
/// rejected, in equal parts. [`missing_line_feed`](RejectCode::MissingLineFeed) can only befall a
/// file's last line, so its rate is that of files.
///
/// ```
/// use cdrlake_generate::Damage;
///
/// assert!("invalid_date=0.1%,short_record=0.01".parse::<Damage>().is_ok());
/// assert!("all=1%".parse::<Damage>().is_ok());
/// assert!("coffee=1%".parse::<Damage>().is_err());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Damage {
    /// Kinds and, of a million lines, how many they befall.
    rates: Vec<(Kind, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code(RejectCode),
    BlankLine,
}

impl Kind {
    /// A file's, not a line's, and so with a draw of its own.
    const LAST_LINE_FEED: Self = Self::Code(RejectCode::MissingLineFeed);
}

const MILLION: u32 = 1_000_000;

/// Damage that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DamageError {
    /// No kind of this name.
    #[error("unknown damage {0:?}; give all, blank_line or a code: {codes}", codes = codes())]
    UnknownKind(String),
    /// Not a number of 0 to 1, or percents of 0 to 100.
    #[error(
        "{0:?} is no rate; give the kind and a share, as invalid_date=0.1% or invalid_date=0.001"
    )]
    InvalidRate(String),
    /// Rarer than can be drawn.
    #[error("{0:?} is too rare; a kind befalls no line, or at least one in a million")]
    TooLittle(String),
    /// More than every line.
    #[error("the rates add up to more than 100 %")]
    TooMuch,
}

fn codes() -> String {
    RejectCode::ALL.map(RejectCode::as_str).join(", ")
}

impl FromStr for Damage {
    type Err = DamageError;

    fn from_str(text: &str) -> Result<Self, DamageError> {
        let mut damage = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let invalid = || DamageError::InvalidRate(part.to_owned());
            let (kind, rate) = part.split_once('=').ok_or_else(invalid)?;
            let rate = per_million(rate.trim()).ok_or_else(invalid)?;
            let kinds = kinds(kind.trim());
            if kinds.is_empty() {
                return Err(DamageError::UnknownKind(kind.trim().to_owned()));
            }
            let of_each = rate.round() as u32 / kinds.len() as u32;
            if rate > 0.0 && of_each == 0 {
                return Err(DamageError::TooLittle(part.to_owned()));
            }
            damage.rates.extend(kinds.into_iter().map(|kind| (kind, of_each)));
        }
        let of_lines = damage.rates.iter().filter(|(kind, _)| *kind != Kind::LAST_LINE_FEED);
        let sum: u64 = of_lines.map(|(_, rate)| u64::from(*rate)).sum();
        if sum > u64::from(MILLION) { Err(DamageError::TooMuch) } else { Ok(damage) }
    }
}

fn kinds(name: &str) -> Vec<Kind> {
    match name {
        "all" => {
            RejectCode::ALL.into_iter().filter(|code| !code.is_strict()).map(Kind::Code).collect()
        }
        "blank_line" => vec![Kind::BlankLine],
        _ => RejectCode::ALL
            .into_iter()
            .filter(|code| code.as_str() == name)
            .map(Kind::Code)
            .collect(),
    }
}

fn per_million(text: &str) -> Option<f64> {
    let (number, unit) = match text.strip_suffix('%') {
        Some(percent) => (percent.trim(), f64::from(MILLION / 100)),
        None => (text, f64::from(MILLION)),
    };
    let rate = number.parse::<f64>().ok()? * unit;
    (0.0..=f64::from(MILLION)).contains(&rate).then_some(rate)
}

impl Damage {
    /// Of every line this one kind, and nothing else; for tests of what reads them.
    #[must_use]
    pub fn always(code: RejectCode) -> Self {
        Self { rates: vec![(Kind::Code(code), MILLION)] }
    }

    /// Damages the line that begins at `start`, without its line feed, if chance says so.
    pub(crate) fn befall(&self, lines: &mut Vec<u8>, start: usize, random: &mut Random) {
        if self.rates.is_empty() {
            return;
        }
        let mut drawn = random.below(u64::from(MILLION)) as u32;
        for &(kind, rate) in &self.rates {
            if kind == Kind::LAST_LINE_FEED {
                continue;
            }
            match (drawn.checked_sub(rate), kind) {
                (Some(rest), _) => drawn = rest,
                (None, Kind::BlankLine) => return lines.insert(start, b'\n'),
                (None, Kind::Code(code)) => return spoil(lines, start, code, random),
            }
        }
    }

    /// Whether a file shall end without a line feed.
    pub(crate) fn takes_last_line_feed(&self, random: &mut Random) -> bool {
        let rate = self.rates.iter().find(|(kind, _)| *kind == Kind::LAST_LINE_FEED);
        rate.is_some_and(|&(_, rate)| random.below(u64::from(MILLION)) < u64::from(rate))
    }
}

/// Makes of a sound line one that draws `code`.
fn spoil(lines: &mut Vec<u8>, start: usize, code: RejectCode, random: &mut Random) {
    const TOO_LONG: usize = 293;
    let mut set = |field: Field, values: &[&[u8]], random: &mut Random| {
        let value = random.choice(values).unwrap_or_default();
        let at = start + field.range().start;
        lines[at..at + value.len()].copy_from_slice(value);
    };
    match code {
        RejectCode::ShortRecord => {
            lines.truncate(start + 1 + random.below(RECORD_LEN as u64 - 1) as usize);
        }
        RejectCode::LongRecord => {
            let len = TOO_LONG + random.below(200) as usize;
            lines.resize(start + len, b'0');
        }
        RejectCode::NotAscii => {
            // Without `0` at its end, a line with more behind it would be too long instead.
            let at = start + random.below(Field::EndOfRecord.range().start as u64) as usize;
            lines[at] = random.choice(&[0x00, b'\t', 0x7F, 0x80, 0xE9, 0xFF]).unwrap_or_default();
        }
        RejectCode::InvalidProductType => set(Field::ProductType, &[b"7 ", b"xx", b" 9"], random),
        RejectCode::InvalidDate => {
            let dates: [&[u8]; 4] = [b"20250229", b"00000000", b"20251301", b"18991231"];
            set(Field::Date, &dates, random);
        }
        RejectCode::InvalidTime => {
            set(Field::Time, &[b"24000000", b"23600000", b"235960  ", b"120000x0"], random);
        }
        RejectCode::InvalidDuration => {
            set(Field::Duration, &[b"        ", b"0000 100", b"-0000100"], random);
        }
        RejectCode::InvalidContinuation => set(Field::Continuation, &[b"4", b" ", b"6"], random),
        RejectCode::InvalidEndOfRecord => {
            set(Field::EndOfRecord, &[b"1", b" "], random);
            // With more behind it the line would be too long instead.
            lines.truncate(start + RECORD_LEN);
        }
        RejectCode::CarriageReturn => lines.push(b'\r'),
        RejectCode::TrailingBytes => lines.extend_from_slice(b" ABC2S"),
        RejectCode::UnknownProductType => set(Field::ProductType, &[b"42", b"99"], random),
        // Not a line's but a file's.
        RejectCode::MissingLineFeed => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates() {
        for (text, rate) in
            [("1", MILLION), ("100%", MILLION), ("0.1%", 1000), ("0.001", 1000), ("0", 0)]
        {
            assert_eq!(
                format!("short_record={text}").parse::<Damage>().unwrap().rates,
                [(Kind::Code(RejectCode::ShortRecord), rate)],
                "{text}"
            );
        }
        for wrong in ["", "%", "1.1", "101%", "-1", "NaN", "inf", "a"] {
            assert_eq!(per_million(wrong), None, "{wrong}");
            assert!(format!("short_record={wrong}").parse::<Damage>().is_err());
        }
        assert_eq!("blank_line=60%,short_record=0.5".parse::<Damage>(), Err(DamageError::TooMuch));
        assert!(matches!("x=1%".parse::<Damage>(), Err(DamageError::UnknownKind(_))));
        // A share of files takes nothing from that of lines.
        assert!("missing_line_feed=100%,short_record=100%".parse::<Damage>().is_ok());
        for rare in ["short_record=0.00001%", "all=0.0005%"] {
            assert_eq!(rare.parse::<Damage>(), Err(DamageError::TooLittle(rare.to_owned())));
        }
        assert_eq!("".parse(), Ok(Damage::default()));
        assert_eq!(
            "all=9%".parse::<Damage>().unwrap().rates,
            kinds("all").into_iter().map(|kind| (kind, 10_000)).collect::<Vec<_>>()
        );
    }
}
