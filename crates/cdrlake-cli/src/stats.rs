//! `cdrlake stats`: what is in CDR files, a lake or Parquet files, at a glance.

mod calling_code;
mod counted;
mod durations;
mod json;
mod print;
mod tables;
mod tally;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use cdrlake::{
    Chain, Input, LakeError, LoadOptions, OpenedSource, ProfileSettings, Progress, input_bytes,
    is_lake, read_sources,
};
use cdrlake_core::{Error, Reader, Reject, SourceOptions, Strictness};
use clap::Args;

use self::counted::Stats;
use self::tables::Tables;
use self::tally::{Known, Tally};
use crate::advice::with_advice;
use crate::bar::RunBar;
use crate::config;
use crate::interrupt::{self, Interruptible};
use crate::load_args::{MetadataArguments, OpeningArguments, TellingArguments};
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

    #[command(flatten)]
    telling: TellingArguments,
}

pub(crate) fn run(arguments: &StatsArguments) -> Result<Outcome> {
    let Some(profiles) = config::profiles_or_usage(arguments.opening.config.as_deref()) else {
        return Ok(Outcome::Usage);
    };
    let progress = Progress::default();
    let subject = |path: &PathBuf| Subject::of(path, arguments, &profiles, &progress);
    let subjects = arguments.inputs.iter().map(subject).collect::<Result<Vec<Subject>>>()?;
    let bytes = bytes_of(&subjects);
    let bar = RunBar::start(&progress, bytes, arguments.telling.showing());
    let mut counting = Counting { arguments, progress, stats: Stats::default() };
    let counted = subjects.iter().try_for_each(|subject| counting.subject(subject));
    drop(bar);
    if let Err(failure) = counted {
        return failure.into_outcome();
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

/// What an input proves to be.
enum Subject {
    Tables(Tables),
    Sources(Box<LoadOptions>),
}

impl Subject {
    fn of(
        path: &Path,
        arguments: &StatsArguments,
        profiles: &BTreeMap<String, ProfileSettings>,
        progress: &Progress,
    ) -> Result<Self> {
        if is_lake(path) {
            return tables::of_lake(path).map(Self::Tables);
        }
        if path.extension().is_some_and(|extension| extension == "parquet") && path.is_file() {
            return Ok(Self::Tables(Tables { paths: vec![path.to_owned()], calls: 1 }));
        }
        let input = match path.to_str() {
            Some("-") => Input::Stdin,
            _ => Input::Path(path.to_owned()),
        };
        let mut options = arguments.opening.options(vec![input], profiles.clone());
        options.settings.metadata = arguments.metadata.metadata();
        options.progress = progress.clone();
        Ok(Self::Sources(Box::new(options)))
    }
}

/// How many bytes there are to read, told elsewhere and later.
fn bytes_of(subjects: &[Subject]) -> impl FnOnce() -> Option<u64> + Send + 'static {
    let (mut tables, mut loads) = (Vec::new(), Vec::new());
    for subject in subjects {
        match subject {
            Subject::Tables(Tables { paths, .. }) => tables.extend(paths.iter().cloned()),
            Subject::Sources(options) => loads.push(options.clone()),
        }
    }
    move || {
        let tables = tables.iter().map(|path| path.metadata().map_or(0, |metadata| metadata.len()));
        let loads = loads.iter().map(|options| input_bytes(options)).sum::<Option<u64>>();
        loads.map(|loads| loads + tables.sum::<u64>())
    }
}

struct Counting<'c> {
    arguments: &'c StatsArguments,
    progress: Progress,
    stats: Stats,
}

impl Counting<'_> {
    fn subject(&mut self, subject: &Subject) -> Result<(), Failure> {
        match subject {
            Subject::Tables(Tables { paths, calls }) => {
                for path in paths {
                    tables::add_file(path, &mut self.stats.tally, &self.progress)?;
                }
                self.stats.files += calls;
                Ok(())
            }
            Subject::Sources(options) => self.sources(options),
        }
    }

    fn sources(&mut self, options: &LoadOptions) -> Result<(), Failure> {
        let strictness = match self.arguments.strict {
            true => Strictness::Strict,
            false => Strictness::Lenient,
        };
        let (stats, progress) = (&mut self.stats, &self.progress);
        let before = stats.files + stats.failed;
        read_sources(options, |source| -> Result<(), Failure> {
            let name = source.name;
            match count(source, strictness, progress) {
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
            let input = options.inputs.first().map(Input::to_string).unwrap_or_default();
            let message =
                Message::new(Event::InputEmpty, format_args!("nothing to read in {input}"));
            self.arguments.telling.tell(message.with("input", input));
        }
        Ok(())
    }
}

/// A source wholly or not at all.
fn count(source: OpenedSource<'_>, strictness: Strictness, progress: &Progress) -> Result<Tally> {
    progress.meet(source.name);
    let bytes = source.bytes.map_err(|error| anyhow!(with_advice(Chain(&error))))?;
    let options = SourceOptions {
        metadata: source.metadata.clone(),
        strictness,
        ..SourceOptions::new(source.source_file)
    };
    let mut tally = Tally::default();
    let on_reject = |_: Reject<'_>| progress.add_lines(0, 1);
    let mut reader = Reader::new(Interruptible(bytes), options).on_reject(on_reject);
    let known = Known::new();
    for rows in reader.by_ref() {
        let rows = rows.map_err(without_name)?;
        progress.add_lines(rows.num_rows() as u64, 0);
        tally.add_rows(&rows, &known)?;
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
        Error::Io { error, .. } => {
            anyhow!("cannot be read to its end: {}", with_advice(error))
        }
        error => anyhow!("cannot be counted: {error}"),
    }
}
