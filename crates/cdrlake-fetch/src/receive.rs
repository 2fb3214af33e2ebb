//! An answer's body to archives in temporary files: whole and sound, or not at all.

use std::fs::File;
use std::io::{self, Read, Seek, Write};

use cdrlake_run::Interrupted;

use crate::disk::failed;
use crate::error::Error;
use crate::file_name::disposition_name;
use crate::format::Format;
use crate::horizon::day_of;
use crate::inbox::{Inbox, Received};
use crate::multipart::{MultipartError, Splitter, boundary};
use crate::progress::Progress;
use crate::service::Service;
use crate::transport::Incoming;
use crate::transport_error::TransportError;

/// What this crate does not know, and asks its caller.
pub trait Checks: Sync {
    /// Whether `name`, a plain file name, is one of the carrier's.
    fn is_known_name(&self, name: &str) -> bool;

    /// Tests an archive from its beginning to its end.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words without its content.
    fn test(&self, archive: &mut File, format: Format) -> Result<Contents, String>;
}

/// What a sound archive holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contents {
    /// At least one file.
    Files,
    /// No file at all.
    Nothing,
}

/// Where bytes go, and who is asked about them.
pub(crate) struct Receiver<'a> {
    pub(crate) service: &'a Service<'a>,
    pub(crate) inbox: &'a Inbox,
    pub(crate) checks: &'a dyn Checks,
    pub(crate) progress: &'a dyn Progress,
}

