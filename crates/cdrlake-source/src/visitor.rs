//! Who takes the sources of an input as they are met.

use std::io::Read;
use std::time::Duration;

use crate::error::SourceError;
use crate::source::{RejectedLine, Source};

/// Why a file, or a member of an archive, is no source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhyLeftOut {
    /// Its name says that it is still being written. With the time since it was changed last; 0 where
    /// nobody knows.
    Unfinished(Duration),
    /// The user has excluded it, or included others.
    Selection,
    /// It is a directory of an inbox whose files are no call detail records.
    Room,
    /// It is a checksum file that stands alone, or in an archive that is read forward.
    Checksum,
    /// It is a checksum file of what stands beside it, but no checksum can be read in it.
    UnreadChecksum,
    /// It is hidden, though it holds sound records.
    HiddenRecords,
}

/// Takes the sources of an input as they are met.
pub trait Visitor {
    /// Why the whole run must end.
    type Error;

    /// A source was opened. What goes wrong while it is read fails only this source, and is the
    /// visitor's to note.
    fn source(&mut self, source: Source, bytes: &mut dyn Read) -> Result<(), Self::Error>;

    /// Rejected lines of the source whose content had this hash come again, in any order, and more
    /// of the same source may follow. Stands between [`archive_began`](Self::archive_began) and
    /// [`archive_ended`](Self::archive_ended), for a rejects file. The inner result is why that
    /// file fails, if it does.
    fn replay(
        &mut self,
        source: Source,
        hash: blake3::Hash,
        lines: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, Self::Error>;

    /// Zeros followed the gzip or the zip that the last source came from. Told once an archive, after
    /// its last source, and only if there was one.
    fn trailing_zeros(&mut self) -> Result<(), Self::Error>;

    /// A file holds nothing that could be replayed, and is no fault.
    fn passed_over(&mut self, name: String);

    /// A file, or a member of an archive, is no source.
    fn left_out(&mut self, name: String, why: WhyLeftOut);

    /// Something that the user named, or that stands in it, could not be opened.
    fn failed(&mut self, source: Source, error: SourceError) -> Result<(), Self::Error>;

    /// An archive that only its end can vouch for begins: its sources must not be released before
    /// [`archive_ended`](Self::archive_ended). Archives may be inside each other.
    fn archive_began(&mut self) -> Result<(), Self::Error>;

    /// The archive that began last has ended: well, or for this reason badly.
    fn archive_ended(&mut self, failure: Option<(Source, SourceError)>) -> Result<(), Self::Error>;
}
