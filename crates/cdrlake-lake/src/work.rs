//! What a worker does: a block's bytes to an encoded row group, and rejected lines to spools.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use cdrlake_core::{Counts, Decoder, Position, Reject};
use parquet::errors::ParquetError;
use roaring::RoaringTreemap;

use crate::batches::Shape;
use crate::blocks::{Block, Buffers, Lines, OpenSource, Part, SourceEnd, SourceKind};
use crate::error::LakeError;
use crate::partition::{PartitionBy, Pieces};
use crate::privacy::ClearRejects;
use crate::rejects::Spool;
use crate::report::{LocalTime, MaxRejects, Seconds};
use crate::select::DateRange;
use crate::staging::{EncodedRows, encode_large, tenths};
use cdrlake_parquet::{Layout, RowGroup, RowGroupEncoder};
use cdrlake_source::{FirstReject, LineEnd, SourceError};

/// What workers share.
pub(crate) struct Worker<'w> {
    pub(crate) rows: Rows<'w>,
    pub(crate) max_rejects: Option<MaxRejects>,
    /// Near which large spools go.
    pub(crate) spool_near: Option<&'w Path>,
    /// Whether rejected lines are kept with their bytes.
    pub(crate) rejects: ClearRejects,
    pub(crate) buffers: &'w Buffers,
}

