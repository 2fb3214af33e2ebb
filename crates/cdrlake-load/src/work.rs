//! What a worker does: a block's bytes to batches and to what the sink writes of them, and rejected
//! lines to spools.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use cdrlake_core::{Counts, Decoder, Position, Reject, source_hash};
use cdrlake_source::{FirstReject, LineEnd, SourceError};
use parquet::errors::ParquetError;
use roaring::RoaringTreemap;

use crate::blocks::{Block, Buffers, Lines, OpenSource, Part, SourceEnd, SourceKind};
use crate::error::LoadError;
use crate::max_rejects::MaxRejects;
use crate::privacy::ClearRejects;
use crate::select::DateRange;
use crate::sink::Encoder;
use crate::spool::Spool;
use crate::totals::Totals;

/// What workers share.
pub(crate) struct Work<'w, E> {
    pub(crate) encoder: &'w E,
    /// The days of whose calls there are rows; all, if none.
    pub(crate) where_date: Option<DateRange>,
    pub(crate) max_rejects: Option<MaxRejects>,
    /// Near which large spools go.
    pub(crate) spool_near: Option<&'w Path>,
    /// Whether rejected lines are kept with their bytes.
    pub(crate) rejects: ClearRejects,
    pub(crate) buffers: &'w Buffers,
}

/// What came of a block.
pub(crate) struct Worked<Rows> {
    /// Of the sources that did not fail.
    pub(crate) rows: Rows,
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
    pub(crate) rejects: Option<Spool>,
    pub(crate) first_reject: Option<Box<FirstReject>>,
    /// Why the source, being whole, is left out of the block's rows.
    pub(crate) failure: Option<SourceError>,
}

impl WorkedPart {
    /// Adds the next part of the same source.
    pub(crate) fn append(&mut self, next: Self) -> Result<(), LoadError> {
        self.end = next.end;
        self.counts.add(&next.counts);
        self.filtered += next.filtered;
        self.accepted |= next.accepted;
        self.totals.add(next.totals);
        self.first_reject = self.first_reject.take().or(next.first_reject);
        match (&mut self.rejects, next.rejects) {
            (Some(rejects), Some(more)) => rejects.append(more).map_err(LoadError::Rejects),
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

impl<E: Encoder> Work<'_, E> {
    /// Decodes and encodes a block.
    ///
    /// A row group, for instance, cannot give rows back. So if a whole source in it fails, which is
    /// rare, the block is worked on once more without it.
    pub(crate) fn on(&self, block: Block) -> Result<Worked<E::Rows>, LoadError> {
        let mut failed: Vec<Option<WorkedPart>> = block.parts.iter().map(|_| None).collect();
        loop {
            let mut rows = self.encoder.begin()?;
            let mut parts = Vec::with_capacity(block.parts.len());
            let mut is_complete = true;
            for (part, failed) in block.parts.iter().zip(&mut failed) {
                if failed.is_some() {
                    continue;
                }
                let mut worked = self.on_part(part, &block.bytes, &mut rows)?;
                if part.is_whole() {
                    worked.failure = worked.verdict(self.max_rejects);
                }
                if worked.failure.is_none() {
                    parts.push(worked);
                } else {
                    is_complete &= worked.counts.records == 0
                        || self.encoder.take_back(&mut rows, &part.source);
                    *failed = Some(worked);
                }
            }
            if is_complete {
                self.buffers.give_back(block.bytes);
                let rows = self.encoder.finish(rows)?;
                parts.extend(failed.into_iter().flatten());
                return Ok(Worked { rows, parts });
            }
        }
    }

    fn on_part(
        &self,
        part: &Part,
        block: &[u8],
        rows: &mut E::Block,
    ) -> Result<WorkedPart, LoadError> {
        let mut options = Cow::Borrowed(&part.source.options);
        if let Some(end) = part.end.filter(|_| part.begins) {
            options.to_mut().source_hash = source_hash(&end.hash);
        }
        let options = options.as_ref();
        let mut decoder = match part.begins {
            true => Decoder::new(options),
            false => Decoder::resume(options, Position::START),
        };
        let mut totals = Totals::default();
        let mut filtered = 0;
        let mut flush = |decoder: &mut Decoder| -> Result<(), LoadError> {
            let batch = decoder.flush().map_err(ParquetError::from)?;
            let Some(mut batch) = batch else { return Ok(()) };
            if let Some(days) = self.where_date {
                let records = batch.num_rows();
                batch = days.keep(batch).map_err(ParquetError::from)?;
                filtered += (records - batch.num_rows()) as u64;
            }
            totals.add_batch(&batch);
            self.encoder.add(rows, &part.source, batch)
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
            Ok::<_, LoadError>(())
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
        rejects.result.map_err(LoadError::Rejects)?;
        Ok(WorkedPart {
            source: Arc::clone(&part.source),
            is_whole: part.is_whole(),
            end: part.end,
            counts: decoder.counts().clone(),
            filtered,
            accepted,
            totals,
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
