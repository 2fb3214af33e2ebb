//! Rejected lines of earlier runs to blocks: each line keeps its place in the source it came from,
//! and is replayed once.

use std::sync::Arc;

use cdrlake_core::RAW_LIMIT;
use cdrlake_source::{RejectedLine, Source, SourceError};

use super::block::{Gathered, Lines, OpenSource, Part, PickedLine, SourceEnd, SourceKind};
use super::gather::Gatherer;
use super::replayed::{FileSource, ReplayedLines, State, identity};
use super::versions::{Seen, Versions};
use crate::error::LoadError;

/// Lines of a source that stand together, while they are replayed.
struct Replaying {
    source: Arc<OpenSource>,
    /// Where they begin in the block.
    start: usize,
    /// Those in the block.
    lines: Vec<PickedLine>,
    /// Whether no part of them was handed on yet.
    begins: bool,
    /// Whether there are any but duplicates.
    is_fresh: bool,
    duplicates: u64,
    bytes: u64,
}

impl<E> Gatherer<'_, E>
where
    E: FnMut(Gathered) -> Result<(), LoadError>,
{
    /// Gathers lines of the source of this hash, but for those that were replayed before.
    pub(super) fn replay_lines(
        &mut self,
        source: Source,
        hash: blake3::Hash,
        lines: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, LoadError> {
        let (time_zone, mut refusal) = self.time_zone(&source);
        let identity = identity(&source, &hash);
        let (open, mut file_source) = match self.replayed.sources.get(&identity).copied() {
            Some(known) => {
                let kind = SourceKind::Replayed;
                (self.open_source(known.index, &source, kind, time_zone), known)
            }
            None => {
                let open = self.meet(source, SourceKind::Replayed, time_zone)?;
                let (index, state, duplicates) = (open.index, State::Met, 0);
                (open, FileSource { index, hash, state, duplicates })
            }
        };
        if !self.is_known(hash)? {
            refusal = Some(SourceError::NotLoaded);
        }
        let is_refused = refusal.is_some();
        if let Some(error) = refusal.filter(|_| file_source.state != State::Failed) {
            file_source.state = State::Failed;
            let index = open.index;
            (self.emit)(Gathered::Failed { index, error, end: None })?;
        }
        let mut replaying = Replaying {
            source: open,
            start: self.block.bytes.len(),
            lines: Vec::new(),
            begins: true,
            is_fresh: false,
            duplicates: 0,
            bytes: 0,
        };
        for line in lines {
            self.interrupt.check()?;
            let result = match line {
                Ok(_) if is_refused => Ok(()),
                Ok(line) => self.replay_line(&mut replaying, hash, &line)?,
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                self.forget(replaying.source.index);
                if file_source.state != State::Failed {
                    file_source.state = State::Met;
                }
                self.replayed.sources.insert(identity, file_source);
                return Ok(Err(error));
            }
        }
        file_source.duplicates += replaying.duplicates;
        if replaying.is_fresh {
            file_source.state = State::Given;
        }
        self.replayed.sources.insert(identity, file_source);
        if replaying.is_fresh {
            let has_own_blocks = !replaying.begins;
            let end = SourceEnd { hash, bytes: replaying.bytes };
            self.push_picked(&mut replaying, 0, Some(end));
            self.end_source(has_own_blocks)?;
        }
        Ok(Ok(()))
    }

    /// Whether lines of this source can be replayed, for it is loaded wherever they go.
    fn is_known(&mut self, hash: blake3::Hash) -> Result<bool, LoadError> {
        if !self.replayed.lines.contains_key(&hash) {
            let Some(open) = self.history.known.open_rejects(&hash)? else { return Ok(false) };
            let (lines, fresh) = (Versions::default(), Versions::default());
            self.replayed.lines.insert(hash, ReplayedLines { open, lines, fresh });
        }
        Ok(true)
    }

    /// Takes the parts of a source, which is going to fail, back off the block.
    fn forget(&mut self, index: usize) {
        self.block.parts.retain(|part| part.source.index != index);
        let end = self.block.parts.iter().map(|part| part.range.end).max();
        self.block.bytes.truncate(end.unwrap_or(0));
    }

    /// A rejects file has ended, if one was replayed. If it failed, none of its lines was replayed.
    pub(super) fn end_replay(&mut self, failed: Option<&str>) -> Result<(), LoadError> {
        let mut sources: Vec<_> = self.replayed.sources.drain().map(|(_, source)| source).collect();
        sources.sort_unstable_by_key(|source| source.index);
        for FileSource { index, hash, state, duplicates } in sources {
            if let Some(lines) = self.replayed.lines.get_mut(&hash) {
                let fresh = std::mem::take(&mut lines.fresh);
                if failed.is_none() {
                    lines.lines.append(fresh);
                }
            }
            match (state, failed) {
                (State::Met, Some(archive)) => {
                    let error = SourceError::ArchiveFailed { archive: archive.to_owned() };
                    (self.emit)(Gathered::Failed { index, error, end: None })?;
                }
                (State::Met, None) => {
                    let end = SourceEnd { hash, bytes: 0 };
                    (self.emit)(Gathered::ReplayedBefore { index, end })?;
                }
                (State::Given, None) if duplicates > 0 => {
                    (self.emit)(Gathered::Duplicates { index, lines: duplicates })?;
                }
                (State::Given | State::Failed, _) => {}
            }
        }
        Ok(())
    }

    /// The inner result is why the file fails that the line stands in.
    fn replay_line(
        &mut self,
        replaying: &mut Replaying,
        hash: blake3::Hash,
        line: &RejectedLine,
    ) -> Result<Result<(), SourceError>, LoadError> {
        let RejectedLine { position, raw, raw_length, end } = line;
        let seen = match self.replayed.lines.get_mut(&hash) {
            Some(lines) => lines.see(position.record_number, raw),
            None => Seen::Never,
        };
        match seen {
            Seen::Never => replaying.is_fresh = true,
            Seen::Same => {
                replaying.duplicates += 1;
                return Ok(Ok(()));
            }
            Seen::Other => {
                return Ok(Err(SourceError::RejectsConflict {
                    record_number: position.record_number,
                    source_file: replaying.source.options.source_file.clone(),
                }));
            }
        }
        while self.block.bytes.len() + raw.len() + 1 > self.block_len {
            self.make_room_for_picked(replaying)?;
        }
        replaying.bytes += raw.len() as u64 + 1;
        let left_out = raw_length.saturating_sub(RAW_LIMIT as u64);
        let picked = PickedLine { position: *position, end: *end };
        if raw.len() < RAW_LIMIT || left_out == 0 {
            self.block.bytes.extend_from_slice(raw);
            self.block.bytes.extend_from_slice(b"\n");
            replaying.lines.push(picked);
            return Ok(Ok(()));
        }
        // A line that was cut is rejected again, and is all that its part holds.
        self.stand_alone(replaying)?;
        self.push_picked(replaying, 0, None);
        self.block.bytes.extend_from_slice(raw);
        replaying.lines.push(picked);
        self.push_picked(replaying, left_out, None);
        Ok(Ok(()))
    }

    fn make_room_for_picked(&mut self, replaying: &mut Replaying) -> Result<(), LoadError> {
        if replaying.start > 0 && replaying.begins {
            return self.stand_alone(replaying);
        }
        self.push_picked(replaying, 0, None);
        replaying.start = 0;
        self.emit_until(self.block.bytes.len())
    }

    /// Hands on what stands in the block before this source: one of several parts can be taken
    /// back only with its whole block. What precedes it without a byte needs no taking back.
    fn stand_alone(&mut self, replaying: &mut Replaying) -> Result<(), LoadError> {
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
            lines: Lines::Picked(std::mem::take(&mut replaying.lines)),
            left_out,
            begins: std::mem::replace(&mut replaying.begins, false),
            end,
        });
    }
}
