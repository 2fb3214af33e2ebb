//! Records that another source holds, left out of new files before they are published.
//!
//! Of records with identical wire bytes, as many copies are kept as the one source has that has
//! most of them: two equal short calls in one delivery are two calls, and the same two in a
//! consolidated archive are still two. A line that is replayed counts with those its source has in
//! the lake. Identical bytes have the same date, so this goes a partition at a time; and of a
//! partition's `record_id`s only as many are in memory at once as may be: the files are read again
//! for the next share.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use cdrlake_core::RECORD_ID_LEN;
use cdrlake_load::{SourceIdentities, SourceRows};
use cdrlake_run::Interrupt;
use hashbrown::HashMap;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::errors::ParquetError;
use roaring::RoaringTreemap;

use crate::commit::{Commit, FileChunks};
use crate::error::LakeError;
use crate::format::record_ids;
use crate::model::{FileKind, LakeFile, RowsBySource, SourceId, SourceRef};
use crate::open_lake::OpenLake;
use crate::partition::Partition;
use crate::rewrite::Rewriter;
use crate::snapshot::Snapshot;
use crate::staging::PartitionFile;

type Id = [u8; RECORD_ID_LEN];

/// New files without what was left out of them.
pub(crate) struct Deduplicated {
    pub(crate) files: Vec<PartitionFile>,
    /// By index in the run.
    pub(crate) dropped: BTreeMap<usize, Dropped>,
}

/// What of a source was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dropped {
    pub(crate) records: u64,
    /// Tenths of seconds of its calls.
    pub(crate) tenths: u64,
    /// The sources that hold what was kept.
    pub(crate) kept_by: BTreeSet<SourceRef>,
}

/// What takes part.
pub(crate) struct Deduplication<'d, C: Commit> {
    pub(crate) open: OpenLake<'d, C>,
    pub(crate) snapshot: &'d C::Snapshot,
    /// Sources whose rows are about to go.
    pub(crate) leaving: &'d BTreeSet<SourceId>,
    /// What the sources of the run are, by their index: new ones, or ones of the lake, of which
    /// more lines come.
    pub(crate) refs: &'d [Option<SourceRef>],
    /// The run's sources, as far as files tell of them.
    pub(crate) identities: &'d SourceIdentities,
    /// Bytes that identifiers may take.
    pub(crate) memory: usize,
}

/// The copies of a record so far.
#[derive(Clone, Copy, Default)]
struct Copies {
    kept: u32,
    /// The sources that hold them, by their number among [`Keepers`].
    keepers: u32,
    /// The source whose copies are being counted, and how many it has so far.
    source: u32,
    of_source: u32,
}

