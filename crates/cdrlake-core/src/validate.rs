//! The fields' bytes and values: a fast yes or no for each record, and an exact answer, on a cold
//! path, for one that failed.
//!
//! Only this module makes a [`Sound`], and only a [`Sound`] can be decoded: what has not passed
//! here cannot reach a column.

use crate::calendar::{LastDate, days, digits, microseconds, seconds_of_day};
use crate::error::{Fault, RejectCode, Warning, Warnings};
use crate::framing::RecordLine;
use crate::layout::{FIELDS, Field, Kind, RECORD_LEN};
use crate::product::is_known_type;
use crate::record::Record;

/// What becomes of a record that only draws a warning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strictness {
    /// It is kept, and the warning counted.
    #[default]
    Lenient,
    /// It is rejected, with the warning's code.
    Strict,
}

/// A record that passed validation, and the values that this took.
#[derive(Clone, Copy)]
pub(crate) struct Sound<'a> {
    line: RecordLine<'a>,
    warnings: Warnings,
    start_time: i64,
    tenths: u32,
}

impl<'a> Sound<'a> {
    #[inline(always)]
    pub(crate) fn record(&self) -> Record<'a> {
        self.line.record
    }

    #[inline(always)]
    pub(crate) fn record_number(&self) -> u64 {
        self.line.position.record_number
    }

    /// What stood behind the record, untrimmed.
    #[inline(always)]
    pub(crate) fn trailer(&self) -> &'a [u8] {
        self.line.trailer
    }

    #[inline(always)]
    pub(crate) fn warnings(&self) -> Warnings {
        self.warnings
    }

    /// Microseconds since 1970-01-01T00:00:00, local. The wire's fraction is ignored.
    #[inline(always)]
    pub(crate) fn start_time(&self) -> i64 {
        self.start_time
    }

    /// The duration in tenths of a second.
    #[inline(always)]
    pub(crate) fn tenths(&self) -> u32 {
        self.tenths
    }
}

/// The record, if it is sound, or the first thing wrong with it.
#[inline(always)]
pub(crate) fn validate<'a>(
    line: RecordLine<'a>,
    strictness: Strictness,
    last_date: &mut LastDate,
) -> Result<Sound<'a>, Fault> {
    parse(line, strictness, last_date).ok_or_else(|| diagnose(&line, strictness))
}

/// The warnings of a record: those of its line, and an unknown product type.
#[inline]
fn warnings(line: &RecordLine<'_>) -> Warnings {
    if is_known_type(*line.record.product_type()) {
        line.warnings
    } else {
        line.warnings.with(Warning::UnknownProductType)
    }
}

/// The record with its values, unless anything is wrong. Written for speed: no early exit among
/// the bytes.
#[inline(always)]
fn parse<'a>(
    line: RecordLine<'a>,
    strictness: Strictness,
    last_date: &mut LastDate,
) -> Option<Sound<'a>> {
    let record = line.record;
    let is_sound = is_printable(record.bytes())
        && digits(*record.product_type()).is_some()
        && is_continuation(record.continuation())
        && record.end_of_record() == b"0"
        && line.trailer.iter().all(is_printable_byte);
    let warnings = warnings(&line);
    if !is_sound || strictness == Strictness::Strict && !warnings.is_empty() {
        return None;
    }
    let start_time = microseconds(last_date.days(*record.date())?, time(record.time())?);
    Some(Sound { line, warnings, start_time, tenths: duration(record.duration())? })
}

/// The first thing wrong with a record: its fields in wire order, in each its bytes before its
/// value, then the trailer; under strictness the first of its warnings.
#[cold]
#[inline(never)]
fn diagnose(line: &RecordLine<'_>, strictness: Strictness) -> Fault {
    // What `parse` refuses has a fault; the tests hold both to that.
    fault(line, strictness).unwrap_or(Fault::line(RejectCode::InvalidEndOfRecord))
}

