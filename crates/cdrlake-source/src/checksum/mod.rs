//! Checksum files: they say what the bytes of files beside them must be.

mod beside;
mod files;
mod kind;
mod members;
mod text;

pub(crate) use files::Checks;
pub(crate) use kind::{Expected, check};
pub(crate) use members::MemberChecks;
pub(crate) use text::{MOST_BYTES, is_checksum_file};

/// The endings of files that hold the checksum of one file, in lower case.
const ENDINGS: [&str; 6] = [".md5", ".sha1", ".sha256", ".sha512", ".crc32", ".sfv"];
