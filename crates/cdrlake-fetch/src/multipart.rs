//! `multipart/form-data` taken apart while it streams (RFC 2046, section 5.1).

use std::io::{self, Read};

use cdrlake_run::ErrorKind;
use memchr::memmem::{self, Finder};

/// Headers of a part may not be longer.
const LONGEST_HEADERS: usize = 16 << 10;
const READ_LEN: usize = 64 << 10;

/// The parts of a body, each read to its end before the next.
///
/// A part is only known to be whole when [`Self::next_part`] was called after it: before that,
/// the bytes may have ended early.
pub(crate) struct Splitter<R> {
    inner: R,
    /// CRLF, two hyphens, the boundary.
    delimiter: Finder<'static>,
    /// What was read and not given out yet is `buffer[start..]`.
    buffer: Vec<u8>,
    start: usize,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In front of the first part, or inside one.
    Content,
    /// Behind a delimiter, whose line may go on.
    Delimiter,
    Closed,
}

/// Why a body could not be taken apart.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// Content-Type names no boundary that could be one.
    #[error("its Content-Type names no boundary")]
    Boundary,
    /// The body ended before the closing boundary.
    #[error("it ends before its closing boundary")]
    Cut,
    /// A boundary or the headers of a part are of no known form.
    #[error("the head of a part is malformed")]
    Malformed,
    /// The bytes could not be read.
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl MultipartError {
    /// Returns the kind of failure: bytes that did not all come may come later.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Boundary | Self::Malformed => ErrorKind::DamagedInput,
            Self::Cut | Self::Read(_) => ErrorKind::Transient,
        }
    }
}

/// The boundary of a `multipart/…` content type; none if it is another type.
pub(crate) fn boundary(content_type: &str) -> Option<Result<&str, MultipartError>> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let is_multipart = kind.trim().to_ascii_lowercase().starts_with("multipart/");
    is_multipart.then(|| {
        let boundary = parameter(parameters, "boundary").ok_or(MultipartError::Boundary)?;
        let is_valid = (1..=70).contains(&boundary.len())
            && boundary.bytes().all(|byte| (0x20..=0x7E).contains(&byte))
            && !boundary.ends_with(' ');
        if is_valid { Ok(boundary) } else { Err(MultipartError::Boundary) }
    })
}

/// The value of a parameter of a header, without its quotes.
pub(crate) fn parameter<'a>(parameters: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = parameters;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, behind) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => {
                let end = after.find(';').unwrap_or(after.len());
                let (value, behind) = after.split_at(end);
                (value.trim_end(), behind)
            }
        };
        if key.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = behind;
    }
}

impl<R: Read> Splitter<R> {
    pub(crate) fn new(inner: R, boundary: &str) -> Self {
        let delimiter = format!("\r\n--{boundary}");
        Self {
            inner,
            delimiter: Finder::new(delimiter.as_bytes()).into_owned(),
            // The line end that a boundary at the very beginning lacks.
            buffer: b"\r\n".to_vec(),
            start: 0,
            state: State::Content,
        }
    }

    /// Goes to the next part and gives its headers; none after the last.
    pub(crate) fn next_part(&mut self) -> Result<Option<String>, MultipartError> {
        let mut rest = [0; 8 << 10];
        while self.read_content(&mut rest)? > 0 {}
        if self.state == State::Closed {
            return Ok(None);
        }
        self.fill_to(2)?;
        if self.buffered().starts_with(b"--") {
            self.state = State::Closed;
            return Ok(None);
        }
        // The delimiter's own line end belongs to the search: there may be no header at all.
        let end = loop {
            if let Some(end) = memmem::find(self.buffered(), b"\r\n\r\n") {
                break end;
            }
            if self.buffered().len() > LONGEST_HEADERS {
                return Err(MultipartError::Malformed);
            }
            self.fill_to(self.buffered().len() + 1)?;
        };
        let head = std::str::from_utf8(&self.buffered()[..end + 2]);
        let head = head.map_err(|_| MultipartError::Malformed)?.to_owned();
        let (padding, headers) = head.split_once("\r\n").ok_or(MultipartError::Malformed)?;
        if !padding.trim_matches([' ', '\t']).is_empty() {
            return Err(MultipartError::Malformed);
        }
        self.start += end + 4;
        self.state = State::Content;
        Ok(Some(headers.to_owned()))
    }

