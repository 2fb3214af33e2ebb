//! Gzip with any number of members: a single-member decoder would stop silently after the first.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use crate::damage::Kept;

/// Decompresses all members of a gzip stream.
///
/// Zeros after the last member, which tapes and some mirrors leave, are noted; anything
/// else there is an error, as is a member that ends early or whose checksum or length is wrong.
/// Errors tell the offset in the compressed stream; those of that stream itself are passed on as they
/// are. What `flate2` says is fixed when it is built, so nothing of the input is in it.
pub(crate) struct GzipReader<R> {
    state: State<R>,
}

enum State<R> {
    Member(Box<GzDecoder<Compressed<R>>>),
    Between(Compressed<R>),
    Done { has_zeros: bool },
}

impl<R: BufRead> State<R> {
    const DONE: Self = Self::Done { has_zeros: false };

    fn member(compressed: Compressed<R>) -> Self {
        Self::Member(Box::new(GzDecoder::new(compressed)))
    }
}

impl<R: BufRead> GzipReader<R> {
    pub(crate) fn new(compressed: R) -> Self {
        let kept = Kept::default();
        let compressed = Compressed { inner: compressed, consumed: 0, has_zeros: false, kept };
        Self { state: State::member(compressed) }
    }

    /// Whether the stream has ended, and zeros stood after its last member.
    pub(crate) fn has_trailing_zeros(&self) -> bool {
        matches!(self.state, State::Done { has_zeros: true })
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match &mut self.state {
                State::Done { .. } => return Ok(0),
                State::Member(member) => match member.read(buffer) {
                    Ok(0) => {
                        let State::Member(member) = std::mem::replace(&mut self.state, State::DONE)
                        else {
                            continue;
                        };
                        self.state = State::Between(member.into_inner());
                    }
                    Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                        return Err(member.get_mut().cause(&error));
                    }
                    result => return result,
                },
                State::Between(compressed) => {
                    let at_next_member = compressed.at_next_member();
                    if at_next_member.map_err(|error| compressed.cause(&error))? {
                        let State::Between(compressed) =
                            std::mem::replace(&mut self.state, State::DONE)
                        else {
                            continue;
                        };
                        self.state = State::member(compressed);
                    } else {
                        self.state = State::Done { has_zeros: compressed.has_zeros };
                    }
                }
            }
        }
    }
}

fn at_offset(error: &io::Error, offset: u64) -> io::Error {
    let what = match error.kind() {
        io::ErrorKind::UnexpectedEof => "gzip stream is cut off".to_owned(),
        _ => format!("gzip stream is damaged: {error}"),
    };
    io::Error::new(error.kind(), format!("{what}, at compressed byte {offset}"))
}

/// What is decompressed, and how much of it was taken, for messages.
struct Compressed<R> {
    inner: R,
    consumed: u64,
    /// Whether zeros stood after the last member.
    has_zeros: bool,
    /// Why it could not be read; whoever reads it sees no more than the kind.
    kept: Kept,
}

impl<R> Compressed<R> {
    /// Why the decoder failed: this stream did, or what is in it is damaged.
    fn cause(&self, error: &io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::Interrupted => io::ErrorKind::Interrupted.into(),
            _ => self.kept.take().unwrap_or_else(|| at_offset(error, self.consumed)),
        }
    }
}

impl<R: BufRead> Compressed<R> {
    /// Whether another member begins here; if not, the stream has ended.
    fn at_next_member(&mut self) -> io::Result<bool> {
        const FIRST_OF_MAGIC: u8 = 0x1F;
        if self.fill_buf()?.first() == Some(&FIRST_OF_MAGIC) {
            return Ok(true);
        }
        loop {
            let bytes = self.fill_buf()?;
            let (len, zeros) = (bytes.len(), bytes.iter().take_while(|&&byte| byte == 0).count());
            self.consume(zeros);
            self.has_zeros |= zeros > 0;
            if len == 0 {
                return Ok(false);
            }
            if zeros < len {
                let garbage = "garbage after the last member";
                return Err(io::Error::new(io::ErrorKind::InvalidData, garbage));
            }
        }
    }
}

impl<R: BufRead> BufRead for Compressed<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf().map_err(|error| self.kept.keep(error))
    }

    fn consume(&mut self, amount: usize) {
        self.consumed += amount as u64;
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Compressed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        let read = read.map_err(|error| self.kept.keep(error))?;
        self.consumed += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn member(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn read(compressed: &[u8]) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        // A buffer of 7 bytes, so that every boundary is met.
        GzipReader::new(io::BufReader::with_capacity(7, compressed)).read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn all_members_are_read() {
        let stream = [member(b"one,"), member(b""), member(b"two")].concat();
        assert_eq!(read(&stream).unwrap(), b"one,two");
        assert_eq!(read(&member(b"")).unwrap(), b"");
    }

    #[test]
    fn zeros_may_follow_and_nothing_else() {
        for (zeros, is_noted) in [(0, false), (1, true), (1000, true)] {
            let stream = [member(b"one"), vec![0; zeros]].concat();
            assert_eq!(read(&stream).unwrap(), b"one");
            let mut reader = GzipReader::new(&stream[..]);
            io::copy(&mut reader, &mut io::sink()).unwrap();
            assert_eq!(reader.has_trailing_zeros(), is_noted);
        }
        for garbage in [&b"x"[..], b"\x1F\x8B", b"\0\0\0x", b"\0\0\0\0\0\0\0\0\0\0\x1F\x8B"] {
            let error = read(&[&member(b"one"), garbage].concat()).unwrap_err();
            assert!(error.to_string().contains("at compressed byte"), "{garbage:?}: {error}");
        }
    }

    #[test]
    fn a_stream_cut_anywhere_fails() {
        let stream = [member(b"one two three"), member(b"four five")].concat();
        let first = member(b"one two three").len();
        for len in 0..stream.len() {
            // A cut exactly between members cannot be seen.
            assert_eq!(read(&stream[..len]).is_ok(), len == first, "cut at {len}");
        }
        let error = read(&stream[..20]).unwrap_err();
        assert_eq!(error.to_string(), "gzip stream is cut off, at compressed byte 20");
    }

    #[test]
    fn errors_of_the_stream_itself_are_passed_on() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::from_raw_os_error(5))
            }
        }
        // In a header, within a member, and between two.
        let stream = member(b"one two three");
        for len in [0, 5, 20, stream.len()] {
            let broken = io::BufReader::with_capacity(7, stream[..len].chain(Broken));
            let error = GzipReader::new(broken).read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(5), "{len}: {error}");
        }
    }

    #[test]
    fn a_wrong_checksum_or_length_fails() {
        let stream = member(b"one two three");
        for offset in stream.len() - 8..stream.len() {
            let mut damaged = stream.clone();
            damaged[offset] ^= 1;
            assert!(read(&damaged).is_err());
        }
    }
}
