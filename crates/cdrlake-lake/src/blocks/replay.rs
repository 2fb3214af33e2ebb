//! Rejected lines of earlier runs to blocks: each line keeps its place in the source it came from,
//! and is replayed once.

use std::collections::HashMap;
use std::sync::Arc;

use cdrlake_core::{Position, RAW_LIMIT};
use roaring::RoaringTreemap;

use super::{Gathered, Gatherer, Lines, OpenSource, Part, SourceEnd, SourceKind};
use crate::error::LakeError;
use crate::known::KnownSource;
use crate::source::{RejectedLine, Source, SourceError};

/// What was replayed so far, by the hash of the source.
#[derive(Debug, Default)]
pub(super) struct Replayed(HashMap<blake3::Hash, ReplayedLines>);

impl Replayed {
    /// A source all of whose lines were replayed before: in this run, or in an earlier one.
    fn skipped(&self, index: usize, end: SourceEnd, source: &OpenSource) -> Gathered {
        match self.0.get(&end.hash) {
            Some(lines) if lines.first != index => {
                Gathered::Skipped { index, same_as: lines.first, end }
            }
            _ => {
                let name = format!("what was replayed of {}", source.options.source_file);
                Gathered::Known { index, earlier: KnownSource { name, open_rejects: 0 }, end }
            }
        }
    }
}

/// What was replayed of a source.
#[derive(Debug)]
struct ReplayedLines {
    /// The first replay of lines of this source in this run.
    first: usize,
    record_numbers: RoaringTreemap,
}

/// A source while its lines are replayed.
struct Replaying {
    source: Arc<OpenSource>,
    /// Where its lines begin in the block.
    start: usize,
    /// Of its lines in the block.
    positions: Vec<Position>,
    /// Whether no part of it was handed on yet.
    begins: bool,
    /// Its lines that were replayed before.
    duplicates: u64,
    record_numbers: RoaringTreemap,
    bytes: u64,
}

impl<E> Gatherer<'_, E>
where
    E: FnMut(Gathered) -> Result<(), LakeError>,
{
    /// Gathers lines of the source of this hash, but for those that were replayed before.
    pub(super) fn replay_lines(
        &mut self,
        source: Source,
        hash: blake3::Hash,
        lines: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<(), LakeError> {
        let mut replaying = Replaying {
            source: self.meet(source, SourceKind::Replayed)?,
            start: self.block.bytes.len(),
            positions: Vec::new(),
            begins: true,
            duplicates: 0,
            record_numbers: RoaringTreemap::new(),
            bytes: 0,
        };
        let index = replaying.source.index;
        if !self.replayed.0.contains_key(&hash) {
            let Some(record_numbers) = self.history.known.replayed(&hash)? else {
                let error = SourceError::NotLoaded;
                return (self.emit)(Gathered::Failed { index, error });
            };
            self.replayed.0.insert(hash, ReplayedLines { first: index, record_numbers });
        }
        for line in lines {
            match line {
                Ok(line) => self.replay_line(&mut replaying, hash, &line)?,
                Err(error) => {
                    self.block.parts.retain(|part| part.source.index != index);
                    let parts = &self.block.parts;
                    self.block.bytes.truncate(parts.last().map_or(0, |part| part.range.end));
                    return (self.emit)(Gathered::Failed { index, error });
                }
            }
        }
        let end = SourceEnd { hash, bytes: replaying.bytes };
        if replaying.record_numbers.is_empty() && replaying.duplicates > 0 {
            return (self.emit)(self.replayed.skipped(index, end, &replaying.source));
        }
        if let Some(lines) = self.replayed.0.get_mut(&hash) {
            lines.record_numbers |= std::mem::take(&mut replaying.record_numbers);
        }
        let has_own_blocks = !replaying.begins;
        self.push_picked(&mut replaying, 0, Some(end));
        self.end_source(has_own_blocks)
    }

    fn replay_line(
        &mut self,
        replaying: &mut Replaying,
        hash: blake3::Hash,
        line: &RejectedLine,
    ) -> Result<(), LakeError> {
        let RejectedLine { position, raw, raw_length } = line;
        let number = position.record_number;
        let earlier = self.replayed.0.get(&hash);
        let is_earlier = earlier.is_some_and(|lines| lines.record_numbers.contains(number));
        if is_earlier || !replaying.record_numbers.insert(number) {
            replaying.duplicates += 1;
            return Ok(());
        }
        while self.block.bytes.len() + raw.len() + 1 > self.block_len {
            self.make_room_for_picked(replaying)?;
        }
        replaying.bytes += raw.len() as u64 + 1;
        let left_out = raw_length.saturating_sub(RAW_LIMIT as u64);
        if raw.len() < RAW_LIMIT || left_out == 0 {
            self.block.bytes.extend_from_slice(raw);
            self.block.bytes.push(b'\n');
            replaying.positions.push(*position);
            return Ok(());
        }
        // A line that was cut is rejected again, and is all that its part holds.
        self.stand_alone(replaying)?;
        self.push_picked(replaying, 0, None);
        self.block.bytes.extend_from_slice(raw);
        replaying.positions.push(*position);
        self.push_picked(replaying, left_out, None);
        Ok(())
    }

    fn make_room_for_picked(&mut self, replaying: &mut Replaying) -> Result<(), LakeError> {
        if replaying.start > 0 && replaying.begins {
            return self.stand_alone(replaying);
        }
        self.push_picked(replaying, 0, None);
        replaying.start = 0;
        self.emit_until(self.block.bytes.len())
    }

    /// Hands on what stands in the block before this source: one of several parts can be taken
    /// back only with its whole block.
    fn stand_alone(&mut self, replaying: &mut Replaying) -> Result<(), LakeError> {
        if replaying.start > 0 && replaying.begins {
            self.emit_until(std::mem::take(&mut replaying.start))?;
        }
        Ok(())
    }

    fn push_picked(&mut self, replaying: &mut Replaying, left_out: u64, end: Option<SourceEnd>) {
        let range = replaying.start..self.block.bytes.len();
        replaying.start = range.end;
        self.block.parts.push(Part {
            source: Arc::clone(&replaying.source),
            range,
            lines: Lines::Picked(std::mem::take(&mut replaying.positions)),
            left_out,
            duplicates: std::mem::take(&mut replaying.duplicates),
            begins: std::mem::replace(&mut replaying.begins, false),
            end,
        });
    }
}
