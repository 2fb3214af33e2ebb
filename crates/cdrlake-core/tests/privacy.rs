//! Masked and pseudonymized records: no number of the input is left anywhere, and tokens are equal where
//! numbers are.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, StringArray};
use arrow_schema::DataType;
use cdrlake_core::encode::{Values, encode};
use cdrlake_core::{
    COLUMNS, Country, Decoder, Metadata, Numbers, Privacy, PrivacyKey, RecordBatch, RecordId, Role,
    SourceOptions, normalize, reference,
};
use cdrlake_generate::{Calls, Damage, Product, Span};
use proptest::prelude::*;
use proptest::sample::select;

/// Digits in a row that are taken for a number, or for enough of one.
const RUN: usize = 6;

/// The fields of parties' numbers: origin, destination, account code, C-Num, D-Num.
const PARTIES: [Range<usize>; 5] = [0..20, 20..40, 142..162, 184..204, 204..224];

/// The columns that may hold a party's number.
const NUMBERS: [&str; 9] = [
    "origin",
    "origin_e164",
    "destination",
    "destination_e164",
    "account_code",
    "charged_number",
    "charged_number_e164",
    "dialled_number",
    "dialled_number_e164",
];

fn key(byte: u8) -> PrivacyKey {
    PrivacyKey::new([byte; PrivacyKey::LEN])
}

fn masked(keep: u8, key: Option<PrivacyKey>) -> Privacy {
    Privacy::new(Numbers::Masked { keep }, key).unwrap()
}

fn pseudonymized(byte: u8) -> Privacy {
    Privacy::new(Numbers::Pseudonymized, Some(key(byte))).unwrap()
}

fn decode(source: &[u8], options: &SourceOptions) -> Vec<RecordBatch> {
    let mut decoder = Decoder::new(options);
    let mut batches = Vec::new();
    let mut rest = source;
    while !rest.is_empty() {
        rest = &rest[decoder.decode(rest, &mut |_| {})..];
        if decoder.is_full() {
            batches.extend(decoder.flush().unwrap());
        }
    }
    decoder.finish(&mut |_| {});
    batches.extend(decoder.flush().unwrap());
    batches
}

fn options(country: Option<Country>, privacy: Privacy) -> SourceOptions {
    let metadata = Metadata { country, ..Metadata::default() };
    let options = SourceOptions::new("calls.cdr");
    SourceOptions { metadata, record_id: RecordId::Fill, privacy, ..options }
}

/// Every run of so many digits in `text`.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    let windows = text.as_bytes().windows(RUN).enumerate();
    let runs = windows.filter(|(_, window)| window.iter().all(u8::is_ascii_digit));
    runs.map(move |(at, _)| &text[at..at + RUN])
}

/// Every run of digits of a party's number, as delivered and in E.164.
///
/// Six digits that begin with 0000 are left out: a counter of pulses may be so.
fn numbers(source: &[u8], options: &SourceOptions) -> BTreeSet<String> {
    let clear = SourceOptions { privacy: Privacy::CLEAR, ..options.clone() };
    let mut found = BTreeSet::new();
    for line in source.split(|&byte| byte == b'\n').filter(|line| line.len() >= 228) {
        for field in PARTIES {
            found.extend(runs(&String::from_utf8_lossy(&line[field])).map(str::to_owned));
        }
    }
    for batch in decode(source, &clear) {
        for name in NUMBERS {
            for text in texts(&batch, name) {
                found.extend(runs(&text).map(str::to_owned));
            }
        }
    }
    found.retain(|run| !run.starts_with("0000"));
    found
}

/// All text that a column holds, whether a row shows it or not.
fn texts(batch: &RecordBatch, name: &str) -> Vec<String> {
    let array = batch.column_by_name(name).unwrap();
    let strings: &StringArray = match array.data_type() {
        DataType::Utf8 => array.as_string(),
        DataType::Dictionary(..) => array.as_dictionary::<Int32Type>().values().as_string(),
        _ => return Vec::new(),
    };
    strings.iter().flatten().map(str::to_owned).collect()
}

