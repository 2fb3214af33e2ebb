//! Finding a line by its number or by a byte in it, at the speed of memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use cdrlake_core::{RAW_LIMIT, count_lines};
use memchr::{memchr, memchr_iter, memrchr};

/// Bytes read at a time.
const BUFFER_LEN: usize = 1 << 20;

/// So many first bytes tell whether a source is a file as it is.
pub(super) const HEAD: u64 = 4096;

/// A physical line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: Option<u64>,
    /// Offset of its first byte in the decompressed source.
    pub(super) start: u64,
    /// Without the line feed, at most [`RAW_LIMIT`] of it.
    pub(super) raw: Vec<u8>,
    /// Bytes without the line feed.
    pub(super) length: u64,
    pub(super) has_line_feed: bool,
}

impl Line {
    fn push(&mut self, bytes: &[u8]) {
        let room = RAW_LIMIT - self.raw.len();
        self.raw.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
    }

    /// Takes `bytes` up to a line feed; whether there was one.
    fn end_in(&mut self, bytes: &[u8]) -> bool {
        let end = memchr(b'\n', bytes);
        self.push(&bytes[..end.unwrap_or(bytes.len())]);
        self.has_line_feed = end.is_some();
        self.has_line_feed
    }

    /// Bytes with the line feed.
    pub(super) fn whole_length(&self) -> u64 {
        self.length + u64::from(self.has_line_feed)
    }
}

/// How a source ended before the line came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct End {
    /// Where they were counted.
    pub(super) lines: Option<u64>,
    pub(super) bytes: u64,
}

/// Which line.
#[derive(Clone, Copy)]
pub(super) enum Wanted {
    /// The one of this number, from 1.
    Number(u64),
    /// The one that holds this byte, from 0; a line feed belongs to the line that it ends.
    Offset(u64),
}

/// Reads up to the end of the line.
pub(super) fn find(bytes: &mut dyn Read, wanted: Wanted) -> io::Result<Result<Line, End>> {
    let mut buffer = vec![0; BUFFER_LEN];
    // The line that the next byte belongs to, as far as it was read.
    let mut line =
        Line { number: Some(1), start: 0, raw: Vec::new(), length: 0, has_line_feed: false };
    let mut offset = 0;
    let mut is_found = false;
    loop {
        let len = fill(bytes, &mut buffer)?;
        let read = &buffer[..len];
        if read.is_empty() {
            let lines = line.number.map(|number| number - u64::from(line.length == 0));
            return Ok(if is_found && line.length > 0 {
                Ok(line)
            } else {
                Err(End { lines, bytes: offset })
            });
        }
        let before = match wanted {
            _ if is_found => Some(0),
            Wanted::Number(number) => {
                let missing = number - line.number.unwrap_or(1);
                behind_line_feeds(read, missing)
            }
            Wanted::Offset(wanted) => {
                usize::try_from(wanted - offset).ok().filter(|&at| at < read.len())
            }
        };
        let (passed, rest) = read.split_at(before.unwrap_or(read.len()));
        if let Some(last) = memrchr(b'\n', passed) {
            let number = line.number.map(|number| number + count_lines(passed));
            let start = offset + last as u64 + 1;
            line = Line { number, start, raw: Vec::new(), length: 0, has_line_feed: false };
            line.push(&passed[last + 1..]);
        } else {
            line.push(passed);
        }
        is_found = before.is_some();
        if is_found && line.end_in(rest) {
            return Ok(Ok(line));
        }
        offset += read.len() as u64;
    }
}

/// Where in `bytes` so many lines have ended.
fn behind_line_feeds(bytes: &[u8], lines: u64) -> Option<usize> {
    let Some(others) = lines.checked_sub(1) else { return Some(0) };
    if count_lines(bytes) < lines {
        return None;
    }
    memchr_iter(b'\n', bytes).nth(others as usize).map(|at| at + 1)
}

