//! `cdrlake sync`: what a lake has not, downloaded and loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::num::NonZero;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cdrlake::{
    Delivery, Duplicates, Input, LakeLocation, LakeOptions, PartitionBy, PrivacyOptions,
    ProfileSettings, convert_to_lake, deliveries,
};
use cdrlake_core::{Country, RecordId};
use cdrlake_fetch::{Days, Deliveries, Offering, Plan, Profile, Task, UNRATED_DAYS, today};
use clap::Args;
use jiff::civil::Date;

use crate::bar::{RunBar, Showing};
use crate::fetch::{
    TransferArguments, download_into, offering, options, print_requests, usage, warn_of_endpoint,
};
use crate::lake_access::LakeAccess;
use crate::load_args::ReadingArguments;
use crate::message::{Event, Message, tell};
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::output_file::OutputFile;
use crate::privacy_args::PrivacyArguments;
use crate::{config, suggest, summary};

#[derive(Debug, Args)]
pub(crate) struct SyncArguments {
    /// The reseller profile.
    #[arg(long, value_name = "PROFILE")]
    profile: Profile,

    /// Products: offering, name or identifier, in any case [default: those of which the lake has
    /// files of the profile]
    #[arg(long, value_name = "PRODUCT", value_parser = offering)]
    product: Vec<Offering>,

    /// The lake, a directory; it is made if it is not there.
    #[arg(short, long, value_name = "LAKE", env = "CDRLAKE_LAKE", hide_env_values = true)]
    output: PathBuf,

    /// The directory to store files in; it is made if it is not there.
    #[arg(long, value_name = "INBOX")]
    inbox: PathBuf,

    #[command(flatten)]
    transfer: TransferArguments,

    /// Country of sources whose names do not tell, as GB.
    #[arg(long, value_name = "CC", value_parser = suggest::country)]
    #[arg(env = "CDRLAKE_COUNTRY", hide_env_values = true)]
    country: Option<Country>,

    #[command(flatten)]
    reading: ReadingArguments,

    /// What divides a lake's calls into directories: call_month, call_date, country,call_month or
    /// none; fixed when it is made [default: what it has, or call_month]
    #[arg(long, value_name = "COLUMNS", value_parser = suggest::partition_by)]
    partition_by: Option<PartitionBy>,

    /// Fill the column record_id: what identifies a record by its bytes. Fixed when a lake is made.
    #[arg(long)]
    record_id: bool,

    /// Drop and count records whose bytes another source holds. For a lake made with --record-id.
    #[arg(long)]
    deduplicate: bool,

    #[command(flatten)]
    access: LakeAccess,

    /// Write what came of loading as JSON, in place of any earlier report.
    #[arg(long, value_name = "FILE.json")]
    report: Option<PathBuf>,

    /// Write what came of the run, and where the lake stands, as metrics for Prometheus, in place of
    /// any earlier ones; failed runs do so, too.
    ///
    /// For the textfile collector of node_exporter, which wants a name that ends in .prom.
    #[arg(long, value_name = "FILE.prom")]
    metrics_file: Option<PathBuf>,

    #[command(flatten)]
    privacy: PrivacyArguments,
}

/// `lake_from` says where the lake comes from, if not from the command line.
pub(crate) fn run(arguments: &SyncArguments, lake_from: Option<&str>) -> Result<Outcome> {
    if let (Some(lake_from), false) = (lake_from, arguments.transfer.connection.quiet) {
        config::tell_lake(&arguments.output, lake_from);
    }
    let location = arguments.access.location(arguments.output.clone());
    let metrics = arguments.metrics_file.as_deref();
    let is_dry = arguments.transfer.connection.dry_run;
    let metrics = metrics.filter(|_| !is_dry).map(|path| Metrics::create(path, "sync", &location));
    let mut metrics = metrics.transpose()?;
    let ended = sync(arguments, location, metrics.as_mut());
    if let Some(metrics) = metrics {
        metrics.write(*ended.as_ref().unwrap_or(&Outcome::Failed));
    }
    ended
}