/// No column of text has any of these digits.
fn assert_hidden(batches: &[RecordBatch], numbers: &BTreeSet<String>, what: &str) {
    for batch in batches {
        for field in batch.schema().fields() {
            for text in texts(batch, field.name()) {
                for run in runs(&text) {
                    assert!(!numbers.contains(run), "{what}: {} shows {run}", field.name());
                }
            }
        }
    }
}

/// Records of every product in every country, and the carrier's samples.
fn sources() -> Vec<(String, Option<Country>, Vec<u8>)> {
    let mut sources = Vec::new();
    for country in Country::all() {
        for product in Product::ALL {
            let calls = Calls {
                country,
                product,
                profile: "ABC".parse().unwrap(),
                span: Span::new(jiff::civil::date(2025, 10, 1).at(0, 0, 0, 0), 24 * 30).unwrap(),
                records: 200,
                seed: 7,
                damage: Damage::default(),
            };
            let mut lines = Vec::new();
            (0..calls.pieces()).for_each(|piece| calls.piece(piece, &mut lines));
            sources.push((format!("{country} {product:?}"), Some(country), lines));
        }
    }
    for path in std::fs::read_dir("../../testdata/valid").unwrap() {
        let path = path.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "cdr") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let country = name[..2].parse().ok();
            sources.push((name, country, std::fs::read(&path).unwrap()));
        }
    }
    assert!(sources.len() > 24 * 7);
    sources
}

#[test]
fn no_number_is_left_of_any_product_of_any_country() {
    for (name, country, source) in sources() {
        for privacy in [masked(5, None), masked(0, Some(key(1))), pseudonymized(1)] {
            let what = format!("{name}, {}", privacy.numbers());
            let options = options(country, privacy);
            let numbers = numbers(&source, &options);
            assert!(!numbers.is_empty(), "{what}");
            let batches = decode(&source, &options);
            assert_hidden(&batches, &numbers, &what);
            let rows: Vec<_> = batches.iter().flat_map(reference::batch_rows).collect();
            assert_eq!(rows, reference::decode(&source, &options).rows, "{what}");
        }
    }
}

/// Columns other than those of numbers stay as they are, and so does what is null.
#[test]
fn what_is_no_number_stays() {
    const BLOTTED: [&str; 8] = [
        "switch_id",
        "trunk_incoming",
        "trunk_outgoing",
        "pulses_in",
        "pulses_generated",
        "pulses_sent",
        "charge_band",
        "trailer",
    ];
    for (name, country, source) in sources() {
        let clear = decode(&source, &options(country, Privacy::CLEAR));
        let private = decode(&source, &options(country, pseudonymized(1)));
        for (clear, private) in clear.iter().zip(&private) {
            for field in clear.schema().fields() {
                let [clear, private] =
                    [clear, private].map(|batch| batch.column_by_name(field.name()).unwrap());
                if NUMBERS.contains(&field.name().as_str()) {
                    assert_eq!(clear.null_count(), private.null_count(), "{name}: {field}");
                } else if field.name() != "record_id" {
                    // Nothing that is generated, or in a sample, is blotted out.
                    assert_eq!(clear, private, "{name}: {field}");
                }
            }
        }
        assert!(BLOTTED.iter().all(|column| clear[0].column_by_name(column).is_some()));
    }
}

