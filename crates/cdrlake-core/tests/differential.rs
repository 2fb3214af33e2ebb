//! The fast decoder against the reference, and against itself on other cuts.

#![allow(clippy::print_stdout, reason = "long comparisons tell how far they are")]

mod common {
    pub(crate) mod compare;
    pub(crate) mod lines;
}

use std::num::NonZero;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cdrlake_core::{
    Counts, Decoder, Position, RAW_LIMIT, Reader, Reject, SourceOptions, count_lines, reference,
    whole_lines_len,
};
use common::compare::{assert_same, decode_in_pieces};
use common::lines::Lines;

/// Random damaged and sound lines: rows, rejects, offsets and warnings alike. A million, or as many
/// as `CDRLAKE_DIFFERENTIAL_LINES` says; the same ones each time, and with more lines more of them.
#[test]
fn random_lines_decode_as_the_reference_says() {
    const MILLION: u64 = 1_000_000;
    const LINES: usize = 2000;
    let wanted = match std::env::var("CDRLAKE_DIFFERENTIAL_LINES") {
        Ok(lines) => lines.parse().expect("CDRLAKE_DIFFERENTIAL_LINES is a number"),
        Err(_) => MILLION,
    };
    let sources = wanted.div_ceil(LINES as u64);
    let (seeds, records, rejects, blanks) =
        (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let work = || {
        loop {
            let seed = seeds.fetch_add(1, Relaxed);
            if seed >= sources {
                return;
            }
            let mut random = Lines::new(seed);
            let source = random.source(LINES);
            let options = random.options();
            let expected = reference::decode(&source, &options);
            let (whole, _) = decode_in_pieces(&source, &[source.len()], &options);
            assert_same(&whole, &expected, &format!("seed {seed}"));
            records.fetch_add(expected.rows.len() as u64, Relaxed);
            let before = rejects.fetch_add(expected.rejects.len() as u64, Relaxed);
            blanks.fetch_add(expected.blank_lines, Relaxed);
            if seed % 5000 == 4999 {
                println!("{} sources, {before} lines rejected, no difference", seed + 1);
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| (0..threads).for_each(|_| _ = scope.spawn(work)));
    let [records, rejects, blanks] = [records, rejects, blanks].map(AtomicU64::into_inner);
    println!("{records} records, {rejects} lines rejected, {blanks} blank, no difference");
    assert!(records + rejects + blanks >= wanted, "{} lines", records + rejects + blanks);
    assert!(rejects >= wanted / 100, "{rejects} rejects");
}

/// Any split of the input gives the same batches, bit for bit.
#[test]
fn any_split_gives_the_same_batches() {
    for seed in 1000..1200 {
        let mut random = Lines::new(seed);
        let source = random.source(300);
        let options = random.options();
        let (expected, batches) = decode_in_pieces(&source, &[source.len()], &options);
        for _ in 0..4 {
            let pieces = random.pieces(source.len());
            let (decoded, split_batches) = decode_in_pieces(&source, &pieces, &options);
            assert_same(&decoded, &expected, &format!("seed {seed}"));
            assert_eq!(split_batches, batches, "seed {seed}");
            assert!(batches.iter().rev().skip(1).all(|b| b.num_rows() == options.batch_size));
        }
    }
}

/// The reader is the decoder with a buffer.
#[test]
fn the_reader_gives_the_decoders_batches() {
    for seed in 2000..2050 {
        let mut random = Lines::new(seed);
        let source = random.source(1500);
        let options = random.options();
        let (expected, batches) = decode_in_pieces(&source, &[source.len()], &options);
        let mut rejects = 0;
        let reader = Reader::new(&source[..], options.clone()).on_reject(|_| rejects += 1);
        let read: Vec<_> = reader.collect::<Result<_, _>>().unwrap();
        assert_eq!(read, batches, "seed {seed}");
        assert_eq!(rejects, expected.rejects.len());
        // Without a handler the first reject is an error, and nothing follows it.
        let mut reader = Reader::new(&source[..], options).into_record_batch_reader();
        let error = reader.find_map(Result::err);
        let first =
            expected.rejects.first().map(|reject| format!("record {} ", reject.record_number));
        assert_eq!(error.is_some(), first.is_some());
        if let (Some(error), Some(first)) = (error, first) {
            assert!(error.to_string().contains(&first), "{error}");
            assert!(reader.next().is_none());
        }
    }
}

/// Parts of a source, cut between lines, decode apart from each other as they do together.
#[test]
fn parts_decode_as_the_whole() {
    for seed in 3000..3050 {
        let mut random = Lines::new(seed);
        let source = random.source(1000);
        let options = random.options();
        let (expected, _) = decode_in_pieces(&source, &[source.len()], &options);
        let mut rows = Vec::new();
        let mut rejects = Vec::new();
        let mut counts = Counts::default();
        let mut position = Position::START;
        let mut rest = &source[..];
        while !rest.is_empty() {
            // The rare line longer than that goes with all that follows it.
            let len = whole_lines_len(&rest[..rest.len().min(20_000)]).unwrap_or(rest.len());
            let (part, behind) = rest.split_at(len);
            let mut decoder = match position {
                Position::START => Decoder::new(&options),
                _ => Decoder::resume(&options, position),
            };
            let mut on_reject =
                |reject: Reject<'_>| rejects.push((reject.record_number, reject.byte_offset));
            let mut undecoded = part;
            while !undecoded.is_empty() {
                undecoded = &undecoded[decoder.decode(undecoded, &mut on_reject)..];
                rows.extend(decoder.flush().unwrap().iter().flat_map(reference::batch_rows));
            }
            if behind.is_empty() {
                decoder.finish(&mut on_reject);
                rows.extend(decoder.flush().unwrap().iter().flat_map(reference::batch_rows));
            }
            counts.add(decoder.counts());
            position.record_number += count_lines(part);
            position.byte_offset += part.len() as u64;
            rest = behind;
        }
        assert_eq!(rows, expected.rows, "seed {seed}");
        let positions = expected.rejects.iter().map(|r| (r.record_number, r.byte_offset));
        assert_eq!(rejects, positions.collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(counts.records, expected.rows.len() as u64);
        assert_eq!(counts.rejected(), expected.rejects.len() as u64);
        assert_eq!(counts.blank_lines, expected.blank_lines);
        let warnings =
            counts.warnings().map(|(warning, count)| (warning.as_str().to_owned(), count));
        assert_eq!(warnings.collect::<std::collections::BTreeMap<_, _>>(), expected.warnings);
    }
}

/// Lines that were picked, in any order, keep the place that they are said to have.
#[test]
fn picked_lines_keep_their_places() {
    let mut random = Lines::new(4000);
    let source = random.source(3000);
    let options = random.options();
    let mut lines = Vec::new();
    let mut position = Position::START;
    for line in source.split_inclusive(|&byte| byte == b'\n') {
        lines.push((position, line));
        position.record_number += 1;
        position.byte_offset += line.len() as u64;
    }
    // What ends without a line feed is another line once others follow it.
    lines.retain(|(_, line)| line.ends_with(b"\n"));
    let whole: Vec<u8> = lines.iter().flat_map(|(_, line)| line.iter().copied()).collect();
    let expected = reference::decode(&whole, &options);
    assert!(expected.rows.len() > 1000 && expected.rejects.len() > 10);
    let mut decoder = Decoder::new(&options);
    let (mut rows, mut rejects) = (Vec::new(), Vec::new());
    for &(position, mut line) in lines.iter().rev() {
        decoder.seek(position);
        let mut on_reject =
            |reject: Reject<'_>| rejects.push((reject.record_number, reject.byte_offset));
        while !line.is_empty() {
            line = &line[decoder.decode(line, &mut on_reject)..];
            if decoder.is_full() {
                rows.extend(decoder.flush().unwrap().iter().flat_map(reference::batch_rows));
            }
        }
        // The start of a line is no place to go on from elsewhere.
        decoder.decode(b"0", &mut on_reject);
        decoder.seek(Position { record_number: 1 << 40, byte_offset: 1 << 40 });
        decoder.decode(b"\n", &mut |reject| assert!(reject.record_number < 1 << 40));
    }
    rows.extend(decoder.flush().unwrap().iter().flat_map(reference::batch_rows));
    rows.reverse();
    rejects.reverse();
    assert_eq!(rows, expected.rows);
    let places = expected.rejects.iter().map(|r| (r.record_number, r.byte_offset));
    assert_eq!(rejects, places.collect::<Vec<_>>());
}

/// Bytes that the caller passed over count as if they had come.
#[test]
fn a_skipped_stretch_of_a_giant_line_counts() {
    const SKIPPED: u64 = 5 << 30;
    let sample = include_bytes!("../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr");
    let mut decoder = Decoder::new(&SourceOptions::new("giant.cdr"));
    let mut rejects = Vec::new();
    let mut on_reject = |reject: Reject<'_>| {
        rejects.push((
            reject.record_number,
            reject.byte_offset,
            reject.raw.len(),
            reject.raw_length,
        ));
    };
    decoder.decode(sample, &mut on_reject);
    decoder.decode(&vec![b'7'; RAW_LIMIT + 5], &mut on_reject);
    decoder.skip(SKIPPED);
    decoder.decode(b"77\n", &mut on_reject);
    decoder.decode(sample, &mut on_reject);
    decoder.decode(b"short", &mut on_reject);
    decoder.finish(&mut on_reject);
    let giant = RAW_LIMIT as u64 + 5 + SKIPPED + 2;
    assert_eq!(rejects, [(2, 229, RAW_LIMIT, giant), (4, 229 + giant + 1 + 229, 5, 5)]);
    let rows = reference::batch_rows(&decoder.flush().unwrap().unwrap());
    assert_eq!(
        rows.iter().map(|row| row[1].as_deref()).collect::<Vec<_>>(),
        [Some("1"), Some("3")]
    );
}
