//! Lines to groups of sound records: ties framing and validation together, and counts.
//!
//! Records are handed on in groups of at most [`GROUP`], few enough that their bytes stay in the
//! first-level cache while every column passes over them. A group is first taken from a run of
//! equal strides; where one of its records is not sound, what follows is framed line by line, for
//! a line feed may stand inside what looked like a record.

use crate::calendar::LastDate;
use crate::error::{Fault, RAW_LIMIT, Reject, RejectCode, Warning};
use crate::framing::{End, Framed, PLAIN_STRIDE, Position, frame, run, split_line};
use crate::layout::RECORD_LEN;
use crate::validate::{Sound, Strictness, validate};

/// Records in a group. 64 × 229 bytes are a third of a first-level cache.
pub(crate) const GROUP: usize = 64;

/// A shorter run is not worth a group of its own: its lines are judged one by one, and share a
/// group with what follows.
const SHORT_RUN: usize = 8;

/// Where a run breaks off, so many lines are judged one by one before the next is looked for.
const BETWEEN_RUNS: usize = 16;

/// Takes what a scan finds.
pub(crate) trait Sink {
    fn records(&mut self, group: &[Sound<'_>]);
    fn reject(&mut self, reject: Reject<'_>);
}

/// What the lines of a source were, so far: `lines() = records + rejected() + blank_lines`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sound records.
    pub records: u64,
    /// Lines that are empty, or only a carriage return.
    pub blank_lines: u64,
    rejects: [u64; RejectCode::ALL.len()],
    warnings: [u64; Warning::ALL.len()],
}

impl Counts {
    /// Physical lines, the last one without a line feed included.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.records + self.rejected() + self.blank_lines
    }

    /// Rejected lines.
    #[must_use]
    pub fn rejected(&self) -> u64 {
        self.rejects.iter().sum()
    }

    /// The codes that occurred and how often.
    pub fn rejects(&self) -> impl Iterator<Item = (RejectCode, u64)> {
        RejectCode::ALL.into_iter().zip(self.rejects).filter(|&(_, count)| count > 0)
    }

    /// The warnings that occurred and how often.
    pub fn warnings(&self) -> impl Iterator<Item = (Warning, u64)> {
        Warning::ALL.into_iter().zip(self.warnings).filter(|&(_, count)| count > 0)
    }

    fn warn(&mut self, warning: Warning) {
        self.warnings[warning as usize] += 1;
    }

    /// Adds another part of the same source, or another source.
    pub fn add(&mut self, other: &Self) {
        self.records += other.records;
        self.blank_lines += other.blank_lines;
        let add = |sums: &mut [u64], counts: &[u64]| {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        };
        add(&mut self.rejects, &other.rejects);
        add(&mut self.warnings, &other.warnings);
    }
}

/// Turns the bytes of one source, in pieces of any size, into groups of sound records.
#[derive(Debug)]
pub(crate) struct Scanner {
    strictness: Strictness,
    last_date: LastDate,
    /// Of the first byte not yet judged: the start of `torn`, if that holds anything.
    position: Position,
    /// The stride of the last good line: where the next run is looked for.
    stride: usize,
    torn: TornLine,
    counts: Counts,
}

/// A line whose end has not arrived yet.
#[derive(Debug, Default)]
struct TornLine {
    /// Its first bytes, at most [`RAW_LIMIT`]: longer ones are rejected anyway.
    head: Vec<u8>,
    length: u64,
}

impl TornLine {
    fn push(&mut self, bytes: &[u8]) {
        let room = RAW_LIMIT - self.head.len();
        self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
    }
}

impl Scanner {
    pub(crate) fn new(strictness: Strictness, position: Position) -> Self {
        Self {
            strictness,
            last_date: LastDate::default(),
            position,
            stride: PLAIN_STRIDE,
            torn: TornLine::default(),
            counts: Counts::default(),
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Counts a warning about the source as a whole.
    pub(crate) fn warn(&mut self, warning: Warning) {
        self.counts.warn(warning);
    }

    /// Scans `bytes` until `limit` records, at least one, were handed on; returns how many bytes
    /// were used up.
    pub(crate) fn scan(&mut self, bytes: &[u8], limit: usize, sink: &mut impl Sink) -> usize {
        let mut rest = bytes;
        let mut room = limit;
        if self.torn.length > 0 {
            let Some((line, behind)) = split_line(rest) else {
                self.torn.push(rest);
                return bytes.len();
            };
            self.torn.push(line);
            rest = behind;
            room -= self.end_torn_line(End::LineFeed, sink);
        }
        let mut group = Vec::with_capacity(GROUP);
        while room > 0 {
            let most = room.min(GROUP);
            let run = self.scan_run(rest, most, &mut group, sink);
            if run.bytes > 0 {
                rest = &rest[run.bytes..];
                room -= run.records;
                continue;
            }
            let lines = self.scan_lines(rest, most.min(BETWEEN_RUNS), &mut group, sink);
            if lines.bytes == 0 {
                self.torn.push(rest);
                return bytes.len();
            }
            rest = &rest[lines.bytes..];
            room -= lines.records;
        }
        bytes.len() - rest.len()
    }

    /// Passes over `count` bytes of a line that is too long already, none of them a line feed.
    pub(crate) fn skip(&mut self, count: u64) {
        if self.torn.head.len() == RAW_LIMIT {
            self.torn.length += count;
        }
    }

    /// Goes on at another place, unless a line is torn.
    pub(crate) fn seek(&mut self, position: Position) {
        if self.torn.length == 0 {
            self.position = position;
        }
    }

    /// Ends the source: what stands behind the last line feed is a line, too. Returns how many
    /// records, at most one, were handed on.
    pub(crate) fn finish(&mut self, sink: &mut impl Sink) -> usize {
        if self.torn.length > 0 { self.end_torn_line(End::EndOfSource, sink) } else { 0 }
    }

    /// A group from a run of equal strides, up to the first record that is not sound; or nothing,
    /// if those are few.
    #[inline]
    fn scan_run<'a>(
        &mut self,
        bytes: &'a [u8],
        most: usize,
        group: &mut Vec<Sound<'a>>,
        sink: &mut impl Sink,
    ) -> Used {
        group.clear();
        let (mut position, mut last_date) = (self.position, self.last_date);
        for raw in run(bytes, self.stride).take(most) {
            // Those before a record that is not sound are, and so hold no line feed: they stand.
            let Framed::Record(line) = frame(raw, End::LineFeed, position) else { break };
            let Ok(sound) = validate(line, self.strictness, &mut last_date) else { break };
            group.push(sound);
            position = position.behind(self.stride);
        }
        self.last_date = last_date;
        let count = group.len();
        if count < most.min(SHORT_RUN) {
            return Used::NOTHING;
        }
        self.hand_on(group, sink);
        self.position = position;
        Used { bytes: count * self.stride, records: count }
    }

    /// At most `most` lines, each ended by its own line feed and judged by itself.
    #[cold]
    fn scan_lines<'a>(
        &mut self,
        bytes: &'a [u8],
        most: usize,
        group: &mut Vec<Sound<'a>>,
        sink: &mut impl Sink,
    ) -> Used {
        group.clear();
        let mut rest = bytes;
        for _ in 0..most {
            let Some((raw, behind)) = split_line(rest) else { break };
            if let Some(sound) = self.judge(raw, raw.len() as u64, End::LineFeed, sink) {
                group.push(sound);
                self.stride = raw.len() + 1;
            }
            self.position = self.position.behind(raw.len() + 1);
            rest = behind;
        }
        self.hand_on(group, sink);
        Used { bytes: bytes.len() - rest.len(), records: group.len() }
    }

