//! Sources to blocks: the one being filled, and what is read into it.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use cdrlake_core::{
    Position, Privacy, RAW_LIMIT, RecordId, SourceOptions, Strictness, TimeZone, count_lines,
    source_hash, whole_lines_len,
};
use cdrlake_run::{Interrupt, Progress};
use cdrlake_source::{
    Input, KnownTimeZones, RejectedLine, Source, SourceError, Visitor, WhyLeftOut,
};

use super::block::{
    Block, Gathered, Lines, MAX_PARTS, OpenSource, Part, SourceEnd, SourceKind, Verdicts,
};
use super::buffer::Buffers;
use super::prehashed::Prehashed;
use super::replayed::Replayed;
use crate::error::LoadError;
use crate::history::{ContentStanding, History, OnChanged, Repeated};
use crate::left_out::LeftOut;
use crate::options::LoadOptions;
use crate::report::Status;

/// What a lake's settings may say of how records are decoded.
#[derive(Clone)]
pub(crate) struct Decoding {
    pub(crate) record_id: RecordId,
    pub(crate) privacy: Privacy,
}

/// Gathers sources into blocks and hands them to `emit`.
pub(crate) struct Gatherer<'b, E> {
    pub(super) block_len: usize,
    time_zones: KnownTimeZones<'b>,
    strictness: Strictness,
    batch_size: usize,
    decoding: Decoding,
    pub(super) interrupt: Interrupt,
    progress: &'b Progress,
    buffers: &'b Buffers,
    pub(super) history: History<'b>,
    pub(super) emit: E,
    /// The block being filled.
    pub(super) block: Block,
    /// Sources met so far.
    sources: usize,
    /// The source that first had this content.
    contents: HashMap<blake3::Hash, usize>,
    /// The content that first came under a name of the carrier's form, and its source.
    carrier_names: HashMap<String, (blake3::Hash, usize)>,
    verdicts: &'b Verdicts,
    pub(super) replayed: Replayed,
    /// The source that was read last.
    last_given: usize,
    /// Whether the input that is read was named itself, and is no directory that is walked.
    is_named: bool,
    /// Whether a source's hash is to be known before any of it is decoded.
    hashes_first: bool,
    /// What was met and is no source, since this was asked last.
    left_out: LeftOut,
    /// The archives that are open, by the number of sources before them.
    archives: Vec<usize>,
}