fn sync(
    arguments: &SyncArguments,
    location: LakeLocation,
    metrics: Option<&mut Metrics>,
) -> Result<Outcome> {
    let (transfer, lake) = (&arguments.transfer, &arguments.output);
    let connection = &transfer.connection;
    if resolved(&arguments.inbox).starts_with(resolved(lake)) {
        return Ok(usage(format_args!("{}: the inbox is in the lake", arguments.inbox.display())));
    }
    let Some(profiles) = config::profiles_or_usage(arguments.reading.opening.config.as_deref())
    else {
        return Ok(Outcome::Usage);
    };
    let Some(privacy) = arguments.privacy.options_or_usage(connection.quiet) else {
        return Ok(Outcome::Usage);
    };
    let known = match deliveries(&location) {
        Ok(known) => known,
        Err(error) => return Outcome::of_error(error),
    };
    let known = by_offering(&known, &arguments.profile, connection.quiet);
    let offerings = match &arguments.product[..] {
        [] if known.is_empty() => {
            return Ok(usage(format_args!(
                "{} has no files of profile {} yet that tell the product; give --product",
                lake.display(),
                arguments.profile
            )));
        }
        [] => known.values().map(|(offering, _)| *offering).collect(),
        given => given.to_vec(),
    };
    warn_of_endpoint(connection);
    let tasks = plan(arguments, &offerings, &known);
    if connection.dry_run {
        print_requests(connection, &tasks);
        return Ok(Outcome::Done);
    }
    let mut options = match options(connection) {
        Ok(options) => options,
        Err(error) => return Ok(usage(error)),
    };
    options.jobs = transfer.jobs;
    let report_file = arguments.report.as_deref().map(OutputFile::create).transpose()?;
    let profile = Some(&arguments.profile);
    let fetched = download_into(&arguments.inbox, &tasks, options, transfer, profile)?;
    if fetched == Outcome::Interrupted {
        let inbox = arguments.inbox.display();
        let text = format_args!("nothing was loaded; the next sync loads what is in {inbox}");
        tell(Event::Interrupted, text);
    }
    if matches!(fetched, Outcome::Usage | Outcome::Interrupted) {
        return Ok(fetched);
    }
    if is_empty(&arguments.inbox)? {
        if !connection.quiet {
            let text = format_args!("{}: nothing to load", arguments.inbox.display());
            Message::new(Event::InputEmpty, text).with("input", &arguments.inbox).tell();
        }
        return Ok(fetched);
    }
    let loaded = load(arguments, location, profiles, privacy, report_file, metrics)?;
    Ok(fetched.or_worse(loaded))
}

/// `path` without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = path.ancestors().find_map(|ancestor| {
        let resolved = ancestor.canonicalize().ok()?;
        Some(resolved.join(path.strip_prefix(ancestor).ok()?))
    });
    existing.unwrap_or(path)
}

/// What to ask for; and, unless quiet, what the carrier will not have for long.
fn plan(
    arguments: &SyncArguments,
    offerings: &[Offering],
    known: &BTreeMap<&'static str, (Offering, Deliveries)>,
) -> Vec<Task> {
    // The files that a request for several days brings may not tell their days.
    const ONE_DAY: NonZero<u32> = NonZero::<u32>::MIN;
    let (profile, today) = (&arguments.profile, today());
    let mut tasks: Vec<Task> = Vec::new();
    let mut seen = BTreeSet::new();
    for offering in offerings.iter().filter(|offering| seen.insert(offering.as_str())) {
        let none = Deliveries::default();
        let deliveries = known.get(offering.as_str()).map_or(&none, |(_, deliveries)| deliveries);
        let plan = Plan::new(profile, *offering, deliveries, today, ONE_DAY);
        if !arguments.transfer.connection.quiet {
            for warning in plan.warnings {
                tell(Event::Warned, format_args!("{profile}, {offering}: {warning}"));
            }
        }
        tasks.extend(plan.tasks);
    }
    tasks
}

