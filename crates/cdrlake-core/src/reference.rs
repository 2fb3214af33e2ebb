//! The slow, obvious decoder that tests and fuzzing compare the fast one with.
//!
//! It shares no code with it: offsets, rules and tables are written here a second time, straight
//! from the contract, with strings and searches, over the whole source at once.

mod calendar;
mod cells;
mod layout;
mod number;
mod private;
mod row;

use std::collections::BTreeMap;

use self::calendar::month_length;
pub use self::cells::{Row, batch_rows};
use self::layout::{LAYOUT, text};
use self::row::{product_type_name, row};
use crate::error::Reject;
use crate::options::SourceOptions;
use crate::validate::Strictness;

/// What a source decodes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// One a sound record.
    pub rows: Vec<Row>,
    /// One a rejected line.
    pub rejects: Vec<RejectedLine>,
    /// How often each warning was given.
    pub warnings: BTreeMap<String, u64>,
    /// Blank lines.
    pub blank_lines: u64,
}

/// A rejected line.
#[derive(Clone, PartialEq, Eq)]
pub struct RejectedLine {
    /// Line number, from 1.
    pub record_number: u64,
    /// Offset of its first byte.
    pub byte_offset: u64,
    /// Its code.
    pub code: String,
    /// The field's name.
    pub field: Option<String>,
    /// Its first 64 KiB.
    pub raw: Vec<u8>,
    /// Its length without the line feed.
    pub raw_length: u64,
}

/// What the fast decoder gives for a rejected line, in the reference's form.
impl From<&Reject<'_>> for RejectedLine {
    fn from(reject: &Reject<'_>) -> Self {
        Self {
            record_number: reject.record_number,
            byte_offset: reject.byte_offset,
            code: reject.fault.code.as_str().to_owned(),
            field: reject.fault.field.map(|field| field.name().to_owned()),
            raw: reject.raw.to_vec(),
            raw_length: reject.raw_length,
        }
    }
}

impl std::fmt::Debug for RejectedLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { record_number, byte_offset, code, field, raw_length, .. } = self;
        write!(f, "line {record_number} at {byte_offset}, {raw_length} bytes: {code} {field:?}")
    }
}

/// Decodes a whole source.
#[must_use]
pub fn decode(source: &[u8], options: &SourceOptions) -> Decoded {
    let mut decoded = Decoded::default();
    let mut warn = |warning: &str| {
        *decoded.warnings.entry(warning.to_owned()).or_default() += 1;
    };
    if options.metadata.country.is_none() {
        warn("unknown_country");
    }
    let mut lines: Vec<&[u8]> = source.split(|&byte| byte == b'\n').collect();
    let last = lines.pop().unwrap_or_default();
    let mut lines: Vec<(&[u8], bool)> = lines.into_iter().map(|line| (line, true)).collect();
    if !last.is_empty() {
        lines.push((last, false));
    }
    let mut byte_offset = 0;
    for (index, (line, has_line_feed)) in lines.into_iter().enumerate() {
        let record_number = index as u64 + 1;
        match judge(line, has_line_feed, options.strictness) {
            Verdict::Record { bytes, trailer, warnings } => {
                decoded.rows.push(row(&bytes, &trailer, record_number, options));
                warnings.iter().for_each(|warning| warn(warning));
            }
            Verdict::Blank => decoded.blank_lines += 1,
            Verdict::Reject(code, field) => decoded.rejects.push(RejectedLine {
                record_number,
                byte_offset,
                code: code.to_owned(),
                field: field.map(str::to_owned),
                raw: line.iter().take(65_536).copied().collect(),
                raw_length: line.len() as u64,
            }),
        }
        byte_offset += line.len() as u64 + u64::from(has_line_feed);
    }
    decoded
}

enum Verdict {
    Record { bytes: Vec<u8>, trailer: Vec<u8>, warnings: Vec<&'static str> },
    Blank,
    Reject(&'static str, Option<&'static str>),
}

fn judge(line: &[u8], has_line_feed: bool, strictness: Strictness) -> Verdict {
    let mut line = line.to_vec();
    let mut warnings = Vec::new();
    if !has_line_feed && line.last() == Some(&0x1A) {
        line.pop();
    }
    if line.len() > 228 && line.last() == Some(&b'\r') {
        line.pop();
        warnings.push("carriage_return");
    }
    if line.is_empty() || line == b"\r" {
        return Verdict::Blank;
    }
    if line.len() < 228 {
        return Verdict::Reject("short_record", None);
    }
    if line.len() > 292 || line.len() > 228 && line[227] != b'0' {
        return Verdict::Reject("long_record", None);
    }
    if line.len() > 228 {
        warnings.push("trailing_bytes");
    }
    if !has_line_feed {
        warnings.push("missing_line_feed");
    }
    let trailer = line.split_off(228);
    for (name, start, end) in LAYOUT {
        let bytes = &line[start..end];
        if bytes.iter().any(|&byte| !(0x20..=0x7E).contains(&byte)) {
            return Verdict::Reject("not_ascii", Some(name));
        }
        if let Some(code) = wrong_value(name, &text(bytes)) {
            return Verdict::Reject(code, Some(name));
        }
    }
    if trailer.iter().any(|&byte| !(0x20..=0x7E).contains(&byte)) {
        return Verdict::Reject("not_ascii", Some("trailer"));
    }
    if product_type_name(&text(&line[40..42])).is_none() {
        warnings.push("unknown_product_type");
    }
    match warnings.first() {
        Some(&warning) if strictness == Strictness::Strict => {
            let field = match warning {
                "trailing_bytes" => Some("trailer"),
                "unknown_product_type" => Some("product_type"),
                _ => None,
            };
            Verdict::Reject(warning, field)
        }
        _ => Verdict::Record { bytes: line, trailer, warnings },
    }
}

fn wrong_value(field: &str, value: &str) -> Option<&'static str> {
    let all_digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    let number = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
    let (is_right, code) = match field {
        "product_type" => (all_digits(value), "invalid_product_type"),
        "date" => {
            let is_date = all_digits(value) && {
                let (year, month, day) =
                    (number(&value[..4]), number(&value[4..6]), number(&value[6..]));
                (1900..=2100).contains(&year) && day >= 1 && day <= month_length(year, month)
            };
            (is_date, "invalid_date")
        }
        "time" => {
            let (clock, fraction) = value.split_at(6);
            let is_time = all_digits(clock)
                && number(&clock[..2]) <= 23
                && number(&clock[2..4]) <= 59
                && number(&clock[4..]) <= 59
                && fraction.chars().all(|c| c == ' ' || c.is_ascii_digit());
            (is_time, "invalid_time")
        }
        "duration" => (all_digits(value.trim_matches(' ')), "invalid_duration"),
        "continuation" => (["0", "1", "2", "3", "5"].contains(&value), "invalid_continuation"),
        "end_of_record" => (value == "0", "invalid_end_of_record"),
        _ => (true, ""),
    };
    (!is_right).then_some(code)
}