impl<C: Commit> Deduplication<'_, C> {
    /// Leaves rows out of `files`, which are new, and says how many of each source.
    pub(crate) fn run(
        &self,
        files: Vec<PartitionFile>,
        rewriter: &Rewriter<'_>,
    ) -> Result<Deduplicated, LakeError> {
        let mut groups: BTreeMap<Partition, Vec<PartitionFile>> = BTreeMap::new();
        for file in files {
            groups.entry(file.partition.without_country()).or_default().push(file);
        }
        let known = self.snapshot.files(FileKind::Calls)?;
        let mut dropped = BTreeMap::new();
        let mut left = Vec::new();
        for (partition, files) in groups {
            let is_of_group = |file: &&LakeFile| file.partition.without_country() == partition;
            let known = self.staying(known.iter().filter(is_of_group))?;
            let drops = self.find(&files, &known, &mut dropped)?;
            for (file, drops) in files.into_iter().zip(drops) {
                left.extend(rewriter.without_rows(file, &drops, self.identities)?);
            }
        }
        left.sort_by_key(|file| file.id);
        for (index, dropped) in &mut dropped {
            // A source and what it kept itself go together.
            if let Some(source) = self.refs.get(*index).copied().flatten() {
                dropped.kept_by.remove(&source);
            }
        }
        Ok(Deduplicated { files: left, dropped })
    }

    /// Those files of the lake of which any row stays, verified, with whose their rows are.
    fn staying<'f>(
        &self,
        files: impl Iterator<Item = &'f LakeFile>,
    ) -> Result<Vec<(&'f LakeFile, RowsBySource)>, LakeError> {
        let mut staying = Vec::new();
        for file in files {
            let rows = self.snapshot.rows_of(file)?;
            if rows.iter().any(|(source, _)| !self.leaving.contains(source)) {
                self.open.read_verified(file)?;
                staying.push((file, rows));
            }
        }
        Ok(staying)
    }

    /// The rows of each new file that are left out.
    fn find(
        &self,
        files: &[PartitionFile],
        known: &[(&LakeFile, RowsBySource)],
        dropped: &mut BTreeMap<usize, Dropped>,
    ) -> Result<Vec<RoaringTreemap>, LakeError> {
        /// What an identifier takes in a table, free places included.
        const ENTRY_BYTES: u64 = 64;
        let rows: u64 = files.iter().map(|file| file.rows).sum();
        let replayed: BTreeSet<SourceId> = self.replayed().collect();
        let tables = if replayed.is_empty() { 1 } else { 2 };
        let shares = (rows * ENTRY_BYTES * tables).div_ceil(self.memory.max(1) as u64).max(1);
        let mut drops = vec![RoaringTreemap::new(); files.len()];
        let mut keepers = Keepers::default();
        for share in 0..shares {
            let is_of_share = |id: &Id| {
                let [first, second, third, fourth, ..] = *id;
                u64::from(u32::from_le_bytes([first, second, third, fourth])) % shares == share
            };
            let mut table = Table::default();
            for file in files {
                self.read_staged(&file.file, &mut |_, id, _| {
                    if is_of_share(id) {
                        table.copies.entry(*id).or_default();
                    }
                })?;
            }
            for (file, sources) in known {
                self.count(file, sources, &replayed, &mut table, &mut keepers)?;
            }
            for (file, drops) in files.iter().zip(&mut drops) {
                let mut source_of = Sources::of(&file.sources);
                self.read_staged(&file.file, &mut |row, id, tenths| {
                    let index = source_of.row(row);
                    if let Some(source) = self.refs.get(index).copied().flatten()
                        && let Some(kept_by) = table.drop(id, source, &mut keepers)
                    {
                        drops.insert(row);
                        let dropped = dropped.entry(index).or_default();
                        dropped.records += 1;
                        dropped.tenths += tenths;
                        dropped.kept_by.extend(keepers.of(kept_by));
                    }
                })?;
            }
        }
        Ok(drops)
    }

    /// Sources of the lake of which more lines come.
    fn replayed(&self) -> impl Iterator<Item = SourceId> {
        self.refs.iter().filter_map(|source| match source {
            Some(SourceRef::Known(source)) => Some(*source),
            _ => None,
        })
    }

    /// Counts the copies that a file of the lake has, but for those that are about to go.
    fn count(
        &self,
        file: &LakeFile,
        sources: &[(SourceId, u64)],
        replayed: &BTreeSet<SourceId>,
        table: &mut Table,
        keepers: &mut Keepers,
    ) -> Result<(), LakeError> {
        let rows = sources.iter().enumerate();
        let rows = rows.map(|(source, &(_, rows))| SourceRows { source, rows }).collect::<Vec<_>>();
        let mut source_of = Sources::of(&rows);
        let chunks = self.open.lake.read(&file.path)?;
        self.read_ids(chunks, &self.open.lake.locate(&file.path), &mut |row, id, _| {
            if let Some(&(source, _)) = sources.get(source_of.row(row))
                && !self.leaving.contains(&source)
            {
                table.count(id, source, replayed, keepers);
            }
        })
    }

    /// The same of a new file, which is not staged yet.
    fn read_staged(
        &self,
        path: &Path,
        visit: &mut dyn FnMut(u64, &Id, u64),
    ) -> Result<(), LakeError> {
        let file = File::open(path).map_err(LakeError::read(path))?;
        self.read_ids(FileChunks::File(file), path, visit)
    }

    /// Gives each row's number, `record_id` and tenths of seconds.
    fn read_ids(
        &self,
        file: FileChunks,
        path: &Path,
        visit: &mut dyn FnMut(u64, &Id, u64),
    ) -> Result<(), LakeError> {
        read_ids(file, path, self.open.interrupt, visit)
    }
}

/// The records of new files, and the copies of each.
#[derive(Default)]
struct Table {
    copies: HashMap<Id, Copies>,
    /// Copies that sources of the lake have, of which more lines come.
    own: HashMap<(Id, SourceId), u32>,
}

impl Table {
    /// Counts a copy that is in the lake.
    fn count(
        &mut self,
        id: &Id,
        source: SourceId,
        replayed: &BTreeSet<SourceId>,
        keepers: &mut Keepers,
    ) {
        let Some(copies) = self.copies.get_mut(id) else { return };
        copies.kept += 1;
        copies.keepers = keepers.with(copies.keepers, SourceRef::Known(source));
        if replayed.contains(&source) {
            *self.own.entry((*id, source)).or_default() += 1;
        }
    }

    /// The keepers of a record's copies, if the next one, which is of this source, is dropped.
    fn drop(&mut self, id: &Id, source: SourceRef, keepers: &mut Keepers) -> Option<u32> {
        let copies = self.copies.get_mut(id)?;
        let is_kept = match source {
            SourceRef::Added(place) => copies.keep(place as u32),
            // The lines of one source may stand in several places.
            SourceRef::Known(source) => {
                let own = self.own.entry((*id, source)).or_default();
                *own += 1;
                copies.keep_if(*own)
            }
        };
        if !is_kept {
            return Some(copies.keepers);
        }
        copies.keepers = keepers.with(copies.keepers, source);
        None
    }
}

