//! The command line.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use cdrlake_core::{Country, Metadata, Strictness, parse_product};
use cdrlake_lake::{
    Changed, Compression, Input, LakeLocation, Limits, LoadOptions, Locked, MaxRejects,
    NetworkFileSystem, PartitionBy, ProfileSettings, TimeZones,
};
use clap::{Args, Parser, Subcommand};

use crate::audit_args::AuditArguments;
use crate::config::ConfigArguments;
use crate::fetch::FetchArguments;
use crate::generate::GenerateArguments;
use crate::inspect::InspectArguments;
use crate::interrupt;
use crate::shell::{CompletionsArguments, ManArguments};
use crate::stats::StatsArguments;
use crate::sync::SyncArguments;

/// Carrier call detail records into a data lake: fast, and nothing lost.
#[derive(Debug, Parser)]
#[command(name = "cdrlake", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

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
    /// in two sources, and the files against the ledger. Nothing is written and no lock is needed.
    /// Exit status: 0 no findings, 1 failed, 2 usage, 3 findings, 75 the lake is in use (--accept).
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

    /// Compression of pages: zstd, zstd:LEVEL, snappy or none.
    #[arg(long, value_name = "CODEC", default_value = "zstd:1", value_parser = compression)]
    pub(crate) compression: Compression,

    /// Fill the column record_id: what identifies a record by its bytes. Fixed when a lake is made.
    #[arg(long)]
    pub(crate) record_id: bool,

    /// Replace OUT and its rejects file if they exist; a stale rejects file is removed.
    #[arg(long)]
    pub(crate) overwrite: bool,
}

/// What matters only if the output is a lake.
#[derive(Debug, Args)]
pub(crate) struct LakeArguments {
    /// What divides a lake's calls into directories: call_month, call_date, country,call_month or
    /// none; fixed when it is made [default: what it has, or call_month]
    #[arg(long, value_name = "COLUMNS")]
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

/// How a lake is opened.
#[derive(Debug, Args)]
pub(crate) struct LakeAccess {
    /// Where the lake's ledger is [default: _cdrlake/ledger.sqlite in it]
    #[arg(long, value_name = "FILE.sqlite")]
    ledger: Option<PathBuf>,

    /// Wait while another run writes the lake, rather than end with status 75.
    #[arg(long)]
    wait: bool,

    /// Use a lake on a network file system, where locks cannot be trusted: there must be no other
    /// writer.
    #[arg(long)]
    allow_network_filesystem: bool,
}

impl LakeAccess {
    /// Whether the ledger is named.
    pub(crate) fn has_ledger(&self) -> bool {
        self.ledger.is_some()
    }

    pub(crate) fn location(&self, root: PathBuf) -> LakeLocation {
        LakeLocation {
            ledger: self.ledger.clone(),
            locked: if self.wait { Locked::Wait } else { Locked::Refuse },
            network: match self.allow_network_filesystem {
                true => NetworkFileSystem::Allow,
                false => NetworkFileSystem::Refuse,
            },
            interrupt: interrupt::request(),
            ..LakeLocation::new(root)
        }
    }
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
    #[arg(long, value_name = "CODEC", default_value = "zstd:1", value_parser = compression)]
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

/// What commands that read CDR files have in common.
#[derive(Debug, Args)]
pub(crate) struct LoadArguments {
    /// Files, directories, or `-` for standard input: plain, .gz, .zip or .tar, inside each other too.
    ///
    /// Directories are walked, without what begins with a dot.
    #[arg(required_unless_present = "replay", value_name = "INPUT")]
    inputs: Vec<PathBuf>,

    /// Decode the lines of a rejects file again, or of all .parquet files in a directory.
    ///
    /// For when the rules, or the file's column `raw`, were corrected. Rows keep the source_file and
    /// record_number that they would have had; a line is replayed once, however often it is given,
    /// and one that is still wrong is rejected again. Lines cut at 64 KiB cannot be replayed. A file
    /// is replayed as a whole or not at all. For several files, repeat the flag.
    #[arg(long, value_name = "REJECTS.parquet", conflicts_with = "max_rejects")]
    replay: Vec<PathBuf>,

