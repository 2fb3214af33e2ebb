//! Carrier call detail records into a data lake: the public names, in one place.
//!
//! The work is done in crates below this one, each with its own documentation:
//!
//! * `cdrlake-core` (here [`core`]): the record format, bytes to Arrow batches.
//! * `cdrlake-source`: what the user named, to streams of records.
//! * `cdrlake-parquet`: batches to pages and files.
//! * `cdrlake-load`: sources to any sink ([`sink`]): one file ([`convert`]), verdicts ([`validate`]),
//!   batches ([`read_batches`]).
//! * `cdrlake-lake`: lakes, which are changed all or nothing ([`convert_to_lake`], [`unload`]).
//! * `cdrlake-audit`: questions to a lake ([`audit`], [`totals`]).
//! * `cdrlake-sync` (here `sync`, with the feature of that name): what a lake has not, fetched from the
//!   carrier and loaded.
//! * `cdrlake-run`: what every run has.

pub use cdrlake_audit::{
    Accepted, Audit, AuditError, AuditOptions, DaysLeft, DeliveryDays, Difference, ExpectedTotals,
    Finding, GapState, Measure, Observation, Overview, Period, PeriodOf, RejectsRow,
    ScheduleSummary, ScratchLake, SequenceSummary, Series, SourceCounts, Standing, TotalsKey,
    TotalsRow, TotalsSum, Verified, Verify, accept, audit, overview, record, standing, totals,
};
pub use cdrlake_core as core;
pub use cdrlake_lake::{
    Delivery, Duplicates, FileCounts, FileDamage, LakeError, LakeInfo, LakeLocation, LakeOptions,
    LakeSettings, Locked, NetworkFileSystem, PartitionBy, Unloaded, Writer, convert_to_lake,
    deliveries, info, unload,
};
pub use cdrlake_load::{
    ClearRejects, Codes, Columns, ConvertOptions, DateRange, FileContent, LoadError, LoadOptions,
    LocalTime, MaxRejects, OnChanged, OpenedSource, Output, OutputKind, Overwrite, PrivacyOptions,
    ReadOptions, Repeated, Report, Seconds, SourceReport, Split, Status, Table, Tally, TextType,
    UnknownColumn, check_place, check_writable, convert, input_bytes, load_into, read_batches,
    read_sources, read_split, sink, split_file, validate,
};
pub use cdrlake_parquet::{Compression, new_file_beside};
pub use cdrlake_run::{Chain, ErrorKind, Interrupt, Progress, Stage, new_run_id};
pub use cdrlake_source::{
    BadPattern, FirstReject, Input, LimitExceeded, Limits, NamePattern, ProfileSettings, Selection,
    Settings, SourceError, Stream, TimeZones, is_lake,
};
#[cfg(feature = "sync")]
pub use cdrlake_sync as sync;