    /// What follows the closing boundary, read to its end.
    pub(crate) fn finish(mut self) -> Result<(), MultipartError> {
        io::copy(&mut self.inner, &mut io::sink())?;
        Ok(())
    }

    /// Bytes of the current part; none at its end.
    fn read_content(&mut self, out: &mut [u8]) -> Result<usize, MultipartError> {
        if self.state != State::Content || out.is_empty() {
            return Ok(0);
        }
        let len = self.delimiter.needle().len();
        loop {
            let safe = match self.delimiter.find(self.buffered()) {
                Some(0) => {
                    self.start += len;
                    self.state = State::Delimiter;
                    return Ok(0);
                }
                Some(at) => at,
                // The last bytes may be the first of a delimiter.
                None => self.buffered().len().saturating_sub(len - 1),
            };
            if safe > 0 {
                let given = safe.min(out.len());
                out[..given].copy_from_slice(&self.buffered()[..given]);
                self.start += given;
                return Ok(given);
            }
            self.fill_to(self.buffered().len() + 1)?;
        }
    }

    fn buffered(&self) -> &[u8] {
        &self.buffer[self.start..]
    }

    /// Reads until `len` bytes are there.
    fn fill_to(&mut self, len: usize) -> Result<(), MultipartError> {
        while self.buffered().len() < len {
            self.buffer.drain(..self.start);
            self.start = 0;
            let filled = self.buffer.len();
            self.buffer.resize(filled + READ_LEN, 0);
            let read = self.inner.read(&mut self.buffer[filled..]);
            self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Err(MultipartError::Cut),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// The bytes of the current part.
impl<R: Read> Read for Splitter<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.read_content(out).map_err(|error| match error {
            MultipartError::Read(error) => error,
            error => io::Error::new(io::ErrorKind::UnexpectedEof, error),
        })
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const BODY: &str = "645501572420247968528808";

    /// Gives out `len` bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let len = self.1.min(out.len()).min(self.0.len());
            let (now, later) = self.0.split_at(len);
            out[..len].copy_from_slice(now);
            self.0 = later;
            Ok(len)
        }
    }

    fn split(body: &[u8], step: usize) -> Result<Vec<Vec<u8>>, MultipartError> {
        let mut splitter = Splitter::new(Drip(body, step), BODY);
        let mut parts = Vec::new();
        while splitter.next_part()?.is_some() {
            let mut part = Vec::new();
            splitter.read_to_end(&mut part)?;
            parts.push(part);
        }
        splitter.finish()?;
        Ok(parts)
    }

    fn split_by_multer(body: &[u8], step: usize) -> Option<Vec<Vec<u8>>> {
        let chunks: Vec<io::Result<Vec<u8>>> =
            body.chunks(step).map(|chunk| Ok(chunk.to_vec())).collect();
        let mut multipart = multer::Multipart::new(stream::iter(chunks), BODY);
        futures_executor::block_on(async {
            let mut parts = Vec::new();
            while let Some(field) = multipart.next_field().await.ok()? {
                parts.push(field.bytes().await.ok()?.to_vec());
            }
            Some(parts)
        })
    }

