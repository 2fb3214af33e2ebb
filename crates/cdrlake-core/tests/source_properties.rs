//! Properties of whole sources, shrunk to a few readable lines when they fail.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common {
    pub(crate) mod compare;
}

use std::fmt;

use cdrlake_core::encode::{Values, encode};
use cdrlake_core::{Metadata, RecordId, SourceOptions, Strictness, parse_file_name, reference};
use common::compare::{assert_same, decode_in_pieces};
use proptest::prelude::*;
use proptest::sample::select;

/// Bytes of a source, shown as text.
#[derive(Clone)]
struct Source(Vec<u8>);

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.0.split_inclusive(|&byte| byte == b'\n') {
            write!(f, "\n  {}", line.escape_ascii())?;
        }
        Ok(())
    }
}

/// A line that is sound but for up to three bytes, its end and its length; it shrinks to a sound
/// one of no numbers.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let number = || "(|0|00|\\+|39|44|420)[0-9]{0,11}[xX]{0,4}";
    let values = (
        [number(), number(), number(), number()],
        select(vec!["00", "79", "80", "10", "42"]),
        (select(vec![2024_u16, 1900, 2100, 2023]), 1_u8..=12, 1_u8..=31),
        (0_u8..25, 0_u8..61, 0_u8..60),
        0_u32..100_000_000,
        0_u8..7,
    );
    let record =
        values.prop_map(|(numbers, product_type, date, time, duration_tenths, continuation)| {
            encode(&Values {
                origin: &numbers[0],
                destination: &numbers[1],
                charged: &numbers[2],
                dialled: &numbers[3],
                product_type,
                date,
                time,
                duration_tenths,
                continuation,
                ..Values::default()
            })
            .unwrap()
            .to_vec()
        });
    let edits = prop::collection::vec((0_usize..228, any::<u8>()), 0..3);
    let tail = prop_oneof![
        6 => Just(Vec::new()),
        1 => Just(b"\r".to_vec()),
        1 => Just(b" ABC2S".to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..80),
    ];
    let len = prop_oneof![8 => Just(usize::MAX), 1 => 0_usize..300];
    (record, edits, tail, len).prop_map(|(mut line, edits, tail, len)| {
        edits.into_iter().for_each(|(at, byte)| line[at] = byte);
        line.extend(tail);
        line.truncate(len);
        line
    })
}

/// Bursts of equal lines, so that the fast path is entered and left.
fn source() -> impl Strategy<Value = Source> {
    let bursts =
        prop::collection::vec((line(), prop_oneof![3 => Just(1_usize), 1 => 2_usize..150]), 0..6);
    let end = select(vec![&b""[..], b"\x1A", b"\r", b"\r\x1A", b"0"]);
    (bursts, end, any::<bool>()).prop_map(|(bursts, end, last_has_line_feed)| {
        let mut source = Vec::new();
        for (line, count) in bursts {
            (0..count).for_each(|_| source.extend(line.iter().chain(b"\n")));
        }
        if !last_has_line_feed {
            source.pop();
        }
        source.extend_from_slice(end);
        Source(source)
    })
}

fn options() -> impl Strategy<Value = SourceOptions> {
    let country = select(vec!["", "GB", "IT", "CZ", "LU", "US", "HK"]);
    let strictness = select(vec![Strictness::Lenient, Strictness::Strict]);
    let record_id = select(vec![RecordId::Omit, RecordId::Fill]);
    (country, strictness, record_id, 1_usize..200).prop_map(
        |(country, strictness, record_id, batch_size)| {
            let mut options = SourceOptions::new("property.cdr");
            options.metadata.country = country.parse().ok();
            options.strictness = strictness;
            options.record_id = record_id;
            options.batch_size = batch_size;
            options
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// The fast decoder says what the reference says.
    #[test]
    fn both_decoders_agree(source in source(), options in options()) {
        let expected = reference::decode(&source.0, &options);
        let (decoded, _) = decode_in_pieces(&source.0, &[source.0.len()], &options);
        assert_same(&decoded, &expected, "property");
        let lines = expected.rows.len() as u64 + expected.rejects.len() as u64 + expected.blank_lines;
        let feeds = source.0.iter().filter(|&&byte| byte == b'\n').count() as u64;
        let open_line = u64::from(source.0.last().is_some_and(|&byte| byte != b'\n'));
        prop_assert_eq!(lines, feeds + open_line, "every line has one verdict");
    }

    /// Any split of the input gives the same batches, bit for bit.
    #[test]
    fn any_split_gives_the_same_batches(
        source in source(),
        options in options(),
        lens in prop::collection::vec(prop_oneof![1 => 1_usize..4, 1 => 1_usize..1000], 0..40),
    ) {
        let mut left = source.0.len();
        let mut pieces: Vec<usize> = Vec::new();
        for len in lens {
            pieces.push(len.min(left));
            left -= len.min(left);
        }
        pieces.push(left);
        let (whole, batches) = decode_in_pieces(&source.0, &[source.0.len()], &options);
        let (split, split_batches) = decode_in_pieces(&source.0, &pieces, &options);
        assert_same(&split, &whole, "split");
        prop_assert_eq!(split_batches, batches);
    }

    /// Under `--strict` records that only drew a warning are rejected, and nothing else changes.
    #[test]
    fn strictness_only_rejects_more(source in source(), mut options in options()) {
        options.strictness = Strictness::Lenient;
        let lenient = reference::decode(&source.0, &options);
        options.strictness = Strictness::Strict;
        let strict = reference::decode(&source.0, &options);
        prop_assert!(strict.rows.iter().all(|row| lenient.rows.contains(row)));
        prop_assert!(lenient.rejects.iter().all(|reject| strict.rejects.contains(reject)));
        prop_assert_eq!(
            strict.rows.len() + strict.rejects.len(),
            lenient.rows.len() + lenient.rejects.len()
        );
    }

    /// A name of the carrier's form tells what it was made of; any other tells nothing false.
    #[test]
    fn file_names_tell_what_they_were_made_of(
        country in "GB|DE|LUX|XX|it",
        profile in "[A-Za-z0-9]{1,5}",
        product in "[A-Za-z0-9]{1,2}",
        sequence in 0_i32..10_000,
        (year, month, day) in (1900_u16..=2100, 1_u8..=12, 1_u8..=28),
        (hour, minute, second) in (0_u8..24, 0_u8..60, 0_u8..60),
        suffix in "\\.cdr(\\.gz|\\.zip|)",
    ) {
        let time = format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
        let name = format!("{country}_{profile}_{product}_{sequence:04}_{time}{suffix}");
        let metadata = parse_file_name(&name, None);
        prop_assert_eq!(metadata.country, country.to_uppercase().parse().ok());
        prop_assert_eq!(metadata.profile, Some(profile.to_uppercase()));
        prop_assert_eq!(metadata.product_identifier, Some(product));
        prop_assert_eq!(metadata.sequence_number, Some(sequence));
        prop_assert!(metadata.file_time.is_some());
        let stem = name.strip_suffix(&suffix).map(|stem| stem.to_uppercase().replacen("LUX_", "LU_", 1));
        prop_assert_eq!(cdrlake_core::carrier_name(&name), stem);
    }

    #[test]
    fn no_name_is_too_odd(name in any::<String>(), profile in prop::option::of(any::<String>())) {
        let metadata = parse_file_name(&name, profile.as_deref());
        if cdrlake_core::carrier_name(&name).is_none() {
            prop_assert_eq!(metadata, Metadata::default());
        }
    }
}
