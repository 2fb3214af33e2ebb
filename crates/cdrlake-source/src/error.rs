//! Why a source was not loaded.

use std::{fmt, io};

use cdrlake_core::{Fault, Position, Reject};
use cdrlake_run::{ErrorKind, Interrupted};
use thiserror::Error;

use crate::damage::Damage;
use crate::file::FileChanged;
use crate::limits::LimitExceeded;

/// The code of a source whose name came before with other content.
pub const CHANGED: &str = "changed";

/// What a version shares with the current one.
struct Shared(Option<u64>, u64);

impl fmt::Display for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self(Some(shared), records) => {
                write!(f, "and shares {shared} of {records} calls with that")
            }
            Self(None, records) => {
                write!(
                    f,
                    "and cannot be compared with its {records} calls, whose numbers are not clear"
                )
            }
        }
    }
}

/// Why one source was not loaded; others may be. The name of the source is the caller's to put in
/// front.
///
/// Its text, and that of its causes, quotes nothing of what was read: numbers of lines and bytes,
/// shapes of fields, and names of files and members are all that there is of the input.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SourceError {
    /// It could not be opened.
    #[error("cannot be opened")]
    Open(#[source] io::Error),
    /// Reading or unwrapping it broke off.
    #[error("cannot be read to its end, after {bytes} decompressed bytes")]
    Read {
        /// How far it went.
        bytes: u64,
        /// What the operating system or the decompressor says.
        #[source]
        error: io::Error,
    },
    /// A fifo, socket or device.
    #[error("is neither a file nor a directory")]
    SpecialFile,
    /// What a tar holds beside files: links, devices.
    #[error("is {what} in a tar archive, not a file, and holds no records; pack files")]
    NoFile {
        /// What it is.
        what: &'static str,
    },
    /// A sparse file in a tar of the PAX format.
    #[error("is packed as a sparse file, which is not read")]
    Sparse,
    /// Compressed or packed in another way.
    #[error("holds {format} data, which is not read; unpack it first")]
    FormatNotRead {
        /// The format's name.
        format: &'static str,
    },
    /// A document of another kind, as its first bytes tell.
    #[error("is not a CDR file but {what}")]
    Document {
        /// The kind, and what to do about it.
        what: &'static str,
    },
    /// A checksum that stands beside it is of other bytes.
    #[error(
        "is not as it was sent: its {kind} checksum, which stands beside it, is another; get it again"
    )]
    Checksum {
        /// The kind of checksum, such as `MD5`.
        kind: &'static str,
    },
    /// Its name says gzip, zip or tar, its first bytes do not.
    #[error("is no {format} file, though its name says so; fetch it again, or rename it")]
    NotWhatItsNameSays {
        /// `gzip`, `zip` or `tar`.
        format: &'static str,
    },
    /// A zip's directory or an entry's header is damaged, or of a kind that is not read.
    #[error("cannot be read as a zip archive; fetch it again")]
    Zip(#[source] Damage),
    /// An entry of a zip is compressed in another way.
    #[error(
        "is compressed with zip's method {method}, which is not supported; pack it with deflate"
    )]
    ZipMethod {
        /// The method's number.
        method: u16,
    },
    /// A zip that is too large to be held in memory, inside another archive, cannot be read
    /// forward.
    #[error(
        "is a zip archive in another, whose entries tell their length only behind their content; \
         unpack the outer archive first"
    )]
    ZipLengthBehind,
    /// A zip's directory cannot be held in memory.
    #[error("has a directory of more than {most} bytes")]
    ZipDirectoryTooLarge {
        /// The most that it may take.
        most: u64,
    },
    /// More than the caps against bombs allow.
    #[error(transparent)]
    Limit(#[from] LimitExceeded),
    /// A tar that ends early, or is damaged; or what it comes in is, and then the cause says so.
    #[error("cannot be read as a tar archive to its end; fetch it again")]
    Tar(#[source] io::Error),
    /// The archive that the source stands in turned out damaged at its end.
    #[error("is left out, for {archive} failed")]
    ArchiveFailed {
        /// The archive's name.
        archive: String,
    },
    /// An entry needs a password.
    #[error("is encrypted; decrypt it first")]
    Encrypted,
    /// A zip needs its end to be read first, so it cannot come as a stream.
    #[error("is a zip archive, which can be read from a file but not from a stream; save it first")]
    ZipInStream,
    /// A file to be replayed is no rejects file, or is damaged.
    #[error("cannot be read as a rejects file to its end")]
    Rejects(#[source] Damage),
    /// A column of a rejects file is missing, or of a type that holds something else.
    #[error(
        "cannot be replayed: {}, but column {name} of type {wanted} is needed", match found {
            Some(found) => format!("column {name} is {found}"),
            None => format!("there is no column {name}"),
        }
    )]
    RejectsColumn {
        /// The column.
        name: &'static str,
        /// What there is instead, if anything.
        found: Option<String>,
        /// The type that is wanted.
        wanted: &'static str,
    },
    /// A line of a source comes in two versions.
    #[error(
        "line {record_number} of {source_file} comes in two versions, and only one can be right; leave \
         the other out"
    )]
    RejectsConflict {
        /// The line's number.
        record_number: u64,
        /// Its source.
        source_file: String,
    },
    /// A row of a rejects file cannot be replayed.
    #[error("row {row}: {problem}")]
    RejectsRow {
        /// The row, from 1.
        row: u64,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// There are lines, but none is a sound record; one that only strictness rejects counts as one.
    #[error("is not a CDR file: {lines} lines, and not one sound record; the first is {first}")]
    NotCdr {
        /// Physical lines.
        lines: u64,
        /// The first line's place and what is wrong with it.
        first: Box<FirstReject>,
    },
    /// More lines were rejected than the caller allows.
    #[error(
        "has more rejects than {limit}: {rejected} among {records} records; the first is {first}"
    )]
    TooManyRejects {
        /// Rejected lines.
        rejected: u64,
        /// Records and rejected lines.
        records: u64,
        /// The limit, as the user gave it.
        limit: String,
        /// The first rejected line's place and what is wrong with it.
        first: Box<FirstReject>,
    },
    /// Its name, of the carrier's form, came with other content in the same run.
    #[error(
        "was delivered before with other content ({}, now {})", earlier.to_hex(), hash.to_hex()
    )]
    Changed {
        /// BLAKE3 of this content.
        hash: blake3::Hash,
        /// BLAKE3 of the content that came first.
        earlier: blake3::Hash,
    },
    /// A version of a delivery that cannot take the place of the current one by itself.
    #[error("was delivered before with other content, {}", Shared(*shared, *records))]
    OtherVersion {
        /// How many records it shares with the current version; none if that cannot be told, since numbers
        /// are masked or pseudonymized and there is no `record_id`.
        shared: Option<u64>,
        /// The records of the current version.
        records: u64,
    },
    /// A source whose content came as a version of another delivery, and waits with that.
    #[error("has the same content as {name}, which is not loaded")]
    SameAsHeld {
        /// The other source.
        name: String,
    },
    /// A version of a delivery that came before the current one, so that it cannot be the newer one.
    #[error(
        "was delivered before with other content, and that is the newer one: it came {current}, this one \
         {arrived}"
    )]
    OlderVersion {
        /// When it came, in UTC.
        arrived: String,
        /// When the current version came, in UTC.
        current: String,
    },
    /// Its times are to have the zone of its country, which is not known.
    #[error("has no time zone: its country is not known")]
    NoCountry,
    /// Its times are to have the zone of its profile, whose settings have none.
    #[error("has no time zone")]
    NoZoneOfProfile,
    /// Its times are to have the zone of its country, which has several.
    #[error("has no time zone: {0}")]
    TimeZone(cdrlake_core::NoTimeZone),
    /// Lines are to be replayed of a source that the lake does not hold.
    #[error("is not loaded in this lake, so nothing of it can be replayed; load it first")]
    NotLoaded,
    /// Another source has the same content, and rows that were handed on cannot be taken back.
    #[error(
        "has the same content as {name}, so its records would be read twice; leave one of them out, \
         or load both into a lake, which keeps one"
    )]
    Repeated {
        /// The other source.
        name: String,
    },
    /// An earlier source of the run has the same content, and failed.
    #[error("has the same content as {name}, which failed")]
    SameAsFailed {
        /// The earlier source.
        name: String,
    },
}

