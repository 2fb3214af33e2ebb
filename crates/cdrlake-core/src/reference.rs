//! The slow, obvious decoder that tests and fuzzing compare the fast one with.
//!
//! It shares no code with it: offsets, rules and tables are written here a second time, straight
//! from the contract, with strings and searches, over the whole source at once.

use std::collections::BTreeMap;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;

use crate::country::Country;
use crate::decoder::SourceOptions;
use crate::error::Reject;
use crate::privacy::{Numbers, Privacy};
use crate::record_id::RecordId;
use crate::validate::Strictness;

/// A row of the table as text, null as none: numbers in decimal, times as
/// `2025-10-19T09:01:22`, durations as `123.4`.
pub type Row = Vec<Option<String>>;

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

const LAYOUT: [(&str, usize, usize); 19] = [
    ("origin", 0, 20),
    ("destination", 20, 40),
    ("product_type", 40, 42),
    ("date", 42, 50),
    ("time", 50, 58),
    ("duration", 58, 66),
    ("continuation", 66, 67),
    ("switch_id", 67, 92),
    ("trunk_incoming", 92, 117),
    ("trunk_outgoing", 117, 142),
    ("account_code", 142, 162),
    ("pulses_in", 162, 168),
    ("pulses_generated", 168, 174),
    ("pulses_sent", 174, 180),
    ("service_indicator", 180, 184),
    ("charged", 184, 204),
    ("dialled", 204, 224),
    ("carrier", 224, 227),
    ("end_of_record", 227, 228),
];

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

