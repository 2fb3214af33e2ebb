//! Records that were delivered in two sources and are in the lake twice.
//!
//! A record's identity is its `record_id` where the lake has that, else a hash of the columns that
//! come from the record's bytes. Equal records start at the same time, so they are looked for in
//! one partition of time after another. Of those too large for memory only the records are kept
//! whose identity lies in one part of all identities, and the files are read again for the next.
//! Equal records of one source are calls of their own, and no overlap.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Decimal128Type;
use cdrlake_lake::{
    Facts, FileFacts, LakeFormat, LakeReader, hash_value, record_ids, wire_columns,
};
use cdrlake_load::Seconds;
use parquet::errors::{ParquetError, Result};

use crate::finding::{Finding, Observation, Series};
use crate::scan::{OpenFile, column, sources_of};

/// A file that cannot be read.
pub(super) struct Unreadable {
    pub(super) path: String,
    pub(super) error: ParquetError,
}

impl Unreadable {
    pub(super) fn of(file: &FileFacts) -> impl FnOnce(ParquetError) -> Self {
        let path = file.path.clone();
        move |error| Self { path, error }
    }
}

/// Bytes that the records of a pass may take.
pub(super) const MEMORY: usize = 256 << 20;

const RECORD_ID: &str = "record_id";

/// The overlaps among these files of calls, all of which can be read.
pub(super) fn check(
    lake: &LakeReader,
    facts: &Facts,
    files: &[&FileFacts],
    memory: usize,
) -> std::result::Result<Vec<Finding>, Unreadable> {
    let mut pairs = BTreeMap::new();
    for files in partitions(files.iter().copied()).values() {
        check_partition(lake, facts.format, files, memory, &mut pairs)?;
    }
    let findings = pairs.into_iter().filter_map(|((first, second), overlap)| {
        let (first, second) = (facts.sources.get(&first)?, facts.sources.get(&second)?);
        // What was kept of a source when it was deduplicated are copies that others have not. Of
        // what was replayed later without that, nobody knows.
        let is_replayed = first.has_plain_replays || second.has_plain_replays;
        if second.records_duplicate > 0 && !is_replayed {
            return None;
        }
        Some(Finding::new(
            Series::of(second),
            Observation::Overlap {
                first: first.name.clone(),
                second: second.name.clone(),
                content_hashes: [first.key().to_owned(), second.key().to_owned()],
                records: overlap.records,
                seconds: Seconds::from_tenths(overlap.tenths),
            },
        ))
    });
    Ok(findings.collect())
}

/// Files by the time in which their calls started.
fn partitions<'f>(
    files: impl Iterator<Item = &'f FileFacts>,
) -> BTreeMap<&'f str, Vec<&'f FileFacts>> {
    let mut partitions: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for file in files {
        partitions.entry(period(&file.path)).or_default().push(file);
    }
    partitions
}

/// How many bytes [`check`] reads, if these files have as many as `bytes` says.
pub(super) fn bytes_read<'f>(
    files: impl Iterator<Item = &'f FileFacts>,
    memory: usize,
    bytes: impl Fn(&FileFacts) -> u64,
) -> u64 {
    let of_partition = |files: &Vec<&FileFacts>| {
        passes(files, memory) * files.iter().map(|file| bytes(file)).sum::<u64>()
    };
    partitions(files).values().map(of_partition).sum()
}

/// How often [`check`] reads each of these files, all of one partition.
fn passes(files: &[&FileFacts], memory: usize) -> u64 {
    let mut sources = files.iter().flat_map(|file| &file.sources).map(|part| part.source);
    let first = sources.next();
    if sources.all(|source| Some(source) == first) {
        return 0;
    }
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    // Identities are evenly spread, but not quite.
    let room = (memory / size_of::<Entry>()).max(1) as u64;
    if rows <= room { 1 } else { (rows + rows / 8).div_ceil(room) }
}

/// What of a file's path tells when its calls started. A record may be in two countries'
/// directories, if one of its sources did not tell the country.
fn period(path: &str) -> &str {
    path.split('/').find(|part| part.starts_with("call_")).unwrap_or_default()
}

#[derive(Default)]
struct Overlap {
    records: u64,
    tenths: u64,
}

/// By numbers of sources, the one loaded first in front.
type Pairs = BTreeMap<(i64, i64), Overlap>;

/// A row as far as overlaps go; ordered by identity, then by source.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    identity: [u64; 2],
    source: u32,
    tenths: u32,
}

fn check_partition(
    lake: &LakeReader,
    format: LakeFormat,
    files: &[&FileFacts],
    memory: usize,
    pairs: &mut Pairs,
) -> std::result::Result<(), Unreadable> {
    let mut sources: Vec<i64> =
        files.iter().flat_map(|file| &file.sources).map(|part| part.source).collect();
    sources.sort_unstable();
    sources.dedup();
    let passes = passes(files, memory);
    if passes == 0 {
        return Ok(());
    }
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let identity = Identity::of(lake, files, format)?;
    for pass in 0..passes {
        let mut entries: Vec<Entry> = Vec::with_capacity((rows / passes) as usize);
        for file in files {
            let keep = |entry: Entry| {
                if entry.identity[0] % passes == pass {
                    entries.push(entry);
                }
            };
            read(lake, file, &identity, &sources, keep).map_err(Unreadable::of(file))?;
        }
        entries.sort_unstable();
        entries
            .chunk_by(|a, b| a.identity == b.identity)
            .for_each(|same| count(same, &sources, pairs));
    }
    Ok(())
}