    /// The torn line, now whole.
    fn end_torn_line(&mut self, end: End, sink: &mut impl Sink) -> usize {
        let TornLine { mut head, length } = std::mem::take(&mut self.torn);
        let sound = self.judge(&head, length, end, sink);
        let records = usize::from(sound.is_some());
        self.hand_on(sound.as_slice(), sink);
        self.position.record_number += 1;
        self.position.byte_offset += length + u64::from(end == End::LineFeed);
        // The room is kept for the next torn line, unless this one was a giant.
        head.clear();
        head.shrink_to(2 * RECORD_LEN);
        self.torn.head = head;
        records
    }

    /// The verdict on one whole line; `raw` may be cut if its `length` is above [`RAW_LIMIT`].
    fn judge<'a>(
        &mut self,
        raw: &'a [u8],
        length: u64,
        end: End,
        sink: &mut impl Sink,
    ) -> Option<Sound<'a>> {
        let fault = match frame(raw, end, self.position) {
            Framed::Record(line) => match validate(line, self.strictness, &mut self.last_date) {
                Ok(sound) => return Some(sound),
                Err(fault) => fault,
            },
            Framed::Reject(code) => Fault::line(code),
            Framed::Blank => {
                self.counts.blank_lines += 1;
                return None;
            }
        };
        self.counts.rejects[fault.code as usize] += 1;
        sink.reject(Reject {
            record_number: self.position.record_number,
            byte_offset: self.position.byte_offset,
            fault,
            raw: &raw[..raw.len().min(RAW_LIMIT)],
            raw_length: length,
        });
        None
    }

    /// Counts a group and gives it to the sink.
    #[inline]
    fn hand_on(&mut self, group: &[Sound<'_>], sink: &mut impl Sink) {
        if group.is_empty() {
            return;
        }
        if group.iter().any(|sound| !sound.warnings().is_empty()) {
            group.iter().flat_map(|sound| sound.warnings().iter()).for_each(|warning| {
                self.counts.warn(warning);
            });
        }
        self.counts.records += group.len() as u64;
        sink.records(group);
    }
}

