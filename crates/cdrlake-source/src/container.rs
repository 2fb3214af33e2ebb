//! Telling containers apart and unwrapping them, one inside the other.
//!
//! A name that ends in `.gz`, `.tgz`, `.zip` or `.tar` must hold what it says; any other name says
//! nothing, and the first bytes decide.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::os::fd::AsFd;
use std::rc::Rc;
use std::time::Duration;

use cdrlake_core::{is_bystander, is_unfinished};
use cdrlake_run::Awaited;

use crate::checksum::is_checksum_file;
use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::gzip::GzipReader;
use crate::limits::{Budget, Counted, Metered};
use crate::naming::Naming;
use crate::opening::Opening;
use crate::stream::Stream;
use crate::visitor::{Visitor, WhyLeftOut};

/// Compressed bytes read at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// How many first bytes tell a container: a header of tar.
const MAGIC_LEN: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zip,
    Tar,
}

impl Format {
    /// What the first bytes are.
    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1F, 0x8B, ..] => Self::Gzip,
            // A first entry, or the end record of an archive without entries.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ if magic.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => Self::Plain,
        }
    }

    /// What the first bytes are, given the name: a tar without files is nothing but zeros, and an
    /// old one has no magic but a checksum.
    fn of_named(magic: &[u8], naming: &Naming) -> Self {
        let is_zeros = magic.len() == MAGIC_LEN && magic.iter().all(|&byte| byte == 0);
        match Self::promised_by(naming) {
            Some(Self::Tar) if is_zeros || is_old_tar(magic) => Self::Tar,
            _ => Self::of(magic),
        }
    }

    /// What a name promises, if anything.
    fn promised_by(naming: &Naming) -> Option<Self> {
        match naming.extension()?.as_str() {
            "gz" | "tgz" => Some(Self::Gzip),
            "zip" => Some(Self::Zip),
            "tar" => Some(Self::Tar),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zip => "zip",
            Self::Tar => "tar",
        }
    }
}

/// What becomes of content that is no CDR file, as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Documents {
    /// It fails.
    Refused,
    /// It is a source like any other.
    Taken,
}

/// Unwraps one input.
pub(crate) struct Unwrapper<'u, V> {
    pub(crate) opening: Opening<'u>,
    pub(crate) visitor: &'u mut V,
    pub(crate) budget: Rc<Budget>,
    documents: Documents,
    /// Sources given to the visitor so far.
    given: u64,
}

impl<'u, V: Visitor> Unwrapper<'u, V> {
    pub(crate) fn new(opening: Opening<'u>, visitor: &'u mut V) -> Self {
        let budget = Budget::new(opening.limits, opening.progress);
        Self { opening, visitor, budget, documents: Documents::Refused, given: 0 }
    }

    /// One that unwraps whatever comes, and judges no content.
    pub(crate) fn of_any_content(opening: Opening<'u>, visitor: &'u mut V) -> Self {
        Self { documents: Documents::Taken, ..Self::new(opening, visitor) }
    }

    /// Sources given to the visitor so far.
    pub(crate) fn given(&self) -> u64 {
        self.given
    }

    /// A file, which can seek.
    pub(crate) fn file(&mut self, naming: &Naming, mut file: WatchedFile) -> Result<(), V::Error> {
        let format = first_bytes(&mut file).and_then(|magic| {
            file.seek(SeekFrom::Start(0))?;
            Ok((Format::of_named(&magic, naming), self.refused(&magic)))
        });
        match format {
            Err(error) => self.failed(naming, SourceError::Read { bytes: 0, error }),
            Ok((_, Some(error))) => self.failed(naming, error),
            Ok((format, None)) if self.breaks_promise(naming, format) => self.not_promised(naming),
            Ok((Format::Zip, None)) => {
                if let Err(error) = self.budget.check_depth(1) {
                    return self.failed(naming, error.into());
                }
                let counted = Counted::new(file.clone(), &self.budget, Some(file.len()));
                self.zip(naming, counted, Some(&file), 1)
            }
            Ok(_) => {
                let counted = Counted::new(file.clone(), &self.budget, Some(file.len()));
                self.stream(naming, &mut file.watch(counted), 0)
            }
        }
    }