fn load(
    arguments: &SyncArguments,
    location: LakeLocation,
    profiles: BTreeMap<String, ProfileSettings>,
    privacy: PrivacyOptions,
    report_file: Option<OutputFile>,
    metrics: Option<&mut Metrics>,
) -> Result<Outcome> {
    let inputs = vec![Input::Path(arguments.inbox.clone())];
    let mut load = arguments.reading.options(inputs, profiles, arguments.report.as_deref());
    load.settings.metadata.country = arguments.country;
    load.privacy = privacy;
    load.record_id = if arguments.record_id { RecordId::Fill } else { RecordId::Omit };
    load.also_written.extend(arguments.metrics_file.clone());
    let is_quiet = arguments.transfer.connection.quiet;
    let showing = Showing::of(is_quiet, arguments.transfer.no_progress);
    let (progress, bar) = (load.progress.clone(), RunBar::of_load(&load, showing));
    let converted = convert_to_lake(&LakeOptions {
        partition_by: arguments.partition_by,
        duplicates: if arguments.deduplicate { Duplicates::Drop } else { Duplicates::Keep },
        ..LakeOptions::new(load, location)
    });
    drop(bar);
    let report = match converted {
        Ok(report) => report,
        Err(error) => return Outcome::of_load_error(error, &progress),
    };
    summary::print(&report, is_quiet);
    if let Some(metrics) = metrics {
        metrics.note_report(&report);
    }
    if let Some(file) = report_file {
        file.write_report(&report)?;
    }
    Ok(Outcome::of(&report))
}