/// What one step of a scan used up.
#[derive(Clone, Copy, Debug)]
struct Used {
    bytes: usize,
    records: usize,
}

impl Used {
    const NOTHING: Self = Self { bytes: 0, records: 0 };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sizes of the groups that came, and how many lines were rejected.
    #[derive(Default)]
    struct Groups(Vec<usize>, usize);

    impl Sink for Groups {
        fn records(&mut self, group: &[Sound<'_>]) {
            self.0.push(group.len());
        }

        fn reject(&mut self, _: Reject<'_>) {
            self.1 += 1;
        }
    }

    /// A record of the carrier's and `tail`, so many times.
    fn lines(tail: &[u8], count: usize) -> Vec<u8> {
        let file = include_bytes!("../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr");
        [&file[..RECORD_LEN], tail, b"\n"].concat().repeat(count)
    }

    fn scan(bytes: &[u8]) -> (Groups, Counts) {
        let mut scanner = Scanner::new(Strictness::Lenient, Position::START);
        let mut groups = Groups::default();
        assert_eq!(scanner.scan(bytes, usize::MAX, &mut groups), bytes.len());
        assert_eq!(scanner.finish(&mut groups), 0);
        (groups, scanner.counts().clone())
    }

    /// Runs of any stride are taken in whole groups, before and behind a line that breaks them.
    #[test]
    fn runs_come_in_whole_groups() {
        const RUN: usize = 640;
        for tail in [&b""[..], b"\r", b" PBW2S"] {
            let bytes = [lines(tail, RUN), b"short\n".to_vec(), lines(tail, RUN)].concat();
            let (Groups(sizes, rejects), _) = scan(&bytes);
            assert_eq!((sizes.iter().sum::<usize>(), rejects), (2 * RUN, 1));
            // Where a run breaks off, and before its stride is known, some lines go one by one.
            let whole = sizes.iter().filter(|&&size| size == GROUP).count();
            assert!(whole >= 2 * (RUN / GROUP - 1), "{sizes:?}");
        }
    }

