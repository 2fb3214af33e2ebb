//! Rejects files to the sources that their lines came from.

use std::iter::{self, Peekable};
use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::naming::Naming;
use crate::opening::Opening;
use crate::rejects::{Provenance, Row, Rows};
use crate::source::RejectedLine;
use crate::visitor::Visitor;
use crate::walk::is_hidden;

/// Visits the sources of a rejects file, or of every one in a directory.
pub(crate) fn visit_rejects<V: Visitor>(
    path: &Path,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    let files = match rejects_files(path) {
        Ok(files) => files,
        Err(error) => return fail(path, SourceError::Open(error), opening, visitor),
    };
    for file in files {
        let before = opening.progress.bytes();
        match open(&file) {
            // Beside its rejects stands what a run wrote.
            Ok(rows) if rows.is_of_calls && file != path => {
                visitor.passed_over(file.display().to_string());
            }
            Ok(rows) => visit_rows(&file, rows.peekable(), opening, visitor)?,
            Err(error) => fail(&file, error, opening, visitor)?,
        }
        let len = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        opening.progress.set_bytes(before + len);
    }
    Ok(())
}

/// The file, or what of a directory may be rejects files: neither hidden nor directories, and with
/// names that end in `.parquet`.
///
/// # Errors
///
/// What the operating system says.
pub fn rejects_files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let path = entry.path();
        let is_parquet = path.extension().is_some_and(|extension| extension == "parquet");
        if is_parquet && !is_hidden(&entry.file_name()) && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn open(path: &Path) -> Result<Rows, SourceError> {
    // A fifo would keep whoever opens it waiting.
    if !fs::metadata(path).map_err(SourceError::Open)?.is_file() {
        return Err(SourceError::SpecialFile);
    }
    Rows::open(fs::File::open(path).and_then(WatchedFile::new).map_err(SourceError::Open)?)
}

/// A rejects file is replayed as a whole or not at all: like an archive that only its end can vouch
/// for.
fn visit_rows<V: Visitor>(
    path: &Path,
    mut rows: Peekable<Rows>,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    let naming = Naming::of_path(path, opening.settings);
    visitor.archive_began()?;
    let failure = loop {
        match next_source(&mut rows) {
            None => break None,
            Some(Err(error)) => break Some(error),
            Some(Ok(Provenance { source_file, hash, known })) => {
                let source = naming.replayed(&source_file, &known, opening.settings);
                let provenance = Provenance { source_file, hash, known };
                let mut lines = lines_of(&provenance, &mut rows);
                if let Err(error) = visitor.replay(source, hash, &mut lines)? {
                    break Some(error);
                }
                // The visitor may have had no use for the rest.
                if let Some(error) = lines.find_map(Result::err) {
                    break Some(error);
                }
            }
        }
    };
    visitor.archive_ended(failure.map(|error| (naming.source(opening.settings), error)))
}

/// What the next row tells of its source, or why there is no next row.
fn next_source(rows: &mut Peekable<Rows>) -> Option<Result<Provenance, SourceError>> {
    match rows.peek()? {
        Ok(row) => Some(Ok(row.provenance.clone())),
        Err(_) => rows.next().map(|row| row.map(|row| row.provenance)),
    }
}

/// The lines of a source, as far as they stand together.
fn lines_of<'r>(
    provenance: &'r Provenance,
    rows: &'r mut Peekable<Rows>,
) -> impl Iterator<Item = Result<RejectedLine, SourceError>> + use<'r> {
    iter::from_fn(move || {
        let is_next = |row: &Result<Row, _>| match row {
            Ok(row) => row.provenance == *provenance,
            Err(_) => true,
        };
        Some(rows.next_if(is_next)?.map(|row| row.line))
    })
}

fn fail<V: Visitor>(
    path: &Path,
    error: SourceError,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    visitor.failed(Naming::of_path(path, opening.settings).source(opening.settings), error)
}