    /// Standard input, which cannot seek.
    pub(crate) fn stdin(&mut self, naming: &Naming) -> Result<(), V::Error> {
        // Without a buffer of its own, which would hide from `Awaited` what it holds.
        let stdin = match io::stdin().as_fd().try_clone_to_owned() {
            Ok(stdin) => Awaited::new(File::from(stdin), self.opening.interrupt),
            Err(error) => return self.failed(naming, SourceError::Open(error)),
        };
        self.forward_only(naming, stdin)
    }

    /// What the caller opened, and which may not seek.
    pub(crate) fn caller_stream(
        &mut self,
        naming: &Naming,
        stream: &Stream,
    ) -> Result<(), V::Error> {
        match stream.take() {
            Some(bytes) => self.forward_only(naming, bytes),
            None => {
                let error = io::Error::other("the stream was read before; open it again");
                self.failed(naming, SourceError::Open(error))
            }
        }
    }

    fn forward_only(&mut self, naming: &Naming, stream: impl Read) -> Result<(), V::Error> {
        let mut stream = Counted::new(stream, &self.budget, None);
        match first_bytes(&mut stream) {
            Ok(magic) if Format::of(&magic) == Format::Zip => {
                self.failed(naming, SourceError::ZipInStream)
            }
            Ok(magic) => self.stream(naming, &mut Cursor::new(magic).chain(stream), 0),
            Err(error) => self.failed(naming, SourceError::Read { bytes: 0, error }),
        }
    }

    /// Anything that can be read, `depth` layers inside the input.
    pub(crate) fn stream(
        &mut self,
        naming: &Naming,
        stream: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        let magic = match first_bytes(stream) {
            Ok(magic) => magic,
            Err(error) => return self.failed(naming, SourceError::Read { bytes: 0, error }),
        };
        let mut format = Format::of_named(&magic, naming);
        if self.breaks_promise(naming, format) {
            return self.not_promised(naming);
        }
        if let Some(error) = self.refused(&magic) {
            return self.failed(naming, error);
        }
        // An office document is a zip of its own kind.
        if foreign(&magic).is_some() {
            format = Format::Plain;
        }
        let mut stream = Cursor::new(magic).chain(stream);
        if format == Format::Plain {
            self.given += 1;
            return self.visitor.source(naming.source(self.opening.settings), &mut stream);
        }
        if let Err(error) = self.budget.check_depth(depth + 1) {
            return self.failed(naming, error.into());
        }
        match format {
            Format::Plain => Ok(()),
            Format::Gzip => {
                let inner = GzipReader::new(BufReader::with_capacity(BUFFER_LEN, stream));
                let mut content = Metered { inner, budget: Rc::clone(&self.budget) };
                let given = self.given;
                self.gzip_content(&naming.decompressed(), &mut content, depth + 1)?;
                if content.inner.has_trailing_zeros() && self.given > given {
                    self.visitor.trailing_zeros()?;
                }
                Ok(())
            }
            Format::Zip => self.zip_in_stream(naming, &mut stream, depth + 1),
            Format::Tar => self.tar(naming, &mut stream, depth + 1),
        }
    }

    /// What a gzip holds; a tar in it adds no layer.
    fn gzip_content(
        &mut self,
        naming: &Naming,
        content: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        match first_bytes(content) {
            Ok(magic) if Format::of_named(&magic, naming) == Format::Tar => {
                self.tar(naming, &mut Cursor::new(magic).chain(content), depth)
            }
            Ok(magic) => self.stream(naming, &mut Cursor::new(magic).chain(content), depth),
            Err(error) => self.failed(naming, SourceError::Read { bytes: 0, error }),
        }
    }

    /// What an archive calls a directory: it has no content, or is none.
    pub(crate) fn directory(
        &mut self,
        naming: &Naming,
        content: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        match first_bytes(content) {
            Ok(magic) if magic.is_empty() => Ok(()),
            Ok(magic) => self.stream(naming, &mut Cursor::new(magic).chain(content), depth),
            Err(error) => self.failed(naming, SourceError::Read { bytes: 0, error }),
        }
    }