/// The first line that spoke against a source, blotted out: it displays as a reject does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstReject {
    /// Where it stands and what is wrong with it; none if no line was rejected, for all are blank.
    pub place: Option<(Position, Fault)>,
    message: String,
}

impl FirstReject {
    /// All lines are blank.
    #[must_use]
    pub fn blank() -> Self {
        Self { place: None, message: "a blank line".to_owned() }
    }
}

impl From<&Reject<'_>> for FirstReject {
    fn from(reject: &Reject<'_>) -> Self {
        let &Reject { record_number, byte_offset, fault, .. } = reject;
        let place = Some((Position { record_number, byte_offset }, fault));
        Self { place, message: reject.to_string() }
    }
}

impl fmt::Display for FirstReject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl SourceError {
    /// The line that the error is about, as far as it is about one.
    #[must_use]
    pub fn first_reject(&self) -> Option<&FirstReject> {
        match self {
            Self::NotCdr { first, .. } | Self::TooManyRejects { first, .. } => Some(first),
            _ => None,
        }
    }

    /// What kind of failure it is.
    ///
    /// ```
    /// use cdrlake_run::ErrorKind;
    /// use cdrlake_source::SourceError;
    ///
    /// assert_eq!(SourceError::Encrypted.kind(), ErrorKind::DamagedInput);
    /// assert_eq!(SourceError::NoCountry.kind(), ErrorKind::Usage);
    /// let broken = std::io::Error::from_raw_os_error(5);
    /// assert_eq!(SourceError::Open(broken).kind(), ErrorKind::Io);
    /// ```
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Open(error) | Self::Read { error, .. } | Self::Tar(error) => kind_of(error),
            // Other inputs, or other settings for them, would do.
            Self::SpecialFile
            | Self::ZipInStream
            | Self::NoCountry
            | Self::NoZoneOfProfile
            | Self::TimeZone(_)
            | Self::NotLoaded
            | Self::Repeated { .. } => ErrorKind::Usage,
            _ => ErrorKind::DamagedInput,
        }
    }

    /// Why something could not be read, after so many of its bytes.
    pub(crate) fn of_read(bytes: u64, error: io::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(error) => return error,
            Err(error) => error,
        };
        match error.downcast::<LimitExceeded>() {
            Ok(limit) => Self::Limit(limit),
            Err(error) => Self::Read { bytes, error },
        }
    }

    /// A word for machines.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Open(_) => "cannot_open",
            Self::Read { .. } => "cannot_read",
            Self::SpecialFile | Self::NoFile { .. } => "special_file",
            Self::Sparse => "sparse",
            Self::FormatNotRead { .. } => "format_not_read",
            Self::ZipMethod { .. } => "unsupported_method",
            Self::ZipLengthBehind => "zip_length_behind",
            Self::NotWhatItsNameSays { .. } => "not_what_its_name_says",
            Self::Checksum { .. } => "checksum",
            Self::Zip(_) => "damaged_zip",
            Self::Limit(_) | Self::ZipDirectoryTooLarge { .. } => "limit_exceeded",
            Self::Tar(_) => "damaged_tar",
            Self::ArchiveFailed { .. } => "archive_failed",
            Self::Encrypted => "encrypted",
            Self::ZipInStream => "zip_in_stream",
            Self::Rejects(_) | Self::RejectsRow { .. } | Self::RejectsColumn { .. } => {
                "damaged_rejects_file"
            }
            Self::RejectsConflict { .. } => "conflicting_lines",
            Self::NotCdr { .. } | Self::Document { .. } => "not_cdr",
            Self::TooManyRejects { .. } => "too_many_rejects",
            Self::Changed { .. }
            | Self::OtherVersion { .. }
            | Self::SameAsHeld { .. }
            | Self::OlderVersion { .. } => CHANGED,
            Self::NoCountry | Self::NoZoneOfProfile | Self::TimeZone(_) => "no_time_zone",
            Self::NotLoaded => "not_loaded",
            Self::Repeated { .. } => "repeated",
            Self::SameAsFailed { .. } => "same_as_failed",
        }
    }
}

