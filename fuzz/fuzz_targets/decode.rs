//! The decoder against the reference, whole and in pieces.
//!
//! The first byte chooses strictness, country and the length of pieces; the rest is the source.

#![no_main]

use cdrlake_core::reference::{self, RejectedLine, Row, batch_rows};
use cdrlake_core::{Decoder, Reject, SourceOptions, Strictness};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((&choice, source)) = input.split_first() else { return };
    let mut options = SourceOptions::new("fuzz.cdr");
    if choice & 1 == 1 {
        options.strictness = Strictness::Strict;
    }
    let countries = ["", "GB", "IT", "CZ"];
    options.metadata.country = countries[usize::from(choice >> 1 & 3)].parse().ok();
    options.batch_size = 1 + usize::from(choice >> 5) * 16;
    let piece = match choice >> 3 & 3 {
        0 => 1,
        1 => 97,
        2 => 1000,
        _ => usize::MAX,
    };
    let expected = reference::decode(source, &options);
    let (rows, rejects) = decode(source, piece, &options);
    assert!(rows == expected.rows, "rows differ");
    assert_eq!(rejects, expected.rejects);
});

fn decode(source: &[u8], piece: usize, options: &SourceOptions) -> (Vec<Row>, Vec<RejectedLine>) {
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    let mut decoder = Decoder::new(options);
    let mut on_reject = |reject: Reject<'_>| {
        rejects.push(RejectedLine::from(&reject));
    };
    for mut piece in source.chunks(piece.min(source.len().max(1))) {
        while !piece.is_empty() {
            piece = &piece[decoder.decode(piece, &mut on_reject)..];
            if decoder.is_full() {
                rows.extend(decoder.flush().expect("arrays fit").iter().flat_map(batch_rows));
            }
        }
    }
    decoder.finish(&mut on_reject);
    rows.extend(decoder.flush().expect("arrays fit").iter().flat_map(batch_rows));
    (rows, rejects)
}
