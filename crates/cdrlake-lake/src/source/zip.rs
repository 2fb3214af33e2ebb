//! Zip archives: every entry a source, named `archive!entry`.

use std::io::{BufReader, Read, Seek, SeekFrom};

use cdrlake_core::parse_file_name;
use zip::ZipArchive;
use zip::result::ZipError;

use super::container::visit_stream;
use super::{Source, SourceError, Visitor, label};

/// Visits the entries of an archive in the order of its directory. An entry that fails does not
/// keep the others from loading.
pub(super) fn visit_zip<V: Visitor>(
    archive: &Source,
    mut file: impl Read + Seek,
    visitor: &mut V,
) -> Result<(), V::Error> {
    let opened = file
        .seek(SeekFrom::Start(0))
        .map_err(ZipError::Io)
        .and_then(|_| ZipArchive::new(BufReader::new(file)));
    // Every header is checked against the directory: two entries of one name would be one source.
    let opened =
        opened.and_then(|mut entries| entries.validate_header_consistency().map(|()| entries));
    let mut entries = match opened {
        Ok(entries) => entries,
        Err(error) => return visitor.failed(archive.clone(), zip_error(error)),
    };
    for index in 0..entries.len() {
        let name = entries.name_for_index(index).and_then(Result::ok);
        let label = name.map_or_else(|| format!("entry {index}"), |name| label(&name));
        match entries.by_index(index) {
            Ok(entry) if entry.is_dir() => {}
            Ok(entry) => visit_stream(member(archive, &label), entry, visitor)?,
            Err(error) => visitor.failed(member(archive, &label), zip_error(error))?,
        }
    }
    Ok(())
}

/// What is known of an entry: its own name's metadata, then its archive's.
fn member(archive: &Source, entry: &str) -> Source {
    let (_, file_name) = entry.rsplit_once(['/', '\\']).unwrap_or(("", entry));
    let profile = archive.metadata.profile.as_deref();
    Source {
        name: format!("{}!{entry}", archive.name),
        source_file: format!("{}!{entry}", archive.source_file),
        metadata: parse_file_name(file_name, profile).or(&archive.metadata),
    }
}

fn zip_error(error: ZipError) -> SourceError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => SourceError::Encrypted,
        ZipError::Io(error) => SourceError::Read { bytes: 0, error },
        error => SourceError::Zip(error),
    }
}
