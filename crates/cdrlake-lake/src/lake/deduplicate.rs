//! Records that another source holds, left out of new files before they are published.
//!
//! Of records with identical wire bytes, as many copies are kept as the one source has that has
//! most of them: two equal short calls in one delivery are two calls, and the same two in a
//! consolidated archive are still two. Identical bytes have the same date, so this goes a partition
//! at a time; and of a partition's `record_id`s only as many are in memory at once as may be: the
//! files are read again for the next share.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use cdrlake_core::RECORD_ID_LEN;
use hashbrown::HashMap;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use roaring::RoaringTreemap;

use super::Lake;
use super::rewrite::Rewriter;
use crate::error::LakeError;
use crate::ledger::{FileKind, LedgerFile, SourceId};
use crate::partition::Partition;
use crate::staging::{PartitionFile, SourceRows, add_rows};

type Id = [u8; RECORD_ID_LEN];

/// What of a source was left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Dropped {
    pub(super) records: u64,
    /// Tenths of seconds of its calls.
    pub(super) tenths: u64,
}

/// Which rows take part.
pub(super) struct Deduplication<'d> {
    pub(super) lake: &'d Lake,
    /// Sources whose rows are about to go.
    pub(super) leaving: &'d [SourceId],
    /// By index in the run: whether a row of the source may be left out.
    pub(super) takes_part: &'d dyn Fn(usize) -> bool,
    /// Bytes that identifiers may take.
    pub(super) memory: usize,
}

/// How many copies of a record are kept so far.
#[derive(Clone, Copy, Default)]
struct Copies {
    kept: u32,
    /// The source whose copies are being counted, and how many it has so far.
    source: usize,
    of_source: u32,
}

impl Deduplication<'_> {
    /// Leaves rows out of `files`, which are new, and says how many of each source.
    pub(super) fn run(
        &self,
        files: Vec<PartitionFile>,
        rewriter: &Rewriter<'_>,
    ) -> Result<(Vec<PartitionFile>, BTreeMap<usize, Dropped>), LakeError> {
        let mut groups: BTreeMap<Partition, Vec<PartitionFile>> = BTreeMap::new();
        for file in files {
            groups.entry(file.partition.without_country()).or_default().push(file);
        }
        let known = self.lake.ledger.files(FileKind::Calls)?;
        let mut all_dropped = BTreeMap::new();
        let mut left = Vec::new();
        for (partition, files) in groups {
            let is_of_group = |file: &&LedgerFile| partition.holds_path(&file.path);
            let known: Vec<&LedgerFile> = known.iter().filter(is_of_group).collect();
            let drops = self.find(&files, &known, &mut all_dropped)?;
            for (file, drops) in files.into_iter().zip(drops) {
                left.extend(without(file, &drops, rewriter)?);
            }
        }
        left.sort_by_key(|file| file.id);
        Ok((left, all_dropped))
    }

    /// The rows of each new file that are left out.
    fn find(
        &self,
        files: &[PartitionFile],
        known: &[&LedgerFile],
        dropped: &mut BTreeMap<usize, Dropped>,
    ) -> Result<Vec<RoaringTreemap>, LakeError> {
        /// What an identifier takes in the table, free places included.
        const ENTRY_BYTES: u64 = 64;
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let shares = (rows * ENTRY_BYTES).div_ceil(self.memory.max(1) as u64).max(1);
        let mut drops = vec![RoaringTreemap::new(); files.len()];
        for share in 0..shares {
            let is_of_share = |id: &Id| {
                let [first, second, third, fourth, ..] = *id;
                u64::from(u32::from_le_bytes([first, second, third, fourth])) % shares == share
            };
            let mut copies: HashMap<Id, Copies> = HashMap::new();
            for file in files {
                read_ids(&file.file, &mut |_, id, _| {
                    if is_of_share(id) {
                        copies.entry(*id).or_default();
                    }
                })?;
            }
            for file in known {
                self.count(file, &mut copies)?;
            }
            for (file, drops) in files.iter().zip(&mut drops) {
                let mut source_of = Sources::of(&file.sources);
                read_ids(&file.file, &mut |row, id, tenths| {
                    let source = source_of.row(row);
                    if let Some(copies) = copies.get_mut(id)
                        && (self.takes_part)(source)
                        && !copies.keep(source)
                    {
                        drops.insert(row);
                        let dropped = dropped.entry(source).or_default();
                        dropped.records += 1;
                        dropped.tenths += tenths;
                    }
                })?;
            }
        }
        Ok(drops)
    }

    /// Counts the copies that a file of the lake has, but for those that are about to go.
    fn count(&self, file: &LedgerFile, copies: &mut HashMap<Id, Copies>) -> Result<(), LakeError> {
        let sources = self.lake.ledger.rows_of(file)?;
        let rows = sources.iter().enumerate();
        let rows = rows.map(|(source, &(_, rows))| SourceRows { source, rows }).collect::<Vec<_>>();
        let mut source_of = Sources::of(&rows);
        read_ids(&self.lake.root.join(&file.path), &mut |row, id, _| {
            let source = sources.get(source_of.row(row)).map(|(source, _)| source);
            if source.is_some_and(|source| !self.leaving.contains(source))
                && let Some(copies) = copies.get_mut(id)
            {
                copies.kept += 1;
            }
        })
    }
}

