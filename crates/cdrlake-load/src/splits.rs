//! Large plain files in parts that machines read apart from each other.
//!
//! What a part holds depends on what precedes it only by its first line's number. So the file is
//! cut behind line feeds, and the line feeds are counted, once, by whoever plans the reading: that
//! is a pass over the file at the speed of memory, which also gives its hash, and right whatever the lines are
//! like. A file's
//! verdict is of all its lines (one without a sound record is no CDR file), so one is split only
//! once a sound record was seen in it; any other is left to be read as a whole.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use cdrlake_core::{Decoder, Position, SOURCE_HASH_LEN, SourceOptions, count_lines, source_hash};
use cdrlake_source::{KnownTimeZones, PlainFile, SourceError};

use crate::batches::{ReadOptions, Table};
use crate::error::LoadError;

/// Bytes read at a time.
const BUFFER_LEN: usize = 1 << 20;

/// Lines of a file, and which file that was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Split {
    /// Offset of its first byte, the first of a line.
    pub start: u64,
    /// Offset behind its last line feed, or the file's length.
    pub end: u64,
    /// Number of its first line, from 1.
    pub record_number: u64,
    /// Length of the whole file.
    pub file_len: u64,
    /// The column `source_hash` of its rows, which is of the whole file.
    pub source_hash: [u8; SOURCE_HASH_LEN],
    /// When the file was written to last, since 1970.
    pub file_modified: Duration,
}

/// Cuts a plain file into splits of `split_len` bytes, give or take a line. None if it is to be read
/// as a whole: because it is compressed or an archive, is not longer than that, or begins with
/// lines of which none is a sound record.
///
/// # Errors
///
/// [`LoadError::Source`], if it cannot be read.
pub fn split_file(
    options: &ReadOptions,
    path: &Path,
    split_len: u64,
) -> Result<Option<Vec<Split>>, LoadError> {
    let cut = || -> Result<Option<Vec<Split>>, SourceError> {
        let Some(file) = PlainFile::open(path, &options.load.settings)? else { return Ok(None) };
        if file.byte_len() <= split_len || !begins_soundly(&file)? {
            return Ok(None);
        }
        cut(&file, split_len.max(1)).map(Some)
    };
    cut().map_err(|error| LoadError::of_source(path.display(), error))
}

/// Whether a record among the first lines is sound.
fn begins_soundly(file: &PlainFile) -> Result<bool, SourceError> {
    let mut head = Vec::new();
    let end = file.byte_len().min(BUFFER_LEN as u64);
    file.bytes(0, end)
        .and_then(|mut bytes| bytes.read_to_end(&mut head))
        .map_err(|error| SourceError::Read { bytes: 0, error })?;
    let mut decoder = Decoder::new(&SourceOptions { batch_size: 1, ..SourceOptions::new("") });
    decoder.decode(&head, &mut |_| {});
    Ok(decoder.is_full())
}

fn cut(file: &PlainFile, split_len: u64) -> Result<Vec<Split>, SourceError> {
    let mut buffer = vec![0; BUFFER_LEN];
    let mut splits = Vec::new();
    let mut split = Split {
        start: 0,
        end: file.byte_len(),
        record_number: 1,
        file_len: file.byte_len(),
        source_hash: [0; SOURCE_HASH_LEN],
        file_modified: file.modified(),
    };
    let (mut offset, mut lines) = (0_u64, 0);
    let mut hasher = blake3::Hasher::new();
    let failed = |bytes| move |error| SourceError::Read { bytes, error };
    let mut bytes = file.bytes(0, file.byte_len()).map_err(failed(0))?;
    loop {
        let len = bytes.read(&mut buffer).map_err(failed(offset))?;
        let mut rest = &buffer[..len];
        if rest.is_empty() {
            break;
        }
        hasher.update(rest);
        // The first line feed at or behind the byte that fills the split.
        loop {
            let from = (split.start + split_len - 1).saturating_sub(offset);
            let tail = usize::try_from(from).ok().and_then(|from| rest.get(from..));
            let Some(line_feed) = tail.and_then(|tail| memchr::memchr(b'\n', tail)) else { break };
            let (lines_of_split, behind) = rest.split_at(from as usize + line_feed + 1);
            lines += count_lines(lines_of_split);
            offset += lines_of_split.len() as u64;
            rest = behind;
            splits.push(Split { end: offset, ..split });
            split = Split { start: offset, record_number: lines + 1, ..split };
        }
        lines += count_lines(rest);
        offset += rest.len() as u64;
    }
    if split.start < split.end {
        splits.push(split);
    }
    let source_hash = source_hash(&hasher.finalize());
    splits.iter_mut().for_each(|split| split.source_hash = source_hash);
    Ok(splits)
}

/// Reads one split of a file and gives its batches to `on_batch`: the rows that reading the file as
/// a whole gives for these lines. Rejected lines are passed over.
///
/// # Errors
///
/// [`LoadError::Source`] if the file cannot be read or is another than was split, and what `on_batch`
/// gives.
pub fn read_split(
    options: &ReadOptions,
    path: &Path,
    split: &Split,
    on_batch: &mut dyn FnMut(arrow_array::RecordBatch) -> Result<(), LoadError>,
) -> Result<(), LoadError> {
    if options.table == Table::Rejects {
        return Err(LoadError::Defect("rejected lines name their whole source's hash"));
    }
    let shape = options.shape()?;
    let failed = |error| LoadError::of_source(path.display(), error);
    let file = PlainFile::open(path, &options.load.settings).map_err(failed)?;
    let is_same = |file: &PlainFile| {
        (file.byte_len(), file.modified()) == (split.file_len, split.file_modified)
    };
    let Some(file) = file.filter(is_same) else {
        let error = std::io::Error::other("the file changed after it was split; read it again");
        return Err(failed(SourceError::Open(error)));
    };
    let load = &options.load;
    let mut time_zones = KnownTimeZones::new(load.time_zones.clone(), &load.settings.profiles);
    let source_options = SourceOptions {
        source_hash: split.source_hash,
        metadata: file.source.metadata.clone(),
        time_zone: time_zones.of(&file.source.metadata).map_err(failed)?,
        strictness: load.strictness,
        record_id: load.record_id,
        batch_size: options.batch_size.min(ReadOptions::MAX_BATCH_SIZE),
        ..SourceOptions::new(&file.source.source_file)
    };
    let position = Position { record_number: split.record_number, byte_offset: split.start };
    let mut decoder = Decoder::resume(&source_options, position);
    let mut flush = |decoder: &mut Decoder| -> Result<(), LoadError> {
        load.interrupt.check()?;
        let encode = |error: arrow_schema::ArrowError| LoadError::Encode(error.into());
        let Some(batch) = decoder.flush().map_err(encode)? else { return Ok(()) };
        on_batch(shape.apply(&batch).map_err(encode)?)
    };
    let read = |error| failed(SourceError::Read { bytes: split.start, error });
    let mut bytes = file.bytes(split.start, split.end).map_err(read)?;
    let mut buffer = vec![0; BUFFER_LEN];
    loop {
        let len = bytes.read(&mut buffer).map_err(read)?;
        let mut rest = &buffer[..len];
        if rest.is_empty() {
            break;
        }
        while !rest.is_empty() {
            rest = &rest[decoder.decode(rest, &mut |_| {})..];
            if decoder.is_full() {
                flush(&mut decoder)?;
            }
        }
    }
    decoder.finish(&mut |_| {});
    flush(&mut decoder)
}
