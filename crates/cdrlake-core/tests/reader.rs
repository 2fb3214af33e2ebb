//! What the reader makes of sources that hesitate or break off, and what it and the decoder tell of
//! themselves.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use std::io::{self, ErrorKind, Read};

use cdrlake_core::{Decoder, Error, RAW_LIMIT, Reader, RejectCode, SourceOptions, parse_file_name};

const NAME: &str = "DE_SV_00_0001_20110930090122.cdr";
const FILE: &[u8] = include_bytes!("../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");

/// A source in two halves, and what comes between them.
fn halves(between: impl Iterator<Item = ErrorKind>) -> impl Read {
    let (first, second) = FILE.split_at(300);
    first.chain(Errors(between)).chain(second)
}

/// Errors, then nothing.
struct Errors<I>(I);

impl<I: Iterator<Item = ErrorKind>> Read for Errors<I> {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.next().map_or(Ok(0), |kind| Err(kind.into()))
    }
}

#[test]
fn an_interrupted_read_is_made_again() {
    let interrupts = [ErrorKind::Interrupted; 3].into_iter();
    let mut reader = Reader::new(halves(interrupts), SourceOptions::new(NAME));
    let rows: usize = reader.by_ref().map(|batch| batch.unwrap().num_rows()).sum();
    assert_eq!(rows, 3);
    assert_eq!((reader.counts().records, reader.counts().lines()), (3, 3));
}

#[test]
fn any_other_error_ends_the_reading_and_names_the_source() {
    let errors = [ErrorKind::ConnectionReset].into_iter();
    let mut reader = Reader::new(halves(errors), SourceOptions::new(NAME));
    match reader.next() {
        Some(Err(Error::Io { source_file, error })) => {
            assert_eq!((source_file.as_str(), error.kind()), (NAME, ErrorKind::ConnectionReset));
        }
        other => panic!("{other:?}"),
    }
    assert!(reader.next().is_none());
}

#[test]
fn a_reject_without_a_handler_is_an_error_with_its_place() {
    let mut file = FILE.to_vec();
    file[229 + 66] = b'4';
    let mut reader = Reader::new(&file[..], SourceOptions::new(NAME));
    match reader.next() {
        Some(Err(Error::Rejected { position, fault, message, .. })) => {
            assert_eq!((position.record_number, position.byte_offset), (2, 229));
            assert_eq!(fault.code, RejectCode::InvalidContinuation);
            assert!(
                message.starts_with("record 2 (byte 229), continuation [66,67): "),
                "{message}"
            );
        }
        other => panic!("{other:?}"),
    }
    assert!(reader.next().is_none());
}

#[test]
fn options_of_a_name_have_what_it_tells() {
    let options = SourceOptions::from_file_name(NAME);
    assert_eq!(options.source_file, NAME);
    assert_eq!(options.metadata, parse_file_name(NAME, None));
    assert_eq!(options.metadata.sequence_number, Some(1));
}

#[test]
fn what_is_shown_for_debugging_holds_no_number() {
    let options = SourceOptions::new("calls.cdr");
    let mut decoder = Decoder::new(&options);
    decoder.decode(FILE, &mut |_| {});
    decoder.decode(&[b'7'; 100], &mut |_| {});
    let shown = format!("{decoder:?} {:?}", Reader::new(FILE, options));
    assert!(shown.contains("rows: 3") && shown.contains("calls.cdr"), "{shown}");
    for record in FILE.chunks(229) {
        let origin = str::from_utf8(record[..20].trim_ascii()).unwrap();
        assert!(!shown.contains(origin), "{shown}");
    }
    assert!(!shown.contains("7777") && shown.len() < RAW_LIMIT);
}