/// As much as there is room for, so that there is nothing only at the end.
fn fill(bytes: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match bytes.read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Whether the file is what began with `head`; it is rewound.
pub(super) fn begins_with(file: &mut File, head: &[u8]) -> io::Result<bool> {
    let mut found = Vec::new();
    file.by_ref().take(HEAD).read_to_end(&mut found)?;
    file.rewind()?;
    Ok(found == head)
}

/// The line that holds byte `wanted`: back from there to a line feed, and on to the next. Its number
/// is not known.
pub(super) fn find_in_file(file: &mut File, wanted: u64) -> io::Result<Result<Line, End>> {
    let length = file.metadata()?.len();
    if wanted >= length {
        return Ok(Err(End { lines: None, bytes: length }));
    }
    let mut buffer = vec![0; 64 * 1024];
    let mut start = wanted;
    while start > 0 {
        let from = start.saturating_sub(buffer.len() as u64);
        let part = &mut buffer[..(start - from) as usize];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(at) = memrchr(b'\n', part) {
            start = from + at as u64 + 1;
            break;
        }
        start = from;
    }
    file.seek(SeekFrom::Start(start))?;
    let found = find(file, Wanted::Number(1))?;
    Ok(found.map(|line| Line { number: None, start, ..line }))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Gives one byte at a time.
    struct Slow<'b>(&'b [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(1).min(buffer.len());
            self.0.read(&mut buffer[..len])
        }
    }

    const TEXT: &[u8] = b"one\n\nthree\nlast";

    /// Number, start and bytes of every line, by splitting.
    fn lines() -> Vec<(u64, usize, &'static [u8])> {
        let mut start = 0;
        let lines = TEXT.split(|&byte| byte == b'\n').zip(1..);
        lines
            .map(|(raw, number)| {
                let at = start;
                start += raw.len() + 1;
                (number, at, raw)
            })
            .collect()
    }

    fn assert_found(found: Result<Line, End>, number: Option<u64>, start: usize, raw: &[u8]) {
        let line = found.unwrap();
        assert_eq!((line.number, line.start, &line.raw[..]), (number, start as u64, raw));
        assert_eq!(line.length, raw.len() as u64);
        assert_eq!(line.has_line_feed, raw != b"last");
    }

    #[test]
    fn lines_are_found_by_number_and_by_every_byte() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(TEXT).unwrap();
        for (number, start, raw) in lines() {
            assert_found(
                find(&mut &TEXT[..], Wanted::Number(number)).unwrap(),
                Some(number),
                start,
                raw,
            );
            assert_found(
                find(&mut Slow(TEXT), Wanted::Number(number)).unwrap(),
                Some(number),
                start,
                raw,
            );
            for offset in start..(start + raw.len() + 1).min(TEXT.len()) {
                let wanted = Wanted::Offset(offset as u64);
                assert_found(find(&mut &TEXT[..], wanted).unwrap(), Some(number), start, raw);
                assert_found(find(&mut Slow(TEXT), wanted).unwrap(), Some(number), start, raw);
                assert_found(find_in_file(&mut file, offset as u64).unwrap(), None, start, raw);
            }
        }
    }

    #[test]
    fn what_is_not_there_tells_where_the_source_ends() {
        let end = |lines, bytes| Err(End { lines, bytes });
        assert_eq!(find(&mut &TEXT[..], Wanted::Number(5)).unwrap(), end(Some(4), 15));
        assert_eq!(find(&mut &TEXT[..11], Wanted::Number(4)).unwrap(), end(Some(3), 11));
        assert_eq!(find(&mut &TEXT[..], Wanted::Offset(15)).unwrap(), end(Some(4), 15));
        assert_eq!(find(&mut &b""[..], Wanted::Number(1)).unwrap(), end(Some(0), 0));
        let mut file = tempfile::tempfile().unwrap();
        assert_eq!(find_in_file(&mut file, 0).unwrap(), end(None, 0));
    }

    #[test]
    fn long_lines_are_cut_and_measured() {
        let mut text = vec![b'x'; 3 << 20];
        text.extend_from_slice(b"\nnext\n");
        let line = find(&mut &text[..], Wanted::Offset(2 << 20)).unwrap().unwrap();
        assert_eq!((line.raw.len(), line.length), (RAW_LIMIT, 3 << 20));
        let next = find(&mut &text[..], Wanted::Number(2)).unwrap().unwrap();
        assert_eq!((next.start, &next.raw[..]), ((3 << 20) + 1, &b"next"[..]));
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&text).unwrap();
        let line = find_in_file(&mut file, 2 << 20).unwrap().unwrap();
        assert_eq!((line.start, line.length), (0, 3 << 20));
    }
}
