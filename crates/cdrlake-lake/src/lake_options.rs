//! What a run that loads into a lake reads and writes.

use cdrlake_load::{LoadOptions, Repeated};
use cdrlake_parquet::Compression;

use crate::location::LakeLocation;
use crate::model::Duplicates;
use crate::partition::PartitionBy;

/// What [`convert_to_lake`](crate::convert_to_lake) reads and writes.
#[derive(Clone, Debug)]
pub struct LakeOptions {
    /// How sources are read and judged.
    pub load: LoadOptions,
    /// The lake; it is made if there is nothing.
    pub lake: LakeLocation,
    /// What to do with a source whose content is loaded already.
    pub repeated: Repeated,
    /// What to do with a record that another source holds.
    pub duplicates: Duplicates,
    /// By what calls are divided; what the lake has, or by month, if none.
    pub partition_by: Option<PartitionBy>,
    /// How pages are compressed.
    pub compression: Compression,
    /// Bytes that files are to approach.
    pub target_file_size: u64,
}

impl LakeOptions {
    /// 256 MiB.
    pub const DEFAULT_TARGET_FILE_SIZE: u64 = 256 << 20;

    /// The defaults for these.
    #[must_use]
    pub fn new(load: LoadOptions, lake: LakeLocation) -> Self {
        Self {
            load,
            lake,
            repeated: Repeated::default(),
            duplicates: Duplicates::default(),
            partition_by: None,
            compression: Compression::default(),
            target_file_size: Self::DEFAULT_TARGET_FILE_SIZE,
        }
    }
}
