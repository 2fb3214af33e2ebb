//! Batches to column chunks: how each column of the table is encoded in Parquet.
//!
//! The pages are our own. The ordinary writer hashes every value of every row, though the decoder
//! knows most columns to be constant or of few values; here a constant column costs per row group
//! and not per row, a batch's dictionary is mapped to the row group's once, and what is mostly
//! different is never looked up. Each column takes the encoding that its values in this row group
//! deserve:
//!
//! | values | encoding |
//! |---|---|
//! | the same as another column's | that column's pages |
//! | all null | levels alone, one run |
//! | one value | a dictionary of one, its id one run |
//! | text that repeats | dictionary, ids in runs or packed |
//! | text mostly different, but alike where it begins | what differs from the value before |
//! | other text | lengths as differences, then bytes |
//! | integers that are few and close together | dictionary |
//! | other integers | differences |
//!
//! Pages are of version 1, for the widest circle of readers; every column has a page index, every page the
//! CRC of its bytes.
//! The ordinary writer stays as the tests' oracle.

mod bit_packing;
mod chunk;
mod compression;
mod delta;
mod dictionary;
mod encoder;
mod integer;
mod labels;
mod levels;
mod page_header;
mod plain;
mod plain_text;
mod repeats;
mod row_group;
mod statistics;
mod text;

pub(crate) use self::chunk::ColumnChunk;
pub use self::compression::Compression;
pub use self::labels::LabelRun;
pub(crate) use self::labels::encode as encode_labels;
pub(crate) use self::row_group::{Encoders, Spares};
pub use self::row_group::{RowGroup, RowGroupEncoder};
pub use self::statistics::Bound;
pub(crate) use self::statistics::{Bounds, of_statistics, union};
