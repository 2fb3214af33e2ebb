//! The values of a sound record.

use super::calendar::date_time;
use super::cells::Row;
use super::layout::{LAYOUT, text};
use super::number::number;
use super::private::{privately, record_id, without_numbers};
use crate::country::Country;
use crate::options::SourceOptions;
use crate::record_id::RecordId;

/// The row of a sound record.
pub(super) fn row(
    record: &[u8],
    trailer: &[u8],
    record_number: u64,
    options: &SourceOptions,
) -> Row {
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
        Some(options.source_hash.iter().map(|byte| format!("{byte:02x}")).collect()),
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
        trimmed("pulses_sent"),
        match country {
            None | Some("GB" | "FR") => trimmed("pulses_sent").filter(|band| band != "000000"),
            Some(_) => None,
        },
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
        row[24] = trimmed("account_code")
            .map(|code| privately(&code, party("account_code").as_deref(), &options.privacy));
        for (column, e164) in [(9, 10), (12, 13), (30, 31), (32, 33)] {
            let number = match column {
                30 if charged_is_trunk => service("charged"),
                _ => row[e164].clone(),
            };
            row[column] = row[column].take().map(|text| {
                let digits = text.chars().filter(char::is_ascii_digit).count();
                match column {
                    30 if charged_is_trunk && digits < 6 => text,
                    _ => privately(&text, number.as_deref(), &options.privacy),
                }
            });
            row[e164] =
                row[e164].take().map(|text| privately(&text, Some(&text), &options.privacy));
        }
        for column in [21, 22, 23, 25, 26, 27, 28, 35] {
            row[column] = row[column].take().map(|text| without_numbers(&text));
        }
    }
    row
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

pub(super) fn product_type_name(digits: &str) -> Option<&'static str> {
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