    /// Why what begins like this is refused, if it is.
    fn refused(&self, magic: &[u8]) -> Option<SourceError> {
        match self.documents {
            Documents::Refused => foreign(magic),
            Documents::Taken => None,
        }
    }

    fn breaks_promise(&self, naming: &Naming, format: Format) -> bool {
        Format::promised_by(naming).is_some_and(|promised| promised != format)
    }

    fn not_promised(&mut self, naming: &Naming) -> Result<(), V::Error> {
        let format = Format::promised_by(naming).map_or("other", Format::name);
        self.failed(naming, SourceError::NotWhatItsNameSays { format })
    }

    pub(crate) fn failed(&mut self, naming: &Naming, error: SourceError) -> Result<(), V::Error> {
        self.visitor.failed(naming.source(self.opening.settings), error)
    }

    /// A member of an archive is met; none if it is one too many.
    pub(crate) fn member(&mut self, archive: &Naming, entry: &str) -> Result<Naming, SourceError> {
        self.budget.enter()?;
        Ok(archive.member(entry, self.opening.settings))
    }

    /// Whether a member is passed over: it is no delivery, or not yet.
    pub(crate) fn passes_over(&mut self, member: &Naming, entry: &str) -> bool {
        if self.opening.selection.leaves_out(&entry.replace('\\', "/")) {
            self.visitor.left_out(member.name().to_owned(), WhyLeftOut::Selection);
            return true;
        }
        if is_unfinished(member.file_name()) {
            // When it was packed is long ago in any archive, and so says nothing.
            let why = WhyLeftOut::Unfinished(Duration::ZERO);
            self.visitor.left_out(member.name().to_owned(), why);
            return true;
        }
        if entry.split(['/', '\\']).any(|part| part != "." && part != ".." && is_bystander(part)) {
            return true;
        }
        // Where members come one after the other, nobody knows what stands beside it.
        let is_checksum = is_checksum_file(member.file_name());
        if is_checksum {
            self.visitor.left_out(member.name().to_owned(), WhyLeftOut::Checksum);
        }
        is_checksum
    }
}

/// Whether a file is a source as it stands, with nothing to unwrap.
pub(crate) fn is_plain(file: &mut (impl Read + Seek), naming: &Naming) -> io::Result<bool> {
    let magic = first_bytes(file)?;
    file.seek(SeekFrom::Start(0))?;
    let promised = Format::promised_by(naming).unwrap_or(Format::Plain);
    let format = Format::of_named(&magic, naming);
    Ok([format, promised] == [Format::Plain; 2] && foreign(&magic).is_none())
}

/// Whether this is a header of the tar before ustar, which only its checksum tells.
fn is_old_tar(magic: &[u8]) -> bool {
    let Some(header) = magic.first_chunk::<MAGIC_LEN>() else { return false };
    let header = tar::Header::from_byte_slice(header);
    let bytes = header.as_bytes().iter().enumerate();
    let sum = bytes.map(|(at, &byte)| if (148..156).contains(&at) { 32 } else { u32::from(byte) });
    header.cksum().is_ok_and(|checksum| checksum == sum.sum::<u32>())
}

/// Why what begins like this is not read, if it is something else that is well known.
fn foreign(magic: &[u8]) -> Option<SourceError> {
    packed(magic)
        .map(|format| SourceError::FormatNotRead { format })
        .or_else(|| document(magic).map(|what| SourceError::Document { what }))
}