/// None for a sound record.
fn fault(line: &RecordLine<'_>, strictness: Strictness) -> Option<Fault> {
    for spec in &FIELDS {
        let bytes = line.record.field(spec.field);
        if !bytes.iter().all(is_printable_byte) {
            return Some(Fault::field(RejectCode::NotAscii, spec.field));
        }
        let record = line.record;
        let wrong = match spec.kind {
            Kind::Text | Kind::Number => None,
            Kind::ProductType => {
                digits(*record.product_type()).is_none().then_some(RejectCode::InvalidProductType)
            }
            Kind::Date => days(*record.date()).is_none().then_some(RejectCode::InvalidDate),
            Kind::Time => time(record.time()).is_none().then_some(RejectCode::InvalidTime),
            Kind::Duration => {
                duration(record.duration()).is_none().then_some(RejectCode::InvalidDuration)
            }
            Kind::Continuation => {
                (!is_continuation(record.continuation())).then_some(RejectCode::InvalidContinuation)
            }
            Kind::EndOfRecord => {
                (record.end_of_record() != b"0").then_some(RejectCode::InvalidEndOfRecord)
            }
        };
        if let Some(code) = wrong {
            return Some(Fault::field(code, spec.field));
        }
    }
    if !line.trailer.iter().all(is_printable_byte) {
        return Some(Fault::field(RejectCode::NotAscii, Field::Trailer));
    }
    match strictness {
        Strictness::Lenient => None,
        Strictness::Strict => warnings(line).iter().find_map(Fault::strict),
    }
}

#[inline(always)]
fn is_printable_byte(byte: &u8) -> bool {
    matches!(byte, 0x20..=0x7E)
}

/// Whether every byte is in 0x20 to 0x7E; shaped so that the compiler uses vector registers.
#[inline(always)]
fn is_printable(bytes: &[u8; RECORD_LEN]) -> bool {
    const SPAN: u8 = 0x7E - 0x20;
    let outside =
        bytes.iter().fold(0, |outside, &byte| outside | u8::from(byte.wrapping_sub(0x20) > SPAN));
    outside == 0
}

/// Seconds since midnight of `HHMMSS`, behind which stand two bytes of digits or spaces, which the
/// carrier ignores.
#[inline]
fn time(&[h1, h2, m1, m2, s1, s2, f1, f2]: &[u8; 8]) -> Option<u32> {
    let is_fraction = |byte: u8| byte.is_ascii_digit() || byte == b' ';
    seconds_of_day([h1, h2, m1, m2, s1, s2]).filter(|_| is_fraction(f1) && is_fraction(f2))
}

#[inline]
fn is_continuation(&[byte]: &[u8; 1]) -> bool {
    matches!(byte, b'0' | b'1' | b'2' | b'3' | b'5')
}

/// Tenths of a second: one run of digits, padded with spaces on either side.
#[inline]
fn duration(bytes: &[u8; 8]) -> Option<u32> {
    digits(*bytes).or_else(|| padded_duration(bytes))
}