/// One subscriber, written in every way, has one token in every column; with another key another.
#[test]
fn one_number_has_one_token() {
    let record = |numbers: [&str; 5], product_type: &str| {
        let [origin, destination, account_code, charged, dialled] = numbers;
        encode(&Values {
            origin,
            destination,
            account_code,
            charged,
            dialled,
            product_type,
            date: (2025, 10, 1),
            time: (9, 0, 0),
            ..Values::default()
        })
        .unwrap()
    };
    let forms = ["01632960000", "00441632960000", "+441632960000", "441632960000"];
    let mut source = Vec::new();
    for (at, form) in forms.iter().enumerate() {
        let turned = |by: usize| forms[(at + by) % forms.len()];
        let numbers = [*form, turned(1), turned(2), turned(3), *form];
        source.extend_from_slice(&record(numbers, ["00", "79"][at % 2]));
        source.push(b'\n');
    }
    // Not of E.164, by another name the same number; and a trunk.
    source.extend_from_slice(&record(["1632960000", "anonymous", "112", "SIPGB00012", ""], "79"));
    source.push(b'\n');
    source.extend_from_slice(&record(["1632960000", "anonymous", "112", "SIPGB00012", ""], "10"));
    let mut seen: BTreeMap<u8, BTreeSet<String>> = BTreeMap::new();
    for byte in [1, 2] {
        let options = options("GB".parse().ok(), pseudonymized(byte));
        let batches = decode(&source, &options);
        let rows = reference::decode(&source, &options).rows;
        assert_eq!(batches.iter().flat_map(reference::batch_rows).collect::<Vec<_>>(), rows);
        let number = normalize(b"01632960000", Role::Party, *b"00", "GB".parse().ok()).unwrap();
        let token = key(byte).token(&number).as_str().to_owned();
        for row in &rows[..4] {
            for name in NUMBERS {
                let value = row[column(name)].clone();
                let is_trunk = name == "charged_number_e164"
                    && row[column("product_type")] == Some("79".to_owned());
                assert_eq!(value, (!is_trunk).then(|| token.clone()), "{name}");
            }
        }
        let texts = rows[4..].iter().map(|row| {
            ["origin", "destination", "account_code", "charged_number", "dialled_number"]
                .map(|name| row[column(name)].clone())
        });
        let texts: Vec<_> = texts.collect();
        assert_eq!(texts[0][3].as_deref(), Some("SIPGB00012"));
        let raw = |text: &str| Some(key(byte).token_of_text(text).to_string());
        assert_eq!(texts[1][3], raw("SIPGB00012"));
        for text in &texts {
            assert_eq!(text[0], raw("1632960000"));
            assert_eq!((&text[1], &text[2]), (&raw("anonymous"), &raw("112")));
            assert_eq!(text[4], None);
        }
        let tokens = texts.into_iter().flatten().flatten().chain([token]);
        seen.insert(byte, tokens.filter(|text| text.starts_with("p1_")).collect());
        assert_eq!(seen[&byte].len(), 5);
    }
    assert!(seen[&1].is_disjoint(&seen[&2]));
}

fn column(name: &str) -> usize {
    COLUMNS.iter().position(|spec| spec.name == name).unwrap()
}

/// Numbers of every form, and text with numbers in it, in up to `len` characters.
fn text(len: usize) -> impl Strategy<Value = String> {
    let number = "(0|00|\\+|44|0044|\\+44|39)?[0-9]{0,12}[xX]{0,4}";
    let other = "[ -~]{0,25}";
    let mixed = "[A-Z ]{0,4}[0-9]{5,8}[a-z. ]{0,3}[0-9]{0,7}";
    let counter = "0000[0-9]{2}";
    prop_oneof![4 => number, 1 => other, 2 => mixed, 1 => counter].prop_map(
        move |mut text: String| {
            text.truncate(len);
            text.trim().to_owned()
        },
    )
}

prop_compose! {
    /// A record of any text, with a trailer.
    fn line()(
        parties in [text(20), text(20), text(20), text(20), text(20)],
        others in [text(25), text(25), text(25)],
        pulses in [text(6), text(6), text(6)],
        service_indicator in text(4),
        carrier in text(3),
        trailer in text(40),
        product_type in select(vec!["00", "10", "79", "80", "42"]),
    ) -> Vec<u8> {
        let record = encode(&Values {
            origin: &parties[0],
            destination: &parties[1],
            product_type,
            date: (2025, 10, 1),
            time: (9, 0, 0),
            switch_id: &others[0],
            trunk_incoming: &others[1],
            trunk_outgoing: &others[2],
            account_code: &parties[2],
            pulses_in: &pulses[0],
            pulses_generated: &pulses[1],
            charge_band: &pulses[2],
            service_indicator: &service_indicator,
            charged: &parties[3],
            dialled: &parties[4],
            carrier: &carrier,
            ..Values::default()
        })
        .unwrap();
        [&record[..], trailer.as_bytes(), b"\n"].concat()
    }
}

