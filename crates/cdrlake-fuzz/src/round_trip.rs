//! Values to a record and back, and generated records.

use arbitrary::{Arbitrary, Result, Unstructured};
use cdrlake_core::encode::{Values, encode};
use cdrlake_core::{COLUMNS, RejectCode, SourceOptions, Strictness, reference};
use cdrlake_generate::{Calls, Damage, Product, Span};
use jiff::civil::Date;

use crate::decode::{assert_same, in_pieces};
use crate::input::country;

#[derive(Debug, Arbitrary)]
struct Scalars {
    product_type: u8,
    days: u32,
    time: [u8; 3],
    duration_tenths: u32,
    continuation: u8,
}

/// What was encoded is what is decoded; what is generated is sound, or damaged as asked.
///
/// Input: 0 and values, the texts each with its length first; or 1 and what to generate.
pub fn round_trip(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let _ = match u8::arbitrary(&mut bytes).unwrap_or_default() % 2 {
        0 => encoded(&mut bytes),
        _ => generated(&mut bytes),
    };
}

/// Printable text, whatever the bytes, without spaces at its ends.
fn text(bytes: &mut Unstructured<'_>, most: usize) -> Result<String> {
    let len = (usize::from(u8::arbitrary(bytes)?) % (most + 1)).min(bytes.len());
    let text: String = bytes.bytes(len)?.iter().map(|byte| char::from(b' ' + byte % 95)).collect();
    Ok(text.trim().to_owned())
}

fn encoded(bytes: &mut Unstructured<'_>) -> Result<()> {
    const LENS: [usize; 13] = [20, 20, 25, 25, 25, 20, 6, 6, 6, 4, 20, 20, 3];
    const NAMES: [&str; 13] = [
        "origin",
        "destination",
        "switch_id",
        "trunk_incoming",
        "trunk_outgoing",
        "account_code",
        "pulses_in",
        "pulses_generated",
        "pulses_sent",
        "service_indicator",
        "charged_number",
        "dialled_number",
        "carrier",
    ];
    let scalars = Scalars::arbitrary(bytes)?;
    let texts = LENS.map(|most| text(bytes, most).unwrap_or_default());
    let product_type = format!("{:02}", scalars.product_type % 100);
    let first = Date::constant(1900, 1, 1);
    let days = i64::from(scalars.days % 73_414);
    let date = first.checked_add(jiff::Span::new().days(days)).expect("up to the end of 2100");
    let [hour, minute, second] = scalars.time;
    let (hour, minute, second) = (hour % 24, minute % 60, second % 60);
    let duration_tenths = scalars.duration_tenths % 100_000_000;
    let continuation = [0, 1, 2, 3, 5][usize::from(scalars.continuation) % 5];
    let record = encode(&Values {
        origin: &texts[0],
        destination: &texts[1],
        product_type: &product_type,
        date: (date.year() as u16, date.month() as u8, date.day() as u8),
        time: (hour, minute, second),
        duration_tenths,
        continuation,
        switch_id: &texts[2],
        trunk_incoming: &texts[3],
        trunk_outgoing: &texts[4],
        account_code: &texts[5],
        pulses_in: &texts[6],
        pulses_generated: &texts[7],
        charge_band: &texts[8],
        service_indicator: &texts[9],
        charged: &texts[10],
        dialled: &texts[11],
        carrier: &texts[12],
    })
    .expect("the values fit");
    let options = SourceOptions::new("round_trip.cdr");
    let (decoded, _) = in_pieces(&record, &[], &options);
    assert_same(&decoded, &reference::decode(&record, &options));
    let column = |name: &str| {
        let index = COLUMNS.iter().position(|spec| spec.name == name).expect("a column");
        decoded.rows[0][index].clone().unwrap_or_default()
    };
    for (name, text) in NAMES.into_iter().zip(&texts) {
        assert_eq!(column(name), *text, "{name}");
    }
    let pulses = column("pulses_sent");
    assert_eq!(column("charge_band"), if pulses == "000000" { String::new() } else { pulses });
    assert_eq!(column("product_type"), product_type);
    assert_eq!(column("start_time"), format!("{date}T{hour:02}:{minute:02}:{second:02}"));
    let seconds = format!("{}.{}", duration_tenths / 10, duration_tenths % 10);
    assert_eq!(column("duration"), seconds);
    assert_eq!(column("continuation"), continuation.to_string());
    Ok(())
}

fn generated(bytes: &mut Unstructured<'_>) -> Result<()> {
    let (choice, product, code) = <(u8, u8, u8)>::arbitrary(bytes)?;
    let Some(country) = country(choice) else { return Ok(()) };
    let code = RejectCode::ALL.get(usize::from(code) % (2 * RejectCode::ALL.len())).copied();
    let day = Date::constant(2025, 1, 1);
    let calls = Calls {
        country,
        product: Product::ALL[usize::from(product) % Product::ALL.len()],
        profile: "ABC".parse().expect("letters"),
        span: Span::new(day.at(0, 0, 0, 0), 1 + u32::from(u8::arbitrary(bytes)?))
            .expect("in range"),
        records: u64::from(u8::arbitrary(bytes)? % 64),
        seed: u64::arbitrary(bytes)?,
        damage: code.map(Damage::always).unwrap_or_default(),
    };
    let mut lines = Vec::new();
    calls.piece(0, &mut lines);
    let mut options = SourceOptions::new("generated.cdr");
    options.metadata.country = Some(country);
    let (decoded, _) = in_pieces(&lines, &[], &options);
    assert_same(&decoded, &reference::decode(&lines, &options));
    let rejected = if code.is_some_and(|code| !code.is_strict()) { calls.records } else { 0 };
    assert_eq!(decoded.rejects.len() as u64, rejected);
    assert_eq!(decoded.rows.len() as u64, calls.records - rejected);
    options.strictness = Strictness::Strict;
    let strict = reference::decode(&lines, &options);
    let names =
        |code: RejectCode| strict.rejects.iter().filter(|r| r.code == code.as_str()).count();
    if let Some(code) = code {
        // It is the last line's alone, and a file's without lines not at all.
        let is_last_lines = code == RejectCode::MissingLineFeed;
        let damaged = if is_last_lines { calls.records.min(1) } else { calls.records };
        // French Voice Line has a trailer, which comes before these two.
        let has_trailer =
            matches!(code, RejectCode::UnknownProductType | RejectCode::MissingLineFeed)
                && names(RejectCode::TrailingBytes) as u64 == calls.records;
        assert!(has_trailer || names(code) as u64 == damaged, "{code}");
        let ends_open = lines.last().is_some_and(|byte| *byte != b'\n');
        assert_eq!(ends_open, is_last_lines && calls.records > 0, "{code}");
    }
    Ok(())
}
