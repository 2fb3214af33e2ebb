//! `cdrlake sync`: what a lake has not, downloaded and loaded.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use cdrlake::sync::{SyncError, SyncPlan, check_inbox, load, parse_offering, plan};
use cdrlake::{
    Duplicates, Input, LakeLocation, LakeOptions, PartitionBy, PrivacyOptions, ProfileSettings,
};
use cdrlake_core::{Country, RecordId};
use cdrlake_fetch::{Offering, Profile, today};
use clap::Args;

use crate::bar::{RunBar, Showing};
use crate::fetch::{
    TransferArguments, download_into, options, print_requests, usage, warn_of_endpoint,
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
    #[arg(long, value_name = "PRODUCT", value_parser = parse_offering)]
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
    let (transfer, profile) = (&arguments.transfer, &arguments.profile);
    let connection = &transfer.connection;
    if let Err(error) = check_inbox(&arguments.inbox, &location) {
        return of_error(error);
    }
    let Some(profiles) = config::profiles_or_usage(arguments.reading.opening.config.as_deref())
    else {
        return Ok(Outcome::Usage);
    };
    let Some(privacy) = arguments.privacy.options_or_usage(connection.quiet) else {
        return Ok(Outcome::Usage);
    };
    let today = today();
    let planned = plan(&location, profile, &arguments.product, today);
    if !connection.quiet {
        warn_of_unknown(profile, &planned);
    }
    let SyncPlan { tasks, warnings, .. } = match planned {
        Ok(plan) => plan,
        Err(error) => return of_error(error),
    };
    warn_of_endpoint(connection);
    if !connection.quiet {
        for (offering, warning) in warnings {
            tell(Event::Warned, format_args!("{profile}, {offering}: {warning}"));
        }
    }
    if connection.dry_run {
        print_requests(connection, &tasks);
        return Ok(Outcome::Done);
    }
    let mut options = match options(connection) {
        Ok(options) => options,
        Err(error) => return Ok(usage(error)),
    };
    (options.jobs, options.today) = (transfer.jobs, today);
    let report_file = arguments.report.as_deref().map(OutputFile::of_report).transpose()?;
    let fetched = download_into(&arguments.inbox, &tasks, options, transfer, Some(profile))?;
    if fetched == Outcome::Interrupted {
        let inbox = arguments.inbox.display();
        let text = format_args!("nothing was loaded; the next sync loads what is in {inbox}");
        tell(Event::Interrupted, text);
    }
    if matches!(fetched, Outcome::Usage | Outcome::Interrupted) {
        return Ok(fetched);
    }
    let loaded = load_inbox(arguments, location, profiles, privacy, report_file, metrics)?;
    Ok(fetched.or_worse(loaded))
}

/// Says of which products the lake has files that cannot be asked for.
fn warn_of_unknown(profile: &Profile, planned: &Result<SyncPlan, SyncError>) {
    let unknown = match planned {
        Ok(SyncPlan { unknown_products, .. })
        | Err(SyncError::NoProduct { unknown_products, .. }) => unknown_products,
        Err(_) => return,
    };
    for identifier in unknown {
        let text = format_args!(
            "{profile}: there is no offering for product {identifier}, so it is not asked for"
        );
        tell(Event::Warned, text);
    }
}

/// An error of the library, with what only the command knows: its options.
fn of_error(error: SyncError) -> Result<Outcome> {
    match error {
        SyncError::NoProduct { .. } => Ok(usage(format_args!("{error}; give --product"))),
        SyncError::InboxInLake(_) => Ok(usage(error)),
        SyncError::Lake(error) => Outcome::of_error(error),
        error => Err(error.into()),
    }
}

/// Loads what is in the inbox; that there is nothing is told.
fn load_inbox(
    arguments: &SyncArguments,
    location: LakeLocation,
    profiles: BTreeMap<String, ProfileSettings>,
    privacy: PrivacyOptions,
    report_file: Option<OutputFile>,
    metrics: Option<&mut Metrics>,
) -> Result<Outcome> {
    let inbox = &arguments.inbox;
    // The library reads the inbox whatever these inputs are; the bar asks them how much there is.
    let inputs = vec![Input::Path(inbox.clone())];
    let mut options = arguments.reading.options(inputs, profiles, arguments.report.as_deref());
    options.settings.metadata.country = arguments.country;
    options.privacy = privacy;
    options.record_id = if arguments.record_id { RecordId::Fill } else { RecordId::Omit };
    options.also_written.extend(arguments.metrics_file.clone());
    let is_quiet = arguments.transfer.connection.quiet;
    let showing = Showing::of(is_quiet, arguments.transfer.no_progress);
    let (progress, bar) = (options.progress.clone(), RunBar::of_load(&options, showing));
    let options = LakeOptions {
        partition_by: arguments.partition_by,
        duplicates: if arguments.deduplicate { Duplicates::Drop } else { Duplicates::Keep },
        ..LakeOptions::new(options, location)
    };
    let loaded = load(inbox, options);
    drop(bar);
    let report = match loaded {
        Ok(Some(report)) => report,
        Ok(None) => {
            if !is_quiet {
                let text = format_args!("{}: nothing to load", inbox.display());
                Message::new(Event::InputEmpty, text).with("input", inbox).tell();
            }
            return Ok(Outcome::Done);
        }
        Err(SyncError::Lake(error)) => return Outcome::of_load_error(error, &progress),
        Err(error) => return of_error(error),
    };
    let outcome = Outcome::of_lake(&report);
    summary::print(&report, is_quiet, outcome);
    if let Some(metrics) = metrics {
        metrics.note_report(&report);
    }
    if let Some(file) = report_file {
        file.write_report(&report)?;
    }
    Ok(outcome)
}
