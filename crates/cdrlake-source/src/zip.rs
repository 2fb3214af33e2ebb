//! Zip archives: every entry a source, named `archive!entry`.
//!
//! A zip's directory stands at its end. A file can seek there first. A zip inside another archive
//! cannot: a small one is held in memory, a larger one is read forward by its local headers, and
//! then nothing of it is released before its directory has been read and agrees.

use std::borrow::Cow;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::rc::Rc;

use zip::read::{ZipFile, ZipFileEntry};
use zip::result::{ZipError, ZipResult};
use zip::unstable::stream::{ZipStreamReader, ZipStreamVisitor};
use zip::{CompressionMethod, ZipArchive};

use crate::checksum::MemberChecks;
use crate::container::Unwrapper;
use crate::cropped::Cropped;
use crate::damage::{Beneath, Damage, Kept};
use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::limits::Metered;
use crate::naming::Naming;
use crate::visitor::Visitor;
use crate::zip_end::{DirectoryReader, EndRecord, LastBytes};

/// Bytes read at a time. Every header is looked up, so that much is read over and over.
const BUFFER_LEN: usize = 32 * 1024;

impl<V: Visitor> Unwrapper<'_, V> {
    /// An archive that can seek. An entry that fails does not keep the others from loading;
    /// headers that disagree, overlap or repeat a name fail the archive. Zeros that follow it are
    /// told once, after its last source.
    pub(crate) fn zip(
        &mut self,
        naming: &Naming,
        archive: impl Read + Seek,
        watched: Option<&WatchedFile>,
        depth: u32,
    ) -> Result<(), V::Error> {
        let given = self.given();
        let kept = Kept::default();
        let (mut archive, end) = match self.open_zip(archive, &kept) {
            Ok(opened) => opened,
            Err(error) => return self.failed(naming, error),
        };
        let names: Vec<String> = (0..archive.len())
            .map(|index| {
                let name = archive.name_for_index(index).and_then(Result::ok);
                name.map_or_else(|| format!("entry {index}"), Cow::into_owned)
            })
            .collect();
        let checks = MemberChecks::of(&names, |index| self.checksum_file(&mut archive, index));
        // What could not be read there cannot be read below either.
        kept.take();
        for (index, name) in names.into_iter().enumerate() {
            let member = match self.member(naming, &name) {
                Ok(member) => member,
                Err(error) => return self.failed(naming, error),
            };
            let (checks, own) = checks.beside(&name).unzip();
            let (role, expected) = match (checks, own) {
                (Some(checks), Some(own)) => (checks.role(own), checks.expected(own)),
                _ => (None, &[][..]),
            };
            let is_read = match role {
                None => !self.passes_over(&member, &name),
                Some(role) => {
                    if let Some(why) = role.why_told() {
                        self.visitor.left_out(member.name().to_owned(), why);
                    }
                    false
                }
            };
            if !is_read {
                continue;
            }
            if let Some(kind) = self.wrong_checksum(&mut archive, index, expected) {
                self.failed(&member, SourceError::Checksum { kind })?;
                continue;
            }
            kept.take();
            match archive.by_index(index) {
                Ok(entry) => {
                    let (is_dir, method) = (entry.is_dir(), entry.compression());
                    let mut content = kept.above(entry, Damage::MEMBER);
                    match watched {
                        Some(file) => {
                            let mut content = file.watch(content);
                            self.entry(&member, &mut content, is_dir, method, depth)?;
                        }
                        None => self.entry(&member, &mut content, is_dir, method, depth)?,
                    }
                }
                Err(error) => self.failed(&member, zip_error(error, &kept))?,
            }
        }
        if end.zeros > 0 && self.given() > given {
            self.visitor.trailing_zeros()?;
        }
        Ok(())
    }

    /// Reads an archive's directory, which must be neither too long nor untrue.
    fn open_zip<R: Read + Seek>(
        &self,
        archive: R,
        kept: &Kept,
    ) -> Result<(ZipArchive<Archive<R>>, EndRecord), SourceError> {
        let mut archive = BufReader::with_capacity(BUFFER_LEN, archive);
        let end = EndRecord::read(&mut archive)?;
        self.budget.check_entries(end.entries)?;
        let archive = Cropped::new(archive, end.archive_len)
            .map_err(|error| SourceError::of_read(0, error))?;
        let (reader, room) = DirectoryReader::new(archive, end.entries, self.opening.zip_buffer);
        let error = |error| zip_error(error, kept);
        let mut archive = ZipArchive::new(kept.beneath(reader)).map_err(error)?;
        room.lift();
        archive.validate_header_consistency().map_err(error)?;
        if archive.len() as u64 != end.entries || archive.comment().len() != end.comment_len {
            return Err(SourceError::Zip(Damage("its end records disagree")));
        }
        // What did not keep it from being opened is no matter.
        kept.take();
        Ok((archive, end))
    }

    /// An archive inside another one.
    pub(crate) fn zip_in_stream(
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
        let given = self.given();
        let kept = Kept::default();
        let mut last = LastBytes::of(Cursor::new(head).chain(stream));
        let mut forward = Forward {
            unwrapper: self,
            naming,
            depth,
            kept: &kept,
            stopped: None,
            names_left: most.max(MIN_NAMES_LEN),
            entries: 0,
            listed: 0,
        };
        let result = ZipStreamReader::new(kept.beneath(&mut last))
            .enforce_header_consistency(true)
            .visit(&mut forward);
        let end = match (forward.stopped, result) {
            (Some(Stopped::Run(error)), _) => return Err(error),
            (Some(Stopped::Archive(error)), _) => Err(error),
            (None, Err(error)) => Err(zip_error(error, &kept)),
            (None, Ok(())) => last.end_record(),
        };
        if end.as_ref().is_ok_and(|end| end.zeros > 0) && self.given() > given {
            self.visitor.trailing_zeros()?;
        }
        let error = end.err();
        let source = naming.source(self.opening.settings);
        self.visitor.archive_ended(error.map(|error| (source, error)))
    }

    fn entry(
        &mut self,
        member: &Naming,
        entry: &mut dyn Read,
        is_dir: bool,
        method: CompressionMethod,
        depth: u32,
    ) -> Result<(), V::Error> {
        #[allow(deprecated, reason = "there is no other way to tell the method's number")]
        if let CompressionMethod::Unsupported(method) = method {
            return self.failed(member, SourceError::ZipMethod { method });
        }
        let mut metered = Metered { inner: entry, budget: Rc::clone(&self.budget) };
        match is_dir {
            true => self.directory(member, &mut metered, depth),
            false => self.stream(member, &mut metered, depth),
        }
    }
}

