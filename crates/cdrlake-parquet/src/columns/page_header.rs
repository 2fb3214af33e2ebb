//! Headers of pages, with the CRC of what follows: the parquet crate writes none.
//!
//! A header is a struct of Thrift's compact protocol (`PageHeader` of parquet.thrift): a byte a field,
//! its type and how far its id is from the one before, then the value; integers are zigzag varints.

use parquet::basic::{Encoding, PageType};
use parquet::errors::{ParquetError, Result};

/// Thrift's compact types.
const FALSE: u8 = 2;
const I32: u8 = 5;
const STRUCT: u8 = 12;
const STOP: u8 = 0;

/// What the header of a dictionary, or of a page of data of version 1, tells.
#[derive(Clone, Copy)]
pub(super) struct PageHeader {
    pub(super) page_type: PageType,
    /// Of the values; levels are runs, always.
    pub(super) encoding: Encoding,
    /// With nulls.
    pub(super) values: usize,
    /// Bytes of the page before it was compressed.
    pub(super) uncompressed: usize,
}

impl PageHeader {
    /// Appends the header of a page whose bytes are `compressed`.
    pub(super) fn write(&self, compressed: &[u8], output: &mut Vec<u8>) -> Result<()> {
        let levels = Encoding::RLE as i32;
        integer(1, self.page_type as i32, output);
        integer(1, length(self.uncompressed)?, output);
        integer(1, length(compressed.len())?, output);
        integer(1, crc32fast::hash(compressed) as i32, output);
        let is_dictionary = self.page_type == PageType::DICTIONARY_PAGE;
        // Field 5 is a page of data, field 7 a dictionary.
        field(if is_dictionary { 3 } else { 1 }, STRUCT, output);
        integer(1, length(self.values)?, output);
        integer(1, self.encoding as i32, output);
        if is_dictionary {
            // It is not sorted.
            field(1, FALSE, output);
        } else {
            integer(1, levels, output);
            integer(1, levels, output);
        }
        output.extend_from_slice(&[STOP, STOP]);
        Ok(())
    }
}

fn length(bytes: usize) -> Result<i32> {
    let too_long = |_| ParquetError::General(format!("a page of {bytes} bytes"));
    i32::try_from(bytes).map_err(too_long)
}

/// Begins a field whose id is `step` more than that of the one before.
fn field(step: u8, kind: u8, output: &mut Vec<u8>) {
    output.push(step << 4 | kind);
}

fn integer(step: u8, value: i32, output: &mut Vec<u8>) {
    field(step, I32, output);
    let mut zigzag = (value << 1 ^ value >> 31) as u32;
    while zigzag >= 0x80 {
        output.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    output.push(zigzag as u8);
}