impl Copies {
    /// Whether the next copy, which is of this source, is kept.
    fn keep(&mut self, source: usize) -> bool {
        if self.source != source || self.of_source == 0 {
            (self.source, self.of_source) = (source, 0);
        }
        self.of_source += 1;
        let is_kept = self.of_source > self.kept;
        self.kept += u32::from(is_kept);
        is_kept
    }
}

/// Whose each row is, asked for in the order of rows.
struct Sources<'s> {
    rest: &'s [SourceRows],
    /// The row behind those of the first of `rest`.
    end: u64,
}

impl<'s> Sources<'s> {
    fn of(all: &'s [SourceRows]) -> Self {
        Self { rest: all, end: all.first().map_or(0, |rows| rows.rows) }
    }

    fn row(&mut self, row: u64) -> usize {
        while row >= self.end
            && let [_, rest @ ..] = self.rest
            && let [next, ..] = rest
        {
            self.rest = rest;
            self.end += next.rows;
        }
        self.rest.first().map_or(usize::MAX, |rows| rows.source)
    }
}

/// Gives each row's number, `record_id` and tenths of seconds.
fn read_ids(path: &Path, visit: &mut dyn FnMut(u64, &Id, u64)) -> Result<(), LakeError> {
    let parquet = |error| LakeError::Parquet { path: path.to_owned(), error };
    let file = File::open(path).map_err(LakeError::write(path))?;
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
    let columns = ProjectionMask::columns(builder.parquet_schema(), ["duration", "record_id"]);
    let mut row = 0;
    for batch in builder.with_projection(columns).build().map_err(parquet)? {
        let batch = batch.map_err(|error| parquet(ParquetError::from(error)))?;
        let (Some(ids), Some(durations)) =
            (batch.column_by_name("record_id"), batch.column_by_name("duration"))
        else {
            return Err(LakeError::FileChanged(path.to_owned()));
        };
        let durations = durations.as_primitive::<Decimal128Type>().values();
        let ids = ids.as_fixed_size_binary().iter();
        for (id, tenths) in ids.zip(durations) {
            let Some(id) = id.and_then(|id| id.try_into().ok()) else {
                return Err(LakeError::FileChanged(path.to_owned()));
            };
            visit(row, id, *tenths as u64);
            row += 1;
        }
    }
    Ok(())
}

/// A new file without some of its rows; none if none are left.
fn without(
    file: PartitionFile,
    drops: &RoaringTreemap,
    rewriter: &Rewriter<'_>,
) -> Result<Option<PartitionFile>, LakeError> {
    if drops.is_empty() {
        return Ok(Some(file));
    }
    if drops.len() == file.rows {
        return Ok(None);
    }
    let copy = rewriter.copy(&file.file, file.rows, drops)?;
    let mut sources = Vec::new();
    let mut first = 0;
    for &SourceRows { source, rows } in &file.sources {
        let left = rows - drops.range_cardinality(first..first + rows);
        if left > 0 {
            add_rows(&mut sources, SourceRows { source, rows: left });
        }
        first += rows;
    }
    Ok(Some(PartitionFile {
        id: file.id,
        partition: file.partition,
        file: copy.file.file.into_temp_path(),
        rows: copy.file.rows,
        bytes: copy.file.bytes,
        tenths: copy.tenths,
        sources,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many copies are kept as the source has that has most.
    #[test]
    fn copies_of_one_source_are_kept() {
        let kept = |existing: u32, sources: &[usize]| {
            let mut copies = Copies { kept: existing, ..Copies::default() };
            sources.iter().map(|&source| copies.keep(source)).collect::<Vec<_>>()
        };
        assert_eq!(kept(0, &[0, 0, 1, 1]), [true, true, false, false]);
        assert_eq!(kept(0, &[0, 1, 1, 2, 2, 2]), [true, false, true, false, false, true]);
        assert_eq!(kept(2, &[4, 4, 4, 5]), [false, false, true, false]);
    }

    #[test]
    fn rows_belong_to_their_sources() {
        let all = [(7, 2), (3, 1), (9, 3)].map(|(source, rows)| SourceRows { source, rows });
        let mut sources = Sources::of(&all);
        assert_eq!((0..6).map(|row| sources.row(row)).collect::<Vec<_>>(), [7, 7, 3, 9, 9, 9]);
        let mut sources = Sources::of(&all);
        assert_eq!([1, 5].map(|row| sources.row(row)), [7, 9]);
    }
}
