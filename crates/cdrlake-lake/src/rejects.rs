//! Rejected lines: kept aside until their source has ended, then written to the rejects file.
//!
//! The rejects table names the hash of each line's source, which is known only at its end. And a
//! source that fails writes none. So lines wait in a spool, which takes little memory however
//! many there are.

use std::collections::HashMap;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{BinaryBuilder, Int64Builder, StringBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef};
use cdrlake_core::{Country, Fault, Field, RAW_LIMIT, Reject, RejectCode, SourceOptions};
use cdrlake_parquet::{SmallParquet, StagedFile, directory, temporary_file};
use roaring::RoaringTreemap;
use tempfile::SpooledTempFile;

use crate::blocks::OpenSource;
use crate::error::LakeError;
use crate::privacy::ClearRejects;
use crate::staging::{SourceRows, add_rows};

/// Bytes of a spool that stay in memory.
const SPOOL_MEMORY: usize = 1 << 20;

/// Rejected lines of one source, in order, in memory or in an unnamed temporary file.
///
/// There may be a hundred thousand at a time, so an almost empty one must take almost no memory.
pub(crate) struct Spool {
    file: SpooledTempFile,
}

impl Spool {
    /// A spool that may grow into a file in the directory of `path`, or where temporary files go.
    pub(crate) fn new(path: Option<&Path>) -> Self {
        let file = match path {
            Some(path) => tempfile::spooled_tempfile_in(SPOOL_MEMORY, directory(path)),
            None => tempfile::spooled_tempfile(SPOOL_MEMORY),
        };
        Self { file }
    }

    pub(crate) fn push(&mut self, reject: &Reject<'_>) -> io::Result<()> {
        let field = reject.fault.field.map_or(u8::MAX, |field| field as u8);
        let mut head = [0; 30];
        head[..8].copy_from_slice(&reject.record_number.to_le_bytes());
        head[8..16].copy_from_slice(&reject.byte_offset.to_le_bytes());
        head[16] = reject.fault.code as u8;
        head[17] = field;
        head[18..26].copy_from_slice(&reject.raw_length.to_le_bytes());
        head[26..].copy_from_slice(&(reject.raw.len() as u32).to_le_bytes());
        self.file.write_all(&head)?;
        self.file.write_all(reject.raw)
    }

    /// Adds the lines of the next part of the same source.
    pub(crate) fn append(&mut self, other: Self) -> io::Result<()> {
        io::copy(&mut other.rewind()?, &mut self.file).map(drop)
    }

    fn rewind(mut self) -> io::Result<impl Read> {
        self.file.seek(SeekFrom::Start(0))?;
        Ok(BufReader::new(self.file))
    }

