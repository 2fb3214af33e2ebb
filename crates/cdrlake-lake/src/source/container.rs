//! Telling containers apart and unwrapping them, one inside the other.
//!
//! A name that ends in `.gz`, `.tgz`, `.zip` or `.tar` must hold what it says; any other name says
//! nothing, and the first bytes decide.

use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;

use super::file::WatchedFile;
use super::gzip::GzipReader;
use super::limits::{Budget, Counted, Metered};
use super::naming::Naming;
use super::{Opening, SourceError, Visitor};

/// Compressed bytes read at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// How many first bytes tell a container: tar's magic stands at 257.
const MAGIC_LEN: usize = 263;

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

    /// What the first bytes are, given the name: a tar without files is nothing but zeros.
    fn of_named(magic: &[u8], naming: &Naming) -> Self {
        let is_zeros = magic.len() == MAGIC_LEN && magic.iter().all(|&byte| byte == 0);
        match Self::promised_by(naming) {
            Some(Self::Tar) if is_zeros => Self::Tar,
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

/// Unwraps one input.
pub(super) struct Unwrapper<'u, V> {
    pub(super) opening: Opening<'u>,
    pub(super) visitor: &'u mut V,
    pub(super) budget: Rc<Budget>,
}

impl<'u, V: Visitor> Unwrapper<'u, V> {
    pub(super) fn new(opening: Opening<'u>, visitor: &'u mut V) -> Self {
        Self { opening, visitor, budget: Budget::new(opening.limits) }
    }

    /// A file, which can seek.
    pub(super) fn file(&mut self, naming: &Naming, mut file: WatchedFile) -> Result<(), V::Error> {
        let format = first_bytes(&mut file).and_then(|magic| {
            file.seek(SeekFrom::Start(0)).map(|_| Format::of_named(&magic, naming))
        });
        match format {
            Err(error) => self.failed(naming, SourceError::Read { bytes: 0, error }),
            Ok(format) if self.breaks_promise(naming, format) => self.not_promised(naming),
            Ok(Format::Zip) => {
                if let Err(error) = self.budget.check_depth(1) {
                    return self.failed(naming, error);
                }
                let counted = Counted { inner: file.clone(), budget: Rc::clone(&self.budget) };
                self.zip(naming, counted, Some(&file), 1)
            }
            Ok(_) => {
                let counted = Counted { inner: file.clone(), budget: Rc::clone(&self.budget) };
                self.stream(naming, &mut file.watch(counted), 0)
            }
        }
    }

    /// Standard input, which cannot seek.
    pub(super) fn stdin(&mut self, naming: &Naming) -> Result<(), V::Error> {
        let mut stdin = Counted { inner: io::stdin(), budget: Rc::clone(&self.budget) };
        match first_bytes(&mut stdin) {
            Ok(magic) if Format::of(&magic) == Format::Zip => {
                self.failed(naming, SourceError::ZipInStream)
            }
            Ok(magic) => self.stream(naming, &mut Cursor::new(magic).chain(stdin), 0),
            Err(error) => self.failed(naming, SourceError::Read { bytes: 0, error }),
        }
    }

    /// Anything that can be read, `depth` layers inside the input.
    pub(super) fn stream(
        &mut self,
        naming: &Naming,
        stream: &mut dyn Read,
        depth: u32,
    ) -> Result<(), V::Error> {
        let magic = match first_bytes(stream) {
            Ok(magic) => magic,
            Err(error) => return self.failed(naming, SourceError::Read { bytes: 0, error }),
        };
        let format = Format::of_named(&magic, naming);
        if self.breaks_promise(naming, format) {
            return self.not_promised(naming);
        }
        let mut stream = Cursor::new(magic).chain(stream);
        if format == Format::Plain {
            return self.visitor.source(naming.source(self.opening.settings), &mut stream);
        }
        if let Err(error) = self.budget.check_depth(depth + 1) {
            return self.failed(naming, error);
        }
        match format {
            Format::Plain => Ok(()),
            Format::Gzip => {
                let inner = GzipReader::new(BufReader::with_capacity(BUFFER_LEN, stream));
                let mut content = Metered { inner, budget: Rc::clone(&self.budget) };
                self.gzip_content(&naming.decompressed(), &mut content, depth + 1)
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

    fn breaks_promise(&self, naming: &Naming, format: Format) -> bool {
        Format::promised_by(naming).is_some_and(|promised| promised != format)
    }

    fn not_promised(&mut self, naming: &Naming) -> Result<(), V::Error> {
        let format = Format::promised_by(naming).map_or("other", Format::name);
        self.failed(naming, SourceError::NotWhatItsNameSays { format })
    }

    pub(super) fn failed(&mut self, naming: &Naming, error: SourceError) -> Result<(), V::Error> {
        self.visitor.failed(naming.source(self.opening.settings), error)
    }

    /// A member of an archive is met; none if it is one too many.
    pub(super) fn member(&mut self, archive: &Naming, entry: &str) -> Result<Naming, SourceError> {
        self.budget.enter()?;
        Ok(archive.member(entry, self.opening.settings))
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
        tar.extend_from_slice(b"ustar\0");
        assert_eq!(tar.len(), MAGIC_LEN);
        assert_eq!(Format::of(&tar), Format::Tar);
        assert_eq!(Format::of(&tar[..261]), Format::Plain);
    }
}
