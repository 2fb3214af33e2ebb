//! How pages are compressed, and a compressor that keeps its tables from page to page.

use bytes::Bytes;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::{ParquetError, Result};

/// How pages are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Zstandard, level 1 to 22.
    Zstd(i32),
    /// Snappy.
    Snappy,
    /// Not at all.
    None,
}

impl Default for Compression {
    fn default() -> Self {
        Self::Zstd(1)
    }
}

impl Compression {
    pub(super) fn codec(self) -> Result<Codec> {
        Ok(match self {
            Self::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
            Self::Snappy => Codec::SNAPPY,
            Self::None => Codec::UNCOMPRESSED,
        })
    }

    pub(super) fn compressor(self) -> Result<Compressor> {
        let state = match self {
            Self::Zstd(level) => State::Zstd(zstd::bulk::Compressor::new(level)?),
            Self::Snappy => State::Snappy(Box::new(snap::raw::Encoder::new())),
            Self::None => State::None,
        };
        Ok(Compressor { codec: self.codec()?, state, compressed: Vec::new() })
    }
}

/// Compresses pages.
pub(super) struct Compressor {
    codec: Codec,
    state: State,
    compressed: Vec<u8>,
}

enum State {
    Zstd(zstd::bulk::Compressor<'static>),
    Snappy(Box<snap::raw::Encoder>),
    None,
}

impl Compressor {
    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    pub(super) fn compress(&mut self, page: &[u8]) -> Result<Bytes> {
        self.compressed.clear();
        match &mut self.state {
            State::Zstd(zstd) => {
                self.compressed.reserve(zstd::zstd_safe::compress_bound(page.len()));
                zstd.compress_to_buffer(page, &mut self.compressed)?;
            }
            State::Snappy(snappy) => {
                self.compressed.resize(snap::raw::max_compress_len(page.len()), 0);
                let len = snappy
                    .compress(page, &mut self.compressed)
                    .map_err(|error| ParquetError::External(Box::new(error)))?;
                self.compressed.truncate(len);
            }
            State::None => return Ok(Bytes::copy_from_slice(page)),
        }
        Ok(Bytes::copy_from_slice(&self.compressed))
    }
}