fn read(
    lake: &LakeReader,
    file: &FileFacts,
    identity: &Identity,
    sources: &[i64],
    mut on_entry: impl FnMut(Entry),
) -> Result<()> {
    OpenFile::open(lake, &file.path)?.read(&identity.columns(), &mut |first_row, batch| {
        let durations = column(batch, "duration")?.as_primitive_opt::<Decimal128Type>();
        let durations = durations.ok_or_else(other_type)?;
        let rows = Identified::of(batch, identity)?;
        for (source, range) in sources_of(file, first_row, batch.num_rows()) {
            let source = sources.partition_point(|&other| other < source) as u32;
            for row in range {
                let tenths = durations.value(row).max(0) as u32;
                on_entry(Entry { identity: rows.identity(row)?, source, tenths });
            }
        }
        Ok(())
    })
}

/// Counts what of these equal records several sources have: with the first of them, as many as
/// both have.
fn count(same: &[Entry], sources: &[i64], pairs: &mut Pairs) {
    let mut copies = same.chunk_by(|a, b| a.source == b.source);
    let Some(first) = copies.next() else { return };
    for others in copies {
        let records = first.len().min(others.len()) as u64;
        let pair = (sources[first[0].source as usize], sources[others[0].source as usize]);
        let overlap = pairs.entry(pair).or_default();
        overlap.records += records;
        overlap.tenths += records * u64::from(first[0].tenths);
    }
}

/// What tells records apart.
enum Identity {
    RecordId,
    /// The columns that come from its bytes, in a lake of this format.
    Columns(LakeFormat),
}

impl Identity {
    fn of(
        lake: &LakeReader,
        files: &[&FileFacts],
        format: LakeFormat,
    ) -> std::result::Result<Self, Unreadable> {
        for file in files {
            let open = OpenFile::open(lake, &file.path).map_err(Unreadable::of(file))?;
            if !open.is_filled(RECORD_ID) {
                return Ok(Self::Columns(format));
            }
        }
        Ok(Self::RecordId)
    }

    fn columns(&self) -> Vec<&'static str> {
        match self {
            Self::RecordId => vec![RECORD_ID, "duration"],
            Self::Columns(format) => wire_columns(*format).collect(),
        }
    }
}

/// Rows whose identity can be told.
enum Identified<'b> {
    Ids(Vec<Option<&'b [u8; 16]>>),
    Columns(&'b RecordBatch),
}

impl<'b> Identified<'b> {
    fn of(batch: &'b RecordBatch, identity: &Identity) -> Result<Self> {
        match identity {
            Identity::Columns(_) => Ok(Self::Columns(batch)),
            Identity::RecordId => Ok(Self::Ids(record_ids(column(batch, RECORD_ID)?))),
        }
    }

    fn identity(&self, row: usize) -> Result<[u64; 2]> {
        let bytes: [u8; 16] = match self {
            Self::Ids(ids) => *ids.get(row).copied().flatten().ok_or_else(other_type)?,
            Self::Columns(batch) => {
                let mut hasher = blake3::Hasher::new();
                for column in batch.columns() {
                    hash_value(&mut hasher, column, row).ok_or_else(other_type)?;
                }
                let hash = hasher.finalize();
                *hash.as_bytes().first_chunk().ok_or_else(other_type)?
            }
        };
        let (high, low) = bytes.split_at(8);
        let number = |bytes: &[u8]| bytes.try_into().map(u64::from_be_bytes);
        match (number(high), number(low)) {
            (Ok(high), Ok(low)) => Ok([high, low]),
            _ => Err(other_type()),
        }
    }
}

fn other_type() -> ParquetError {
    ParquetError::General("columns have other types".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All fields but the date, which is part of the start time, and the constant one.
    #[test]
    fn every_field_tells_records_apart() {
        let columns: Vec<_> = wire_columns(LakeFormat::Two).collect();
        assert_eq!(columns.len(), cdrlake_core::FIELDS.len() - 2);
        let schema = cdrlake_core::schema();
        for name in columns {
            assert!(schema.column_with_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn periods() {
        let paths = [
            ("calls/call_month=2025-10/a.parquet", "call_month=2025-10"),
            ("calls/country=GB/call_month=2025-10/a.parquet", "call_month=2025-10"),
            ("calls/a.parquet", ""),
        ];
        for (path, expected) in paths {
            assert_eq!(period(path), expected);
        }
    }

    #[test]
    fn equal_records_of_one_source_are_no_overlap() {
        let entry = |source| Entry { identity: [1, 2], source, tenths: 10 };
        let sources = [7, 8, 9];
        let counted = |entries: &[u32]| {
            let mut pairs = Pairs::new();
            count(&entries.iter().copied().map(entry).collect::<Vec<_>>(), &sources, &mut pairs);
            pairs.into_iter().map(|(pair, it)| (pair, it.records, it.tenths)).collect::<Vec<_>>()
        };
        assert_eq!(counted(&[0, 0]), []);
        assert_eq!(counted(&[0, 0, 1]), [((7, 8), 1, 10)]);
        assert_eq!(counted(&[0, 0, 1, 1, 1, 2]), [((7, 8), 2, 20), ((7, 9), 1, 10)]);
    }
}
