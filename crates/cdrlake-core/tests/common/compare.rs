//! Runs of the fast decoder, and its comparison with the reference.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use cdrlake_core::reference::{Decoded, RejectedLine, batch_rows};
use cdrlake_core::{Decoder, RecordBatch, Reject, SourceOptions};

/// What the fast decoder gives for a source in pieces, and the batches it came in.
pub(crate) fn decode_in_pieces(
    source: &[u8],
    pieces: &[usize],
    options: &SourceOptions,
) -> (Decoded, Vec<RecordBatch>) {
    let mut decoded = Decoded::default();
    let mut batches: Vec<RecordBatch> = Vec::new();
    let mut decoder = Decoder::new(options);
    let mut rejects = Vec::new();
    let mut on_reject = |reject: Reject<'_>| {
        rejects.push(RejectedLine::from(&reject));
    };
    let mut rest = source;
    for &len in pieces {
        let (mut piece, behind) = rest.split_at(len);
        rest = behind;
        while !piece.is_empty() {
            piece = &piece[decoder.decode(piece, &mut on_reject)..];
            assert!(piece.is_empty() || decoder.is_full());
            if decoder.is_full() {
                batches.extend(decoder.flush().unwrap());
            }
        }
    }
    assert!(rest.is_empty());
    decoder.finish(&mut on_reject);
    batches.extend(decoder.flush().unwrap());
    decoded.rejects = rejects;
    decoded.rows = batches.iter().flat_map(batch_rows).collect();
    let counts = decoder.counts();
    decoded.blank_lines = counts.blank_lines;
    decoded.warnings = counts
        .warnings()
        .map(|(warning, count)| (warning.as_str().to_owned(), count))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(counts.records, decoded.rows.len() as u64);
    assert_eq!(counts.rejected(), decoded.rejects.len() as u64);
    (decoded, batches)
}

/// Compares field by field, so that a failure can be read.
pub(crate) fn assert_same(fast: &Decoded, reference: &Decoded, what: &str) {
    for (fast, reference) in fast.rejects.iter().zip(&reference.rejects) {
        assert_eq!(fast, reference, "{what}: rejects");
    }
    assert_eq!(fast.rejects.len(), reference.rejects.len(), "{what}: number of rejects");
    for (fast, reference) in fast.rows.iter().zip(&reference.rows) {
        for (column, spec) in cdrlake_core::COLUMNS.iter().enumerate() {
            assert_eq!(
                fast[column], reference[column],
                "{what}: line {:?}, {}",
                reference[1], spec.name
            );
        }
    }
    assert_eq!(fast, reference, "{what}");
}