    /// Gives every line back, in order.
    pub(crate) fn drain<E: From<io::Error>>(
        self,
        mut visit: impl FnMut(&Reject<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut file = self.rewind()?;
        let mut raw = Vec::new();
        let mut first = [0; 8];
        while file.read(&mut first[..1])? == 1 {
            file.read_exact(&mut first[1..])?;
            let record_number = u64::from_le_bytes(first);
            let byte_offset = u64::from_le_bytes(read_array(&mut file)?);
            let [code, field] = read_array(&mut file)?;
            let raw_length = u64::from_le_bytes(read_array(&mut file)?);
            let len = u32::from_le_bytes(read_array(&mut file)?) as usize;
            raw.resize(len.min(RAW_LIMIT), 0);
            file.read_exact(&mut raw)?;
            let code = RejectCode::ALL
                .get(usize::from(code))
                .copied()
                .ok_or(io::ErrorKind::InvalidData)
                .map_err(io::Error::from)?;
            let fault = Fault { code, field: Field::ALL.get(usize::from(field)).copied() };
            visit(&Reject { record_number, byte_offset, fault, raw: &raw, raw_length })?;
        }
        Ok(())
    }
}

fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// The table of rejected lines.
pub(crate) fn schema() -> SchemaRef {
    let field = |name, data_type, nullable| ArrowField::new(name, data_type, nullable);
    Arc::new(Schema::new(vec![
        field("source_file", DataType::Utf8, false),
        field("record_number", DataType::Int64, false),
        field("byte_offset", DataType::Int64, false),
        field("code", DataType::Utf8, false),
        field("field", DataType::Utf8, true),
        field("message", DataType::Utf8, false),
        field("raw", DataType::Binary, false),
        field("raw_length", DataType::Int64, false),
        field("country", DataType::Utf8, true),
        field("profile", DataType::Utf8, true),
        field("product_identifier", DataType::Utf8, true),
        field("source_hash", DataType::Utf8, false),
    ]))
}

/// The rejects file under construction; there is none before the first rejected line, nor if lines
/// are only counted.
pub(crate) struct RejectsFile {
    path: PathBuf,
    kept: ClearRejects,
    writer: Option<SmallParquet>,
    rows: Rows,
    /// Lines that were counted and not written.
    omitted: u64,
    /// Whose its rows are, from the first to the last.
    sources: Vec<SourceRows>,
    /// The record numbers in it, by the source's index.
    record_numbers: HashMap<usize, RoaringTreemap>,
}

impl RejectsFile {
    /// A file that is to be published as `path`.
    pub(crate) fn new(path: PathBuf, kept: ClearRejects) -> Self {
        Self {
            path,
            kept,
            writer: None,
            rows: Rows::default(),
            omitted: 0,
            sources: Vec::new(),
            record_numbers: HashMap::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one rejected line of a source.
    pub(crate) fn write(
        &mut self,
        source: &OpenSource,
        source_hash: &str,
        reject: &Reject<'_>,
    ) -> Result<(), LakeError> {
        self.record_numbers.entry(source.index).or_default().insert(reject.record_number);
        if self.kept == ClearRejects::Omit {
            self.omitted += 1;
            return Ok(());
        }
        add_rows(&mut self.sources, SourceRows { source: source.index, rows: 1 });
        self.rows.push(&source.options, source_hash, reject);
        if self.rows.is_full() { self.write_rows() } else { Ok(()) }
    }

    fn write_rows(&mut self) -> Result<(), LakeError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        self.write_batch(&rows.finish()?)
    }

    fn write_batch(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => none.insert(create_writer(&self.path)?),
        };
        Ok(writer.write(batch)?)
    }

    /// The record numbers of a source's rejected lines, for the ledger.
    pub(crate) fn take_record_numbers(&mut self, source: usize) -> RoaringTreemap {
        self.record_numbers.remove(&source).unwrap_or_default()
    }

    /// Lines that were counted and not written.
    pub(crate) const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// Whose its rows are, from the first to the last.
    pub(crate) fn sources(&self) -> &[SourceRows] {
        &self.sources
    }