    fn bodies() -> Vec<Vec<u8>> {
        let head = "Content-Disposition: form-data; name=\"file\"; filename=\"a.zip\"\r\n\
                    Content-Type: application/zip\r\n\r\n";
        let contents: [&[u8]; 8] = [
            b"",
            b"PK\x03\x04 some bytes",
            b"\r\n",
            b"\r\n--",
            b"--645501572420247968528808",
            b"\r\n--64550157242024796852880\r\n--6455",
            b"\r\r\r\n\r\n-",
            &[0xFF; 1000],
        ];
        let mut bodies: Vec<Vec<u8>> = contents
            .iter()
            .map(|content| {
                [
                    format!("--{BODY}\r\n{head}").as_bytes(),
                    content,
                    format!("\r\n--{BODY}--\r\n").as_bytes(),
                ]
                .concat()
            })
            .collect();
        let mut several = Vec::new();
        for content in contents {
            several.extend_from_slice(format!("--{BODY}\r\n{head}").as_bytes());
            several.extend_from_slice(content);
            several.extend_from_slice(b"\r\n");
        }
        several.extend_from_slice(format!("--{BODY}--").as_bytes());
        bodies.push(several);
        bodies
    }

    #[test]
    fn as_another_implementation_splits() {
        for body in bodies() {
            let ours = split(&body, usize::MAX).unwrap();
            assert_eq!(Some(&ours), split_by_multer(&body, body.len()).as_ref());
            for step in [1, 2, 3, 7, 64] {
                assert_eq!(ours, split(&body, step).unwrap(), "step {step}");
            }
        }
    }

    #[test]
    fn a_cut_body_is_never_whole() {
        for body in bodies() {
            let closing = memmem::rfind(&body, b"--").unwrap() + 2;
            for end in 0..closing {
                for step in [1, usize::MAX] {
                    assert!(
                        matches!(
                            split(&body[..end], step),
                            Err(MultipartError::Cut | MultipartError::Read(_))
                        ),
                        "cut at {end}"
                    );
                }
            }
        }
    }

    #[test]
    fn random_bytes_in_random_steps() {
        let mut random = fastrand::Rng::with_seed(7);
        let words: [&[u8]; 9] =
            [b"\r", b"\n", b"-", b"--", b"\r\n--", BODY.as_bytes(), b"6455", b"x", b": "];
        for _ in 0..20_000 {
            let mut body = format!("--{BODY}\r\n").into_bytes();
            for _ in 0..random.usize(..24) {
                body.extend_from_slice(words[random.usize(..words.len())]);
            }
            let whole = split(&body, usize::MAX).ok();
            assert_eq!(whole, split(&body, 1 + random.usize(..5)).ok());
        }
    }

    #[test]
    fn preamble_padding_and_missing_headers() {
        let body = format!("preamble\r\n--{BODY} \t\r\n\r\nbytes\r\n--{BODY}--epilogue\r\n");
        assert_eq!(split(body.as_bytes(), 1).unwrap(), [b"bytes"]);
        for wrong in [
            format!("--{BODY}x\r\n\r\nbytes\r\n--{BODY}--"),
            format!("--{BODY}\r\n{}", "x".repeat(LONGEST_HEADERS + 1)),
            format!("--{BODY}\r\nX: \u{0}\r\n\r\n").replace('\0', "\u{80}") + "\r\n",
        ] {
            assert!(split(wrong.as_bytes(), 64).is_err());
        }
    }

    #[test]
    fn boundaries_of_content_types() {
        for (content_type, expected) in [
            ("multipart/form-data; boundary=645501572420247968528808", Some(Some(BODY))),
            ("Multipart/Form-Data;charset=x; Boundary=\"a b;c\" ;x=y", Some(Some("a b;c"))),
            ("multipart/form-data", Some(None)),
            ("multipart/form-data; boundary=", Some(None)),
            ("multipart/form-data; boundary=\"x", Some(None)),
            ("application/zip", None),
            ("application/zip; boundary=x", None),
            ("", None),
        ] {
            assert_eq!(boundary(content_type).map(Result::ok), expected, "{content_type}");
        }
        assert!(boundary(&format!("multipart/x; boundary={}", "x".repeat(71))).unwrap().is_err());
    }
}