/// An archive that can seek, as the `zip` crate sees it.
type Archive<R> = Beneath<DirectoryReader<Cropped<BufReader<R>>>>;

/// Bytes of names that an archive which is read forward may always have.
const MIN_NAMES_LEN: u64 = 1 << 20;

/// Visits the entries of an archive that is read forward.
struct Forward<'f, 'u, V: Visitor> {
    unwrapper: &'f mut Unwrapper<'u, V>,
    naming: &'f Naming,
    depth: u32,
    /// Why the stream could not be read, if it could not.
    kept: &'f Kept,
    stopped: Option<Stopped<V::Error>>,
    /// Bytes of names that may yet come: all are held in memory until the directory is read.
    names_left: u64,
    entries: u64,
    /// Of the entries, those that the directory listed so far.
    listed: u64,
}

/// Why the reading of an archive was given up by its visitor.
enum Stopped<E> {
    Archive(SourceError),
    Run(E),
}

impl<V: Visitor> Forward<'_, '_, V> {
    fn hold(&mut self, name: &[u8]) -> Result<(), Stopped<V::Error>> {
        let most = self.unwrapper.opening.zip_buffer;
        let left = self.names_left.checked_sub(name.len() as u64);
        self.names_left =
            left.ok_or(Stopped::Archive(SourceError::ZipDirectoryTooLarge { most }))?;
        Ok(())
    }

    fn give_up(&mut self, stopped: Stopped<V::Error>) -> ZipError {
        self.stopped = Some(stopped);
        ZipError::Io(io::Error::other("given up"))
    }
}

impl<V: Visitor> ZipStreamVisitor for Forward<'_, '_, V> {
    fn visit_file<R: Read>(&mut self, entry: &mut ZipFile<'_, R>) -> ZipResult<()> {
        self.entries += 1;
        self.hold(entry.name_raw()).map_err(|stopped| self.give_up(stopped))?;
        let name = entry.name().map_or_else(|_| "entry".to_owned(), Cow::into_owned);
        let (is_dir, method) = (entry.is_dir(), entry.compression());
        let result = match self.unwrapper.member(self.naming, &name) {
            Err(error) => Err(Stopped::Archive(error)),
            Ok(member) if self.unwrapper.passes_over(&member, &name) => Ok(()),
            Ok(member) => self
                .unwrapper
                .entry(
                    &member,
                    &mut self.kept.above(entry, Damage::MEMBER),
                    is_dir,
                    method,
                    self.depth,
                )
                .map_err(Stopped::Run),
        };
        result.map_err(|stopped| self.give_up(stopped))
    }

    fn visit_additional_metadata(&mut self, entry: &ZipFileEntry<'_>) -> ZipResult<()> {
        self.listed += 1;
        if self.listed > self.entries {
            let problem = "its directory lists more entries than there are";
            return Err(ZipError::InvalidArchive(problem.into()));
        }
        self.hold(entry.name_raw()).map_err(|stopped| self.give_up(stopped))
    }
}

/// Why an archive fails, given an error of the `zip` crate.
fn zip_error(error: ZipError, kept: &Kept) -> SourceError {
    /// As the crate, whose version is fixed, words it.
    const LENGTH_BEHIND: &str = "The file length is not available in the local header";
    if let Some(error) = kept.take() {
        return SourceError::of_read(0, error);
    }
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            SourceError::Encrypted
        }
        ZipError::UnsupportedArchive(LENGTH_BEHIND) => SourceError::ZipLengthBehind,
        ZipError::CompressionMethodNotSupported(method) => SourceError::ZipMethod { method },
        ZipError::Io(ref io) => {
            SourceError::of_read(0, io::Error::new(io.kind(), Damage::of_zip(&error)))
        }
        error => SourceError::Zip(Damage::of_zip(&error)),
    }
}
