//! Telling containers apart: a name that ends in `.gz` or `.zip` must hold what it says; any other
//! name says nothing, and the first bytes decide.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};

use super::gzip::GzipReader;
use super::zip::visit_zip;
use super::{Source, SourceError, Visitor};

/// Compressed bytes read at a time.
const BUFFER_LEN: usize = 256 * 1024;

/// How many first bytes tell a container.
const MAGIC_LEN: usize = 4;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Plain,
    Gzip,
    Zip,
}

impl Format {
    /// What the first bytes are.
    fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1F, 0x8B, ..] => Self::Gzip,
            // A first entry, or the end record of an archive without entries.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            _ => Self::Plain,
        }
    }

    /// What `name` promises, if anything.
    fn promised_by(name: &str) -> Option<Self> {
        let (_, extension) = name.rsplit_once('.')?;
        if extension.eq_ignore_ascii_case("gz") {
            Some(Self::Gzip)
        } else if extension.eq_ignore_ascii_case("zip") {
            Some(Self::Zip)
        } else {
            None
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gzip => "gzip",
            Self::Zip => "zip",
        }
    }
}

/// Visits what an opened file holds.
pub(super) fn visit_file<V: Visitor>(
    source: Source,
    mut file: File,
    visitor: &mut V,
) -> Result<(), V::Error> {
    match format(&source, &mut file) {
        Err(error) => visitor.failed(source, error),
        Ok((magic, Format::Zip)) => {
            // The archive's end comes first, wherever the file stands now.
            drop(magic);
            visit_zip(&source, file, visitor)
        }
        Ok((magic, format)) => visit_content(source, format, magic.chain(file), visitor),
    }
}

/// Visits a stream that cannot seek: plain or gzip.
pub(super) fn visit_stream<V: Visitor>(
    source: Source,
    mut stream: impl Read,
    visitor: &mut V,
) -> Result<(), V::Error> {
    match format(&source, &mut stream) {
        Err(error) => visitor.failed(source, error),
        Ok((_, Format::Zip)) => visitor.failed(source, SourceError::ZipInStream),
        Ok((magic, format)) => visit_content(source, format, magic.chain(stream), visitor),
    }
}

fn visit_content<V: Visitor>(
    source: Source,
    format: Format,
    content: impl Read,
    visitor: &mut V,
) -> Result<(), V::Error> {
    if format == Format::Gzip {
        let compressed = BufReader::with_capacity(BUFFER_LEN, content);
        visitor.source(source, &mut GzipReader::new(compressed))
    } else {
        let mut content = content;
        visitor.source(source, &mut content)
    }
}

/// Reads the first bytes, which must agree with the name, and tells what they are.
fn format(
    source: &Source,
    stream: &mut impl Read,
) -> Result<(Cursor<Vec<u8>>, Format), SourceError> {
    let mut magic = Vec::with_capacity(MAGIC_LEN);
    stream
        .take(MAGIC_LEN as u64)
        .read_to_end(&mut magic)
        .map_err(|error: io::Error| SourceError::Read { bytes: 0, error })?;
    let format = Format::of(&magic);
    match Format::promised_by(&source.source_file) {
        Some(promised) if promised != format => {
            Err(SourceError::NotWhatItsNameSays { format: promised.name() })
        }
        _ => Ok((Cursor::new(magic), format)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn magic_and_names() {
        assert_eq!(Format::of(b"\x1F\x8B\x08\x00"), Format::Gzip);
        assert_eq!(Format::of(b"PK\x03\x04"), Format::Zip);
        assert_eq!(Format::of(b"PK\x05\x06"), Format::Zip);
        assert_eq!(Format::of(b"0697"), Format::Plain);
        assert_eq!(Format::of(b"\x1F"), Format::Plain);
        assert_eq!(Format::of(b""), Format::Plain);
        assert_eq!(Format::promised_by("a.cdr.GZ"), Some(Format::Gzip));
        assert_eq!(Format::promised_by("a.b!c.zip"), Some(Format::Zip));
        assert_eq!(Format::promised_by("a.cdr"), None);
        assert_eq!(Format::promised_by("gz"), None);
    }
}
