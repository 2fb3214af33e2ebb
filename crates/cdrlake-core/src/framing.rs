//! Bytes to lines: what each physical line is, judged by its length and ends alone.
//!
//! The unit of damage is the line: what stands up to and including a line feed, or up to the end
//! of the source. [`frame`] gives each exactly one verdict, so that
//! `lines = records + rejects + blank lines`.
//!
//! Sound files are runs of lines of one length (229 bytes with the line feed, 235 for French Voice
//! Line), and searching each line feed would cost more than it tells. [`run`] only checks that
//! a line feed stands wherever the stride says. That alone does not prove that none stands in
//! between; validation does, for a line feed is not among a record's bytes. So a run is taken at
//! its word only up to the first record that does not prove sound; from there on lines are framed
//! one by one (see `scan`).

use crate::error::{RejectCode, Warning, Warnings};
use crate::layout::{Field, MAX_RECORD_LINE_LEN, RECORD_LEN};
use crate::record::Record;

const LINE_FEED: u8 = b'\n';
const CARRIAGE_RETURN: u8 = b'\r';
/// Ctrl-Z: how some old systems mark the end of a text file.
const SUBSTITUTE: u8 = 0x1A;

/// The stride of a file as the carrier's section 4.5 has it.
pub(crate) const PLAIN_STRIDE: usize = RECORD_LEN + 1;

/// Where a line stands in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Number of the physical line, from 1.
    pub record_number: u64,
    /// Offset of the line's first byte in the decompressed source.
    pub byte_offset: u64,
}

impl Position {
    /// The first line of a source.
    pub const START: Self = Self { record_number: 1, byte_offset: 0 };

    /// The line behind one of `len` bytes, line feed included.
    #[inline]
    pub(crate) fn behind(self, len: usize) -> Self {
        Self { record_number: self.record_number + 1, byte_offset: self.byte_offset + len as u64 }
    }
}

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    LineFeed,
    EndOfSource,
}

/// The verdict on a line's length.
#[derive(Clone, Copy)]
pub(crate) enum Framed<'a> {
    Record(RecordLine<'a>),
    Blank,
    Reject(RejectCode),
}

/// A line that is as long as a record must be; its fields are not yet looked at.
#[derive(Clone, Copy)]
pub(crate) struct RecordLine<'a> {
    pub(crate) record: Record<'a>,
    /// What stands behind byte 228, untrimmed.
    pub(crate) trailer: &'a [u8],
    pub(crate) position: Position,
    pub(crate) warnings: Warnings,
}

/// Judges `raw`, a line without its line feed.
///
/// `raw` may be cut, if what is left is longer than any record.
#[inline]
pub(crate) fn frame(raw: &[u8], end: End, position: Position) -> Framed<'_> {
    if let (Ok(bytes), End::LineFeed) = (raw.try_into(), end) {
        return Framed::Record(RecordLine {
            record: Record::new(bytes),
            trailer: &[],
            position,
            warnings: Warnings::NONE,
        });
    }
    frame_unusual(raw, end, position)
}

/// Every line but one of exactly 228 bytes and a line feed.
fn frame_unusual(raw: &[u8], end: End, position: Position) -> Framed<'_> {
    let mut line = raw;
    let mut warnings = Warnings::NONE;
    if end == End::EndOfSource {
        line = line.strip_suffix(&[SUBSTITUTE]).unwrap_or(line);
    }
    if line.len() > RECORD_LEN
        && let Some(shorter) = line.strip_suffix(&[CARRIAGE_RETURN])
    {
        line = shorter;
        warnings = warnings.with(Warning::CarriageReturn);
    }
    let Some((bytes, trailer)) = line.split_first_chunk::<RECORD_LEN>() else {
        return match line {
            [] | [CARRIAGE_RETURN] => Framed::Blank,
            _ => Framed::Reject(RejectCode::ShortRecord),
        };
    };
    if !trailer.is_empty() {
        if line.len() > MAX_RECORD_LINE_LEN || bytes[Field::EndOfRecord.range().start] != b'0' {
            return Framed::Reject(RejectCode::LongRecord);
        }
        warnings = warnings.with(Warning::TrailingBytes);
    }
    if end == End::EndOfSource {
        warnings = warnings.with(Warning::MissingLineFeed);
    }
    Framed::Record(RecordLine { record: Record::new(bytes), trailer, position, warnings })
}

/// What seem to be lines of `stride` bytes, line feed included, at the start of `bytes`: without
/// the line feed, up to where none stands at the stride.
#[inline(always)]
pub(crate) fn run(bytes: &[u8], stride: usize) -> impl Iterator<Item = &[u8]> {
    let lines = bytes.chunks_exact(stride);
    lines
        .map_while(|line| line.split_last())
        .take_while(|(last, _)| **last == LINE_FEED)
        .map(|(_, raw)| raw)
}

/// Splits `bytes` behind its first line feed: the line without it, and the rest.
#[inline]
pub(crate) fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memchr(LINE_FEED, bytes)?;
    Some((&bytes[..at], &bytes[at + 1..]))
}

/// The length of `bytes` up to and including its last line feed: a place to cut a source so that
/// no line is torn. None if no line ends in `bytes`.
#[must_use]
pub fn whole_lines_len(bytes: &[u8]) -> Option<usize> {
    memchr::memrchr(LINE_FEED, bytes).map(|at| at + 1)
}

