//! How pages are compressed, and a compressor that keeps its tables from page to page.
//!
//! Most of our bytes are digits without a pattern, in which Zstandard's search for matches costs
//! four fifths of its time and finds little. At its fastest level the pages of a chunk are
//! therefore compressed without a search, by their entropy alone, if a trial says that it hardly
//! takes more room. What repeats is searched as ever.

use std::str::FromStr;

use bytes::Bytes;
use parquet::basic::{Compression as Codec, ZstdLevel};
use parquet::errors::{ParquetError, Result};
use zstd::bulk::Compressor as Zstd;
use zstd::zstd_safe::{CParameter, ParamSwitch, compress_bound};

/// The level at which time counts before size.
const FASTEST: i32 = 1;

/// How far apart positions are at which a match is looked for: so far that there is hardly a
/// search.
const STRIDE: u32 = 64;

/// Bytes at the end of a page that a trial compresses both ways: where the values are, behind levels and lengths.
const TRIAL: usize = 65_536;

/// A page this short is not worth a trial.
const SHORT: usize = 4096;

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

impl FromStr for Compression {
    type Err = String;

    /// `zstd`, `zstd:LEVEL`, `snappy` or `none`.
    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text.split_once(':') {
            None if text == "zstd" => Ok(Self::default()),
            None if text == "snappy" => Ok(Self::Snappy),
            None if text == "none" => Ok(Self::None),
            Some(("zstd", level)) => match level.parse() {
                Ok(level @ 1..=22) => Ok(Self::Zstd(level)),
                _ => Err("expected a zstd level of 1 to 22".to_owned()),
            },
            _ => Err("expected zstd, zstd:LEVEL, snappy or none".to_owned()),
        }
    }
}

impl Compression {
    pub(crate) fn codec(self) -> Result<Codec> {
        Ok(match self {
            Self::Zstd(level) => Codec::ZSTD(ZstdLevel::try_new(level)?),
            Self::Snappy => Codec::SNAPPY,
            Self::None => Codec::UNCOMPRESSED,
        })
    }

    pub(crate) fn compressor(self) -> Result<Compressor> {
        let state = match self {
            Self::Zstd(level) => State::Zstd {
                searching: Zstd::new(level)?,
                by_entropy: (level <= FASTEST).then(by_entropy).transpose()?,
            },
            Self::Snappy => State::Snappy(Box::new(snap::raw::Encoder::new())),
            Self::None => State::None,
        };
        Ok(Compressor { codec: self.codec()?, state, compressed: Vec::new() })
    }
}

/// Zstandard that hardly looks for matches.
fn by_entropy() -> std::io::Result<Zstd<'static>> {
    let mut zstd = Zstd::new(FASTEST)?;
    zstd.set_parameter(CParameter::TargetLength(STRIDE))?;
    zstd.set_parameter(CParameter::LiteralCompressionMode(ParamSwitch::Enable))?;
    Ok(zstd)
}

/// What a trial found to be best for the pages of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// Matches pay.
    Matches,
    /// They do not.
    Nothing,
}

/// Compresses pages.
pub(crate) struct Compressor {
    codec: Codec,
    state: State,
    compressed: Vec<u8>,
}

enum State {
    Zstd { searching: Zstd<'static>, by_entropy: Option<Zstd<'static>> },
    Snappy(Box<snap::raw::Encoder>),
    None,
}

impl Compressor {
    pub(super) fn codec(&self) -> Codec {
        self.codec
    }

    /// How pages like `page` are best compressed; none if it is too short to tell.
    pub(super) fn try_out(&mut self, page: &[u8]) -> Result<Option<Search>> {
        let State::Zstd { searching, by_entropy: Some(by_entropy) } = &mut self.state else {
            return Ok(Some(Search::Matches));
        };
        if page.len() < SHORT {
            return Ok(None);
        }
        let sample = &page[page.len().saturating_sub(TRIAL)..];
        let matches = compress(searching, sample, &mut self.compressed)?;
        let nothing = compress(by_entropy, sample, &mut self.compressed)?;
        // A twelfth more for a quarter of the time.
        let pays = nothing - matches.min(nothing) > matches / 12;
        Ok(Some(if pays { Search::Matches } else { Search::Nothing }))
    }

    pub(super) fn compress(&mut self, page: &[u8], search: Search) -> Result<Bytes> {
        match &mut self.state {
            State::Zstd { by_entropy: Some(zstd), .. } if search == Search::Nothing => {
                compress(zstd, page, &mut self.compressed)?;
            }
            State::Zstd { searching, .. } => {
                compress(searching, page, &mut self.compressed)?;
            }
            State::Snappy(snappy) => {
                self.compressed.clear();
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

/// Fills `output` with `page` compressed, and returns its length.
fn compress(zstd: &mut Zstd<'_>, page: &[u8], output: &mut Vec<u8>) -> std::io::Result<usize> {
    output.clear();
    output.reserve(compress_bound(page.len()));
    zstd.compress_to_buffer(page, output)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codecs_by_name() {
        assert_eq!("zstd".parse(), Ok(Compression::Zstd(1)));
        assert_eq!("zstd:19".parse(), Ok(Compression::Zstd(19)));
        for wrong in ["", "zstd:", "zstd:0", "zstd:23", "gzip", "snappy:1"] {
            assert!(wrong.parse::<Compression>().is_err(), "{wrong:?}");
        }
    }

    /// Digits without a pattern, `len` of them.
    fn digits(len: usize) -> Vec<u8> {
        let mut random = 1_u64;
        std::iter::repeat_with(|| {
            random = random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(1);
            b'0' + (random >> 33) as u8 % 10
        })
        .take(len)
        .collect()
    }

    #[test]
    fn what_repeats_is_searched_and_digits_are_not() {
        let mut fastest = Compression::Zstd(1).compressor().unwrap();
        assert_eq!(fastest.try_out(&digits(100_000)).unwrap(), Some(Search::Nothing));
        let repeated = digits(1000).repeat(100);
        assert_eq!(fastest.try_out(&repeated).unwrap(), Some(Search::Matches));
        assert_eq!(fastest.try_out(&digits(1000)).unwrap(), None);
        // Who asks for a higher level asks for size.
        for compression in [Compression::Zstd(2), Compression::Snappy, Compression::None] {
            let tried = compression.compressor().unwrap().try_out(&digits(100_000)).unwrap();
            assert_eq!(tried, Some(Search::Matches));
        }
    }

    #[test]
    fn both_ways_are_zstandard() {
        let mut compressor = Compression::Zstd(1).compressor().unwrap();
        for page in [vec![], vec![b'7'], vec![0; 100_000], digits(100_000), digits(1000).repeat(9)]
        {
            for search in [Search::Matches, Search::Nothing] {
                let compressed = compressor.compress(&page, search).unwrap();
                assert_eq!(zstd::bulk::decompress(&compressed, page.len()).unwrap(), page);
            }
        }
        let matches = compressor.compress(&digits(100_000), Search::Matches).unwrap();
        let nothing = compressor.compress(&digits(100_000), Search::Nothing).unwrap();
        assert!(nothing.len() * 12 < matches.len() * 13 && nothing.len() < 45_000);
    }
}