/// What kind of failure an error of reading is: one of this crate, of the system, or of the caller's
/// stream.
fn kind_of(error: &io::Error) -> ErrorKind {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    let is_damage = error.raw_os_error().is_none()
        && matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof);
    match error.get_ref() {
        Some(cause) if cause.is::<Interrupted>() => ErrorKind::Interrupted,
        Some(cause) if cause.is::<FileChanged>() => ErrorKind::Transient,
        Some(cause) if cause.is::<Damage>() || cause.is::<LimitExceeded>() => {
            ErrorKind::DamagedInput
        }
        _ if is_damage => ErrorKind::DamagedInput,
        _ => ErrorKind::Io,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_what_broke_off_the_reading() {
        let kind = |error| SourceError::Read { bytes: 7, error }.kind();
        for (error, expected) in [
            (Interrupted.into(), ErrorKind::Interrupted),
            (io::Error::other(FileChanged), ErrorKind::Transient),
            (io::Error::other(LimitExceeded::Ratio(250)), ErrorKind::DamagedInput),
            (io::Error::other(Damage::MEMBER), ErrorKind::DamagedInput),
            (io::ErrorKind::UnexpectedEof.into(), ErrorKind::DamagedInput),
            (io::Error::from_raw_os_error(5), ErrorKind::Io),
            (io::Error::other("the caller's stream broke"), ErrorKind::Io),
        ] {
            let text = error.to_string();
            assert_eq!(kind(error), expected, "{text}");
        }
    }
}
