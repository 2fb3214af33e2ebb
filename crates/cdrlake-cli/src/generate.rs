//! `cdrlake generate`: synthetic records, as one file or as a history of deliveries.

use std::io::{self, BufWriter, Write};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail};
use cdrlake::{check_place, new_file_beside};
use cdrlake_core::Country;
use cdrlake_generate::{
    Calls, Damage, History, Lines, Packing, Product, Profile, Span, SpanError, write,
};
use clap::{Args, ValueEnum};
use jiff::civil::{Date, Time};

use crate::message::{Event, Message, tell};
use crate::outcome::Outcome;
use crate::output_file::{check_directory, open_special};
use crate::{interrupt, suggest};

#[derive(Debug, Args)]
pub(crate) struct GenerateArguments {
    /// The file to write, gzipped if its name ends in `.gz`; `-` for standard output; with --files
    /// the directory to write into.
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,

    /// How many records, in all files together.
    #[arg(long, value_name = "N")]
    records: u64,

    /// Chooses the records: the same seed and options give the same bytes.
    #[arg(long, default_value_t = 42)]
    seed: u64,

    /// Whose numbering plan and habits they follow.
    #[arg(long, value_name = "CC", default_value = "GB")]
    country: Country,

    /// Which product's records: identifier, name or offering.
    #[arg(long, default_value = "SIP Trunking", value_parser = product)]
    product: Product,

    /// The reseller's profile, 1 to 5 letters or digits; a record has the first three.
    #[arg(long, default_value = "ABC")]
    profile: Profile,

    /// The first day of calls, or of deliveries.
    #[arg(long, value_name = "DATE", default_value = "2025-10-01")]
    from: Date,

    /// How many days a single file spans.
    #[arg(long, default_value_t = 30, conflicts_with = "files", value_parser = clap::value_parser!(u32).range(1..=73_000))]
    days: u32,

    /// Write a history of so many deliveries, under the names that the carrier gives them: two a
    /// day, one in Luxembourg, the Czech Republic, Slovakia and Romania.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    files: Option<u64>,

    /// How many of the deliveries are missing, never the first or the last; their sequence numbers
    /// are left out.
    #[arg(long, value_name = "N", default_value_t = 0, requires = "files")]
    gaps: u64,

    /// The first delivery's sequence number; after 9999 comes 0000.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "files", value_parser = clap::value_parser!(u16).range(0..=9999))]
    first_sequence: u16,

    /// Damage lines, each for one reason, by the code that it draws: short_record=0.1%,not_ascii=0.001.
    ///
    /// `all` is every code that always rejects, in equal parts; `blank_line` puts one before the
    /// record; missing_line_feed is the share of files that end without.
    #[arg(long, value_name = "CODE=RATE,...", default_value = "", hide_default_value = true)]
    damage: Damage,

    /// Make the workload of the benchmarks instead, British SIP Trunking calls of October 2025 whose
    /// bytes never change for a seed and a number of records.
    #[arg(long, conflicts_with_all = ["country", "product", "profile", "from", "days", "files", "damage"])]
    frozen: bool,

    /// gz or plain [default: what the file's name says; gz for deliveries]
    #[arg(long)]
    packing: Option<PackingArgument>,

    /// Threads that work [default: one a core]
    ///
    /// The output does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,

    /// Replace files that exist.
    #[arg(long)]
    overwrite: bool,

