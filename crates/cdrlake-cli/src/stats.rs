//! `cdrlake stats`: what is in CDR files, a lake or Parquet files, at a glance.

mod calling_code;
mod durations;
mod json;
mod print;
mod tables;
mod tally;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use cdrlake_core::{Error, Reader, SourceOptions, Strictness};
use cdrlake_lake::{Chain, Input, LakeError, OpenedSource, ProfileSettings, is_lake, read_sources};
use clap::Args;

use self::tally::{Known, Tally};
use crate::config;
use crate::interrupt::{self, Interruptible};
use crate::load_args::{MetadataArguments, OpeningArguments};
use crate::message::{Event, Message};
use crate::outcome::{Failure, Outcome};

#[derive(Debug, Args)]
pub(crate) struct StatsArguments {
    /// Lakes, .parquet files of calls or rejects, and whatever convert takes: CDR files, plain or
    /// packed, directories of them, or `-`. They are counted together.
    #[arg(required = true, value_name = "LAKE|FILE.parquet|INPUT")]
    #[arg(env = "CDRLAKE_LAKE", hide_env_values = true)]
    inputs: Vec<PathBuf>,

    /// Print JSON: all days, and all countries, profiles, products and country codes.
    #[arg(long)]
    json: bool,

    /// How many rows the tables have at the most.
    #[arg(long, value_name = "N", default_value = "10", conflicts_with = "json")]
    top: usize,

    /// Reject records that would only draw a warning.
    #[arg(long)]
    strict: bool,

    #[command(flatten)]
    metadata: MetadataArguments,

    #[command(flatten)]
    opening: OpeningArguments,
}

pub(crate) fn run(arguments: &StatsArguments) -> Result<Outcome> {
    let Some(profiles) = config::profiles_or_usage(arguments.opening.config.as_deref()) else {
        return Ok(Outcome::Usage);
    };
    let mut counting = Counting { arguments, profiles, stats: Stats::default() };
    for path in &arguments.inputs {
        match counting.input(path) {
            Ok(()) => {}
            Err(failure) => return failure.into_outcome(),
        }
    }
    let stats = counting.stats;
    if stats.failed > 0 && stats.files == 0 {
        return Ok(Outcome::Failed);
    }
    let text = match arguments.json {
        true => json::to_text(&stats)?,
        false => print::to_text(&stats, arguments.top),
    };
    match anstream::stdout().lock().write_all(text.as_bytes()) {
        // Nobody reading on is not an error.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            return Err(error).context("cannot print what was counted");
        }
        _ => {}
    }
    Ok(if stats.failed > 0 { Outcome::SourcesFailed } else { Outcome::Done })
}

/// What was counted.
#[derive(Default)]
struct Stats {
    tally: Tally,
    /// Sources and Parquet files that were read to their end.
    files: u64,
    /// Those that were not; nothing of them counts.
    failed: u64,
}

struct Counting<'c> {
    arguments: &'c StatsArguments,
    profiles: BTreeMap<String, ProfileSettings>,
    stats: Stats,
}

impl Counting<'_> {
    fn input(&mut self, path: &Path) -> Result<(), Failure> {
        let stats = &mut self.stats;
        if is_lake(path) {
            stats.files += tables::add_lake(path, &mut stats.tally)?;
            return Ok(());
        }
        if path.extension().is_some_and(|extension| extension == "parquet") && path.is_file() {
            tables::add_file(path, &mut stats.tally)?;
            stats.files += 1;
            return Ok(());
        }
        let input = match path.to_str() {
            Some("-") => Input::Stdin,
            _ => Input::Path(path.to_owned()),
        };
        let mut options = self.arguments.opening.options(vec![input], self.profiles.clone());
        options.settings.metadata = self.arguments.metadata.metadata();
        let strictness = match self.arguments.strict {
            true => Strictness::Strict,
            false => Strictness::Lenient,
        };
        let before = stats.files + stats.failed;
        read_sources(&options, |source| -> Result<(), Failure> {
            let name = source.name;
            match count(source, strictness) {
                _ if interrupt::is_requested() => return Err(LakeError::Interrupted.into()),
                Ok(tally) => {
                    stats.tally.merge(tally);
                    stats.files += 1;
                }
                Err(error) => {
                    stats.failed += 1;
                    Message::new(Event::SourceFailed, format_args!("{name} {error:#}"))
                        .with("source", name)
                        .tell();
                }
            }
            Ok(())
        })?;
        if stats.files + stats.failed == before {
            Message::new(Event::InputEmpty, format_args!("nothing to read in {}", path.display()))
                .with("input", path)
                .tell();
        }
        Ok(())
    }
}

/// A source wholly or not at all.
fn count(source: OpenedSource<'_>, strictness: Strictness) -> Result<Tally> {
    let bytes = source.bytes.map_err(|error| anyhow!("{}", Chain(&error)))?;
    let options = SourceOptions {
        metadata: source.metadata.clone(),
        strictness,
        ..SourceOptions::new(source.source_file)
    };
    let mut tally = Tally::default();
    let mut reader = Reader::new(Interruptible(bytes), options).on_reject(|_| {});
    let known = Known::new();
    for rows in reader.by_ref() {
        tally.add_rows(&rows.map_err(without_name)?, &known)?;
    }
    let counts = reader.counts();
    tally.blank_lines = counts.blank_lines;
    tally.rejects =
        counts.rejects().map(|(code, count)| (code.as_str().to_owned(), count)).collect();
    if counts.records == 0 && counts.lines() > 0 {
        return Err(anyhow!("holds no record: it is not a CDR file"));
    }
    Ok(tally)
}

/// An error of reading, as it stands behind the source's name.
fn without_name(error: Error) -> anyhow::Error {
    match error {
        Error::Io { error, .. } => anyhow!("cannot be read to its end: {error}"),
        error => anyhow!("cannot be counted: {error}"),
    }
}