/// A source while it is read.
struct Reading {
    source: Arc<OpenSource>,
    /// Where its bytes begin in the block.
    start: usize,
    /// Of its first line in the block.
    position: Position,
    /// Whether no part of it was handed on yet.
    begins: bool,
    /// Bytes left out behind the block's, if it holds the head of a giant line at the source's end.
    left_out: u64,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Reading {
    fn note(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn end(&self) -> SourceEnd {
        SourceEnd { hash: self.hasher.finalize(), bytes: self.bytes }
    }
}

impl<'b, E> Gatherer<'b, E>
where
    E: FnMut(Gathered) -> Result<(), LoadError>,
{
    pub(crate) fn new(
        options: &'b LoadOptions,
        decoding: Decoding,
        buffers: &'b Buffers,
        history: History<'b>,
        verdicts: &'b Verdicts,
        hashes_first: bool,
        emit: E,
    ) -> Self {
        Self {
            block_len: options.sizes.block_len.max(RAW_LIMIT + 1),
            time_zones: KnownTimeZones::new(options.time_zones.clone(), &options.settings.profiles),
            strictness: options.strictness,
            batch_size: options.sizes.batch_size,
            decoding,
            interrupt: options.interrupt.clone(),
            progress: &options.progress,
            buffers,
            history,
            emit,
            block: Block { bytes: buffers.take(), parts: Vec::new() },
            sources: 0,
            contents: HashMap::new(),
            carrier_names: HashMap::new(),
            verdicts,
            replayed: Replayed::default(),
            last_given: 0,
            is_named: false,
            hashes_first,
            left_out: LeftOut::default(),
            archives: Vec::new(),
        }
    }

    /// What follows is of this input.
    pub(crate) fn begin_input(&mut self, input: &Input) {
        self.is_named = input.is_named();
    }

    /// How many sources were met so far.
    pub(crate) fn sources(&self) -> usize {
        self.sources
    }

    /// What was met and is no source, since this was asked last.
    pub(crate) fn take_left_out(&mut self) -> LeftOut {
        std::mem::take(&mut self.left_out)
    }

    /// Hands on what is left.
    pub(crate) fn finish(&mut self) -> Result<(), LoadError> {
        if self.block.parts.is_empty() { Ok(()) } else { self.emit_block() }
    }

    /// A source's time zone, if it is to have one; why it is refused, if none can be told.
    pub(super) fn time_zone(&mut self, source: &Source) -> (Option<TimeZone>, Option<SourceError>) {
        match self.time_zones.of(&source.metadata) {
            Ok(time_zone) => (time_zone, None),
            Err(error) => (None, Some(error)),
        }
    }

    pub(super) fn meet(
        &mut self,
        source: Source,
        kind: SourceKind,
        time_zone: Option<TimeZone>,
    ) -> Result<Arc<OpenSource>, LoadError> {
        let index = self.sources;
        self.sources += 1;
        self.progress.meet(Arc::clone(&source.name));
        let open = self.open_source(index, &source, kind, time_zone);
        (self.emit)(Gathered::Met(source))?;
        Ok(open)
    }

    /// The source of this index, which was met.
    pub(super) fn open_source(
        &self,
        index: usize,
        source: &Source,
        kind: SourceKind,
        time_zone: Option<TimeZone>,
    ) -> Arc<OpenSource> {
        let options = SourceOptions {
            metadata: source.metadata.clone(),
            time_zone,
            strictness: self.strictness,
            batch_size: self.batch_size,
            record_id: self.decoding.record_id,
            privacy: self.decoding.privacy.clone(),
            ..SourceOptions::new(&source.source_file)
        };
        let name = Arc::clone(&source.name);
        Arc::new(OpenSource { index, name, options, kind })
    }

    /// The last part of a source was pushed. If it has blocks of its own, this was the last.
    pub(super) fn end_source(&mut self, has_own_blocks: bool) -> Result<(), LoadError> {
        let is_full = self.block.parts.len() >= MAX_PARTS;
        if is_full || has_own_blocks { self.emit_block() } else { Ok(()) }
    }

    /// Reads a source to its end.
    fn read(&mut self, reading: &mut Reading, stream: &mut dyn Read) -> Result<(), Broken> {
        loop {
            let room = self.block_len - self.block.bytes.len();
            if room == 0 {
                self.make_room(reading, stream)?;
                continue;
            }
            let bytes = &mut self.block.bytes;
            if bytes.read_from(stream, room, |bytes| reading.note(bytes))? < room {
                return Ok(());
            }
        }
    }

    /// Makes room in a full block for more of the source it ends with.
    fn make_room(&mut self, reading: &mut Reading, stream: &mut dyn Read) -> Result<(), Broken> {
        if reading.start > 0 {
            self.emit_until(reading.start)?;
            reading.start = 0;
            return Ok(());
        }
        let Some(len) = whole_lines_len(&self.block.bytes) else {
            return self.pass_giant_line(reading, stream);
        };
        let lines = count_lines(&self.block.bytes[..len]);
        self.push_part(reading, len, None);
        self.emit_until(len)?;
        reading.position.record_number += lines;
        reading.position.byte_offset += len as u64;
        Ok(())
    }

    /// Passes over a line that is longer than a block: it is rejected whatever it holds, so only
    /// its head is kept.
    fn pass_giant_line(
        &mut self,
        reading: &mut Reading,
        stream: &mut dyn Read,
    ) -> Result<(), Broken> {
        // What follows the line must fit in a block.
        let most = (self.block_len - RAW_LIMIT).min(1 << 20);
        let mut length = self.block.bytes.len() as u64;
        let rest = loop {
            self.block.bytes.truncate(RAW_LIMIT);
            self.block.bytes.read_from(stream, most, |bytes| reading.note(bytes))?;
            let step = &self.block.bytes[RAW_LIMIT..];
            let line_feed = memchr::memchr(b'\n', step);
            length += line_feed.unwrap_or(step.len()) as u64;
            match line_feed {
                Some(at) => break Some(RAW_LIMIT + at + 1),
                None if step.is_empty() => break None,
                None => {}
            }
        };
        reading.left_out = length - RAW_LIMIT as u64;
        let Some(rest) = rest else { return Ok(()) };
        self.push_part(reading, RAW_LIMIT, None);
        reading.left_out = 0;
        self.emit_until(rest)?;
        reading.position.record_number += 1;
        reading.position.byte_offset += length + 1;
        Ok(())
    }

    /// Why a source is not loaded although it was read to its end, if history speaks against it.
    fn why_left_out(
        &mut self,
        reading: &mut Reading,
        carrier_name: Option<String>,
        end: SourceEnd,
    ) -> Result<Option<Gathered>, LoadError> {
        let index = reading.source.index;
        if let Some(known) = self.known_before(index, carrier_name.as_ref(), end)? {
            return Ok(Some(known));
        }
        let status = match self.history.on_changed {
            OnChanged::Hold | OnChanged::Supersede => Status::Held,
            OnChanged::Skip => Status::Excluded,
            OnChanged::Both => return Ok(None),
        };
        let Some(name) = carrier_name else { return Ok(None) };
        let earlier = self.other_in_run(reading, name, end)?;
        Ok(earlier.map(|earlier| Gathered::Changed { index, earlier, status, end }))
    }

    /// Why a source is not loaded, if this run or an earlier one knows its content.
    fn known_before(
        &self,
        index: usize,
        carrier_name: Option<&String>,
        end: SourceEnd,
    ) -> Result<Option<Gathered>, LoadError> {
        if let Some(&same_as) = self.contents.get(&end.hash) {
            return Ok(Some(Gathered::Skipped { index, same_as, end }));
        }
        let History { known, repeated, .. } = self.history;
        if end.bytes > 0
            && let Some(earlier) = known.of_content(&end.hash)?
            && self.stays_out(&earlier.standing, repeated)
        {
            let is_other_delivery =
                carrier_name.is_some() && carrier_name != earlier.carrier_name.as_ref();
            return Ok(Some(Gathered::Known { index, earlier, is_other_delivery, end }));
        }
        Ok(None)
    }

    /// A source that cannot be decoded, whatever it holds, unless it holds what is known.
    fn refuse(
        &mut self,
        index: usize,
        carrier_name: Option<&String>,
        error: SourceError,
        bytes: &mut dyn Read,
    ) -> Result<(), LoadError> {
        let mut hasher = blake3::Hasher::new();
        let read = io::copy(bytes, &mut hasher);
        self.interrupt.check()?;
        let Ok(bytes) = read else {
            return (self.emit)(Gathered::Failed { index, error, end: None });
        };
        let end = SourceEnd { hash: hasher.finalize(), bytes };
        let known = self.known_before(index, carrier_name, end)?;
        (self.emit)(known.unwrap_or(Gathered::Failed { index, error, end: Some(end) }))
    }

    /// Whether a content of this standing is not loaded now. What is superseded comes back only if it is
    /// named: a directory may hold both versions.
    fn stays_out(&self, standing: &ContentStanding, repeated: Repeated) -> bool {
        match repeated {
            Repeated::Skip => true,
            Repeated::Replace => {
                let is_settled = matches!(
                    standing,
                    ContentStanding::Superseded { .. } | ContentStanding::Excluded { .. }
                );
                is_settled && !self.is_named
            }
        }
    }

    /// Another content that this run loads under the same name.
    ///
    /// One that fails by its content leaves the name free. Whether it does, a worker finds out, so
    /// this waits for all that came before.
    fn other_in_run(
        &mut self,
        reading: &mut Reading,
        name: String,
        end: SourceEnd,
    ) -> Result<Option<blake3::Hash>, LoadError> {
        let this = (end.hash, reading.source.index);
        let (earlier, index) = *self.carrier_names.entry(name.clone()).or_insert(this);
        if earlier == end.hash {
            return Ok(None);
        }
        if reading.start > 0 {
            self.emit_until(reading.start)?;
            reading.start = 0;
        }
        (self.emit)(Gathered::Awaited)?;
        if !self.verdicts.has_failed(index) {
            return Ok(Some(earlier));
        }
        self.carrier_names.insert(name, this);
        Ok(None)
    }

    fn push_part(&mut self, reading: &mut Reading, end: usize, source_end: Option<SourceEnd>) {
        self.block.parts.push(Part {
            source: Arc::clone(&reading.source),
            range: reading.start..end,
            lines: Lines::Run(reading.position),
            left_out: reading.left_out,
            begins: std::mem::replace(&mut reading.begins, false),
            end: source_end,
        });
    }

    /// Hands on the first `len` bytes of the block; the rest begins the next.
    pub(super) fn emit_until(&mut self, len: usize) -> Result<(), LoadError> {
        let mut bytes = self.buffers.take();
        bytes.extend_from_slice(&self.block.bytes[len..]);
        self.block.bytes.truncate(len);
        let next = Block { bytes, parts: Vec::new() };
        let block = std::mem::replace(&mut self.block, next);
        (self.emit)(Gathered::Block(block))
    }

    fn emit_block(&mut self) -> Result<(), LoadError> {
        self.emit_until(self.block.bytes.len())
    }
}

impl<E> Visitor for Gatherer<'_, E>
where
    E: FnMut(Gathered) -> Result<(), LoadError>,
{
    type Error = LoadError;

    fn source(&mut self, source: Source, bytes: &mut dyn Read) -> Result<(), LoadError> {
        let interrupt = self.interrupt.clone();
        interrupt.check()?;
        let carrier_name = source.carrier_name.clone();
        let (time_zone, refusal) = self.time_zone(&source);
        let mut source = self.meet(source, SourceKind::Delivered, time_zone)?;
        let index = source.index;
        self.last_given = index;
        let mut bytes = interrupt.watch(bytes);
        if let Some(error) = refusal {
            return self.refuse(index, carrier_name.as_ref(), error, &mut bytes);
        }
        let mut prehashed = match self.hashes_first {
            true => Some(Prehashed::read(&mut bytes, self.block_len)?),
            false => None,
        };
        if let (Some(prehashed), Some(source)) = (&prehashed, Arc::get_mut(&mut source)) {
            source.options.source_hash = source_hash(&prehashed.hash());
        }
        let bytes: &mut dyn Read = match &mut prehashed {
            Some(prehashed) => prehashed,
            None => &mut bytes,
        };
        let mut reading = Reading {
            source,
            start: self.block.bytes.len(),
            position: Position::START,
            begins: true,
            left_out: 0,
            hasher: blake3::Hasher::new(),
            bytes: 0,
        };
        if let Err(broken) = self.read(&mut reading, bytes) {
            interrupt.check()?;
            let error = broken.into_source_error(reading.bytes)?;
            self.block.bytes.truncate(reading.start);
            return (self.emit)(Gathered::Failed { index, error, end: None });
        }
        let end = reading.end();
        // A delivery without a call is one; of what else nothing can be told.
        if end.bytes == 0 && carrier_name.is_none() {
            return (self.emit)(Gathered::Empty { index, end });
        }
        if let Some(left_out) = self.why_left_out(&mut reading, carrier_name, end)? {
            self.block.bytes.truncate(reading.start);
            return (self.emit)(left_out);
        }
        // Two deliveries without a call are two deliveries.
        if end.bytes > 0 {
            self.contents.insert(end.hash, index);
        }
        let has_own_blocks = !reading.begins;
        self.push_part(&mut reading, self.block.bytes.len(), Some(end));
        self.end_source(has_own_blocks)
    }

    fn replay(
        &mut self,
        source: Source,
        hash: blake3::Hash,
        lines: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, LoadError> {
        self.replay_lines(source, hash, lines)
    }

    fn trailing_zeros(&mut self) -> Result<(), LoadError> {
        (self.emit)(Gathered::TrailingZeros { index: self.last_given })
    }

    fn passed_over(&mut self, name: String) {
        self.left_out.empty_inputs.push(name);
    }

    fn left_out(&mut self, name: String, why: WhyLeftOut) {
        self.left_out.note(name, why);
    }

    fn failed(&mut self, source: Source, error: SourceError) -> Result<(), LoadError> {
        // It may be why.
        self.interrupt.check()?;
        let index = self.meet(source, SourceKind::Delivered, None)?.index;
        (self.emit)(Gathered::Failed { index, error, end: None })
    }

    // An archive's sources, and those of a rejects file, share no block with others, so that they can be taken back.
    fn archive_began(&mut self) -> Result<(), LoadError> {
        self.finish()?;
        self.archives.push(self.sources);
        (self.emit)(Gathered::ArchiveBegan)
    }

    fn archive_ended(&mut self, failure: Option<(Source, SourceError)>) -> Result<(), LoadError> {
        self.finish()?;
        let first = self.archives.pop().ok_or(LoadError::Defect("no archive is open"))?;
        let failed = failure.as_ref().map(|(source, _)| source.name.to_string());
        self.end_replay(failed.as_deref())?;
        (self.emit)(Gathered::ArchiveEnded { failed })?;
        let Some((source, error)) = failure else { return Ok(()) };
        // What was in it may come again, and sound.
        self.contents.retain(|_, index| *index < first);
        self.carrier_names.retain(|_, (_, index)| *index < first);
        self.failed(source, error)
    }
}

/// What breaks off the reading of a source: its own fault, or the run's.
enum Broken {
    Source(io::Error),
    Run(LoadError),
}

impl Broken {
    fn into_source_error(self, bytes: u64) -> Result<SourceError, LoadError> {
        match self {
            Self::Source(error) => Ok(SourceError::Read { bytes, error }),
            Self::Run(error) => Err(error),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Source(error)
    }
}

impl From<LoadError> for Broken {
    fn from(error: LoadError) -> Self {
        Self::Run(error)
    }
}