/// How many lines end in `bytes`.
#[must_use]
pub fn count_lines(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(LINE_FEED, bytes).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 228 bytes that end in `0`, then `tail`.
    fn line(tail: &[u8]) -> Vec<u8> {
        let mut line = vec![b' '; 227];
        line.push(b'0');
        line.extend_from_slice(tail);
        line
    }

    /// The verdict as a word: `record`, its warnings and trailer length, or the code.
    fn verdict(raw: &[u8], end: End) -> String {
        match frame(raw, end, Position::START) {
            Framed::Blank => "blank".into(),
            Framed::Reject(code) => code.as_str().into(),
            Framed::Record(line) => {
                let mut words = vec!["record".to_owned()];
                words.extend(line.warnings.iter().map(|warning| warning.as_str().to_owned()));
                words.push(line.trailer.len().to_string());
                words.join(" ")
            }
        }
    }

    /// Every row of the contract's framing table, and the edges between them.
    #[test]
    fn verdicts() {
        let mut no_zero = line(b"x");
        no_zero[227] = b' ';
        let longest = line(&[b'x'; 64]);
        let with = |mut bytes: Vec<u8>, tail: &[u8]| {
            bytes.extend_from_slice(tail);
            bytes
        };
        let cases: Vec<(Vec<u8>, End, &str)> = vec![
            (line(b""), End::LineFeed, "record 0"),
            (line(b"\r"), End::LineFeed, "record carriage_return 0"),
            (line(b" PBW2S"), End::LineFeed, "record trailing_bytes 6"),
            (line(b" PBW2S\r"), End::LineFeed, "record carriage_return trailing_bytes 6"),
            (line(b"\r\r"), End::LineFeed, "record carriage_return trailing_bytes 1"),
            (line(b"\x1A"), End::LineFeed, "record trailing_bytes 1"),
            (longest.clone(), End::LineFeed, "record trailing_bytes 64"),
            (
                with(longest.clone(), b"\r"),
                End::LineFeed,
                "record carriage_return trailing_bytes 64",
            ),
            (with(longest.clone(), b"x"), End::LineFeed, "long_record"),
            (with(longest.clone(), b"\r\r"), End::LineFeed, "long_record"),
            (no_zero.clone(), End::LineFeed, "long_record"),
            (vec![b'0'; 100_000], End::LineFeed, "long_record"),
            (vec![], End::LineFeed, "blank"),
            (b"\r".to_vec(), End::LineFeed, "blank"),
            (b" ".to_vec(), End::LineFeed, "short_record"),
            (b"\r\r".to_vec(), End::LineFeed, "short_record"),
            (b"\x1A".to_vec(), End::LineFeed, "short_record"),
            (line(b"")[..227].to_vec(), End::LineFeed, "short_record"),
            // A carriage return is dropped only where more than 228 bytes stand.
            (with(line(b"")[..227].to_vec(), b"\r"), End::LineFeed, "record 0"),
            (
                with(line(b"")[..227].to_vec(), b"\r"),
                End::EndOfSource,
                "record missing_line_feed 0",
            ),
            (line(b""), End::EndOfSource, "record missing_line_feed 0"),
            (line(b"\x1A"), End::EndOfSource, "record missing_line_feed 0"),
            (line(b"\r\x1A"), End::EndOfSource, "record carriage_return missing_line_feed 0"),
            (
                line(b"\x1A\r"),
                End::EndOfSource,
                "record carriage_return trailing_bytes missing_line_feed 1",
            ),
            (line(b"\x1A\x1A"), End::EndOfSource, "record trailing_bytes missing_line_feed 1"),
            (
                with(longest, b"\r\x1A"),
                End::EndOfSource,
                "record carriage_return trailing_bytes missing_line_feed 64",
            ),
            (no_zero, End::EndOfSource, "long_record"),
            (b"\x1A".to_vec(), End::EndOfSource, "blank"),
            (b"\r\x1A".to_vec(), End::EndOfSource, "blank"),
            (b"\r".to_vec(), End::EndOfSource, "blank"),
            (b"abc".to_vec(), End::EndOfSource, "short_record"),
        ];
        for (raw, end, expected) in cases {
            assert_eq!(verdict(&raw, end), expected, "{} bytes, {end:?}", raw.len());
        }
    }

    #[test]
    fn a_run_ends_where_a_line_feed_is_missing() {
        let mut bytes = [line(b""), line(b"")].join(&b'\n');
        bytes.push(b'\n');
        assert_eq!(run(&bytes, PLAIN_STRIDE).collect::<Vec<_>>(), [line(b""), line(b"")]);
        assert_eq!(run(&bytes[..457], PLAIN_STRIDE).count(), 1);
        assert_eq!(run(&bytes, PLAIN_STRIDE + 1).count(), 0);
        assert_eq!(run(b"", PLAIN_STRIDE).count(), 0);
    }

    #[test]
    fn cutting_and_counting() {
        assert_eq!(whole_lines_len(b"ab\nc\nd"), Some(5));
        assert_eq!(whole_lines_len(b"abcd"), None);
        assert_eq!(count_lines(b"ab\nc\nd"), 2);
        assert_eq!(split_line(b"ab\ncd"), Some((&b"ab"[..], &b"cd"[..])));
        assert_eq!(split_line(b"ab"), None);
    }
}
