//! A file, or every file below a directory, to whoever takes sources.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::Seek;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cdrlake_core::is_unfinished;

use crate::checksum::{Checks, Expected, check};
use crate::container::Unwrapper;
use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::hidden::holds_records;
use crate::naming::Naming;
use crate::opening::Opening;
use crate::visitor::{Visitor, WhyLeftOut};
use crate::walk::{Met, walk};

/// Visits a file, or every file below a directory.
pub(crate) fn visit_path<V: Visitor>(
    path: &Path,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    let is_named = path.is_file();
    let mut directories: HashMap<PathBuf, Checks> = HashMap::new();
    walk(path, opening.excluded, &mut |path, met| {
        let naming = || Naming::of_path(path, opening.settings);
        match met {
            Met::File(metadata) => {
                let directory = path.parent().unwrap_or(path);
                let checks = match directories.get(directory) {
                    Some(checks) => checks,
                    None => {
                        let checks = match is_named {
                            true => Checks::of_named(path),
                            false => Checks::of_directory(directory),
                        };
                        directories.entry(directory.to_owned()).or_insert(checks)
                    }
                };
                file(path, &metadata, checks, opening, visitor)
            }
            Met::Room => {
                visitor.left_out(naming().name().to_owned(), WhyLeftOut::Room);
                Ok(())
            }
            Met::Hidden(metadata) => {
                let naming = naming();
                if !opening.selection.leaves_out(naming.name()) && is_forgotten(path, &metadata) {
                    visitor.left_out(naming.name().to_owned(), WhyLeftOut::HiddenRecords);
                }
                Ok(())
            }
            Met::Fault(error) => visitor.failed(naming().source(opening.settings), error),
        }
    })
}

/// Whether a hidden file holds records that nobody will load: one that is being written may be.
fn is_forgotten(path: &Path, metadata: &Metadata) -> bool {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_old = age(metadata) > DAY;
    (is_old || !is_unfinished(&name)) && holds_records(path)
}

/// Time since a file was changed last; 0 where nobody knows.
fn age(metadata: &Metadata) -> Duration {
    metadata.modified().ok().and_then(|modified| modified.elapsed().ok()).unwrap_or_default()
}

/// A file whose bytes are what they must be, at its beginning.
fn checked(
    mut file: WatchedFile,
    expected: &[Expected],
    opening: Opening<'_>,
) -> Result<WatchedFile, SourceError> {
    if expected.is_empty() {
        return Ok(file);
    }
    let read = |error| SourceError::Read { bytes: 0, error };
    match check(&mut opening.interrupt.watch(file.clone()), expected).map_err(read)? {
        Some(kind) => Err(SourceError::Checksum { kind }),
        None => {
            file.rewind().map_err(read)?;
            Ok(file)
        }
    }
}

fn file<V: Visitor>(
    path: &Path,
    metadata: &Metadata,
    checks: &Checks,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    let ordered = opening.inboxes.ordered(path, metadata.len());
    let naming = Naming::of_file(path, ordered, opening.settings);
    let why = if opening.selection.leaves_out(naming.name()) {
        Some(WhyLeftOut::Selection)
    } else if is_unfinished(naming.file_name()) {
        Some(WhyLeftOut::Unfinished(age(metadata)))
    } else {
        None
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let role = checks.role(name);
    if let Some(why) = why.or_else(|| role?.why_told()) {
        visitor.left_out(naming.name().to_owned(), why);
        return Ok(());
    }
    if role.is_some() {
        return Ok(());
    }
    let opened = fs::File::open(path).and_then(WatchedFile::new).map_err(SourceError::Open);
    let checked = opened.and_then(|file| checked(file, checks.expected(name), opening));
    let file = match checked {
        Ok(file) => file,
        Err(error) => return visitor.failed(naming.source(opening.settings), error),
    };
    let before = opening.progress.bytes();
    Unwrapper::new(opening, visitor).file(&naming, file)?;
    opening.progress.set_bytes(before + metadata.len());
    Ok(())
}
