//! The decoder against the reference, and against itself on other cuts.

use std::collections::BTreeMap;

use arbitrary::{Arbitrary, Unstructured};
use cdrlake_core::reference::{self, Decoded, RejectedLine, batch_rows};
use cdrlake_core::{Decoder, RecordBatch, Reject, SourceOptions};

use crate::input::{options, source};

/// The decoder says what the reference says: rows, rejects, warnings and blank lines.
///
/// Input: two bytes of options; then 0 and a source, or 1 and a script of edited samples.
pub fn decode(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let Ok(options) = options(&mut bytes) else { return };
    let Ok(source) = source(&mut bytes) else { return };
    let expected = reference::decode(&source, &options);
    assert_same(&in_pieces(&source, &[], &options).0, &expected);
}

/// Whatever pieces the source comes in, the batches are the same.
///
/// Input: a number of pieces up to 63, their lengths as two bytes each, and the input of
/// [`decode`].
pub fn chunks(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let lens: Result<Vec<u16>, _> = u8::arbitrary(&mut bytes)
        .and_then(|count| (0..count % 64).map(|_| u16::arbitrary(&mut bytes)).collect());
    let (Ok(lens), Ok(options)) = (lens, options(&mut bytes)) else { return };
    let Ok(source) = source(&mut bytes) else { return };
    let (whole, batches) = in_pieces(&source, &[], &options);
    let lens: Vec<usize> = lens.into_iter().map(usize::from).collect();
    let (split, split_batches) = in_pieces(&source, &lens, &options);
    assert_same(&split, &whole);
    assert!(split_batches == batches, "other batches");
    let full = batches.iter().rev().skip(1).all(|batch| batch.num_rows() == options.batch_size);
    assert!(full, "a batch that is not the last is not full");
}

/// What the decoder gives for a source in pieces of these lengths, the rest in one.
pub(crate) fn in_pieces(
    source: &[u8],
    lens: &[usize],
    options: &SourceOptions,
) -> (Decoded, Vec<RecordBatch>) {
    let mut decoder = Decoder::new(options);
    let (mut rejects, mut batches) = (Vec::new(), Vec::new());
    let mut on_reject = |reject: Reject<'_>| rejects.push(RejectedLine::from(&reject));
    let mut rest = source;
    for &len in lens.iter().chain([&usize::MAX]) {
        let (mut piece, behind) = rest.split_at(len.min(rest.len()));
        rest = behind;
        while !piece.is_empty() {
            piece = &piece[decoder.decode(piece, &mut on_reject)..];
            if decoder.is_full() {
                batches.extend(decoder.flush().expect("arrays fit together"));
            }
        }
    }
    decoder.finish(&mut on_reject);
    batches.extend(decoder.flush().expect("arrays fit together"));
    let counts = decoder.counts();
    let warnings = counts.warnings().map(|(warning, count)| (warning.as_str().to_owned(), count));
    let decoded = Decoded {
        rows: batches.iter().flat_map(batch_rows).collect(),
        rejects,
        blank_lines: counts.blank_lines,
        warnings: warnings.collect::<BTreeMap<_, _>>(),
    };
    assert_eq!(counts.records, decoded.rows.len() as u64);
    assert_eq!(counts.rejected(), decoded.rejects.len() as u64);
    (decoded, batches)
}

pub(crate) fn assert_same(decoded: &Decoded, expected: &Decoded) {
    assert_eq!(decoded.rejects, expected.rejects);
    assert_eq!(decoded.rows, expected.rows);
    assert_eq!(decoded.warnings, expected.warnings);
    assert_eq!(decoded.blank_lines, expected.blank_lines);
}
