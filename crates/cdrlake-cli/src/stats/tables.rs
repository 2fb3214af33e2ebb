//! Parquet files: a lake's, or single ones.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cdrlake::{LakeError, Progress};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::tally::{COLUMNS, Known, Tally};
use crate::interrupt;
use crate::outcome::Failure;

/// Rows read at a time.
const BATCH: usize = 8192;

/// What hive readers write for null.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Parquet files that a lake or a directory holds.
pub(super) struct Tables {
    pub(super) paths: Vec<PathBuf>,
    /// How many of them hold calls.
    pub(super) calls: u64,
}

/// The files of a lake.
pub(super) fn of_lake(root: &Path) -> Result<Tables> {
    let mut paths = parquet_files(&root.join("calls"))?;
    let calls = paths.len() as u64;
    // Where they stand depends on the version that made the lake.
    for directory in ["rejects", "_cdrlake/rejects"] {
        paths.extend(parquet_files(&root.join(directory))?);
    }
    Ok(Tables { paths, calls })
}

/// Counts the rows of one file, of calls or of rejected lines.
pub(super) fn add_file(path: &Path, tally: &mut Tally, progress: &Progress) -> Result<(), Failure> {
    progress.meet(path.display().to_string());
    read(path, tally, progress).with_context(|| format!("cannot count {}", path.display()))?;
    if interrupt::is_requested() { Err(LakeError::Interrupted.into()) } else { Ok(()) }
}

/// Up to the end, or to an interrupt.
fn read(path: &Path, tally: &mut Tally, progress: &Progress) -> Result<()> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    // Text as text, however it was before it was written.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options)?;
    let has = |name: &str| builder.schema().column_with_name(name).is_some();
    let is_rejects = has("code") && has("raw") && !has("start_time");
    let columns = if is_rejects { &["code"][..] } else { &COLUMNS[..] };
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let known = partition(path);
    let all_rows = builder.metadata().file_metadata().num_rows().max(1) as f64;
    let (mut rows_before, mut bytes_before) = (0, 0);
    for rows in builder.with_projection(mask).with_batch_size(BATCH).build()? {
        let rows = rows?;
        if is_rejects {
            tally.add_rejects(&rows)?;
            progress.add_lines(0, rows.num_rows() as u64);
        } else {
            tally.add_rows(&rows, &known)?;
            progress.add_lines(rows.num_rows() as u64, 0);
        }
        rows_before += rows.num_rows();
        let bytes_now = (bytes as f64 * (rows_before as f64 / all_rows)) as u64;
        progress.add_bytes(bytes_now - bytes_before);
        bytes_before = bytes_now;
        if interrupt::is_requested() {
            break;
        }
    }
    Ok(())
}

/// What the directories of a path tell, as `country=GB`.
fn partition(path: &Path) -> Known {
    let directories = path.iter().filter_map(|part| part.to_str()?.split_once('='));
    let value = |value: &str| (value != NULL_PARTITION).then(|| value.to_owned());
    directories.map(|(name, text)| (name.to_owned(), value(text))).collect()
}

/// All below a directory, sorted; none if it is not there.
fn parquet_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        if !directory.is_dir() {
            continue;
        }
        let context = || format!("cannot read {}", directory.display());
        for entry in fs::read_dir(&directory).with_context(context)? {
            let path = entry.with_context(context)?.path();
            if path.is_dir() {
                directories.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "parquet" || extension == "pq")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
