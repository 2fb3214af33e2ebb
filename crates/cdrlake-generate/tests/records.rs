//! What is generated, judged by the reference decoder: sound where it should be, damaged as asked,
//! and of nobody.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};

use cdrlake_core::reference::{self, Decoded};
use cdrlake_core::{
    COLUMNS, Country, Metadata, RejectCode, SourceOptions, Strictness, parse_file_name,
};
use cdrlake_generate::numbers::{Plan, Range};
use cdrlake_generate::{Calls, Damage, History, PIECE_RECORDS, Product, Span};
use jiff::civil::date;

fn calls(country: Country, product: Product, records: u64) -> Calls {
    Calls {
        country,
        product,
        profile: "ABC".parse().unwrap(),
        span: Span::new(date(2025, 10, 1).at(0, 0, 0, 0), 24 * 30).unwrap(),
        records,
        seed: 7,
        damage: Damage::default(),
    }
}

fn lines(calls: &Calls) -> Vec<u8> {
    let mut lines = Vec::new();
    (0..calls.pieces()).for_each(|piece| calls.piece(piece, &mut lines));
    lines
}

fn decode(calls: &Calls, strictness: Strictness) -> Decoded {
    let mut options = SourceOptions::new("generated.cdr");
    options.metadata = Metadata {
        country: Some(calls.country),
        product_identifier: Some(calls.product.identifier().to_owned()),
        ..Metadata::default()
    };
    options.strictness = strictness;
    reference::decode(&lines(calls), &options)
}

fn column(row: &[Option<String>], name: &str) -> Option<String> {
    row[COLUMNS.iter().position(|spec| spec.name == name).unwrap()].clone()
}

fn countries() -> impl Iterator<Item = Country> {
    Country::all()
}

#[test]
fn every_clean_record_is_sound() {
    for country in countries() {
        for product in Product::ALL {
            let decoded = decode(&calls(country, product, 1500), Strictness::Lenient);
            let what = format!("{country} {product:?}");
            assert_eq!(decoded.rejects.len(), 0, "{what}: {:?}", decoded.rejects.first());
            assert_eq!((decoded.rows.len(), decoded.blank_lines), (1500, 0), "{what}");
            // French Voice Line has bytes behind each record, as the carrier's samples do.
            let trailing = (country.code(), product) == ("FR", Product::VoiceLine);
            let warnings = match trailing {
                true => BTreeMap::from([("trailing_bytes".to_owned(), 1500)]),
                false => BTreeMap::new(),
            };
            assert_eq!(decoded.warnings, warnings, "{what}");
            for row in &decoded.rows {
                assert!(column(row, "product_type_name").is_some(), "{what}");
                assert_eq!(column(row, "carrier").as_deref(), Some("ABC"));
            }
        }
    }
}

/// Whether a number, of which the last digits may be masked, can be one of the range.
fn is_in(number: &str, country: Country, range: &Range) -> bool {
    let Some(national) = number.strip_prefix(&format!("+{}", country.calling_code())) else {
        return false;
    };
    let first = format!("{}{:0width$}", range.prefix, range.first, width = range.digits);
    let last =
        format!("{}{:0width$}", range.prefix, range.first + range.count - 1, width = range.digits);
    let (lowest, highest) = (national.replace('x', "0"), national.replace('x', "9"));
    national.len() == first.len() && highest >= first && lowest <= last
}

#[test]
fn every_number_is_nobodys() {
    let mut seen = BTreeSet::new();
    for country in countries() {
        for product in Product::ALL {
            let decoded = decode(&calls(country, product, 1500), Strictness::Lenient);
            for row in &decoded.rows {
                let charged = column(row, "charged_number").unwrap_or_default();
                for name in ["origin", "destination", "charged_number", "dialled_number"] {
                    // A trunk id, or a call that was not translated.
                    if name == "charged_number" && (charged.starts_with("SIP") || charged == "00") {
                        continue;
                    }
                    let Some(raw) = column(row, name) else { continue };
                    let number = column(row, &format!("{name}_e164"))
                        .unwrap_or_else(|| panic!("{country} {product:?} {name} {raw}"));
                    let owner = countries().find(|country| {
                        let plan = Plan::of(*country);
                        let ranges = plan.drama.iter().chain(&plan.freephone);
                        ranges
                            .chain([&plan.unassigned])
                            .any(|range| is_in(&number, *country, range))
                    });
                    seen.insert(
                        owner.unwrap_or_else(|| panic!("{country} {product:?} {number}")).code(),
                    );
                }
                let account = column(row, "account_code").unwrap_or_default();
                assert!(account.is_empty() || account.starts_with('0'), "{account}");
            }
        }
    }
    assert!(seen.len() >= 20, "{seen:?}");
}

