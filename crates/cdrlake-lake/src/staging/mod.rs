//! Files that are not visible yet.

mod encoded;
mod partition_file;
mod partitions;
mod sink;

pub(crate) use self::partition_file::PartitionFile;
pub(crate) use self::partitions::Tuning;
pub(crate) use self::sink::{LakeSink, Partitioner, Staged};