    #[command(flatten)]
    metadata: MetadataArguments,

    #[command(flatten)]
    pub(crate) reading: ReadingArguments,

    /// Print errors only.
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// What is known of all sources.
#[derive(Debug, Args)]
pub(crate) struct MetadataArguments {
    /// Country of sources whose names do not tell, as GB.
    #[arg(long, value_name = "CC", env = "CDRLAKE_COUNTRY", hide_env_values = true)]
    country: Option<Country>,

    /// Reseller profile of sources whose names do not tell.
    #[arg(long, value_parser = profile, env = "CDRLAKE_PROFILE", hide_env_values = true)]
    profile: Option<String>,

    /// Product of sources whose names do not tell: identifier, name or offering.
    #[arg(long, value_parser = parse_product, env = "CDRLAKE_PRODUCT", hide_env_values = true)]
    product: Option<String>,
}

impl MetadataArguments {
    pub(crate) fn metadata(&self) -> Metadata {
        Metadata {
            country: self.country,
            profile: self.profile.clone(),
            product_identifier: self.product.clone(),
            ..Metadata::default()
        }
    }
}

/// How CDR files are read and judged.
#[derive(Debug, Args)]
pub(crate) struct ReadingArguments {
    #[command(flatten)]
    pub(crate) opening: OpeningArguments,

    /// Whose clocks the calls' times are of: fills start_time_utc and start_time_ambiguous.
    ///
    /// A name of the IANA database such as Europe/London, which holds for all sources; or country,
    /// for the zone of each source's country, if it has but one; or profile, for what cdrlake.toml
    /// has for each source's profile (time_zone). A source for which none can be told fails.
    #[arg(long, value_name = "ZONE|country|profile")]
    #[arg(env = "CDRLAKE_TIME_ZONE", hide_env_values = true)]
    time_zone: Option<TimeZones>,

    /// Reject records that would only draw a warning.
    ///
    /// This rejects every record with bytes between its end and the line feed, so all of French
    /// Voice Line.
    #[arg(long)]
    strict: bool,

    /// Load sources whose name, of the carrier's form, came before with other content.
    #[arg(long)]
    allow_changed: bool,

    /// How many records of a source may be rejected before it fails as a whole [default: any]
    #[arg(long, value_name = "N|P%")]
    max_rejects: Option<MaxRejects>,
}

/// What is known of CDR files, and what reading them may take.
#[derive(Debug, Args)]
pub(crate) struct OpeningArguments {
    /// Settings by profile [default: cdrlake.toml, here or in a directory above]
    #[arg(long, value_name = "FILE.toml", env = "CDRLAKE_CONFIG", hide_env_values = true)]
    pub(crate) config: Option<PathBuf>,

    /// Threads that work [default: one a core]
    ///
    /// Each may take 96 MiB, so fewer work if the memory limit does not allow so many. The output
    /// does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Memory to stay within, give or take 64 MiB.
    #[arg(long, value_name = "SIZE", default_value = "512MiB", value_parser = size)]
    memory_limit: u64,

    /// How many times its size an input may unwrap to.
    #[arg(long, value_name = "N", default_value_t = Limits::default().ratio)]
    max_ratio: u64,

    /// How many members the archives of an input may have.
    #[arg(long, value_name = "N", default_value_t = Limits::default().entries)]
    max_entries: u64,

    /// How many archives may be inside each other; a .tar.gz counts as one.
    #[arg(long, value_name = "N", default_value_t = Limits::default().depth)]
    max_depth: u32,

