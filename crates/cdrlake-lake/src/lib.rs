//! Files of carrier call detail records to Parquet, wholly or not at all.
//!
//! The path of the data, a module a step:
//!
//! 1. `source` walks the inputs, tells containers apart and opens them as streams of records.
//! 2. `blocks` gathers small sources and cuts large ones into blocks, and hashes on the way;
//!    rejected lines that are replayed are gathered there, too.
//! 3. `pipeline` gives blocks to workers and takes the results back in order.
//! 4. `work` is what a worker does: a block's bytes to batches (by `cdrlake-core`) to the encoded
//!    row group (`columns`), and rejected lines to a spool.
//! 5. `load` decides, source by source, what stays; `staging` appends row groups to a file that is
//!    not visible yet, and takes them back if a source fails at its end.
//! 6. `publish` makes the finished files visible.
//!
//! [`convert`] and [`validate`] tie these together; [`Report`] tells what came of it.

mod audit;
mod error;
mod lake;
mod ledger;
mod lock;
mod partition;
mod publish;
mod staging;

pub use audit::{
    Accepted, Audit, AuditOptions, DaysLeft, DeliveryDays, Difference, ExpectedTotals, Finding,
    GapState, Measure, Observation, Overview, Period, PeriodOf, RejectsRow, ScheduleSummary,
    ScratchLake, SequenceSummary, Series, SourceCounts, Standing, TotalsKey, TotalsRow, TotalsSum,
    accept, audit, overview, standing, totals,
};
pub use cdrlake_load::{
    Changed, ClearRejects, Codes, Columns, ConvertOptions, DateRange, LoadError, LoadOptions,
    LocalTime, MaxRejects, OpenedSource, Output, OutputKind, Overwrite, PrivacyOptions,
    ReadOptions, Repeated, Report, Seconds, SourceReport, Split, Status, Table, Tally, TextType,
    UnknownColumn, convert, input_bytes, read_batches, read_sources, read_split, split_file,
    validate,
};
pub use cdrlake_parquet::{Compression, new_file_beside};
pub use cdrlake_run::{Chain, ErrorKind, Interrupt, Progress, Stage, new_run_id};
pub use cdrlake_source::{
    FirstReject, Input, LimitExceeded, Limits, ProfileSettings, Settings, SourceError, Stream,
    TimeZones, is_lake,
};
pub use error::LakeError;
pub use lake::{
    Delivery, Duplicates, LakeLocation, LakeOptions, LakeSettings, NetworkFileSystem, Unloaded,
    convert_to_lake, deliveries, unload,
};
pub use lock::Locked;
pub use partition::PartitionBy;
