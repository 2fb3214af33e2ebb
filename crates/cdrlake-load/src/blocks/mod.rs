//! Sources to blocks: small sources are gathered, large ones cut, always between lines.
//!
//! A block becomes one row group, so its cuts may depend on nothing but the sources' bytes: not on
//! how many bytes a read gives, nor on threads. A source that fits is wholly in one block and is
//! left out of it again if it cannot be read to its end. One that does not has blocks of its own,
//! which share a row group with nobody and can be dropped (see `collect`).

mod block;
mod buffer;
mod gather;
mod prehashed;
mod replay;
mod replayed;
mod versions;

pub(crate) use self::block::{Block, Gathered, Lines, Part, Verdicts};
pub use self::block::{OpenSource, SourceEnd, SourceKind};
pub(crate) use self::buffer::{BLOCK_LEN, Buffers};
pub(crate) use self::gather::{Decoding, Gatherer};