    /// How many bytes an input may unwrap to.
    #[arg(long, value_name = "SIZE", default_value = "1024GiB", value_parser = size)]
    max_total: u64,
}

impl OpeningArguments {
    /// `profiles` come from the configuration.
    pub(crate) fn options(
        &self,
        inputs: Vec<Input>,
        profiles: BTreeMap<String, ProfileSettings>,
    ) -> LoadOptions {
        let mut options = LoadOptions::new(inputs);
        options.settings.profiles = profiles;
        options.limits = Limits {
            ratio: self.max_ratio,
            entries: self.max_entries,
            depth: self.max_depth,
            total: self.max_total,
        };
        options.threads = self.threads;
        options.interrupt = interrupt::request();
        options.memory_limit = self.memory_limit;
        options
    }
}

impl ReadingArguments {
    /// `profiles` come from the configuration; `report` is written besides what the run writes.
    pub(crate) fn options(
        &self,
        inputs: Vec<Input>,
        profiles: BTreeMap<String, ProfileSettings>,
        report: Option<&Path>,
    ) -> LoadOptions {
        let mut options = self.opening.options(inputs, profiles);
        options.time_zones = self.time_zone.clone().unwrap_or_default();
        options.strictness = if self.strict { Strictness::Strict } else { Strictness::Lenient };
        options.changed = if self.allow_changed { Changed::Allow } else { Changed::Refuse };
        options.max_rejects = self.max_rejects;
        options.also_written.extend(report.map(Path::to_owned));
        options
    }
}

impl LoadArguments {
    /// What of it cannot be done.
    pub(crate) fn problem(&self) -> Option<String> {
        let streams = self.inputs.iter().filter(|path| path.as_os_str() == "-").count();
        if let (Some(input), false) = (self.inputs.first(), self.replay.is_empty()) {
            return Some(format!(
                "{} cannot be read in a replay; to replay it, too, give --replay once more before it",
                input.display()
            ));
        }
        (streams > 1)
            .then(|| "- is given more than once; standard input can be read once".to_owned())
    }

    /// `profiles` come from the configuration; `report` is written besides what the run writes.
    pub(crate) fn options(
        &self,
        profiles: BTreeMap<String, ProfileSettings>,
        report: Option<&Path>,
    ) -> LoadOptions {
        let inputs = self.inputs.iter().map(|path| match path.to_str() {
            Some("-") => Input::Stdin,
            _ => Input::Path(path.clone()),
        });
        let replayed = self.replay.iter().cloned().map(Input::Rejects);
        let inputs = inputs.chain(replayed).collect();
        let mut options = self.reading.options(inputs, profiles, report);
        options.settings.metadata = self.metadata.metadata();
        options
    }
}

pub(crate) fn profile(text: &str) -> Result<String, String> {
    let is_profile =
        (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_profile
        .then(|| text.to_owned())
        .ok_or_else(|| "expected 1 to 5 letters or digits".to_owned())
}

fn compression(text: &str) -> Result<Compression, String> {
    match text.split_once(':') {
        None if text == "zstd" => Ok(Compression::default()),
        None if text == "snappy" => Ok(Compression::Snappy),
        None if text == "none" => Ok(Compression::None),
        Some(("zstd", level)) => match level.parse() {
            Ok(level @ 1..=22) => Ok(Compression::Zstd(level)),
            _ => Err("expected a zstd level of 1 to 22".to_owned()),
        },
        _ => Err("expected zstd, zstd:LEVEL, snappy or none".to_owned()),
    }
}

/// Bytes, or KiB, MiB, GiB.
fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err("expected a size like 512MiB".to_owned()),
    };
    let number = digits.parse::<u64>().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| "expected a size like 512MiB".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("1 GiB"), Ok(1 << 30));
        assert_eq!(size("100"), Ok(100));
        for wrong in ["", "MiB", "1.5GiB", "1TiB", "99999999999GiB"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn compressions() {
        assert_eq!(compression("zstd"), Ok(Compression::Zstd(1)));
        assert_eq!(compression("zstd:19"), Ok(Compression::Zstd(19)));
        for wrong in ["", "zstd:", "zstd:0", "zstd:23", "gzip", "snappy:1"] {
            assert!(compression(wrong).is_err(), "{wrong:?}");
        }
    }
}
