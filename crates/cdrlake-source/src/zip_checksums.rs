//! Checksum files in a zip, which are read before what they are of.

use std::io::{self, Read, Seek};
use std::rc::Rc;

use zip::ZipArchive;

use crate::checksum::{Expected, MOST_BYTES, check};
use crate::container::Unwrapper;
use crate::limits::Metered;
use crate::visitor::Visitor;

impl<V: Visitor> Unwrapper<'_, V> {
    /// The bytes of a checksum file.
    pub(crate) fn checksum_file<R: Read + Seek>(
        &self,
        archive: &mut ZipArchive<R>,
        index: usize,
    ) -> io::Result<Vec<u8>> {
        let inner = archive.by_index(index)?.take(MOST_BYTES + 1);
        let mut bytes = Vec::new();
        Metered { inner, budget: Rc::clone(&self.budget) }.read_to_end(&mut bytes)?;
        match bytes.len() as u64 > MOST_BYTES {
            true => Err(io::ErrorKind::InvalidData.into()),
            false => Ok(bytes),
        }
    }

    /// The kind of checksum that a member has not, though it should. One that cannot be read has other
    /// faults.
    pub(crate) fn wrong_checksum<R: Read + Seek>(
        &self,
        archive: &mut ZipArchive<R>,
        index: usize,
        expected: &[Expected],
    ) -> Option<&'static str> {
        if expected.is_empty() {
            return None;
        }
        self.budget.uncounted(|| {
            let inner = self.opening.interrupt.watch(archive.by_index(index).ok()?);
            check(&mut Metered { inner, budget: Rc::clone(&self.budget) }, expected).ok()?
        })
    }
}
