//! Inputs to sources: what the user named is walked, opened and unwrapped until records come.
//!
//! A [`Source`] is a name, what is known of it, and a [`Read`](std::io::Read). Archives are streamed:
//! nothing is extracted, no entry name is ever used as a path, and no declared size is trusted.
//!
//! [`visit`] opens an [`Input`] and hands what it meets to a [`Visitor`]; [`walk`] only lists files,
//! and [`check_archive`] reads an archive to find out whether it is sound. Each container is a module:
//! `gzip`, `zip`, `tar`; `container` tells them apart.
//!
//! What fails a single source is a [`SourceError`], and never ends the run by itself. It quotes
//! nothing of what was read, and names no option of a command: what a user could do about it there
//! is the caller's to say.

mod check;
mod checksum;
mod chunks;
mod container;
mod cropped;
mod damage;
mod error;
mod excluded;
mod file;
mod gzip;
mod hidden;
mod inboxes;
mod input;
mod lake_directory;
mod limits;
mod naming;
mod opening;
mod plain;
mod rejects;
mod replay;
mod selection;
mod source;
mod stream;
mod tar;
mod time_zones;
mod told_by;
mod visit;
mod visit_path;
mod visitor;
mod walk;
mod zip;
mod zip_checksums;
mod zip_end;

pub use check::{Checked, check_archive};
pub use damage::Damage;
pub use error::{CHANGED, FirstReject, SourceError};
pub use excluded::Excluded;
pub use inboxes::Inboxes;
pub use input::Input;
pub use lake_directory::{INTERNAL, is_lake};
pub use limits::{LimitExceeded, Limits};
pub use naming::{ProfileSettings, Settings};
pub use opening::Opening;
pub use plain::PlainFile;
pub use replay::rejects_files;
pub use selection::{BadPattern, NamePattern, Selection};
pub use source::{LineEnd, RejectedLine, Source};
pub use stream::Stream;
pub use time_zones::{KnownTimeZones, TimeZones};
pub use told_by::{MetadataToldBy, ToldBy};
pub use visit::visit;
pub use visitor::{Visitor, WhyLeftOut};
pub use walk::{Met, walk};
