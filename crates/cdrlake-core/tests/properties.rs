//! Properties of single records, shrunk to readable ones when they fail.

#![allow(clippy::expect_used, reason = "helpers of tests")]

use cdrlake_core::encode::{Values, encode};
use cdrlake_core::reference::{Row, batch_rows};
use cdrlake_core::{COLUMNS, Decoder, Field, RECORD_LEN, Reject, RejectCode, SourceOptions};
use proptest::prelude::*;

/// Printable text without spaces at its ends, up to `len` characters.
fn text(len: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(b' '..=b'~', 0..=len)
        .prop_map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned())
}

/// The rows of a file of one line, and its rejects.
fn decode(line: &[u8]) -> (Vec<Row>, Vec<(RejectCode, Option<Field>)>) {
    let mut rejects = Vec::new();
    let mut on_reject = |reject: Reject<'_>| rejects.push((reject.fault.code, reject.fault.field));
    let mut decoder = Decoder::new(&SourceOptions::new("one.cdr"));
    decoder.decode(line, &mut on_reject);
    decoder.finish(&mut on_reject);
    let batch = decoder.flush().expect("arrays fit together");
    (batch.iter().flat_map(batch_rows).collect(), rejects)
}

/// What must be said of a sound Voice Line record of 2011-09-30 07:23:54 with this byte changed.
fn expected(offset: usize, byte: u8) -> Option<RejectCode> {
    if !matches!(byte, 0x20..=0x7E) {
        return Some(RejectCode::NotAscii);
    }
    let is_digit = byte.is_ascii_digit();
    let (accepted, code) = match (Field::at(offset), offset) {
        (Field::ProductType, _) => (is_digit, RejectCode::InvalidProductType),
        // The year must stay within 1900 to 2100, the day within 30, and the month be one that has so many.
        (Field::Date, 42) => (byte == b'2', RejectCode::InvalidDate),
        (Field::Date, 43 | 46 | 49) => (byte == b'0', RejectCode::InvalidDate),
        (Field::Date, 47) => (matches!(byte, b'1' | b'3'..=b'9'), RejectCode::InvalidDate),
        (Field::Date, 48) => (matches!(byte, b'1'..=b'3'), RejectCode::InvalidDate),
        (Field::Date, _) => (is_digit, RejectCode::InvalidDate),
        (Field::Time, 50) => (matches!(byte, b'0' | b'1'), RejectCode::InvalidTime),
        (Field::Time, 52 | 54) => (matches!(byte, b'0'..=b'5'), RejectCode::InvalidTime),
        (Field::Time, 56 | 57) => (is_digit || byte == b' ', RejectCode::InvalidTime),
        (Field::Time, _) => (is_digit, RejectCode::InvalidTime),
        // A space may only pad: at the first or the last place.
        (Field::Duration, 58 | 65) => (is_digit || byte == b' ', RejectCode::InvalidDuration),
        (Field::Duration, _) => (is_digit, RejectCode::InvalidDuration),
        (Field::Continuation, _) => {
            (matches!(byte, b'0'..=b'3' | b'5'), RejectCode::InvalidContinuation)
        }
        (Field::EndOfRecord, _) => (byte == b'0', RejectCode::InvalidEndOfRecord),
        _ => return None,
    };
    (!accepted).then_some(code)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// What was encoded is what is decoded.
    #[test]
    fn decode_inverts_encode(
        numbers in [text(20), text(20), text(20), text(20), text(20)],
        trunks in [text(25), text(25), text(25)],
        pulses in [text(6), text(6), text(6)],
        service_indicator in text(4),
        carrier in text(3),
        product_type in "[0-9]{2}",
        date in (1900_u16..=2100, 1_u8..=12, 1_u8..=28),
        time in (0_u8..24, 0_u8..60, 0_u8..60),
        duration_tenths in 0_u32..100_000_000,
        continuation in prop::sample::select(vec![0_u8, 1, 2, 3, 5]),
    ) {
        let values = Values {
            origin: &numbers[0],
            destination: &numbers[1],
            account_code: &numbers[2],
            charged: &numbers[3],
            dialled: &numbers[4],
            switch_id: &trunks[0],
            trunk_incoming: &trunks[1],
            trunk_outgoing: &trunks[2],
            pulses_in: &pulses[0],
            pulses_generated: &pulses[1],
            charge_band: &pulses[2],
            service_indicator: &service_indicator,
            carrier: &carrier,
            product_type: &product_type,
            date,
            time,
            duration_tenths,
            continuation,
        };
        let record = encode(&values).expect("the values fit");
        let (rows, rejects) = decode(&record);
        prop_assert_eq!(rejects, []);
        let column = |name: &str| {
            let index = COLUMNS.iter().position(|spec| spec.name == name).expect("a column");
            rows[0][index].clone().unwrap_or_default()
        };
        for (name, value) in [
            ("origin", values.origin),
            ("destination", values.destination),
            ("account_code", values.account_code),
            ("charged_number", values.charged),
            ("dialled_number", values.dialled),
            ("switch_id", values.switch_id),
            ("trunk_incoming", values.trunk_incoming),
            ("trunk_outgoing", values.trunk_outgoing),
            ("pulses_in", values.pulses_in),
            ("pulses_generated", values.pulses_generated),
            ("service_indicator", values.service_indicator),
            ("carrier", values.carrier),
            ("product_type", values.product_type),
        ] {
            prop_assert_eq!(column(name), value, "{}", name);
        }
        let band = if values.charge_band == "000000" { "" } else { values.charge_band };
        prop_assert_eq!(column("pulses_sent"), values.charge_band);
        prop_assert_eq!(column("charge_band"), band);
        let ((year, month, day), (hour, minute, second)) = (date, time);
        let start = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
        prop_assert_eq!(column("start_time"), start);
        let seconds = format!("{}.{}", duration_tenths / 10, duration_tenths % 10);
        prop_assert_eq!(column("duration"), seconds);
        prop_assert_eq!(column("continuation"), continuation.to_string());
    }

    /// One corrupted byte names exactly its field; a line feed splits the line instead.
    #[test]
    fn a_corrupted_byte_names_its_field(offset in 0..RECORD_LEN, byte in any::<u8>()) {
        let file = include_bytes!("../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");
        let mut line = file[..RECORD_LEN + 1].to_vec();
        line[offset] = byte;
        let (rows, rejects) = decode(&line);
        if byte == b'\n' {
            prop_assert_eq!(rows.len(), 0);
            prop_assert!(rejects.iter().all(|reject| reject.1.is_none()));
        } else {
            prop_assert_eq!(rows.len() + rejects.len(), 1);
            prop_assert!(rejects.iter().all(|reject| reject.1 == Some(Field::at(offset))));
            prop_assert_eq!(rejects.first().map(|reject| reject.0), expected(offset, byte));
        }
    }
}