    /// The finished file; none if nothing was rejected.
    pub(crate) fn finish(mut self) -> Result<Option<StagedFile>, LakeError> {
        self.write_rows()?;
        Ok(self.writer.map(SmallParquet::finish).transpose()?)
    }
}

/// A staged file of rows of the rejects table.
pub(crate) fn copy(
    directory: &Path,
    batches: impl Iterator<Item = Result<RecordBatch, LakeError>>,
) -> Result<StagedFile, LakeError> {
    let path = directory.join("rejects");
    let mut file = RejectsFile::new(path, ClearRejects::Write);
    for batch in batches {
        file.write_batch(&batch?)?;
    }
    file.finish()?.ok_or(LakeError::Defect("a rejects file without rows"))
}

/// Rejects hold raw lines, subscribers' numbers among them: nobody else may read them.
const REJECTS_MODE: u32 = 0o640;

fn create_writer(path: &Path) -> Result<SmallParquet, LakeError> {
    let file = temporary_file(path, REJECTS_MODE)?;
    Ok(SmallParquet::create(file, path, schema(), None)?)
}

/// Rows of the rejects table under construction.
#[derive(Default)]
pub(crate) struct Rows {
    source_file: StringBuilder,
    record_number: Int64Builder,
    byte_offset: Int64Builder,
    code: StringBuilder,
    field: StringBuilder,
    message: StringBuilder,
    raw: BinaryBuilder,
    raw_length: Int64Builder,
    country: StringBuilder,
    profile: StringBuilder,
    product_identifier: StringBuilder,
    source_hash: StringBuilder,
    len: usize,
    raw_bytes: usize,
}

impl Rows {
    pub(crate) fn push(&mut self, source: &SourceOptions, source_hash: &str, reject: &Reject<'_>) {
        let metadata = &source.metadata;
        self.source_file.append_value(&source.source_file);
        self.record_number.append_value(reject.record_number as i64);
        self.byte_offset.append_value(reject.byte_offset as i64);
        self.code.append_value(reject.fault.code.as_str());
        self.field.append_option(reject.fault.field.map(Field::name));
        self.message.append_value(reject.message().to_string());
        self.raw.append_value(reject.raw);
        self.raw_length.append_value(reject.raw_length as i64);
        self.country.append_option(metadata.country.map(Country::code));
        self.profile.append_option(metadata.profile.as_deref());
        self.product_identifier.append_option(metadata.product_identifier.as_deref());
        self.source_hash.append_value(source_hash);
        self.len += 1;
        self.raw_bytes += reject.raw.len();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(crate) fn is_full(&self) -> bool {
        const MAX_ROWS: usize = 16_384;
        const MAX_RAW_BYTES: usize = 8 << 20;
        self.len >= MAX_ROWS || self.raw_bytes >= MAX_RAW_BYTES
    }

    pub(crate) fn finish(mut self) -> Result<RecordBatch, LakeError> {
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(self.source_file.finish()),
            Arc::new(self.record_number.finish()),
            Arc::new(self.byte_offset.finish()),
            Arc::new(self.code.finish()),
            Arc::new(self.field.finish()),
            Arc::new(self.message.finish()),
            Arc::new(self.raw.finish()),
            Arc::new(self.raw_length.finish()),
            Arc::new(self.country.finish()),
            Arc::new(self.profile.finish()),
            Arc::new(self.product_identifier.finish()),
            Arc::new(self.source_hash.finish()),
        ];
        RecordBatch::try_new(schema(), arrays).map_err(|error| LakeError::Encode(error.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spool_gives_back_what_it_was_given() {
        let giant = vec![b'x'; RAW_LIMIT];
        let lines: [(Fault, &[u8], u64); 3] = [
            (Fault { code: RejectCode::ShortRecord, field: None }, b"", 0),
            (Fault { code: RejectCode::NotAscii, field: Some(Field::Trailer) }, b"\xFFab", 3),
            (Fault { code: RejectCode::LongRecord, field: None }, &giant, 1 << 40),
        ];
        let mut spool = Spool::new(None);
        // More than a spool keeps in memory, in two parts.
        for part in 0..2 {
            let mut next = Spool::new(None);
            for index in 0..30 {
                for (fault, raw, raw_length) in lines {
                    let record_number = part * 30 + index;
                    let byte_offset = record_number << 33;
                    next.push(&Reject { record_number, byte_offset, fault, raw, raw_length })
                        .unwrap();
                }
            }
            spool.append(next).unwrap();
        }
        let mut seen = 0;
        spool
            .drain::<io::Error>(|reject| {
                let (fault, raw, raw_length) = lines[seen % 3];
                assert_eq!((reject.fault, reject.raw, reject.raw_length), (fault, raw, raw_length));
                assert_eq!(reject.record_number, seen as u64 / 3);
                assert_eq!(reject.byte_offset, reject.record_number << 33);
                seen += 1;
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, 180);
    }
}