    /// Print errors only.
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PackingArgument {
    Gz,
    Plain,
}

fn product(text: &str) -> Result<Product, String> {
    let identifier = suggest::product(text)?;
    Product::of_identifier(&identifier).ok_or_else(|| {
        let known = Product::ALL.map(Product::identifier).join(", ");
        format!(
            "the carrier's documents show no records of product {identifier}; give one of {known}"
        )
    })
}

pub(crate) fn run(arguments: &GenerateArguments) -> Result<Outcome> {
    if let Some(problem) = arguments.contradiction() {
        tell(Event::Usage, problem);
        return Ok(Outcome::Usage);
    }
    let result = match arguments.files {
        Some(files) => deliveries(arguments, files),
        None => single(arguments),
    };
    match result {
        Ok(len) => {
            if !arguments.quiet {
                arguments.tell_of(len);
            }
            Ok(Outcome::Done)
        }
        Err(_) if interrupt::is_requested() => {
            tell(Event::Interrupted, "interrupted; what was not whole is not written");
            Ok(Outcome::Interrupted)
        }
        // Nobody reading on is not an error.
        Err(error) if is_broken_pipe(&error) => Ok(Outcome::Done),
        Err(error) if error.is::<SpanError>() => {
            tell(Event::Usage, error.to_string());
            Ok(Outcome::Usage)
        }
        Err(error) => Err(error),
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

/// One file, or standard output.
fn single(arguments: &GenerateArguments) -> Result<u64> {
    let path = &arguments.output;
    let calls;
    let lines = if arguments.frozen {
        Lines::Frozen { seed: arguments.seed, records: arguments.records }
    } else {
        calls = Calls {
            country: arguments.country,
            product: arguments.product,
            profile: arguments.profile.clone(),
            span: Span::new(arguments.from.to_datetime(Time::MIN), 24 * arguments.days)?,
            records: arguments.records,
            seed: arguments.seed,
            damage: arguments.damage.clone(),
        };
        Lines::Calls(&calls)
    };
    let by_name = match path.extension() {
        Some(extension) if extension.eq_ignore_ascii_case("gz") => Packing::Gzip,
        _ => Packing::Plain,
    };
    let packing = arguments.packing.map_or(by_name, Packing::from);
    if path.as_os_str() == "-" {
        let output = Interruptible(io::stdout().lock());
        return Ok(write(lines, packing, arguments.threads(), output)?);
    }
    if path.is_dir() {
        bail!(
            "{} is a directory; say with --files how many deliveries to write into it",
            path.display()
        );
    }
    file(arguments, path, lines, packing)
}

/// A directory of deliveries.
fn deliveries(arguments: &GenerateArguments, files: u64) -> Result<u64> {
    let directory = &arguments.output;
    let history = History {
        country: arguments.country,
        product: arguments.product,
        profile: arguments.profile.clone(),
        first_day: arguments.from,
        files,
        first_sequence: arguments.first_sequence,
        gaps: arguments.gaps,
        records: arguments.records,
        seed: arguments.seed,
        damage: arguments.damage.clone(),
    };
    let packing = arguments.packing.map_or(Packing::Gzip, Packing::from);
    let suffix = if packing == Packing::Gzip { ".gz" } else { "" };
    let history = history.deliveries()?;
    std::fs::create_dir_all(directory)
        .with_context(|| format!("cannot make the directory {}", directory.display()))?;
    let mut len = 0;
    for delivery in history {
        let delivery = delivery?;
        let path = directory.join(format!("{}{suffix}", delivery.name));
        len += file(arguments, &path, Lines::Calls(&delivery.calls), packing)?;
    }
    Ok(len)
}

/// A file, which appears when it is whole.
fn file(
    arguments: &GenerateArguments,
    path: &Path,
    lines: Lines<'_>,
    packing: Packing,
) -> Result<u64> {
    let context = || format!("cannot write {}", path.display());
    if let Some(file) = open_special(path).with_context(context)? {
        let output = Interruptible(BufWriter::new(file));
        return write(lines, packing, arguments.threads(), output).with_context(context);
    }
    // A link to nothing is something, too.
    if !arguments.overwrite && path.symlink_metadata().is_ok() {
        bail!("{} exists already; choose another, or say --overwrite", path.display());
    }
    check_place(path)?;
    check_directory(path)?;
    let mut file = new_file_beside(path).with_context(context)?;
    let output = Interruptible(BufWriter::new(file.as_file_mut()));
    let len = write(lines, packing, arguments.threads(), output).with_context(context)?;
    match arguments.overwrite {
        true => file.persist(path),
        false => file.persist_noclobber(path),
    }
    .map_err(|error| error.error)
    .with_context(context)?;
    Ok(len)
}

impl GenerateArguments {
    /// What is asked for and cannot be.
    fn contradiction(&self) -> Option<String> {
        /// Names of files that would hold something else than what is written.
        const OTHERS: [&str; 7] = ["zip", "tar", "tgz", "bz2", "xz", "zst", "parquet"];
        let output = &self.output;
        let Some(files) = self.files else {
            let extension = output.extension()?.to_str()?.to_ascii_lowercase();
            return OTHERS.contains(&extension.as_str()).then(|| {
                let output = output.display();
                format!("{output} would hold plain or gzipped records; name it .cdr or .cdr.gz")
            });
        };
        if output.as_os_str() == "-" {
            return Some("deliveries go to a directory: name one, or leave out --files".to_owned());
        }
        // The first and the last are always there.
        let most = files.saturating_sub(2);
        (self.gaps > most).then(|| {
            format!("of {files} deliveries at most {most} can be missing, not {}", self.gaps)
        })
    }

    /// What was written: `len` bytes, before they were packed.
    fn tell_of(&self, len: u64) {
        let files = self.files.map_or(1, |due| due - self.gaps);
        let mut text = format!("generated {} records, {len} bytes unpacked", self.records);
        if self.files.is_some() {
            text += &format!(", files: {files}, missing: {}", self.gaps);
        }
        Message::new(Event::RecordsGenerated, text)
            .with("records", self.records)
            .with("bytes", len)
            .with("files", files)
            .with("missing", self.gaps)
            .tell();
    }

    fn threads(&self) -> NonZero<usize> {
        self.threads.or_else(|| available_parallelism().ok()).unwrap_or(NonZero::<usize>::MIN)
    }
}

impl From<PackingArgument> for Packing {
    fn from(packing: PackingArgument) -> Self {
        match packing {
            PackingArgument::Gz => Self::Gzip,
            PackingArgument::Plain => Self::Plain,
        }
    }
}

/// Output that fails once the run is to end.
struct Interruptible<W>(W);

impl<W: Write> Write for Interruptible<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if interrupt::request().is_requested() {
            return Err(io::Error::other("interrupted"));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
