//! Parquet files: a lake's, or single ones.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

use super::tally::{COLUMNS, Known, Tally};

/// Rows read at a time.
const BATCH: usize = 8192;

/// What hive readers write for null.
const NULL_PARTITION: &str = "__HIVE_DEFAULT_PARTITION__";

/// Counts what is in a lake; gives the number of its files of calls.
pub(super) fn add_lake(root: &Path, tally: &mut Tally) -> Result<u64> {
    let calls = parquet_files(&root.join("calls"))?;
    for path in calls.iter().chain(&parquet_files(&root.join("rejects"))?) {
        add_file(path, tally)?;
    }
    Ok(calls.len() as u64)
}

/// Counts the rows of one file, of calls or of rejected lines.
pub(super) fn add_file(path: &Path, tally: &mut Tally) -> Result<()> {
    read(path, tally).with_context(|| format!("cannot count {}", path.display()))
}

fn read(path: &Path, tally: &mut Tally) -> Result<()> {
    // Text as text, however it was before it was written.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(File::open(path)?, options)?;
    let has = |name: &str| builder.schema().column_with_name(name).is_some();
    let is_rejects = has("code") && has("raw") && !has("start_time");
    let columns = if is_rejects { &["code"][..] } else { &COLUMNS[..] };
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let known = partition(path);
    for rows in builder.with_projection(mask).with_batch_size(BATCH).build()? {
        let rows = rows?;
        if is_rejects {
            tally.add_rejects(&rows)?;
        } else {
            tally.add_rows(&rows, &known)?;
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
            } else if path.extension().is_some_and(|extension| extension == "parquet") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}
