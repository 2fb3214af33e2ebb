//! Tar archives: every file a source, named `archive!entry`.
//!
//! A tar is read forward, and what it comes in (a gzip, a zip entry) proves sound only at its end.
//! So nothing of it is released before that has been read.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use tar::{Archive, Entry, EntryType};

use crate::container::Unwrapper;
use crate::damage::{Damage, Kept};
use crate::error::SourceError;
use crate::limits::Metered;
use crate::naming::Naming;
use crate::visitor::Visitor;

/// Bytes of headers before a member at the most: its long name, its PAX records, the map of a
/// sparse file. All of them are held in memory.
const MAX_HEADERS_LEN: u64 = 64 << 10;

impl<V: Visitor> Unwrapper<'_, V> {
    pub(crate) fn tar(
        &mut self,
        naming: &Naming,
        stream: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        self.visitor.archive_began()?;
        let reading = Reading::default();
        let mut tail = Tail { stream, zeros: 0, reading: &reading };
        let error = match self.tar_entries(naming, &mut tail, &reading, depth)? {
            Ok(()) => tail.end().err().map(SourceError::Tar),
            Err(error) => Some(error),
        };
        let source = naming.source(self.opening.settings);
        self.visitor.archive_ended(error.map(|error| (source, error)))
    }

    /// The outer result is the run's, the inner one the archive's.
    fn tar_entries(
        &mut self,
        naming: &Naming,
        tail: &mut Tail<'_>,
        reading: &Reading,
        depth: u32,
    ) -> Result<Result<(), SourceError>, V::Error> {
        let mut archive = Archive::new(reading.kept.beneath(tail));
        let mut entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(reading.broken(&error))),
        };
        loop {
            reading.room.set(Some(MAX_HEADERS_LEN));
            let entry = entries.next();
            reading.room.set(None);
            let mut entry = match entry {
                None => return Ok(Ok(())),
                Some(Ok(entry)) => entry,
                Some(Err(error)) => return Ok(Err(reading.broken(&error))),
            };
            if entry.header().entry_type() != EntryType::XGlobalHeader {
                let sparse = sparse_name(&mut entry);
                let name = sparse.as_deref().map_or_else(|| entry.path_bytes(), Into::into);
                let name = String::from_utf8_lossy(&name).into_owned();
                let member = match self.member(naming, &name) {
                    Ok(member) => member,
                    Err(error) => return Ok(Err(error)),
                };
                match sparse {
                    _ if self.passes_over(&member, &name) => {}
                    Some(_) => self.failed(&member, SourceError::Sparse)?,
                    None => self.tar_entry(&member, &mut entry, reading, depth)?,
                }
            }
            // What was left of it is passed over here, where it does not count as headers.
            if let Err(error) = io::copy(&mut entry, &mut io::sink()) {
                return Ok(Err(reading.broken(&error)));
            }
        }
    }

    fn tar_entry(
        &mut self,
        member: &Naming,
        entry: &mut Entry<'_, impl Read>,
        reading: &Reading,
        depth: u32,
    ) -> Result<(), V::Error> {
        let kind = entry.header().entry_type();
        let mut content = reading.kept.above(entry, MEMBER);
        let what = match kind {
            EntryType::Regular | EntryType::Continuous => {
                return self.stream(member, &mut content, depth);
            }
            // Its holes are bytes that were not read.
            EntryType::GNUSparse => {
                let budget = Rc::clone(&self.budget);
                return self.stream(member, &mut Metered { inner: content, budget }, depth);
            }
            EntryType::Directory => return self.directory(member, &mut content, depth),
            EntryType::Link | EntryType::Symlink => "a link",
            EntryType::Char | EntryType::Block | EntryType::Fifo => "a device or a fifo",
            _ => "of a type that is not read",
        };
        self.failed(member, SourceError::NoFile { what })
    }
}

/// The name of a member whose content begins with a map of a sparse file, or has lost its holes:
/// such a one has PAX records that say so.
fn sparse_name(entry: &mut Entry<'_, impl Read>) -> Option<Vec<u8>> {
    let path = entry.path_bytes().into_owned();
    let mut is_sparse = false;
    let mut name = None;
    for record in entry.pax_extensions().ok()??.filter_map(Result::ok) {
        is_sparse |= record.key_bytes().starts_with(b"GNU.sparse.");
        if record.key_bytes() == b"GNU.sparse.name" {
            name = Some(record.value_bytes().to_vec());
        }
    }
    is_sparse.then(|| name.unwrap_or(path))
}

/// What the `tar` crate finds wrong, which it tells with the header that it read.
const HEADER: Damage = Damage("a header in it is damaged");
const CUT: Damage = Damage("it is cut off");
const MEMBER: Damage = Damage("a member of a tar archive is damaged");
const NO_END_MARK: Damage = Damage("it ends without its end mark");
const GARBAGE: Damage = Damage("garbage follows its end mark");
const LONG_HEADERS: Damage =
    Damage("the headers of a member, such as its name, take more than 65536 bytes");

/// How far the reading of an archive is.
#[derive(Default)]
struct Reading {
    /// How much more may be read, while headers are.
    room: Cell<Option<u64>>,
    /// Whether the stream has ended.
    has_ended: Cell<bool>,
    /// Why the stream could not be read, if it could not.
    kept: Kept,
}

impl Reading {
    /// Why the archive fails, given an error of the `tar` crate.
    fn broken(&self, error: &io::Error) -> SourceError {
        let damage = if self.has_ended.get() { CUT } else { HEADER };
        SourceError::Tar(self.kept.cause(error.kind(), damage))
    }
}

/// A stream, and how many zeros it ended with: a tar ends with two blocks of them, and one that
/// does not has been cut off.
struct Tail<'s> {
    stream: &'s mut dyn Read,
    zeros: u64,
    reading: &'s Reading,
}

impl Tail<'_> {
    /// Reads what follows the entries: zeros, and enough of them.
    fn end(mut self) -> io::Result<()> {
        const END: u64 = 1024;
        let mut rest = [0; 4096];
        loop {
            let before = self.zeros;
            match self.read(&mut rest) {
                Ok(0) if self.zeros >= END => return Ok(()),
                Ok(0) => return Err(io::Error::other(NO_END_MARK)),
                Ok(read) if self.zeros < before + read as u64 => {
                    return Err(io::Error::other(GARBAGE));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Read for Tail<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        if let Some(room) = self.reading.room.get() {
            let room = room.checked_sub(read as u64);
            let room = room.ok_or_else(|| io::Error::other(LONG_HEADERS))?;
            self.reading.room.set(Some(room));
        }
        self.reading.has_ended.set(read == 0 && !buffer.is_empty());
        let zeros = buffer[..read].iter().rev().take_while(|&&byte| byte == 0).count();
        self.zeros = if zeros == read { self.zeros + zeros as u64 } else { zeros as u64 };
        Ok(read)
    }
}
