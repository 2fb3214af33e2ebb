//! Zip archives: every entry a source, named `archive!entry`.
//!
//! A zip's directory stands at its end. A file can seek there first. A zip inside another archive
//! cannot: a small one is held in memory, a larger one is read forward by its local headers, and
//! then nothing of it is released before its directory has been read and agrees.

use std::borrow::Cow;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::rc::Rc;

use zip::ZipArchive;
use zip::read::{ZipFile, ZipFileEntry};
use zip::result::{ZipError, ZipResult};
use zip::unstable::stream::{ZipStreamReader, ZipStreamVisitor};

use super::container::Unwrapper;
use super::file::WatchedFile;
use super::limits::{LimitExceeded, Metered};
use super::naming::Naming;
use super::{SourceError, Visitor};

/// Bytes read at a time. Every header is looked up, so that much is read over and over.
const BUFFER_LEN: usize = 32 * 1024;

impl<V: Visitor> Unwrapper<'_, V> {
    /// An archive that can seek. An entry that fails does not keep the others from loading;
    /// headers that disagree, overlap or repeat a name fail the archive.
    pub(super) fn zip(
        &mut self,
        naming: &Naming,
        archive: impl Read + Seek,
        watched: Option<&WatchedFile>,
        depth: u32,
    ) -> Result<(), V::Error> {
        let opened = ZipArchive::new(BufReader::with_capacity(BUFFER_LEN, archive))
            .and_then(|mut archive| archive.validate_header_consistency().map(|()| archive));
        let mut archive = match opened {
            Ok(archive) => archive,
            Err(error) => return self.failed(naming, zip_error(error)),
        };
        for index in 0..archive.len() {
            let name = archive.name_for_index(index).and_then(Result::ok);
            let name = name.map_or_else(|| format!("entry {index}"), Cow::into_owned);
            let member = match self.member(naming, &name) {
                Ok(member) => member,
                Err(error) => return self.failed(naming, error),
            };
            match archive.by_index(index) {
                Ok(entry) if entry.is_dir() => {}
                Ok(entry) => match watched {
                    Some(file) => self.entry(&member, &mut file.watch(entry), depth)?,
                    None => self.entry(&member, &mut { entry }, depth)?,
                },
                Err(error) => self.failed(&member, zip_error(error))?,
            }
        }
        Ok(())
    }

    /// An archive inside another one.
    pub(super) fn zip_in_stream(
        &mut self,
        naming: &Naming,
        stream: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        let mut head = Vec::new();
        let most = self.opening.zip_buffer;
        if let Err(error) = (&mut *stream).take(most + 1).read_to_end(&mut head) {
            return self.failed(naming, SourceError::Read { bytes: 0, error });
        }
        if head.len() as u64 <= most {
            return self.zip(naming, Cursor::new(head), None, depth);
        }
        self.visitor.archive_began()?;
        let mut forward = Forward { unwrapper: self, naming, depth, stopped: None };
        let result = ZipStreamReader::new(Cursor::new(head).chain(stream))
            .enforce_header_consistency(true)
            .visit(&mut forward);
        let error = match (forward.stopped, result) {
            (Some(Stopped::Run(error)), _) => return Err(error),
            (Some(Stopped::Archive(error)), _) => Some(error),
            (None, result) => result.err().map(zip_error),
        };
        let source = naming.source(self.opening.settings);
        self.visitor.archive_ended(error.map(|error| (source, error)))
    }

    fn entry(&mut self, member: &Naming, entry: &mut dyn Read, depth: u32) -> Result<(), V::Error> {
        let mut metered = Metered { inner: entry, budget: Rc::clone(&self.budget) };
        self.stream(member, &mut metered, depth)
    }
}

/// Visits the entries of an archive that is read forward.
struct Forward<'f, 'u, V: Visitor> {
    unwrapper: &'f mut Unwrapper<'u, V>,
    naming: &'f Naming,
    depth: u32,
    stopped: Option<Stopped<V::Error>>,
}

/// Why the reading of an archive was given up by its visitor.
enum Stopped<E> {
    Archive(SourceError),
    Run(E),
}

impl<V: Visitor> ZipStreamVisitor for Forward<'_, '_, V> {
    fn visit_file<R: Read>(&mut self, entry: &mut ZipFile<'_, R>) -> ZipResult<()> {
        let name = entry.name().map_or_else(|_| "entry".to_owned(), Cow::into_owned);
        let result = match self.unwrapper.member(self.naming, &name) {
            Err(error) => Err(Stopped::Archive(error)),
            Ok(_) if entry.is_dir() => Ok(()),
            Ok(member) => self.unwrapper.entry(&member, entry, self.depth).map_err(Stopped::Run),
        };
        result.map_err(|stopped| {
            self.stopped = Some(stopped);
            ZipError::Io(io::Error::other("given up"))
        })
    }

    fn visit_additional_metadata(&mut self, _: &ZipFileEntry<'_>) -> ZipResult<()> {
        Ok(())
    }
}

fn zip_error(error: ZipError) -> SourceError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => SourceError::Encrypted,
        ZipError::Io(error) => match error.downcast::<LimitExceeded>() {
            Ok(limit) => SourceError::Limit(limit),
            Err(error) => SourceError::Read { bytes: 0, error },
        },
        error => SourceError::Zip(error),
    }
}
