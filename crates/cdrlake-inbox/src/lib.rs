//! What an inbox remembers of its files: when each came, its hash, and what was asked for.
//!
//! An inbox is the directory that files are fetched into. Beside them stands its journal, a file of
//! lines of JSON ([`Line`]), which whoever fetches appends to. Whoever reads the files reads the journal
//! with [`KnownFiles`]; no request is known here, and nothing is sent.
//!
//! A journal is not trusted: it names plain files of its own directory or nothing, what cannot be read
//! of it counts for nothing, and what it says of a file counts only while that is the file that came.

mod known;
mod line;
mod names;
mod read;

pub use known::{Known, KnownFiles};
pub use line::{Asked, FileEntry, Line};
pub use names::{JOURNAL, NON_USAGE, RATED, ROOMS, is_plain_name};
pub use read::read_journal;