/// The name of a format that is compressed, but is not read.
fn packed(magic: &[u8]) -> Option<&'static str> {
    match magic {
        [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Some("bzip2"),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some("xz"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some("zstd"),
        [0x1F, 0x9D, ..] => Some("compress"),
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => Some("7-Zip"),
        [b'R', b'a', b'r', b'!', 0x1A, 0x07, ..] => Some("RAR"),
        _ => None,
    }
}

/// What holds no records, though files of CDRs may be taken for it, and what to do about it.
fn document(magic: &[u8]) -> Option<&'static str> {
    const SPREADSHEET: &str = "an office document; a spreadsheet does not keep records as they were \
                               delivered, so fetch the carrier's file";
    /// Where the name of a zip's first entry stands.
    const ENTRY: usize = 30;
    let entry = magic.get(ENTRY..).filter(|_| magic.starts_with(b"PK\x03\x04")).unwrap_or_default();
    let text = magic.trim_ascii_start();
    let begins = |head: &str| {
        text.get(..head.len()).is_some_and(|it| it.eq_ignore_ascii_case(head.as_bytes()))
    };
    match magic {
        [b'P', b'A', b'R', b'1' | b'E', ..] => Some("a Parquet file"),
        [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, ..] => Some(SPREADSHEET),
        _ if entry.starts_with(b"[Content_Types].xml") => Some(SPREADSHEET),
        _ if entry.starts_with(b"mimetypeapplication/vnd.oasis") => Some(SPREADSHEET),
        _ if magic.starts_with(b"SQLite format 3\0") => {
            Some("an SQLite database; name the lake, not its ledger, or export what is in it")
        }
        _ if magic.starts_with(b"%PDF-") => Some("a PDF document; fetch the carrier's file"),
        _ if begins("<!doctype html") || begins("<html") => {
            Some("an HTML page, perhaps what a server answered instead of the file; fetch it again")
        }
        _ => None,
    }
}

/// The first bytes of a stream, fewer if it ends before.
fn first_bytes(stream: &mut (impl Read + ?Sized)) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(MAGIC_LEN);
    stream.take(MAGIC_LEN as u64).read_to_end(&mut magic)?;
    Ok(magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic() {
        assert_eq!(Format::of(b"\x1F\x8B\x08\x00"), Format::Gzip);
        assert_eq!(Format::of(b"PK\x03\x04"), Format::Zip);
        assert_eq!(Format::of(b"PK\x05\x06"), Format::Zip);
        assert_eq!(Format::of(b"0697"), Format::Plain);
        assert_eq!(Format::of(b"\x1F"), Format::Plain);
        assert_eq!(Format::of(b""), Format::Plain);
        let mut tar = vec![0; 257];
        tar.extend_from_slice(b"ustar");
        assert_eq!(Format::of(&tar), Format::Tar);
        assert_eq!(Format::of(&tar[..261]), Format::Plain);
    }

    #[test]
    fn what_is_something_else_says_so() {
        let code = |magic: &[u8]| foreign(magic).map(|error| (error.code(), error.to_string()));
        let zip = |name: &str| [&b"PK\x03\x04"[..], &[0; 26], name.as_bytes()].concat();
        for (magic, expected, what) in [
            (b"PAR1\x15\x04".to_vec(), "not_cdr", "a Parquet file"),
            (b"PARE".to_vec(), "not_cdr", "a Parquet file"),
            (b"SQLite format 3\0".to_vec(), "not_cdr", "SQLite"),
            (b"%PDF-1.7".to_vec(), "not_cdr", "PDF"),
            (zip("[Content_Types].xml"), "not_cdr", "office"),
            (zip("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"), "not_cdr", "office"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(), "not_cdr", "office"),
            (b"\n<!DOCTYPE HTML>".to_vec(), "not_cdr", "HTML"),
            (b"7z\xBC\xAF\x27\x1C".to_vec(), "format_not_read", "7-Zip"),
            (b"\x28\xB5\x2F\xFD".to_vec(), "format_not_read", "zstd"),
            (b"BZh91AY&SY".to_vec(), "format_not_read", "bzip2"),
            (b"\xFD7zXZ\0".to_vec(), "format_not_read", "xz"),
        ] {
            let (code, message) = code(&magic).unwrap();
            assert!(code == expected && message.contains(what), "{code}: {message}");
        }
        for records in [&b"0697"[..], b"", b"PAR", b"PARIS 1", b"<", b"SQLite", &zip("a.cdr")] {
            assert_eq!(code(records), None, "{records:?}");
        }
    }
}