/// Whether there is nothing that loading would look at.
fn is_empty(inbox: &Path) -> Result<bool> {
    let context = || format!("cannot read {}", inbox.display());
    for entry in fs::read_dir(inbox).with_context(context)? {
        if !entry.with_context(context)?.file_name().as_encoded_bytes().starts_with(b".") {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What a lake has of a profile, by the offering that brings it.
fn by_offering(
    known: &[Delivery],
    profile: &Profile,
    is_quiet: bool,
) -> BTreeMap<&'static str, (Offering, Deliveries)> {
    let mut files: BTreeMap<&str, Vec<(Date, &Delivery)>> = BTreeMap::new();
    for delivery in known.iter().filter(|known| known.profile == profile.as_str()) {
        let date = delivery.file_time.get(..10).and_then(|date| date.parse().ok());
        let files = files.entry(&delivery.product_identifier).or_default();
        files.extend(date.map(|date| (date, delivery)));
    }
    let mut offerings = BTreeMap::new();
    for (identifier, files) in files {
        if let Ok(offering) = offering(identifier) {
            let files: Vec<_> =
                files.iter().map(|(date, file)| (*date, file.sequence_number)).collect();
            let days = files.iter().map(|(date, _)| *date).collect();
            let deliveries = Deliveries { days, gaps: gaps(&files) };
            offerings.insert(offering.as_str(), (offering, deliveries));
        } else if !is_quiet {
            let text = format_args!(
                "{profile}: there is no offering for product {identifier}, so it is not asked for"
            );
            tell(Event::Warned, text);
        }
    }
    offerings
}

/// Where the sequence numbers of files in the order of their times leave numbers out.
///
/// A number that is lower by less than half of all is no gap: its file is late, or the numbers began
/// anew. Nor is what came with a file nearby, however late.
fn gaps(files: &[(Date, u16)]) -> Vec<Days> {
    const NUMBERS: u16 = 10_000;
    /// As many files as the carrier keeps, two a day.
    const NEARBY: usize = 2 * UNRATED_DAYS as usize;
    let leaves_out = |at: usize, before: u16, after: u16| {
        let steps = (after + NUMBERS - before) % NUMBERS;
        if !(2..NUMBERS / 2).contains(&steps) {
            return false;
        }
        let nearby = &files[at.saturating_sub(NEARBY)..files.len().min(at + NEARBY)];
        let nearby: BTreeSet<u16> = nearby.iter().map(|(_, number)| *number).collect();
        // After 9999 comes 0 or 1, so 0 may never have been.
        let mut left_out = (1..steps).map(|step| (before + step) % NUMBERS);
        left_out.any(|number| number != 0 && !nearby.contains(&number))
    };
    let pairs = files.windows(2).enumerate();
    pairs
        .filter_map(|(at, pair)| match *pair {
            [(from, before), (to, after)] if leaves_out(at, before, after) => {
                Days::new(from, to).ok()
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(numbers: &[u16]) -> Vec<(i8, i8)> {
        let files: Vec<_> =
            (1..).map(|day| date(2026, 11, day)).zip(numbers.iter().copied()).collect();
        gaps(&files).iter().map(|gap| (gap.from().day(), gap.to().day())).collect()
    }

    #[test]
    fn gaps_are_from_the_file_before_to_the_file_after() {
        assert_eq!(days(&[]), []);
        assert_eq!(days(&[7]), []);
        assert_eq!(days(&[7, 8, 9]), []);
        assert_eq!(days(&[7, 9, 10, 12]), [(1, 2), (3, 4)]);
        assert_eq!(days(&[7, 7, 8]), [], "a number twice");
    }

    #[test]
    fn numbers_wrap_to_either_0_or_1() {
        assert_eq!(days(&[9998, 9999, 0, 1]), []);
        assert_eq!(days(&[9998, 9999, 1, 2]), []);
        assert_eq!(days(&[9998, 0]), [(1, 2)]);
        assert_eq!(days(&[9998, 1]), [(1, 2)]);
        assert_eq!(days(&[9999, 2]), [(1, 2)]);
    }

    #[test]
    fn a_late_file_and_a_new_beginning_are_no_gaps() {
        assert_eq!(days(&[500, 1, 2]), []);
        assert_eq!(days(&[500, 499, 500]), []);
        assert_eq!(days(&[4, 6, 5, 7]), [], "5 was made later than 6");
        assert_eq!(days(&[4, 6, 7, 8, 5, 9]), []);
        assert_eq!(days(&[9998, 0, 9999, 1]), []);
        assert_eq!(days(&[4, 8, 6, 9]), [(1, 2), (3, 4)], "5 and 7 are still missing");
    }

    #[test]
    fn each_product_has_its_own_numbers() {
        let delivery = |profile: &str, product: &str, day: u8, sequence_number| Delivery {
            profile: profile.to_owned(),
            product_identifier: product.to_owned(),
            file_time: format!("2026-11-{day:02}T09:01:22"),
            sequence_number,
        };
        let known = [
            delivery("ABC", "01", 1, 1),
            delivery("ABC", "10", 1, 1),
            delivery("ABC", "10", 1, 2),
            delivery("ABC", "10", 2, 3),
            delivery("ABC", "15", 1, 1),
            delivery("ABC", "15", 3, 3),
            delivery("XYZ", "12", 1, 1),
        ];
        let offerings = by_offering(&known, &"ABC".parse().unwrap(), true);
        assert_eq!(offerings.keys().collect::<Vec<_>>(), [&"SIP Trunking", &"Wholesale SIP"]);
        let [first, second, third] = [1, 2, 3].map(|day| date(2026, 11, day));
        let deliveries =
            |days: &[Date], gaps| Deliveries { days: days.iter().copied().collect(), gaps };
        assert_eq!(offerings["SIP Trunking"].1, deliveries(&[first, second], vec![]));
        let gap = Days::new(first, third).unwrap();
        assert_eq!(offerings["Wholesale SIP"].1, deliveries(&[first, third], vec![gap]));
    }
}