/// What becomes of rows.
#[derive(Clone, Copy)]
pub(crate) enum Rows<'w> {
    /// Nothing: records are only judged.
    Judged,
    /// The row group of their block, but for those of other days.
    Encoded { layout: &'w Layout, where_date: Option<DateRange> },
    /// By partition: of one that has at least `least` rows in their block, a row group, of others
    /// batches, which share row groups with those of other blocks.
    Partitioned { by: PartitionBy, layout: &'w Layout, least: usize },
    /// Batches for the caller.
    Shaped(&'w Shape),
}

/// What came of a block.
pub(crate) struct Worked {
    /// None if no row is left, or rows do not become the row group of their block.
    pub(crate) row_group: Option<RowGroup>,
    /// Row groups of partitions that have many rows in the block.
    pub(crate) encoded: Vec<EncodedRows>,
    pub(crate) parts: Vec<WorkedPart>,
}

/// What came of a part of a source, or of all of it.
pub(crate) struct WorkedPart {
    pub(crate) source: Arc<OpenSource>,
    pub(crate) is_whole: bool,
    pub(crate) end: Option<SourceEnd>,
    pub(crate) counts: Counts,
    /// Sound records that are no rows, for they are of other days.
    pub(crate) filtered: u64,
    /// Of a replay, the lines that were not rejected again.
    pub(crate) accepted: RoaringTreemap,
    pub(crate) totals: Totals,
    /// Its rows, if they go by partition and wait for others.
    pub(crate) pieces: Vec<Pieces>,
    /// Its rows, if they go to the caller.
    pub(crate) batches: Vec<RecordBatch>,
    pub(crate) rejects: Option<Spool>,
    pub(crate) first_reject: Option<Box<FirstReject>>,
    /// Why the source, being whole, is left out of the row group.
    pub(crate) failure: Option<SourceError>,
}

/// Control totals of rows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Totals {
    tenths: u64,
    first_start_time: Option<i64>,
    last_start_time: Option<i64>,
}

impl Totals {
    fn add_batch(&mut self, batch: &RecordBatch) {
        self.tenths += tenths(batch);
        if let Some(times) = batch.column_by_name("start_time") {
            let times = times.as_primitive::<TimestampMicrosecondType>().values();
            self.add_times(times.iter().min().copied(), times.iter().max().copied());
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.tenths += other.tenths;
        self.add_times(other.first_start_time, other.last_start_time);
    }

    fn add_times(&mut self, first: Option<i64>, last: Option<i64>) {
        self.first_start_time = self.first_start_time.into_iter().chain(first).min();
        self.last_start_time = self.last_start_time.max(last);
    }

    pub(crate) const fn duration(self) -> Seconds {
        Seconds::from_tenths(self.tenths)
    }

    pub(crate) fn first_start_time(self) -> Option<LocalTime> {
        self.first_start_time.map(LocalTime)
    }

    pub(crate) fn last_start_time(self) -> Option<LocalTime> {
        self.last_start_time.map(LocalTime)
    }
}

impl WorkedPart {
    /// Adds the next part of the same source.
    pub(crate) fn append(&mut self, next: Self) -> Result<(), LakeError> {
        self.end = next.end;
        self.counts.add(&next.counts);
        self.filtered += next.filtered;
        self.accepted |= next.accepted;
        self.totals.add(next.totals);
        self.first_reject = self.first_reject.take().or(next.first_reject);
        match (&mut self.rejects, next.rejects) {
            (Some(rejects), Some(more)) => rejects.append(more).map_err(LakeError::Rejects),
            (none @ None, more) => {
                *none = more;
                Ok(())
            }
            (Some(_), None) => Ok(()),
        }
    }

    /// Why the source, now at its end, must not be loaded.
    pub(crate) fn verdict(&self, max_rejects: Option<MaxRejects>) -> Option<SourceError> {
        // What is replayed was delivered among records that were sound.
        if self.source.kind == SourceKind::Replayed {
            return None;
        }
        let counts = &self.counts;
        let first = || self.first_reject.clone().unwrap_or_else(|| FirstReject::blank().into());
        // A record that only strictness rejects is a sound one.
        let has_sound = counts.records > 0 || counts.rejects().any(|(code, _)| code.is_strict());
        if counts.lines() > 0 && !has_sound {
            return Some(SourceError::NotCdr { lines: counts.lines(), first: first() });
        }
        let limit = max_rejects.filter(|limit| limit.is_exceeded_by(counts))?;
        Some(SourceError::TooManyRejects {
            rejected: counts.rejected(),
            records: counts.records + counts.rejected(),
            limit: limit.to_string(),
            first: first(),
        })
    }
}

impl Worker<'_> {
    /// Decodes and encodes a block.
    ///
    /// A row group cannot give rows back. So if a whole source in it fails, which is rare, the
    /// block is worked on once more without it.
    pub(crate) fn work(&self, block: Block) -> Result<Worked, LakeError> {
        let mut failed: Vec<Option<WorkedPart>> = block.parts.iter().map(|_| None).collect();
        loop {
            let mut row_group = match self.rows {
                Rows::Encoded { layout, .. } => Some(layout.row_group()?),
                Rows::Judged | Rows::Partitioned { .. } | Rows::Shaped(_) => None,
            };
            let mut parts = Vec::with_capacity(block.parts.len());
            let mut is_complete = true;
            for (part, failed) in block.parts.iter().zip(&mut failed) {
                if failed.is_some() {
                    continue;
                }
                let mut worked = self.work_on_part(part, &block.bytes, row_group.as_mut())?;
                if part.is_whole() {
                    worked.failure = worked.verdict(self.max_rejects);
                }
                if worked.failure.is_none() {
                    parts.push(worked);
                } else {
                    is_complete &= worked.counts.records == 0 || row_group.is_none();
                    worked.pieces.clear();
                    worked.batches.clear();
                    *failed = Some(worked);
                }
            }
            if is_complete {
                self.buffers.give_back(block.bytes);
                let encoded = match self.rows {
                    Rows::Partitioned { layout, least, .. } => {
                        let pieces = parts.iter_mut().map(|p| (p.source.index, &mut p.pieces));
                        encode_large(pieces, layout, least)?
                    }
                    _ => Vec::new(),
                };
                parts.extend(failed.into_iter().flatten());
                let row_group = row_group.map(RowGroupEncoder::finish).transpose()?.flatten();
                return Ok(Worked { row_group, encoded, parts });
            }
        }
    }

    fn work_on_part(
        &self,
        part: &Part,
        block: &[u8],
        mut row_group: Option<&mut RowGroupEncoder>,
    ) -> Result<WorkedPart, LakeError> {
        let options = &part.source.options;
        let mut decoder = match part.begins {
            true => Decoder::new(options),
            false => Decoder::resume(options, Position::START),
        };
        let mut totals = Totals::default();
        let (mut pieces, mut batches) = (Vec::new(), Vec::new());
        let mut filtered = 0;
        let mut flush = |decoder: &mut Decoder| -> Result<(), LakeError> {
            let batch = decoder.flush().map_err(ParquetError::from)?;
            let Some(mut batch) = batch else { return Ok(()) };
            if let Rows::Encoded { where_date: Some(days), .. } = self.rows {
                let records = batch.num_rows();
                batch = days.keep(batch).map_err(ParquetError::from)?;
                filtered += (records - batch.num_rows()) as u64;
            }
            totals.add_batch(&batch);
            if let Some(row_group) = &mut row_group {
                row_group.write(&batch)?;
                return Ok(());
            }
            match self.rows {
                Rows::Partitioned { by, .. } => {
                    let split = by.split(batch, part.source.options.metadata.country);
                    pieces.push(split.map_err(ParquetError::from)?);
                }
                Rows::Shaped(shape) => {
                    batches.push(shape.apply(&batch).map_err(ParquetError::from)?);
                }
                Rows::Judged | Rows::Encoded { .. } => {}
            }
            Ok(())
        };
        let mut rejects = Rejects {
            spool: None,
            kept: self.rejects,
            near: self.spool_near,
            first: None,
            result: Ok(()),
        };
        let mut accepted = RoaringTreemap::new();
        if let Lines::Picked(lines) = &part.lines {
            accepted.extend(lines.iter().map(|line| line.position.record_number));
        }
        let mut on_reject = |reject: Reject<'_>| {
            accepted.remove(reject.record_number);
            rejects.push(&reject);
        };
        let bytes = block.get(part.range.clone()).unwrap_or_default();
        let mut decode = |decoder: &mut Decoder, position, mut rest: &[u8], end: LineEnd| {
            decoder.seek(position);
            while !rest.is_empty() {
                rest = &rest[decoder.decode(rest, &mut on_reject)..];
                if decoder.is_full() {
                    flush(decoder)?;
                }
            }
            if end == LineEnd::EndOfSource {
                decoder.finish(&mut on_reject);
            }
            Ok::<_, LakeError>(())
        };
        match &part.lines {
            Lines::Run(position) => decode(&mut decoder, *position, bytes, LineEnd::LineFeed)?,
            Lines::Picked(lines) => {
                for (line, picked) in bytes.split_inclusive(|&b| b == b'\n').zip(lines) {
                    let line = match picked.end {
                        LineEnd::LineFeed => line,
                        LineEnd::EndOfSource => line.strip_suffix(b"\n").unwrap_or(line),
                    };
                    decode(&mut decoder, picked.position, line, picked.end)?;
                }
            }
        }
        if part.left_out > 0 {
            decoder.skip(part.left_out);
            if part.end.is_none() {
                decoder.decode(b"\n", &mut on_reject);
            }
        }
        if part.end.is_some() {
            decoder.finish(&mut on_reject);
        }
        flush(&mut decoder)?;
        rejects.result.map_err(LakeError::Rejects)?;
        Ok(WorkedPart {
            source: Arc::clone(&part.source),
            is_whole: part.is_whole(),
            end: part.end,
            counts: decoder.counts().clone(),
            filtered,
            accepted,
            totals,
            pieces,
            batches,
            rejects: rejects.spool,
            first_reject: rejects.first,
            failure: None,
        })
    }
}

/// Takes a part's rejected lines; there is no spool before the first.
struct Rejects<'w> {
    spool: Option<Spool>,
    kept: ClearRejects,
    near: Option<&'w Path>,
    first: Option<Box<FirstReject>>,
    result: std::io::Result<()>,
}

impl Rejects<'_> {
    fn push(&mut self, reject: &Reject<'_>) {
        let near = self.near;
        let spool = self.spool.get_or_insert_with(|| Spool::new(near));
        self.first.get_or_insert_with(|| Box::new(reject.into()));
        let kept = match self.kept {
            ClearRejects::Write => *reject,
            // Nor may a spool hold their bytes: it may be on disk.
            ClearRejects::Omit => Reject { raw: &[], ..*reject },
        };
        if self.result.is_ok() {
            self.result = spool.push(&kept);
        }
    }
}
