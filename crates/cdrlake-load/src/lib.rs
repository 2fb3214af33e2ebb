//! Sources of call detail records to any sink: in parallel, in order, wholly or not at all.
//!
//! The path of the data, a module a step:
//!
//! 1. `cdrlake-source` walks the inputs, tells containers apart and opens them as streams of records.
//! 2. `blocks` gathers small sources and cuts large ones into blocks, and hashes on the way;
//!    rejected lines that are replayed are gathered there, too.
//! 3. `pipeline` gives blocks to workers and takes the results back in order.
//! 4. `work` is what a worker does: a block's bytes to batches (by `cdrlake-core`), which the sink's
//!    [`Encoder`] takes, and rejected lines to a `spool`.
//! 5. `collect` decides, source by source, what stays, and tells the [`Sink`].
//!
//! [`load_into`] runs all that for a sink of yours; [`sink`](Sink) says what one has to do. The sinks of
//! this crate are [`convert`] (one Parquet file), [`validate`] (verdicts only) and [`read_batches`]
//! (Arrow batches for a caller who keeps them); that of a lake is in `cdrlake-lake`. [`Report`] tells
//! what came of a run.

mod batches;
mod blocks;
mod check_outputs;
mod codes;
mod collect;
mod convert;
mod error;
mod history;
mod input_bytes;
mod left_out;
mod load_run;
mod max_rejects;
mod options;
mod pipeline;
mod privacy;
mod provenance;
mod publish;
mod quantities;
mod read;
mod rejects;
mod report;
mod select;
mod shape;
pub mod sink;
mod splits;
mod spool;
mod table;
mod totals;
mod validate;
mod work;
mod writable;

pub use batches::{ReadOptions, Table, read_batches};
pub use blocks::{OpenSource, SourceEnd, SourceKind};
pub use cdrlake_source::{Input, Settings, Source, Stream};
pub use check_outputs::check_outputs;
pub use codes::Codes;
pub use collect::LoadedSource;
pub use convert::{ConvertOptions, convert};
pub use error::LoadError;
pub use history::{
    ContentStanding, History, KnownSource, KnownSources, OnChanged, OpenRejects, Repeated,
};
pub use input_bytes::input_bytes;
pub use left_out::LeftOut;
pub use load_run::{Loaded, Run, load, load_into};
pub use max_rejects::MaxRejects;
pub use options::{LoadOptions, Sizes};
pub use pipeline::{Deferred, defer};
pub use privacy::{ClearRejects, PrivacyOptions};
pub use provenance::{SourceIdentities, SourceRows, add_rows, labels};
pub use publish::Overwrite;
pub use quantities::{LocalTime, Seconds};
pub use read::{OpenedSource, read_sources};
pub use rejects::{RejectsFile, copy_rejects};
pub use report::{Output, OutputKind, Report, SourceReport, Status, Tally};
pub use select::{Columns, DateRange, UnknownColumn};
pub use shape::TextType;
pub use sink::{Encoder, OnFailure, RejectedLines, Sink};
pub use splits::{Split, read_split, split_file};
pub use table::{calls_layout, layout};
pub use totals::tenths;
pub use validate::validate;
pub use writable::{FileContent, check_place, check_writable};
