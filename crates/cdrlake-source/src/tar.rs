//! Tar archives: every file a source, named `archive!entry`.
//!
//! A tar is read forward, and what it comes in (a gzip, a zip entry) proves sound only at its end.
//! So nothing of it is released before that has been read.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use tar::{Archive, Entry, EntryType};

use crate::container::Unwrapper;
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
        let room = Cell::new(None);
        let mut stream = Tail { stream, zeros: 0, room: &room };
        let error = match self.tar_entries(naming, &mut stream, &room, depth)? {
            Ok(()) => stream.end().err().map(SourceError::Tar),
            Err(error) => Some(error),
        };
        let source = naming.source(self.opening.settings);
        self.visitor.archive_ended(error.map(|error| (source, error)))
    }

    /// The outer result is the run's, the inner one the archive's.
    fn tar_entries(
        &mut self,
        naming: &Naming,
        stream: &mut Tail<'_>,
        room: &Cell<Option<u64>>,
        depth: u32,
    ) -> Result<Result<(), SourceError>, V::Error> {
        let mut archive = Archive::new(stream);
        let mut entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(SourceError::Tar(error))),
        };
        loop {
            room.set(Some(MAX_HEADERS_LEN));
            let entry = entries.next();
            room.set(None);
            let mut entry = match entry {
                None => return Ok(Ok(())),
                Some(Ok(entry)) => entry,
                Some(Err(error)) => return Ok(Err(SourceError::Tar(error))),
            };
            if entry.header().entry_type() != EntryType::XGlobalHeader {
                let sparse = sparse_name(&mut entry);
                let name = sparse.as_deref().map_or_else(|| entry.path_bytes(), Into::into);
                let member = match self.member(naming, &String::from_utf8_lossy(&name)) {
                    Ok(member) => member,
                    Err(error) => return Ok(Err(error)),
                };
                drop(name);
                match sparse {
                    Some(_) => self.failed(&member, SourceError::Sparse)?,
                    None => self.tar_entry(&member, &mut entry, depth)?,
                }
            }
            // What was left of it is passed over here, where it does not count as headers.
            if let Err(error) = io::copy(&mut entry, &mut io::sink()) {
                return Ok(Err(SourceError::Tar(error)));
            }
        }
    }

    fn tar_entry(
        &mut self,
        member: &Naming,
        entry: &mut Entry<'_, impl Read>,
        depth: u32,
    ) -> Result<(), V::Error> {
        let what = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                return self.stream(member, entry, depth);
            }
            // Its holes are bytes that were not read.
            EntryType::GNUSparse => {
                let budget = Rc::clone(&self.budget);
                return self.stream(member, &mut Metered { inner: entry, budget }, depth);
            }
            EntryType::Directory => return self.directory(member, entry, depth),
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

/// A stream, and how many zeros it ended with: a tar ends with two blocks of them, and one that
/// does not has been cut off.
struct Tail<'s> {
    stream: &'s mut dyn Read,
    zeros: u64,
    /// How much more may be read, while headers are.
    room: &'s Cell<Option<u64>>,
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
                Ok(0) => return Err(io::Error::other("it ends without its end mark")),
                Ok(read) if self.zeros < before + read as u64 => {
                    return Err(io::Error::other("garbage follows its end mark"));
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
        if let Some(room) = self.room.get() {
            self.room.set(Some(room.checked_sub(read as u64).ok_or_else(|| {
                io::Error::other(format!(
                    "the headers of a member, such as its name, take more than {MAX_HEADERS_LEN} \
                     bytes"
                ))
            })?));
        }
        let zeros = buffer[..read].iter().rev().take_while(|&&byte| byte == 0).count();
        self.zeros = if zeros == read { self.zeros + zeros as u64 } else { zeros as u64 };
        Ok(read)
    }
}
