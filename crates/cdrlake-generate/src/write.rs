//! Lines to bytes of a file: made and compressed by several threads, written in order.

use std::io::{self, Write};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

use crate::calls::{Calls, PIECE_RECORDS};
use crate::frozen;

/// What lines are to be written.
#[derive(Clone, Copy, Debug)]
pub enum Lines<'a> {
    /// Synthetic calls.
    Calls(&'a Calls),
    /// The workload of the benchmarks.
    Frozen {
        /// Chooses the records.
        seed: u64,
        /// How many.
        records: u64,
    },
}

/// How they are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    Plain,
    /// A gzip of one member.
    Gzip,
}

/// Writes the lines, and says how many bytes they were before packing.
///
/// The bytes that are written do not depend on the number of threads. Each takes some megabytes,
/// however many lines there are.
///
/// # Errors
///
/// What `output` says.
pub fn write(
    lines: Lines<'_>,
    packing: Packing,
    threads: NonZero<usize>,
    mut output: impl Write,
) -> io::Result<u64> {
    if packing == Packing::Gzip {
        output.write_all(&GZIP_HEADER)?;
    }
    let pieces = lines.pieces();
    let threads = threads.get().min(usize::try_from(pieces).unwrap_or(usize::MAX)).max(1);
    let mut checksum = Crc::new();
    let mut len = 0;
    thread::scope(|scope| {
        // Pieces are dealt out in turn and taken back in turn; each thread may be two ahead.
        let results: Vec<Receiver<io::Result<Packed>>> = (0..threads)
            .map(|first| {
                let (sender, receiver) = sync_channel(2);
                scope.spawn(move || {
                    work(lines, packing, (first as u64..pieces).step_by(threads), &sender);
                });
                receiver
            })
            .collect();
        for receiver in results.iter().cycle().take(usize::try_from(pieces).unwrap_or(usize::MAX)) {
            let packed = receiver.recv().map_err(|_| io::Error::other("a thread died"))??;
            output.write_all(&packed.bytes)?;
            checksum.combine(&packed.checksum);
            len += packed.len;
        }
        Ok::<_, io::Error>(())
    })?;
    if packing == Packing::Gzip {
        output.write_all(&LAST_BLOCK)?;
        output.write_all(&checksum.sum().to_le_bytes())?;
        output.write_all(&(len as u32).to_le_bytes())?;
    }
    output.flush()?;
    Ok(len)
}

/// Deflate, no name, no time, unknown system: nothing that differs from run to run.
const GZIP_HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];

/// An empty block, the last of a deflated stream.
const LAST_BLOCK: [u8; 2] = [0x03, 0x00];

/// The bytes of a piece as they go into the file.
struct Packed {
    bytes: Vec<u8>,
    checksum: Crc,
    len: u64,
}

/// Makes its pieces until they are done, or nobody wants them.
fn work(
    lines: Lines<'_>,
    packing: Packing,
    pieces: impl Iterator<Item = u64>,
    results: &SyncSender<io::Result<Packed>>,
) {
    let mut source = Source::new(lines);
    let mut deflate = Compress::new(Compression::fast(), false);
    let mut plain = Vec::new();
    for piece in pieces {
        plain.clear();
        source.piece(piece, &mut plain);
        let packed = match packing {
            Packing::Plain => {
                let len = plain.len();
                Ok(Packed {
                    checksum: Crc::new(),
                    len: len as u64,
                    bytes: std::mem::replace(&mut plain, Vec::with_capacity(len)),
                })
            }
            Packing::Gzip => deflated(&plain, &mut deflate),
        };
        if results.send(packed).is_err() {
            return;
        }
    }
}

/// Blocks that end at a whole byte, so that others can follow.
fn deflated(plain: &[u8], deflate: &mut Compress) -> io::Result<Packed> {
    deflate.reset();
    let mut checksum = Crc::new();
    checksum.update(plain);
    let mut bytes = Vec::with_capacity(plain.len() / 4 + 1024);
    loop {
        let rest = &plain[deflate.total_in() as usize..];
        match deflate.compress_vec(rest, &mut bytes, FlushCompress::Sync)? {
            // Room was left, so all of it is out.
            Status::Ok | Status::StreamEnd | Status::BufError
                if deflate.total_in() as usize == plain.len() && bytes.len() < bytes.capacity() =>
            {
                return Ok(Packed { bytes, checksum, len: plain.len() as u64 });
            }
            _ => bytes.reserve(plain.len() / 4 + 1024),
        }
    }
}

impl Lines<'_> {
    fn pieces(self) -> u64 {
        match self {
            Self::Calls(calls) => calls.pieces(),
            Self::Frozen { records, .. } => records.div_ceil(PIECE_RECORDS),
        }
    }
}

/// Where a thread has its pieces from.
enum Source<'a> {
    Calls(&'a Calls),
    /// Each record follows from those before it, so those of other threads are passed over.
    Frozen {
        calls: frozen::Calls,
        next: u64,
    },
}

impl<'a> Source<'a> {
    fn new(lines: Lines<'a>) -> Self {
        match lines {
            Lines::Calls(calls) => Self::Calls(calls),
            Lines::Frozen { seed, records } => {
                Self::Frozen { calls: frozen::Calls::new(seed, records), next: 0 }
            }
        }
    }

    fn piece(&mut self, piece: u64, lines: &mut Vec<u8>) {
        match self {
            Self::Calls(calls) => calls.piece(piece, lines),
            Self::Frozen { calls, next } => {
                calls.skip_records((piece - *next) * PIECE_RECORDS);
                let records = calls.by_ref().take(PIECE_RECORDS as usize);
                records.for_each(|line| lines.extend_from_slice(&line));
                *next = piece + 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn written(lines: Lines<'_>, packing: Packing, threads: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        let len = write(lines, packing, NonZero::new(threads).unwrap(), &mut bytes).unwrap();
        if packing == Packing::Plain {
            assert_eq!(len, bytes.len() as u64);
        }
        bytes
    }

    #[test]
    fn threads_and_packing_change_no_byte() {
        for records in [0, 1, PIECE_RECORDS, PIECE_RECORDS * 5 + 17] {
            let lines = Lines::Frozen { seed: 5, records };
            let plain = written(lines, Packing::Plain, 1);
            assert!(frozen::Calls::new(5, records).flatten().eq(plain.iter().copied()));
            let gzip = written(lines, Packing::Gzip, 1);
            for threads in [2, 3, 8] {
                assert!(written(lines, Packing::Plain, threads) == plain, "{threads}");
                assert!(written(lines, Packing::Gzip, threads) == gzip, "{threads}");
            }
            // A decoder of one member finds everything, with the right checksum and length.
            let mut decoder = flate2::bufread::GzDecoder::new(&gzip[..]);
            let mut unpacked = Vec::new();
            decoder.read_to_end(&mut unpacked).unwrap();
            assert!(unpacked == plain);
            assert!(decoder.into_inner().is_empty());
        }
    }

    #[test]
    fn a_full_disk_ends_all_threads() {
        struct Full(usize);
        impl Write for Full {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::StorageFull)?;
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let lines = Lines::Frozen { seed: 5, records: PIECE_RECORDS * 40 };
        let threads = NonZero::new(4).unwrap();
        let error = write(lines, Packing::Plain, threads, Full(5_000_000)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
}
