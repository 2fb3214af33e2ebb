//! Lakes of call detail records: each source once, changed all or nothing.
//!
//! The path of a run that loads:
//!
//! 1. `load` opens a lake ([`LakeLocation`]), takes a [`Snapshot`] of what is true of it, and gives
//!    `cdrlake-load` a sink.
//! 2. `staging` is that sink: rows wait by [`Partition`] until they are worth a row group, and row
//!    groups go to files that are not visible yet.
//! 3. `deduplicate` and `rewrite` leave rows out of new files and of old ones.
//! 4. A [`Transaction`] says what will be true (`model`), and a [`Commit`] makes it true: `commit` has
//!    an implementation a file. That of a directory keeps its knowledge in the `ledger`.
//!
//! [`LakeReader`] reads a lake without a lock, at one moment ([`Facts`]).

mod arrival;
mod commit;
mod deduplicate;
mod deliveries;
mod error;
mod facts;
mod file_damage;
mod format;
mod info;
mod lake_options;
mod ledger;
mod load;
mod location;
mod lock;
mod machine;
mod model;
mod network;
mod open_lake;
mod partition;
mod places;
mod reader;
mod records;
mod rewrite;
mod run_facts;
mod settings;
mod snapshot;
mod staging;
mod unload;
mod verify;
mod versions;
mod zones;

pub use commit::{Commit, FileChunks, Outcome};
pub use deliveries::deliveries;
pub use error::LakeError;
pub use facts::{
    Facts, FileFacts, FileRows, FileState, Moment, RejectsState, SourceFacts, SourceStatus,
};
pub use file_damage::FileDamage;
pub use format::{LakeFormat, record_ids};
pub use info::{FileCounts, LakeInfo, Writer};
pub use lake_options::LakeOptions;
pub use load::convert_to_lake;
pub use location::LakeLocation;
pub use lock::Locked;
pub use model::{
    Acceptance, AddedFile, AddedSource, CompleteFile, Delivery, Duplicates, Ending, FileKind,
    FileSummary, LakeFile, LoadedVersion, Noted, Replayed, RowsBySource, SourceFact, SourceId,
    SourceRef, Transaction, Version,
};
pub use network::NetworkFileSystem;
pub use partition::{Partition, PartitionBy};
pub use reader::{LakeReader, accept, facts_if_there, info, record_hashes};
pub use records::{hash_value, wire_columns};
pub use settings::LakeSettings;
pub use snapshot::Snapshot;
pub use unload::{Unloaded, unload};
