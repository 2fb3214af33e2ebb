//! Which files a run may write: none with a delivery's name, none of a lake, and none in place of a file
//! that is something else.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use cdrlake_core::carrier_name;
use cdrlake_parquet::directory;
use cdrlake_source::{INTERNAL, is_lake};
use parquet::file::metadata::ParquetMetaDataReader;

use crate::error::LoadError;

/// What a file that a run writes holds, and so which earlier file it may replace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileContent {
    /// A table of calls. It may replace any Parquet file.
    Calls,
    /// Rejected lines.
    Rejects,
    /// What came of a run, as JSON.
    Report,
    /// Metrics for Prometheus.
    Metrics,
    /// An audit, as a page.
    Page,
}

impl FileContent {
    /// What it is called in messages.
    const fn name(self) -> &'static str {
        match self {
            Self::Calls => "a Parquet file",
            Self::Rejects => "a file of rejected lines",
            Self::Report => "a report of cdrlake",
            Self::Metrics => "a file of cdrlake's metrics",
            Self::Page => "an audit of cdrlake",
        }
    }

    /// The ending that a file of this content has even where the rest of its name is a delivery's.
    const fn extension(self) -> &'static str {
        match self {
            Self::Calls | Self::Rejects => "parquet",
            Self::Report => "json",
            Self::Metrics => "prom",
            Self::Page => "html",
        }
    }

    /// Whether a file holds such content.
    fn is_in(self, path: &Path) -> io::Result<bool> {
        const HEAD: u64 = 4096;
        let mut file = File::open(path)?;
        let mut head = Vec::new();
        file.by_ref().take(HEAD).read_to_end(&mut head)?;
        Ok(match self {
            Self::Calls => head.starts_with(b"PAR1"),
            Self::Rejects => is_rejects(&file),
            Self::Report => {
                head.retain(|byte| !byte.is_ascii_whitespace());
                head.starts_with(b"{\"run_id\":")
            }
            Self::Metrics => head.starts_with(b"# HELP cdrlake_") || head.starts_with(b"cdrlake_"),
            Self::Page => {
                let head = String::from_utf8_lossy(&head);
                head.starts_with("<!DOCTYPE html>") && head.contains("<title>Audit of ")
            }
        })
    }
}

/// Whether a file is a Parquet file of rejected lines.
fn is_rejects(file: &File) -> bool {
    let Ok(metadata) = ParquetMetaDataReader::new().parse_and_finish(file) else { return false };
    let schema = metadata.file_metadata().schema_descr();
    let has = |name| schema.columns().iter().any(|column| column.name() == name);
    ["byte_offset", "code", "raw", "raw_length"].into_iter().all(has)
}

/// Checks that a file may be written, in place of what stands there now: an empty file, or one of the
/// same content. Devices and pipes, which are never replaced, may always be written.
///
/// # Errors
///
/// [`LoadError::OutputInLake`], [`LoadError::OutputIsDelivery`] or [`LoadError::OutputIsOther`];
/// [`LoadError::Read`], if what stands there cannot be read.
pub fn check_writable(path: &Path, content: FileContent) -> Result<(), LoadError> {
    let found = fs::metadata(path).ok();
    if found.as_ref().is_some_and(|metadata| !metadata.is_file()) {
        return Ok(());
    }
    check_place(path)?;
    let has_extension =
        path.extension().is_some_and(|found| found.eq_ignore_ascii_case(content.extension()));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if !has_extension && carrier_name(&name).is_some() {
        return Err(LoadError::OutputIsDelivery(path.to_owned()));
    }
    if found.is_none_or(|metadata| metadata.len() == 0) {
        return Ok(());
    }
    match content.is_in(path) {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(LoadError::OutputIsOther { path: path.to_owned(), expected: content.name() })
        }
        Err(error) => Err(LoadError::Read { path: path.to_owned(), error }),
    }
}

/// Checks that a file that the caller names would not stand in a lake, where all files are the lake's.
///
/// # Errors
///
/// [`LoadError::OutputInLake`].
pub fn check_place(path: &Path) -> Result<(), LoadError> {
    // A link is replaced where it stands, or written to where it leads.
    let target = path.canonicalize();
    for place in [Some(path), target.as_deref().ok()].into_iter().flatten() {
        let directory = existing(directory(place));
        let directory = directory.canonicalize().unwrap_or_else(|_| directory.to_owned());
        let is_inside = directory
            .ancestors()
            .any(|above| is_lake(above) || above.file_name().is_some_and(|name| name == INTERNAL));
        if is_inside {
            return Err(LoadError::OutputInLake(path.to_owned()));
        }
    }
    Ok(())
}

/// The directory, or the nearest one above it that exists.
fn existing(directory: &Path) -> &Path {
    let exists = |directory: &&Path| directory.as_os_str().is_empty() || directory.exists();
    let found = directory.ancestors().find(exists).unwrap_or(directory);
    if found.as_os_str().is_empty() { Path::new(".") } else { found }
}
