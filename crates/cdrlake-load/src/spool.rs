//! Rejected lines kept aside until their source has ended.
//!
//! The rejects table names the hash of each line's source, which is known only at its end. And a
//! source that fails writes none. So lines wait in a spool, which takes little memory however
//! many there are.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use cdrlake_core::{Fault, Field, RAW_LIMIT, Reject, RejectCode};
use cdrlake_parquet::directory;
use tempfile::SpooledTempFile;

use crate::error::LoadError;

/// Bytes of a spool that stay in memory.
const SPOOL_MEMORY: usize = 1 << 20;

/// Rejected lines of one source, in order, in memory or in an unnamed temporary file.
///
/// There may be a hundred thousand at a time, so an almost empty one must take almost no memory.
#[derive(Debug)]
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
    pub(crate) fn drain(
        self,
        mut visit: impl FnMut(&Reject<'_>) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        let mut file = self.rewind().map_err(LoadError::Rejects)?;
        let mut raw = Vec::new();
        while let Some(line) = next_line(&mut file, &mut raw).map_err(LoadError::Rejects)? {
            visit(&line)?;
        }
        Ok(())
    }
}

/// The next line of a spool that is read from its beginning; its bytes go to `raw`.
fn next_line<'r>(file: &mut impl Read, raw: &'r mut Vec<u8>) -> io::Result<Option<Reject<'r>>> {
    let mut first = [0; 8];
    if file.read(&mut first[..1])? == 0 {
        return Ok(None);
    }
    file.read_exact(&mut first[1..])?;
    let record_number = u64::from_le_bytes(first);
    let byte_offset = u64::from_le_bytes(read_array(file)?);
    let [code, field] = read_array(file)?;
    let raw_length = u64::from_le_bytes(read_array(file)?);
    let len = u32::from_le_bytes(read_array(file)?) as usize;
    raw.resize(len.min(RAW_LIMIT), 0);
    file.read_exact(raw)?;
    let code = RejectCode::ALL
        .get(usize::from(code))
        .copied()
        .ok_or(io::ErrorKind::InvalidData)
        .map_err(io::Error::from)?;
    let fault = Fault { code, field: Field::ALL.get(usize::from(field)).copied() };
    Ok(Some(Reject { record_number, byte_offset, fault, raw, raw_length }))
}

fn read_array<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
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
            .drain(|reject| {
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
