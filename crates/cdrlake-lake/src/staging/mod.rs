//! Files that are not visible yet.

mod encoded;
mod partition_file;
mod partitions;

pub(crate) use self::encoded::{EncodedRows, SourceRows, add_rows, encode_large, tenths};
pub(crate) use self::partition_file::PartitionFile;
pub(crate) use self::partitions::{Partitions, Tuning};