fn month_length(year: u32, month: u32) -> u32 {
    let is_leap = year.is_multiple_of(400) || year.is_multiple_of(4) && !year.is_multiple_of(100);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        _ => 0,
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// The row of a sound record.
fn row(record: &[u8], trailer: &[u8], record_number: u64, options: &SourceOptions) -> Row {
    let metadata = &options.metadata;
    let country = metadata.country.map(Country::code);
    let identifier = metadata.product_identifier.clone();
    let field = |name: &str| {
        let (_, start, end) =
            LAYOUT.into_iter().find(|(field, ..)| *field == name).unwrap_or(("", 0, 0));
        text(&record[start..end])
    };
    let trimmed = |name: &str| {
        let value = field(name).trim_matches(' ').to_owned();
        (!value.is_empty()).then_some(value)
    };
    let product_type = field("product_type");
    let party = |name: &str| number(&trimmed(name)?, true, &product_type, country);
    let service = |name: &str| number(&trimmed(name)?, false, &product_type, country);
    let charged_is_trunk = product_type == "79" || product_type == "80";
    let origin = trimmed("origin").unwrap_or_default();
    let unmasked = origin.trim_end_matches(['x', 'X']);
    let (date, time) = (field("date"), field("time"));
    let tenths: u32 = field("duration").trim_matches(' ').parse().unwrap_or_default();
    let trailer = text(trailer).trim_matches(' ').to_owned();
    let start_time = format!(
        "{}-{}-{}T{}:{}:{}",
        &date[..4],
        &date[4..6],
        &date[6..],
        &time[..2],
        &time[2..4],
        &time[4..6]
    );
    let (utc, is_ambiguous) = match &options.time_zone {
        Some(zone) => instant(&start_time, zone.name()),
        None => (None, None),
    };
    let mut row = vec![
        Some(options.source_file.clone()),
        Some(record_number.to_string()),
        country.map(str::to_owned),
        metadata.profile.clone(),
        identifier.clone(),
        identifier.and_then(|identifier| product_name(&identifier)).map(str::to_owned),
        metadata.sequence_number.map(|number| number.to_string()),
        metadata.file_time.map(date_time),
        trimmed("origin"),
        party("origin"),
        Some((origin.len() - unmasked.len()).to_string()),
        trimmed("destination"),
        party("destination"),
        Some(product_type.clone()),
        product_type_name(&product_type).map(str::to_owned),
        Some(start_time.clone()),
        utc,
        is_ambiguous,
        Some(format!("{}.{}", tenths / 10, tenths % 10)),
        Some(field("continuation")),
        trimmed("switch_id"),
        trimmed("trunk_incoming"),
        trimmed("trunk_outgoing"),
        trimmed("account_code"),
        trimmed("pulses_in"),
        trimmed("pulses_generated"),
        trimmed("pulses_sent").filter(|band| band != "000000"),
        trimmed("service_indicator"),
        trimmed("charged"),
        if charged_is_trunk { None } else { service("charged") },
        trimmed("dialled"),
        service("dialled"),
        trimmed("carrier"),
        (!trailer.is_empty()).then_some(trailer),
        match options.record_id {
            RecordId::Omit => None,
            RecordId::Fill => record_id(record, &options.privacy),
        },
    ];
    if !options.privacy.numbers().are_clear() {
        row[23] = trimmed("account_code")
            .map(|code| privately(&code, party("account_code").as_deref(), &options.privacy));
        for (column, e164) in [(8, 9), (11, 12), (28, 29), (30, 31)] {
            let number = match column {
                28 if charged_is_trunk => service("charged"),
                _ => row[e164].clone(),
            };
            row[column] = row[column].take().map(|text| {
                let digits = text.chars().filter(char::is_ascii_digit).count();
                match column {
                    28 if charged_is_trunk && digits < 6 => text,
                    _ => privately(&text, number.as_deref(), &options.privacy),
                }
            });
            row[e164] =
                row[e164].take().map(|text| privately(&text, Some(&text), &options.privacy));
        }
        for column in [20, 21, 22, 24, 25, 26, 33] {
            row[column] = row[column].take().map(|text| without_numbers(&text));
        }
    }
    row
}

/// What stands in place of a number, which may have an E.164 form.
fn privately(text: &str, e164: Option<&str>, privacy: &Privacy) -> String {
    match privacy.numbers() {
        Numbers::Clear => text.to_owned(),
        Numbers::Masked { keep } => {
            let (plus, digits) = match text.strip_prefix('+') {
                Some(digits) => ("+", digits),
                None => ("", text),
            };
            let kept = digits.len().saturating_sub(4).min(keep.into());
            format!("{plus}{}{}", &digits[..kept], "x".repeat(digits.len() - kept))
        }
        Numbers::Pseudonymized => {
            let input = match e164 {
                Some(number) => format!("e164:{number}"),
                None => format!("raw:{text}"),
            };
            let hash = keyed(input.as_bytes(), privacy);
            let token = hash.chars().map(|digit| {
                let value = digit.to_digit(16).unwrap_or_default();
                char::from_u32(u32::from(b'a') + value).unwrap_or_default()
            });
            format!("p1_{}", token.collect::<String>())
        }
    }
}

fn record_id(record: &[u8], privacy: &Privacy) -> Option<String> {
    match (privacy.numbers(), privacy.key()) {
        (_, Some(_)) => Some(keyed(&[&b"record:"[..], record].concat(), privacy)),
        (Numbers::Clear, None) => Some(blake3::hash(record).to_hex()[..32].to_owned()),
        (_, None) => None,
    }
}

/// The first half of a keyed BLAKE3, in hexadecimal digits.
fn keyed(input: &[u8], privacy: &Privacy) -> String {
    let key = privacy.key().map(|key| *key.bytes()).unwrap_or_default();
    blake3::keyed_hash(&key, input).to_hex()[..32].to_owned()
}

/// `text` with `x` for each digit of a run of six or more, but for six that begin with 0000.
fn without_numbers(text: &str) -> String {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let of_run = |at: usize| {
        let start = (0..=at).rev().take_while(|&at| is_digit(at)).last().unwrap_or(at);
        let end = (at..).take_while(|&at| is_digit(at)).last().unwrap_or(at);
        &text[start..=end]
    };
    let blot = |at: usize, c: char| match is_digit(at) {
        true if of_run(at).len() < 6 => c,
        true if of_run(at).len() == 6 && of_run(at).starts_with("0000") => c,
        true => 'x',
        false => c,
    };
    text.chars().enumerate().map(|(at, c)| blot(at, c)).collect()
}

/// When a local time was in a zone, and whether the clock showed it twice.
fn instant(local: &str, zone: &str) -> (Option<String>, Option<String>) {
    let local: Result<jiff::civil::DateTime, _> = local.parse();
    let zone = jiff::tz::TimeZoneDatabase::bundled().get(zone);
    let (Ok(local), Ok(zone)) = (local, zone) else { return (None, None) };
    let (offset, is_ambiguous) = match zone.to_ambiguous_timestamp(local).offset() {
        jiff::tz::AmbiguousOffset::Unambiguous { offset } => (Some(offset), false),
        jiff::tz::AmbiguousOffset::Gap { .. } => (None, false),
        jiff::tz::AmbiguousOffset::Fold { before, .. } => (Some(before), true),
    };
    let instant = offset.and_then(|offset| offset.to_timestamp(local).ok());
    (instant.map(|instant| date_time(instant.as_microsecond())), Some(is_ambiguous.to_string()))
}

fn product_type_name(digits: &str) -> Option<&'static str> {
    Some(match digits {
        "00" | "04" => "Direct Service",
        "01" => "Indirect Service",
        "06" => "NH Geo Premium",
        "07" => "NH Geo Wholesale",
        "08" => "NH Geo Retail",
        "09" => "NH Geo Incoming",
        "10" => "NH IN Incoming",
        "79" => "SIP Trunking",
        "80" => "IP Voice Line",
        _ => return None,
    })
}