/// What a delivered number is to its token: the number in E.164, or else the text.
fn identity(row: &reference::Row, name: &str) -> Option<(bool, String)> {
    let delivered = row[column(name)].clone()?;
    let product_type: [u8; 2] =
        row[column("product_type")].as_deref()?.as_bytes().try_into().ok()?;
    let role = match name {
        "charged_number" | "dialled_number" => Role::Service,
        _ => Role::Party,
    };
    let country = row[column("country")].as_deref().and_then(|country| country.parse().ok());
    match normalize(delivered.as_bytes(), role, product_type, country) {
        Some(number) => Some((true, number.as_str().to_owned())),
        None => Some((false, delivered)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    /// No number of any record is left in any column.
    #[test]
    fn no_number_is_left_of_any_record(
        lines in prop::collection::vec(line(), 1..12),
        country in select(vec![None, Some("GB"), Some("IT"), Some("CZ"), Some("DE")]),
        keep in 0_u8..=5,
    ) {
        let country = country.map(|country| country.parse().unwrap());
        let source = lines.concat();
        for privacy in [masked(keep, None), pseudonymized(7)] {
            let options = options(country, privacy);
            let numbers = numbers(&source, &options);
            let batches = decode(&source, &options);
            assert_hidden(&batches, &numbers, "proptest");
            let rows: Vec<_> = batches.iter().flat_map(reference::batch_rows).collect();
            prop_assert_eq!(rows, reference::decode(&source, &options).rows);
        }
    }

    /// A mask shows no more digits than it keeps, and never the last four.
    #[test]
    fn masks_keep_no_more_than_they_may(
        lines in prop::collection::vec(line(), 1..6),
        keep in 0_u8..=Numbers::MAX_KEEP,
    ) {
        let (country, source) = ("GB".parse().ok(), lines.concat());
        let clear = reference::decode(&source, &options(country, Privacy::CLEAR)).rows;
        let batches = decode(&source, &options(country, masked(keep, None)));
        let masked: Vec<_> = batches.iter().flat_map(reference::batch_rows).collect();
        for (clear, masked) in clear.iter().zip(&masked) {
            for name in NUMBERS {
                let [clear, masked] = [clear, masked].map(|row| row[column(name)].as_deref());
                prop_assert_eq!(clear.map(str::len), masked.map(str::len));
                let (Some(clear), Some(masked)) = (clear, masked) else { continue };
                if name == "charged_number" && clear == masked {
                    continue;
                }
                let shown = masked.trim_start_matches('+').trim_end_matches('x').len();
                prop_assert!(shown <= usize::from(keep), "{} of {} digits", shown, keep);
                let last = &masked[masked.len().saturating_sub(4)..];
                prop_assert!(last.trim_start_matches('+').bytes().all(|byte| byte == b'x'));
            }
            prop_assert_eq!(
                &clear[column("origin_masked_digits")], &masked[column("origin_masked_digits")]
            );
        }
    }

    /// Tokens are equal where numbers are, and only there.
    #[test]
    fn tokens_are_equal_where_numbers_are(lines in prop::collection::vec(line(), 1..12)) {
        let (country, source) = ("GB".parse().ok(), lines.concat());
        let clear = reference::decode(&source, &options(country, Privacy::CLEAR)).rows;
        let batches = decode(&source, &options(country, pseudonymized(7)));
        let private: Vec<_> = batches.iter().flat_map(reference::batch_rows).collect();
        let (mut by_number, mut by_token) = (BTreeMap::new(), BTreeMap::new());
        for (clear, private) in clear.iter().zip(&private) {
            for name in ["origin", "destination", "account_code", "charged_number", "dialled_number"] {
                let (number, token) = (identity(clear, name), private[column(name)].clone());
                prop_assert_eq!(number.is_none(), token.is_none());
                let (Some(number), Some(token)) = (number, token) else { continue };
                if Some(&token) == clear[column(name)].as_ref() {
                    // A short trunk id.
                    prop_assert_eq!(name, "charged_number");
                    continue;
                }
                prop_assert!(token.starts_with("p1_") && token.len() == 35);
                prop_assert_eq!(by_number.entry(number.clone()).or_insert_with(|| token.clone()), &token);
                prop_assert_eq!(by_token.entry(token).or_insert_with(|| number.clone()), &number);
            }
        }
    }
}
