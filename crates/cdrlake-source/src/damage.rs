//! What is wrong with a container, in words of this crate.
//!
//! A library that decodes a format may quote in its errors what it read: the `tar` crate shows a
//! damaged header, which may be somebody's phone number. So no text of theirs gets into an error of
//! this crate, unless it was fixed when they were built; and of their errors only those are passed on
//! that the stream beneath them gave, for that stream is this crate's, too, or the caller's.

use std::borrow::Cow;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use parquet::errors::ParquetError;
use thiserror::Error;
use zip::result::ZipError;

/// What is wrong with a container. Nothing of the input is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Damage(pub(crate) &'static str);

impl Damage {
    /// What the decoder of a zip's member found.
    pub(crate) const MEMBER: Self = Self("its content or its checksum is damaged");
    /// A zip's header is not what it should be.
    const HEADERS: Self = Self("its headers are damaged, or disagree");
    const CUT: Self = Self("it is cut off");

    /// What an error of the `zip` crate says, as far as its words were fixed when it was built: some
    /// quote names, and what stands in a name's place may be none.
    pub(crate) fn of_zip(error: &ZipError) -> Self {
        match error {
            ZipError::InvalidArchive(Cow::Borrowed(problem))
            | ZipError::UnsupportedArchive(problem) => Self(problem),
            ZipError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Self::CUT,
            _ => Self::HEADERS,
        }
    }

    /// What kind of error this is: those of Parquet quote values and names of columns.
    pub(crate) fn of_parquet(error: &ParquetError) -> Self {
        match error {
            ParquetError::EOF(_)
            | ParquetError::NeedMoreData(_)
            | ParquetError::NeedMoreDataRange(_) => Self::CUT,
            ParquetError::NYI(_) => Self("it is encoded in a way that is not read"),
            _ => Self("it is no Parquet file, or damaged"),
        }
    }
}

/// Keeps the errors of a stream that a decoder reads, for the decoder may wrap them in its own.
#[derive(Clone, Default)]
pub(crate) struct Kept(Arc<Mutex<Option<io::Error>>>);

impl Kept {
    /// The stream that the decoder is to read.
    pub(crate) fn beneath<R>(&self, stream: R) -> Beneath<R> {
        Beneath { stream, kept: self.clone() }
    }

    /// What the decoder makes of it, with errors of the stream beneath, or with this damage.
    pub(crate) fn above<R>(&self, decoded: R, damage: Damage) -> Above<R> {
        Above { decoded, kept: self.clone(), damage }
    }

    /// Keeps an error of the stream beneath, and returns no more of it than its kind.
    pub(crate) fn keep(&self, error: io::Error) -> io::Error {
        let kind = error.kind();
        // This one is no failure, but asks for another try.
        if kind != io::ErrorKind::Interrupted {
            *self.lock() = Some(error);
        }
        kind.into()
    }

    /// The last error of the stream beneath, once.
    pub(crate) fn take(&self) -> Option<io::Error> {
        self.lock().take()
    }

    /// Why the decoder failed: the stream beneath it did, or what it decodes is damaged.
    pub(crate) fn cause(&self, kind: io::ErrorKind, damage: Damage) -> io::Error {
        self.take().unwrap_or_else(|| io::Error::new(kind, damage))
    }

    fn lock(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream beneath a decoder, which sees no more of its errors than their kinds.
pub(crate) struct Beneath<R> {
    stream: R,
    kept: Kept,
}

impl<R: Read> Read for Beneath<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).map_err(|error| self.kept.keep(error))
    }
}

impl<R: Seek> Seek for Beneath<R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.stream.seek(position).map_err(|error| self.kept.keep(error))
    }

    fn stream_position(&mut self) -> io::Result<u64> {
        self.stream.stream_position().map_err(|error| self.kept.keep(error))
    }
}

/// What a decoder gives, without its words.
pub(crate) struct Above<R> {
    decoded: R,
    kept: Kept,
    damage: Damage,
}

impl<R: Read> Read for Above<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decoded.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            kind => self.kept.cause(kind, self.damage),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails as it is told.
    struct Failing(Option<io::Error>);

    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            self.0.take().map_or(Ok(0), Err)
        }
    }

    /// Says what it read, whatever it is.
    struct Quoting<R>(R);

    impl<R: Read> Read for Quoting<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read(buffer);
            let read = read.map_err(|error| io::Error::new(error.kind(), "442071838750"))?;
            if read == 0 { Err(io::Error::other("442071838750")) } else { Ok(read) }
        }
    }

    #[test]
    fn errors_beneath_come_through_and_those_between_do_not() {
        let read = |error: Option<io::Error>| {
            let kept = Kept::default();
            let decoded = Quoting(kept.beneath(Failing(error)));
            kept.above(decoded, Damage::MEMBER).read(&mut [0; 9]).unwrap_err()
        };
        let beneath = read(Some(io::Error::from_raw_os_error(5)));
        assert_eq!(beneath.raw_os_error(), Some(5));
        let beneath = read(Some(io::Error::other(Damage::CUT)));
        assert_eq!(beneath.to_string(), Damage::CUT.to_string());
        assert_eq!(read(None).to_string(), Damage::MEMBER.to_string());
    }
}