fn padded_duration(bytes: &[u8]) -> Option<u32> {
    let run = bytes.trim_ascii();
    // `trim_ascii` would take other white space too, but a run of printable bytes has none.
    (!run.is_empty()).then_some(())?;
    run.iter().try_fold(0, |value, &byte| {
        byte.is_ascii_digit().then(|| value * 10 + u32::from(byte - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::{End, Framed, Position, frame};

    /// The carrier's first Voice Line sample.
    fn sample() -> [u8; RECORD_LEN] {
        let file = include_bytes!("../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");
        *file.first_chunk().unwrap()
    }

    fn line(raw: &[u8]) -> RecordLine<'_> {
        match frame(raw, End::LineFeed, Position::START) {
            Framed::Record(line) => line,
            _ => panic!("not framed as a record"),
        }
    }

    fn verdict(raw: &[u8], strictness: Strictness) -> Option<(&'static str, Option<&'static str>)> {
        let line = line(raw);
        let fault = fault(&line, strictness);
        let is_sound = parse(line, strictness, &mut LastDate::default()).is_some();
        assert_eq!(is_sound, fault.is_none(), "fast and exact answer differ");
        fault.map(|fault| (fault.code.as_str(), fault.field.map(Field::name)))
    }

    /// Every row of the contract's validation table.
    #[test]
    fn each_rule_names_its_code_and_field() {
        type Case<'c> = (usize, &'c [u8], Option<(&'c str, &'c str)>);
        #[rustfmt::skip]
        let cases: &[Case<'_>] = &[
            (0, b"\t", Some(("not_ascii", "origin"))),
            (19, b"\x7F", Some(("not_ascii", "origin"))),
            (20, b"\x1F", Some(("not_ascii", "destination"))),
            (40, b"7\xFF", Some(("not_ascii", "product_type"))),
            (223, b"\x80", Some(("not_ascii", "dialled"))),
            (227, b"\r", Some(("not_ascii", "end_of_record"))),
            // Two bytes of one character, which must not make up for each other.
            (3, "é".as_bytes(), Some(("not_ascii", "origin"))),
            (0, b"~", None),
            (40, b"7 ", Some(("invalid_product_type", "product_type"))),
            (40, b" 7", Some(("invalid_product_type", "product_type"))),
            (40, b"A7", Some(("invalid_product_type", "product_type"))),
            (40, b"42", None),
            (42, b"20110229", Some(("invalid_date", "date"))),
            (42, b"20120229", None),
            (42, b"18991231", Some(("invalid_date", "date"))),
            (42, b"19000101", None),
            (42, b"21001231", None),
            (42, b"21010101", Some(("invalid_date", "date"))),
            (42, b"20111301", Some(("invalid_date", "date"))),
            (42, b"20111200", Some(("invalid_date", "date"))),
            (42, b"2011120 ", Some(("invalid_date", "date"))),
            (50, b"24000000", Some(("invalid_time", "time"))),
            (50, b"23600000", Some(("invalid_time", "time"))),
            (50, b"23596000", Some(("invalid_time", "time"))),
            (50, b"235959  ", None),
            (50, b"23595900", None),
            (50, b"235959 9", None),
            (50, b"2359590-", Some(("invalid_time", "time"))),
            (50, b"235959a0", Some(("invalid_time", "time"))),
            (50, b" 3595900", Some(("invalid_time", "time"))),
            (58, b"        ", Some(("invalid_duration", "duration"))),
            (58, b"      17", None),
            (58, b"17      ", None),
            (58, b"  17    ", None),
            (58, b"  1 7   ", Some(("invalid_duration", "duration"))),
            (58, b"     -17", Some(("invalid_duration", "duration"))),
            (58, b"99999999", None),
            (66, b"0", None), (66, b"1", None), (66, b"2", None), (66, b"3", None), (66, b"5", None),
            (66, b"4", Some(("invalid_continuation", "continuation"))),
            (66, b" ", Some(("invalid_continuation", "continuation"))),
            (227, b"1", Some(("invalid_end_of_record", "end_of_record"))),
            (227, b" ", Some(("invalid_end_of_record", "end_of_record"))),
            // Wire order: an earlier field first; in a field, its bytes before its value.
            (40, b"xx2011\xFF229", Some(("invalid_product_type", "product_type"))),
            (42, b"2011\xFF229", Some(("not_ascii", "date"))),
        ];
        for &(offset, bytes, expected) in cases {
            let mut record = sample();
            record[offset..offset + bytes.len()].copy_from_slice(bytes);
            let expected = expected.map(|(code, field)| (code, Some(field)));
            assert_eq!(verdict(&record, Strictness::Lenient), expected, "{offset} {bytes:?}");
        }
    }

    #[test]
    fn durations_are_what_their_digits_say() {
        for (bytes, tenths) in
            [(b"00001234", 1234), (b"    1234", 1234), (b"1234    ", 1234), (b"  9070  ", 9070)]
        {
            assert_eq!(duration(bytes), Some(tenths));
        }
    }

    #[test]
    fn trailer_is_the_last_field() {
        let with = |tail: &[u8]| [&sample(), tail].concat();
        let lenient = |tail| verdict(&with(tail), Strictness::Lenient);
        assert_eq!(lenient(b" PBW2S"), None);
        assert_eq!(lenient(b" PB\x002S"), Some(("not_ascii", Some("trailer"))));
        assert_eq!(lenient(b"\r\r"), Some(("not_ascii", Some("trailer"))));
        let mut both = with(b"\x00");
        both[66] = b'4';
        let expected = Some(("invalid_continuation", Some("continuation")));
        assert_eq!(verdict(&both, Strictness::Lenient), expected);
    }

    #[test]
    fn strictness_rejects_the_first_warning_of_records_that_otherwise_pass() {
        let mut unknown = sample();
        unknown[40..42].copy_from_slice(b"42");
        let with = |tail: &[u8]| [&unknown, tail].concat();
        let strict = |raw: &[u8]| verdict(raw, Strictness::Strict);
        assert_eq!(strict(&sample()), None);
        assert_eq!(strict(&with(b"")), Some(("unknown_product_type", Some("product_type"))));
        assert_eq!(strict(&with(b"x")), Some(("trailing_bytes", Some("trailer"))));
        assert_eq!(strict(&with(b"x\r")), Some(("carriage_return", None)));
        let mut invalid = with(b"x\r");
        invalid[66] = b'4';
        assert_eq!(strict(&invalid), Some(("invalid_continuation", Some("continuation"))));
    }
}