impl Receiver<'_> {
    /// The archives of an answer of success; none if there is nothing to download.
    pub(crate) fn receive(&self, answer: Incoming) -> Result<Vec<Received>, Error> {
        let day = answer.date().map(day_of);
        let mut archives = self.archives(answer)?;
        for received in &mut archives {
            received.day = day;
        }
        Ok(archives)
    }

    fn archives(&self, mut answer: Incoming) -> Result<Vec<Received>, Error> {
        const NO_CONTENT: u16 = 204;
        if answer.status == NO_CONTENT {
            return Ok(Vec::new());
        }
        let id = answer.tracking_id.clone();
        if answer.status != 200 {
            let found = format!("an HTTP {} answer", answer.status);
            return Err(Error::NotAnArchive { found, tracking_id: id });
        }
        if let Some(encoding) = answer.header("content-encoding")
            && !encoding.eq_ignore_ascii_case("identity")
        {
            let found = format!("encoded as {}", self.service.quote(encoding));
            return Err(Error::NotAnArchive { found, tracking_id: id });
        }
        let content_type = answer.header("content-type").unwrap_or_default().to_owned();
        let name = self.name(answer.header("content-disposition"));
        match boundary(&content_type) {
            None => {
                let received = self.store(&mut answer.body, name, &id)?;
                match received {
                    Found::Archive(received) => Ok(vec![received]),
                    Found::Nothing => Ok(Vec::new()),
                    Found::Other(start) => Err(self.not_an_archive(&start, &content_type, id)),
                }
            }
            // Some services say multipart and send the bare file.
            Some(boundary) => {
                let mut first = [0; 4];
                let read = read_up_to(&mut answer.body, &mut first);
                let first = &first[..read.map_err(|error| cut(error, &id))?];
                let mut body = first.chain(&mut answer.body);
                if Format::of(first).is_some() {
                    return match self.store(&mut body, name, &id)? {
                        Found::Archive(received) => Ok(vec![received]),
                        Found::Nothing | Found::Other(_) => Ok(Vec::new()),
                    };
                }
                let boundary = boundary.map_err(|source| multipart(source, &id))?;
                self.parts(Splitter::new(body, boundary), &id)
            }
        }
    }

    /// All archives of a multipart body.
    fn parts<R: Read>(&self, mut splitter: Splitter<R>, id: &str) -> Result<Vec<Received>, Error> {
        const MOST_PARTS: usize = 64;
        let mut archives = Vec::new();
        let mut other = None;
        let mut is_empty = false;
        let mut parts = 0;
        while let Some(headers) = splitter.next_part().map_err(|source| multipart(source, id))? {
            parts += 1;
            if parts > MOST_PARTS {
                return Err(multipart(MultipartError::Malformed, id));
            }
            let name = self.name(header(&headers, "content-disposition"));
            match self.store(&mut splitter, name, id)? {
                Found::Archive(received) => archives.push(received),
                Found::Nothing => is_empty = true,
                Found::Other(start) => {
                    let content_type = header(&headers, "content-type").unwrap_or_default();
                    other.get_or_insert_with(|| (start, content_type.to_owned()));
                }
            }
        }
        splitter.finish().map_err(|source| multipart(source, id))?;
        if archives.is_empty() && !is_empty {
            let (start, content_type) = other.unwrap_or_default();
            return Err(self.not_an_archive(&start, &content_type, id.to_owned()));
        }
        Ok(archives)
    }

    /// Reads `body` to its end, into a temporary file if it is an archive.
    fn store(&self, body: &mut impl Read, name: Option<String>, id: &str) -> Result<Found, Error> {
        let mut first = [0; 4];
        let len = read_up_to(body, &mut first).map_err(|error| cut(error, id))?;
        let first = &first[..len];
        let Some(format) = Format::of(first) else {
            const SHOWN: u64 = 64 << 10;
            let mut start = first.to_vec();
            body.by_ref().take(SHOWN).read_to_end(&mut start).map_err(|error| cut(error, id))?;
            return Ok(Found::Other(start));
        };
        let mut file = self.inbox.temporary()?;
        let path = file.path().to_owned();
        let mut hasher = blake3::Hasher::new();
        let mut bytes = 0;
        let mut body = first.chain(body);
        let mut buffer = vec![0; 64 << 10];
        loop {
            let len = match body.read(&mut buffer) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(cut(error, id)),
            };
            hasher.update(&buffer[..len]);
            file.write_all(&buffer[..len]).map_err(failed("write", &path))?;
            bytes += len as u64;
            self.progress.received(len as u64);
        }
        file.rewind().map_err(failed("read", &path))?;
        match self.checks.test(file.as_file_mut(), format) {
            Ok(Contents::Nothing) => Ok(Found::Nothing),
            Ok(Contents::Files) => {
                file.as_file().sync_all().map_err(failed("sync", &path))?;
                let hash = hasher.finalize().to_hex().to_string();
                Ok(Found::Archive(Received { file, format, hash, bytes, name, day: None }))
            }
            Err(problem) => Err(Error::Damaged { problem, tracking_id: id.to_owned() }),
        }
    }

    fn name(&self, disposition: Option<&str>) -> Option<String> {
        let name = disposition_name(disposition?)?;
        self.checks.is_known_name(name).then(|| name.to_owned())
    }

    /// What a body seems to be that is no archive.
    fn not_an_archive(&self, start: &[u8], content_type: &str, tracking_id: String) -> Error {
        let text = start.trim_ascii_start();
        let found = if text.is_empty() {
            "empty".to_owned()
        } else if let Some(error) = self.service.payload(start)
            && (error.code.is_some() || error.reason.is_some() || error.message.is_some())
        {
            let parts = [error.code, error.reason, error.message].into_iter().flatten();
            format!("an error in JSON: {}", parts.collect::<Vec<_>>().join(", "))
        } else if text.starts_with(b"<") {
            "HTML or XML; a proxy or a login page may be in between".to_owned()
        } else {
            let content_type = self.service.quote(content_type);
            format!("of another kind (Content-Type {content_type:?})")
        };
        Error::NotAnArchive { found, tracking_id }
    }
}

/// What a body or a part of it was.
enum Found {
    Archive(Received),
    /// A sound archive with nothing in it.
    Nothing,
    /// Its beginning.
    Other(Vec<u8>),
}

/// A header of a part.
fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    headers.split("\r\n").find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn read_up_to(body: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match body.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A body that could not be read.
fn cut(error: io::Error, id: &str) -> Error {
    let tracking_id = id.to_owned();
    let error = match error.downcast::<MultipartError>() {
        Ok(source) => return Error::Multipart { source, tracking_id },
        Err(error) => error,
    };
    match error.downcast::<Interrupted>() {
        Ok(interrupted) => interrupted.into(),
        Err(error) => Error::Transport { fault: TransportError::from(error), tracking_id },
    }
}

fn multipart(source: MultipartError, id: &str) -> Error {
    match source {
        MultipartError::Read(error) => cut(error, id),
        source => Error::Multipart { source, tracking_id: id.to_owned() },
    }
}
