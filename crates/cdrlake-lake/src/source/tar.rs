//! Tar archives: every file a source, named `archive!entry`.
//!
//! A tar is read forward, and what it comes in (a gzip, a zip entry) proves sound only at its end.
//! So nothing of it is released before that has been read.

use std::io::{self, Read};

use tar::{Archive, EntryType};

use super::container::Unwrapper;
use super::naming::Naming;
use super::{SourceError, Visitor};

impl<V: Visitor> Unwrapper<'_, V> {
    pub(super) fn tar(
        &mut self,
        naming: &Naming,
        stream: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        self.visitor.archive_began()?;
        let mut stream = Tail { stream, zeros: 0 };
        let error = match self.tar_entries(naming, &mut stream, depth)? {
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
        depth: u32,
    ) -> Result<Result<(), SourceError>, V::Error> {
        let mut archive = Archive::new(stream);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return Ok(Err(SourceError::Tar(error))),
        };
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Ok(Err(SourceError::Tar(error))),
            };
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let member = match self.member(naming, &name) {
                Ok(member) => member,
                Err(error) => return Ok(Err(error)),
            };
            match entry.header().entry_type() {
                EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                    self.stream(&member, &mut entry, depth)?;
                }
                EntryType::Directory | EntryType::XGlobalHeader => {}
                _ => self.failed(&member, SourceError::SpecialFile)?,
            }
        }
        Ok(Ok(()))
    }
}

/// A stream, and how many zeros it ended with: a tar ends with two blocks of them, and one that
/// does not has been cut off.
struct Tail<'s> {
    stream: &'s mut dyn Read,
    zeros: u64,
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
        let zeros = buffer[..read].iter().rev().take_while(|&&byte| byte == 0).count();
        self.zeros = if zeros == read { self.zeros + zeros as u64 } else { zeros as u64 };
        Ok(read)
    }
}