#[test]
fn shapes_are_realistic() {
    let decoded =
        decode(&calls("GB".parse().unwrap(), Product::SipTrunking, 50_000), Strictness::Lenient);
    let count = |name: &str| {
        let mut counts = BTreeMap::<_, usize>::new();
        decoded.rows.iter().for_each(|row| *counts.entry(column(row, name)).or_default() += 1);
        let mut counts: Vec<usize> = counts.into_values().collect();
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts
    };
    assert!(count("switch_id").len() <= 4 && count("trunk_incoming").len() <= 64);
    let origins = count("origin");
    assert!(origins.len() > 5000, "{} callers", origins.len());
    assert!(origins[..50].iter().sum::<usize>() > 10_000, "the first fifty call often");
    let mut durations: Vec<f64> =
        decoded.rows.iter().map(|row| column(row, "duration").unwrap().parse().unwrap()).collect();
    durations.sort_by(f64::total_cmp);
    let unanswered = durations.iter().filter(|duration| **duration == 0.0).count();
    assert!((4500..5500).contains(&unanswered), "{unanswered} unanswered");
    assert!((45.0..60.0).contains(&durations[25_000]), "median {}", durations[25_000]);
    assert!((0.0..=14_400.0).contains(&durations[49_999]));
    let nights = decoded.rows.iter().filter(|row| {
        column(row, "start_time").is_some_and(|time| ("T00".."T05").contains(&&time[10..13]))
    });
    assert!(nights.count() < 2000);
}

#[test]
fn masks_are_the_products() {
    for (country, mask) in [("GB", "4"), ("IT", "3"), ("FR", "4")] {
        let decoded = decode(
            &calls(country.parse().unwrap(), Product::InForResellers, 100),
            Strictness::Lenient,
        );
        for row in &decoded.rows {
            assert_eq!(column(row, "origin_masked_digits").as_deref(), Some(mask));
        }
    }
}

#[test]
fn every_damage_draws_its_code() {
    const RECORDS: u64 = 1000;
    for code in RejectCode::ALL {
        for (country, product) in
            [("GB", Product::SipTrunking), ("FR", Product::VoiceLine), ("CZ", Product::SipTrunking)]
        {
            // Strict, the trailer of French Voice Line comes before other warnings.
            if country == "FR" && code.is_strict() {
                continue;
            }
            let mut calls = calls(country.parse().unwrap(), product, RECORDS);
            calls.damage = Damage::always(code);
            let strictness =
                if code.is_strict() { Strictness::Strict } else { Strictness::Lenient };
            let decoded = decode(&calls, strictness);
            let damaged = if code == RejectCode::MissingLineFeed { 1 } else { RECORDS };
            assert_eq!(decoded.rejects.len() as u64, damaged, "{country} {code}");
            assert_eq!(decoded.rows.len() as u64, RECORDS - damaged, "{country} {code}");
            assert!(
                decoded.rejects.iter().all(|reject| reject.code == code.as_str()),
                "{country} {code}"
            );
        }
    }
}

#[test]
fn damage_comes_at_its_rate() {
    let mut calls = calls("GB".parse().unwrap(), Product::SipTrunking, 200_000);
    calls.damage = "all=9%, blank_line=1%, unknown_product_type=2%".parse().unwrap();
    let decoded = decode(&calls, Strictness::Strict);
    let mut counts = BTreeMap::<&str, i64>::new();
    decoded.rejects.iter().for_each(|reject| *counts.entry(&reject.code).or_default() += 1);
    assert_eq!(counts.len(), 10, "{counts:?}");
    for (code, count) in counts {
        let expected = if code == "unknown_product_type" { 4000 } else { 2000 };
        assert!((count - expected).abs() < 250, "{code}: {count}");
    }
    assert!(decoded.blank_lines.abs_diff(2000) < 250, "{}", decoded.blank_lines);
}