impl Copies {
    /// Whether the next copy, which is of this source, is kept.
    fn keep(&mut self, source: u32) -> bool {
        if self.source != source || self.of_source == 0 {
            (self.source, self.of_source) = (source, 0);
        }
        self.of_source += 1;
        self.keep_if(self.of_source)
    }

    /// Whether a copy is kept that is the last of so many of its source.
    fn keep_if(&mut self, of_source: u32) -> bool {
        let is_kept = of_source > self.kept;
        self.kept += u32::from(is_kept);
        is_kept
    }
}

/// Sets of sources that hold copies, each once: there are few, and millions of records. The first
/// is empty.
#[derive(Default)]
struct Keepers {
    /// Each set but the first by the one it was made from, and what was added.
    sets: Vec<(u32, SourceRef)>,
    numbers: HashMap<(u32, SourceRef), u32>,
}

impl Keepers {
    /// The number of the set with this source more.
    fn with(&mut self, set: u32, source: SourceRef) -> u32 {
        if self.of(set).any(|known| known == source) {
            return set;
        }
        *self.numbers.entry((set, source)).or_insert_with(|| {
            self.sets.push((set, source));
            self.sets.len() as u32
        })
    }

    fn of(&self, mut set: u32) -> impl Iterator<Item = SourceRef> {
        std::iter::from_fn(move || {
            let (rest, source) = *self.sets.get((set as usize).checked_sub(1)?)?;
            set = rest;
            Some(source)
        })
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

/// Gives each row's number, `record_id` and tenths of seconds, unless the run is to end.
fn read_ids(
    file: FileChunks,
    path: &Path,
    interrupt: &Interrupt,
    visit: &mut dyn FnMut(u64, &Id, u64),
) -> Result<(), LakeError> {
    let parquet = |error| LakeError::Parquet { path: path.to_owned(), error };
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(parquet)?;
    let columns = ProjectionMask::columns(builder.parquet_schema(), ["duration", "record_id"]);
    let mut row = 0;
    for batch in builder.with_projection(columns).build().map_err(parquet)? {
        interrupt.check()?;
        let batch = batch.map_err(|error| parquet(ParquetError::from(error)))?;
        let (Some(ids), Some(durations)) =
            (batch.column_by_name("record_id"), batch.column_by_name("duration"))
        else {
            return Err(LakeError::FileChanged(path.to_owned()));
        };
        let durations = durations.as_primitive::<Decimal128Type>().values();
        for (id, tenths) in record_ids(ids).into_iter().zip(durations) {
            let Some(id) = id else {
                return Err(LakeError::FileChanged(path.to_owned()));
            };
            visit(row, id, *tenths as u64);
            row += 1;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As many copies are kept as the source has that has most.
    #[test]
    fn copies_of_one_source_are_kept() {
        let kept = |existing: u32, sources: &[u32]| {
            let mut copies = Copies { kept: existing, ..Copies::default() };
            sources.iter().map(|&source| copies.keep(source)).collect::<Vec<_>>()
        };
        assert_eq!(kept(0, &[0, 0, 1, 1]), [true, true, false, false]);
        assert_eq!(kept(0, &[0, 1, 1, 2, 2, 2]), [true, false, true, false, false, true]);
        assert_eq!(kept(2, &[4, 4, 4, 5]), [false, false, true, false]);
    }

    #[test]
    fn keepers_of_copies() {
        let mut keepers = Keepers::default();
        let [a, b] = [SourceRef::Added(0), SourceRef::Added(1)];
        let of_a = keepers.with(0, a);
        let of_both = keepers.with(of_a, b);
        assert_eq!(keepers.with(of_both, a), of_both);
        assert_eq!((keepers.with(0, a), keepers.with(of_a, b)), (of_a, of_both));
        assert_eq!(keepers.of(0).count(), 0);
        assert_eq!(keepers.of(of_both).collect::<Vec<_>>(), [b, a]);
    }

    #[test]
    fn an_interrupt_ends_the_reading_of_identifiers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("calls.cdr");
        let calls = cdrlake_generate::frozen::Calls::new(1, 5);
        std::fs::write(&path, calls.flatten().collect::<Vec<u8>>()).unwrap();
        let output = directory.path().join("calls.parquet");
        let mut load = cdrlake_load::LoadOptions::new(vec![cdrlake_source::Input::Path(path)]);
        load.record_id = cdrlake_core::RecordId::Fill;
        cdrlake_load::convert(&cdrlake_load::ConvertOptions {
            compression: cdrlake_parquet::Compression::None,
            ..cdrlake_load::ConvertOptions::new(load, output.clone())
        })
        .unwrap();
        let open = || FileChunks::File(File::open(&output).unwrap());
        let mut rows = 0;
        read_ids(open(), &output, &Interrupt::default(), &mut |_, _, _| rows += 1).unwrap();
        assert_eq!(rows, 5);
        let requested = Interrupt::new(std::sync::Arc::new(true.into()));
        let result = read_ids(open(), &output, &requested, &mut |_, _, _| rows += 1);
        assert!(matches!(result, Err(LakeError::Interrupted)) && rows == 5);
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