    #[test]
    fn counts_tell_what_each_line_was() {
        let bytes =
            [&lines(b"", 3)[..], b"\n\n\nshort\n", &lines(b"\r", 2), &lines(b"x", 1)].concat();
        let (_, counts) = scan(&bytes);
        assert_eq!((counts.records, counts.blank_lines, counts.rejected()), (6, 3, 1));
        assert_eq!(counts.lines(), 10);
        assert!(counts.rejects().eq([(RejectCode::ShortRecord, 1)]));
        let warnings = [(Warning::CarriageReturn, 2), (Warning::TrailingBytes, 1)];
        assert!(counts.warnings().eq(warnings));
        let mut twice = counts.clone();
        twice.add(&counts);
        assert_eq!((twice.records, twice.blank_lines, twice.rejected()), (12, 6, 2));
        assert!(twice.rejects().eq([(RejectCode::ShortRecord, 2)]));
    }

    /// Of each rejected line: its number and offset, how many of its bytes are kept, and its length.
    #[derive(Debug, Default, PartialEq)]
    struct Rejects(Vec<(u64, u64, usize, u64)>);

    impl Sink for Rejects {
        fn records(&mut self, _: &[Sound<'_>]) {}

        fn reject(&mut self, reject: Reject<'_>) {
            let kept = reject.raw.len();
            self.0.push((reject.record_number, reject.byte_offset, kept, reject.raw_length));
        }
    }

    #[test]
    fn of_a_giant_line_64_kib_are_kept_whatever_it_comes_in() {
        let bytes = [&[b'7'; 100_000][..], b"\nshort\n"].concat();
        for piece in [bytes.len(), 65_537, 65_536, 1000, 1] {
            let mut scanner = Scanner::new(Strictness::Lenient, Position::START);
            let mut rejects = Rejects::default();
            for piece in bytes.chunks(piece) {
                assert_eq!(scanner.scan(piece, 1, &mut rejects), piece.len());
            }
            assert_eq!(rejects.0, [(1, 0, 65_536, 100_000), (2, 100_001, 5, 5)], "{piece}");
        }
    }

    #[test]
    fn a_giant_line_takes_no_more_memory_than_64_kib() {
        let mut torn = TornLine::default();
        for len in [65_535, 65_536, 1, 100_000] {
            torn.push(&vec![b'7'; len]);
        }
        assert_eq!((torn.head.len(), torn.length), (65_536, 65_535 + 65_536 + 1 + 100_000));
    }

    #[test]
    fn only_giant_lines_are_skipped_over() {
        let mut scanner = Scanner::new(Strictness::Lenient, Position::START);
        let mut rejects = Rejects::default();
        scanner.skip(7);
        scanner.scan(&[b'7'; 65_535], 1, &mut rejects);
        scanner.skip(7);
        scanner.scan(b"\n", 1, &mut rejects);
        scanner.scan(&[b'7'; 65_536], 1, &mut rejects);
        scanner.skip(1 << 40);
        scanner.scan(b"7\nshort", 1, &mut rejects);
        scanner.finish(&mut rejects);
        let behind = 65_536 + 65_536 + (1 << 40) + 2;
        let length = 65_536 + (1 << 40) + 1;
        let expected = [(1, 0, 65_535, 65_535), (2, 65_536, 65_536, length), (3, behind, 5, 5)];
        assert_eq!(rejects.0, expected);
    }

    #[test]
    fn a_line_under_way_is_not_sought_away_from() {
        let mut scanner = Scanner::new(Strictness::Lenient, Position::START);
        let mut rejects = Rejects::default();
        let picked = Position { record_number: 70, byte_offset: 9000 };
        scanner.seek(picked);
        scanner.scan(b"short\nsh", 1, &mut rejects);
        scanner.seek(Position::START);
        scanner.scan(b"ort\n", 1, &mut rejects);
        assert_eq!(rejects.0, [(70, 9000, 5, 5), (71, 9006, 5, 5)]);
    }
}