/// Pieces in any order, and seeds apart.
#[test]
fn a_piece_depends_on_nothing_but_its_number() {
    let calls = calls("DE".parse().unwrap(), Product::IpVoiceLine, PIECE_RECORDS * 2 + 5);
    let whole = lines(&calls);
    let piece = |calls: &Calls, piece| {
        let mut lines = Vec::new();
        calls.piece(piece, &mut lines);
        lines
    };
    let backwards = [2, 1, 0].map(|index| piece(&calls, index));
    assert!([&backwards[2][..], &backwards[1], &backwards[0]].concat() == whole);
    assert!(piece(&calls, 3).is_empty() && piece(&calls, u64::MAX).is_empty());
    // What was in the buffer before is not a last line's.
    let damage = Damage::always(RejectCode::MissingLineFeed);
    let mut lines = b"line\n".to_vec();
    Calls { damage, ..calls.clone() }.piece(3, &mut lines);
    assert_eq!(lines, b"line\n");
    let other = Calls { seed: 8, ..calls.clone() };
    assert!(piece(&other, 0) != backwards[2]);
}

fn durations(calls: &Calls) -> Vec<u32> {
    let lines = lines(calls);
    let texts = lines.split(|byte| *byte == b'\n').filter_map(|line| line.get(58..66));
    texts.map(|text| str::from_utf8(text).unwrap().trim().parse().unwrap()).collect()
}

/// Nor have products with alike records, and profiles that begin alike, the same files: what is in
/// two of them would be loaded once.
#[test]
fn another_country_product_or_profile_has_other_durations() {
    let mut seen = BTreeMap::new();
    for country in ["CZ", "FR", "GB", "IT", "PL", "US"] {
        for product in Product::ALL {
            for profile in ["ABC", "ABCD", "ABD"] {
                let history = History {
                    country: country.parse().unwrap(),
                    product,
                    profile: profile.parse().unwrap(),
                    first_day: date(2025, 10, 1),
                    files: 3,
                    first_sequence: 1,
                    gaps: 0,
                    records: 60,
                    seed: 7,
                    damage: Damage::default(),
                };
                let single = Calls {
                    profile: profile.parse().unwrap(),
                    ..calls(country.parse().unwrap(), product, 20)
                };
                let deliveries = history.deliveries().unwrap().map(|delivery| delivery.unwrap());
                let files = deliveries.map(|delivery| (delivery.name, delivery.calls));
                for (name, calls) in
                    files.chain([(format!("a {country} {product:?} {profile}"), single)])
                {
                    let durations = durations(&calls);
                    assert_eq!(durations.len() as u64, calls.records, "{name}");
                    let same = seen.insert(durations, name.clone());
                    assert_eq!(same, None, "the durations of {name}");
                }
            }
        }
    }
}

#[test]
fn deliveries_are_named_and_dated_like_the_carriers() {
    let history = History {
        country: "GB".parse().unwrap(),
        product: Product::InForResellers,
        profile: "XYZ12".parse().unwrap(),
        first_day: date(2025, 10, 1),
        files: 6,
        first_sequence: 1,
        gaps: 1,
        records: 5000,
        seed: 3,
        damage: Damage::default(),
    };
    let mut records = 0;
    for delivery in history.deliveries().unwrap() {
        let delivery = delivery.unwrap();
        let metadata = parse_file_name(&delivery.name, None);
        assert_eq!(metadata.profile.as_deref(), Some("XYZ12"));
        assert_eq!(metadata.product_identifier.as_deref(), Some("12"));
        let made = metadata.file_time.unwrap();
        let mut options = SourceOptions::from_file_name(&delivery.name);
        options.batch_size = 1000;
        let decoded = reference::decode(&lines(&delivery.calls), &options);
        records += decoded.rows.len();
        assert_eq!(decoded.rejects.len(), 0);
        let day = jiff::Timestamp::from_microsecond(made).unwrap().to_string();
        for row in decoded.rows {
            let time = column(&row, "start_time").unwrap();
            assert!(time[..16] < day[..16], "{time} in a file of {day}");
        }
    }
    assert_eq!(records, 5000);
}
