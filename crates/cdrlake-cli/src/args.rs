//! The command line.

use std::path::PathBuf;

use cdrlake::{Columns, Compression, DateRange, PartitionBy};
use clap::{Args, Parser, Subcommand};

use crate::audit_args::AuditArguments;
use crate::config::ConfigArguments;
use crate::fetch::FetchArguments;
use crate::generate::GenerateArguments;
use crate::info::InfoArguments;
use crate::inspect::InspectArguments;
use crate::lake_access::LakeAccess;
use crate::load_args::{LoadArguments, size};
use crate::privacy_args::PrivacyArguments;
use crate::shell::{CompletionsArguments, ManArguments};
use crate::standard_error::LogFormat;
use crate::stats::StatsArguments;
use crate::suggest;
use crate::sync::SyncArguments;

/// Carrier call detail records into a data lake: fast, and nothing lost.
#[derive(Debug, Parser)]
#[command(name = "cdrlake", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// How messages on standard error are written: for people, or a JSON object a line.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t, global = true)]
    #[arg(display_order = LAST)]
    #[arg(env = LOG_FORMAT, hide_env_values = true)]
    pub(crate) log_format: LogFormat,
}

/// Behind the options of a command's own.
const LAST: usize = 900;

/// The environment's name for `--log-format`.
pub(crate) const LOG_FORMAT: &str = "CDRLAKE_LOG_FORMAT";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Convert CDR files to Parquet: into a lake, or to one file.
    ///
    /// Exit status: 0 done, all accepted; 1 failed, nothing published; 2 usage, or settings that
    /// contradict the lake's; 3 done, but records were rejected, or a source that was skipped has
    /// rejects still open; 4 done, but whole sources failed; 75 the lake is in use, try again later;
    /// 130 or 143 interrupted, nothing published.
    Convert(Box<ConvertArguments>),
    /// Remove sources from a lake: their rows and their rejected lines.
    Unload(UnloadArguments),
    /// Ask whether every delivery is in a lake, once, and as it was delivered.
    ///
    /// Sequence numbers, days without a delivery, failed sources, open rejects, records that came
    /// in two sources, and the files against the ledger. Nothing is written and no lock is needed, but
    /// by --accept and --record.
    /// Exit status: 0 no findings, 1 failed, 2 usage, 3 findings, 75 the lake is in use (--accept,
    /// --record).
    Audit(Box<AuditArguments>),
    /// Give every line its verdict, and write nothing.
    ///
    /// Rejected lines are listed on standard output. What was found is shown by its shape: d for a
    /// digit, a for a letter, ? for a byte that is not printable.
    Validate(Box<ValidateArguments>),
    /// Show a record: its bytes below a ruler, and what each field holds and becomes.
    ///
    /// It shows numbers as they are, on standard output, which no message, report or log does.
    ///
    /// Exit status: 0 shown, or nothing is rejected; 1 failed, or there is no such record; 2 usage; 4
    /// with --rejected, done, but sources failed; 130 or 143 interrupted.
    Inspect(Box<InspectArguments>),
    /// Count what is in CDR files, lakes or Parquet files.
    ///
    /// Calls per day, by country, profile, product and destination, how long they lasted, and what was
    /// rejected. Sources are counted as they come, though convert loads equal ones once. Durations below six
    /// hours are told exactly, longer ones up to a minute too long.
    ///
    /// Exit status: 0 done, 1 failed, 2 usage, 4 done, but sources failed and do not count; 130 or
    /// 143 interrupted.
    Stats(Box<StatsArguments>),
    /// Say what a lake is: versions, settings, counts, and what is older than this program.
    ///
    /// By its ledger alone, without a lock; nothing is written, so a lake of an earlier version stays as
    /// it is. Exit status: 0 done, 1 failed, or a newer version's; 2 usage, or no lake.
    Info(InfoArguments),
    /// Print the layout of a record and the table it becomes.
    Schema(SchemaArguments),
    /// Make synthetic records, of nobody, to test and measure with.
    ///
    /// Numbers are of ranges that numbering plans set aside for drama, or leave unassigned. Shares,
    /// curves of day and week, and durations are realistic; every record is valid, but for the damage
    /// that is asked for. Any size takes the same memory.
    Generate(Box<GenerateArguments>),
    /// Download files from the carrier's API into a directory.
    ///
    /// Credentials come from CDRLAKE_CONSUMER_KEY and CDRLAKE_CONSUMER_SECRET, or
    /// CDRLAKE_ACCESS_TOKEN, or a file; never from the command line. New files are listed on
    /// standard output. A proxy is taken from HTTPS_PROXY, else ALL_PROXY, but for what NO_PROXY
    /// names and for this machine.
    ///
    /// Exit status: 0 done, or nothing to download; 1 failed; 2 usage; 4 done, but requests failed;
    /// 75 try again later; 130 or 143 interrupted: what was stored before stays.
    Fetch(FetchArguments),
    /// Download what a lake has not, as far as the carrier still has it, and load it.
    ///
    /// For a job that runs every day; a run at any time does no harm. It asks for the days of which
    /// the lake has no file, those between files whose sequence numbers do not follow each other,
    /// and again for the last day with a file and the day before. Then it loads the inbox, which
    /// should hold unrated CDRs only, also if some requests failed. Credentials are as for fetch.
    ///
    /// Exit status: that of fetch or of convert, whichever is worse: 1, then 2, 4 and 3; 75 if trying
    /// later is all that is needed.
    Sync(Box<SyncArguments>),
    /// Show the settings that hold: of flags, the environment and cdrlake.toml, in this order.
    ///
    /// Of secrets only whether they are set is told.
    Config(ConfigArguments),
    /// Print a script that completes the command line of a shell.
    #[command(hide = true)]
    Completions(CompletionsArguments),
    /// Write manual pages.
    #[command(hide = true)]
    Man(ManArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ConvertArguments {
    #[command(flatten)]
    pub(crate) load: LoadArguments,

    /// The lake to load into, a directory; or the one file to write, whose name ends in `.parquet`.
    ///
    /// A lake that is not there is made. What it holds already is skipped, under whatever name it
    /// comes. A file appears under its name only when it is whole.
    #[arg(short, long, value_name = "OUT", env = "CDRLAKE_LAKE", hide_env_values = true)]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) lake: LakeArguments,

    /// Where rejected lines go, if there are any [default: OUT less .parquet, then .rejects.parquet]
    #[arg(long, value_name = "FILE.parquet")]
    pub(crate) rejects: Option<PathBuf>,

    /// Write what came of the run as JSON, in place of any earlier report.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,

    /// Write only these columns, in the table's order; for one file, not for a lake.
    #[arg(long, value_name = "NAME,NAME,…", value_parser = suggest::columns)]
    pub(crate) columns: Option<Columns>,

    /// Write only the calls that started on these days, by their local time, both included:
    /// 2025-10-01..2025-10-31, of which either may be left out; for one file, not for a lake.
    ///
    /// The others are counted as filtered. Rejected lines, which have no day, are kept as ever.
    #[arg(long, value_name = "A..B")]
    pub(crate) where_date: Option<DateRange>,

    /// Write what came of the run, and where the lake stands, as metrics for Prometheus, in place of
    /// any earlier ones; failed runs do so, too.
    ///
    /// For the textfile collector of node_exporter, which wants a name that ends in .prom.
    #[arg(long, value_name = "FILE.prom")]
    pub(crate) metrics_file: Option<PathBuf>,

    /// Compression of pages: zstd, zstd:LEVEL, snappy or none.
    #[arg(long, value_name = "CODEC", default_value = "zstd:1")]
    pub(crate) compression: Compression,

    /// Fill the column record_id: what identifies a record by its bytes. Fixed when a lake is made.
    #[arg(long)]
    pub(crate) record_id: bool,

    /// Replace OUT and its rejects file if they exist; a stale rejects file is removed.
    #[arg(long)]
    pub(crate) overwrite: bool,

    #[command(flatten)]
    pub(crate) privacy: PrivacyArguments,
}

/// What matters only if the output is a lake.
#[derive(Debug, Args)]
pub(crate) struct LakeArguments {
    /// What divides a lake's calls into directories: call_month, call_date, country,call_month or
    /// none; fixed when it is made [default: what it has, or call_month]
    #[arg(long, value_name = "COLUMNS", value_parser = suggest::partition_by)]
    pub(crate) partition_by: Option<PartitionBy>,

    /// Size that files are to approach.
    #[arg(long, value_name = "SIZE", default_value = "256MiB", value_parser = size)]
    pub(crate) target_file_size: u64,

    /// Load sources again that the lake has, under today's options and rules, in place of their
    /// earlier rows.
    #[arg(long)]
    pub(crate) replace: bool,

    /// Drop and count records whose bytes another source holds: of identical ones as many are kept
    /// as the source has that has most. For a lake made with --record-id.
    #[arg(long)]
    pub(crate) deduplicate: bool,

    #[command(flatten)]
    pub(crate) access: LakeAccess,
}

#[derive(Debug, Args)]
pub(crate) struct UnloadArguments {
    /// The lake.
    #[arg(value_name = "LAKE")]
    pub(crate) lake: PathBuf,

    /// Sources, by path, source_file, the carrier's name, or the first eight or more digits of the
    /// content hash.
    ///
    /// A path is known as it was given when the source was loaded, and any other that leads there.
    #[arg(required = true, value_name = "SOURCE")]
    pub(crate) sources: Vec<String>,

    #[command(flatten)]
    pub(crate) access: LakeAccess,

    /// Compression of the pages of files that are written anew.
    #[arg(long, value_name = "CODEC", default_value = "zstd:1")]
    pub(crate) compression: Compression,

    /// Print errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) load: LoadArguments,

    /// Write what came of the run as JSON.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) report: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