fn product_name(identifier: &str) -> Option<&'static str> {
    Some(match identifier {
        "00" => "Voice Line",
        "10" => "SIP Trunking",
        "11" => "IP Voice Line",
        "12" => "IN for Resellers",
        "15" => "Geographic Number Hosting",
        "19" => "CIC for Resellers",
        "20" => "CIC Opc Reseller",
        _ => return None,
    })
}

fn calling_code(country: &str) -> &'static str {
    match country {
        "AT" => "43",
        "BE" => "32",
        "CA" | "US" => "1",
        "CH" => "41",
        "CZ" => "420",
        "DE" => "49",
        "DK" => "45",
        "ES" => "34",
        "FI" => "358",
        "FR" => "33",
        "GB" => "44",
        "HK" => "852",
        "IE" => "353",
        "IT" => "39",
        "JP" => "81",
        "LU" => "352",
        "NL" => "31",
        "NO" => "47",
        "PL" => "48",
        "PT" => "351",
        "RO" => "40",
        "SE" => "46",
        "SK" => "421",
        _ => "",
    }
}

/// The contract's section 3, rule by rule.
fn number(
    number: &str,
    is_party: bool,
    product_type: &str,
    country: Option<&str>,
) -> Option<String> {
    let number = number.to_lowercase();
    let digits = number.trim_end_matches('x');
    let (sign, digits) = match digits.strip_prefix('+') {
        Some(digits) => ("+", digits),
        None => ("", digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let with_code = ["CZ", "PL", "RO", "SK", "LU", "FI", "NO", "JP"];
    let e164 = if sign == "+" {
        number
    } else if let Some(international) = number.strip_prefix("00") {
        format!("+{international}")
    } else if is_party
        && product_type == "79"
        && country.is_some_and(|country| with_code.contains(&country))
        && !number.starts_with('0')
    {
        format!("+{number}")
    } else {
        let country = country?;
        let code = calling_code(country);
        match (number.starts_with('0'), country) {
            (true, "IT") => format!("+39{number}"),
            (true, _) => format!("+{code}{}", &number[1..]),
            (false, "IT") if number.starts_with("39") && number.len() >= 11 => format!("+{number}"),
            (false, "IT") => format!("+39{number}"),
            (false, _) if number.starts_with(code) && number.len() - code.len() >= 7 => {
                format!("+{number}")
            }
            (false, _) => return None,
        }
    };
    (7..=15).contains(&(e164.len() - 1)).then_some(e164)
}

/// The rows of a batch, in the reference's form.
#[must_use]
pub fn batch_rows(batch: &RecordBatch) -> Vec<Row> {
    (0..batch.num_rows())
        .map(|row| batch.columns().iter().map(|column| cell(column, row)).collect())
        .collect()
}

fn cell(column: &dyn Array, row: usize) -> Option<String> {
    if column.is_null(row) {
        return None;
    }
    Some(match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).to_owned(),
        DataType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<Int32Type>();
            return cell(dictionary.values(), dictionary.keys().value(row) as usize);
        }
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Timestamp(..) => {
            date_time(column.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        DataType::FixedSizeBinary(_) => {
            let bytes = column.as_fixed_size_binary().value(row);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect()
        }
        DataType::Boolean => column.as_boolean().value(row).to_string(),
        DataType::Decimal128(..) => {
            let tenths = column.as_primitive::<Decimal128Type>().value(row);
            format!("{}.{}", tenths / 10, tenths % 10)
        }
        other => format!("a value of type {other}"),
    })
}

/// A local time as text, by counting off years, months and days.
fn date_time(microseconds: i64) -> String {
    let seconds = microseconds.div_euclid(1_000_000);
    let (mut days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let year_length = |year| if month_length(year, 2) == 29 { 366 } else { 365 };
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += year_length(year);
    }
    while days >= year_length(year) {
        days -= year_length(year);
        year += 1;
    }
    let mut month = 1;
    while days >= i64::from(month_length(year, month)) {
        days -= i64::from(month_length(year, month));
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{:02}T{hour:02}:{minute:02}:{second:02}", days + 1)
}
