//! `cdrlake convert`.

use std::path::Path;

use anyhow::Result;
use cdrlake::{
    ConvertOptions, Duplicates, LakeError, LakeOptions, LoadOptions, OnChanged, OutputKind,
    Overwrite, Repeated, Report, Status,
};
use cdrlake_core::RecordId;

use crate::args::ConvertArguments;
use crate::bar::RunBar;
use crate::message::{Event, tell};
use crate::metrics::Metrics;
use crate::outcome::Outcome;
use crate::output_file::OutputFile;
use crate::{config, summary};

/// `lake_from` says where the output comes from, if not from the command line.
pub(crate) fn run(arguments: &ConvertArguments, lake_from: Option<&str>) -> Result<Outcome> {
    if let (Some(lake_from), false) = (lake_from, arguments.load.telling.quiet) {
        config::tell_lake(&arguments.output, lake_from);
    }
    let mut metrics = match &arguments.metrics_file {
        Some(path) if !is_parquet(&arguments.output) => {
            let location = arguments.lake.access.location(arguments.output.clone());
            Some(Metrics::create(path, "convert", &location)?)
        }
        _ => None,
    };
    let ended = load(arguments, metrics.as_mut());
    if let Some(metrics) = metrics {
        metrics.write(*ended.as_ref().unwrap_or(&Outcome::Failed));
    }
    ended
}

fn load(arguments: &ConvertArguments, metrics: Option<&mut Metrics>) -> Result<Outcome> {
    if let Some(problem) = contradiction(arguments) {
        tell(Event::Usage, problem);
        return Ok(Outcome::Usage);
    }
    let Some(privacy) = arguments.privacy.options_or_usage(arguments.load.telling.quiet) else {
        return Ok(Outcome::Usage);
    };
    let Some(profiles) =
        config::profiles_or_usage(arguments.load.reading.opening.config.as_deref())
    else {
        return Ok(Outcome::Usage);
    };
    let report_path = arguments.report.as_deref();
    let mut load = arguments.load.options(profiles, report_path)?;
    load.privacy = privacy;
    load.record_id = if arguments.record_id { RecordId::Fill } else { RecordId::Omit };
    load.also_written.extend(arguments.metrics_file.clone());
    let report_file = report_path.map(OutputFile::of_report).transpose()?;
    let (progress, bar) =
        (load.progress.clone(), RunBar::of_load(&load, arguments.load.telling.showing()));
    let converted = convert(arguments, load);
    drop(bar);
    let report = match converted {
        Ok(report) => report,
        Err(error) => return Outcome::of_load_error(error, &progress),
    };
    let outcome = match is_parquet(&arguments.output) {
        true => Outcome::of(&report),
        false => Outcome::of_lake(&report),
    };
    let is_quiet = arguments.load.telling.quiet;
    summary::print(&report, is_quiet, outcome);
    let tell_why = |why: &str| {
        if !is_quiet || outcome == Outcome::Failed {
            tell(Event::OutputNone, why);
        }
    };
    if report.outputs.iter().any(|output| output.kind == OutputKind::Calls && output.rows == 0) {
        let why = match report.totals.records_filtered {
            0 => "no record was accepted, so the table has no row",
            _ => "no record that was accepted is of these days, so the table has no row",
        };
        tell_why(why);
    }
    if report.outputs.is_empty() {
        tell_why(why_no_output(&report));
    }
    if let Some(metrics) = metrics {
        metrics.note_report(&report);
    }
    if let Some(file) = report_file {
        file.write_report(&report)?;
    }
    Ok(outcome)
}

/// Sources are noted in a lake's ledger though no row of them is new.
fn why_no_output(report: &Report) -> &'static str {
    let totals = &report.totals;
    let loaded = report.count(Status::Loaded);
    let is_skipped = report.sources.iter().any(|source| source.status.is_skipped());
    if loaded > 0 && totals.records_rejected > 0 {
        "no replayed line was accepted, so there is no new file"
    } else if loaded > 0 && totals.records_duplicate > 0 {
        "the lake has every record already, so there is no new file"
    } else if loaded > 0 {
        "no record was in what was loaded, so there is no new file"
    } else if is_skipped {
        "nothing new was loaded, so nothing is written"
    } else {
        "nothing was loaded, so nothing is written"
    }
}

/// What of the command line does not go together with a lake, or with one file.
fn contradiction(arguments: &ConvertArguments) -> Option<String> {
    let lake = &arguments.lake;
    if let Some(problem) = arguments.load.problem() {
        return Some(problem);
    }
    if lake.replace && arguments.load.reading.on_changed() == OnChanged::Both {
        return Some(
            "--replace puts one version in the other's place, and --on-changed both keeps both; leave \
             one of them out"
                .to_owned(),
        );
    }
    if let Some(rejects) = arguments.rejects.as_deref().filter(|path| !is_parquet(path)) {
        return Some(format!("{} does not end in .parquet", rejects.display()));
    }
    if arguments.rejects.is_some() && arguments.privacy.omits_rejects() {
        return Some(
            "--rejects would write numbers in clear; allow it with --rejects-in-clear".to_owned(),
        );
    }
    if let Err(error) = cdrlake::check_place(&arguments.output) {
        return Some(error.to_string());
    }
    if !is_parquet(&arguments.output) {
        let output = arguments.output.display();
        let name_a_file = "name one file, ending in .parquet, for a part";
        if arguments.columns.is_some() {
            return Some(format!(
                "--columns is not for {output}, which is a lake: all its files have the same columns; \
                 {name_a_file}"
            ));
        }
        if arguments.where_date.is_some() {
            return Some(format!(
                "--where-date is not for {output}, which is a lake: every record of a source that it \
                 holds is accounted for; {name_a_file}"
            ));
        }
    }
    let of_file =
        [("--rejects", arguments.rejects.is_some()), ("--overwrite", arguments.overwrite)];
    let of_lake = [
        ("--metrics-file", arguments.metrics_file.is_some()),
        ("--partition-by", lake.partition_by.is_some()),
        ("--replace", lake.replace),
        ("--deduplicate", lake.deduplicate),
    ];
    let (what, not_for) = match is_parquet(&arguments.output) {
        true => ("one file; name a directory to load into a lake", &of_lake[..]),
        false => ("a lake; name one file, ending in .parquet, to write that", &of_file[..]),
    };
    let (option, _) = not_for.iter().find(|(_, is_given)| *is_given)?;
    Some(format!("{option} is not for {}, which is {what}", arguments.output.display()))
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "parquet")
}

fn convert(arguments: &ConvertArguments, load: LoadOptions) -> Result<Report, LakeError> {
    let output = arguments.output.clone();
    if !is_parquet(&output) {
        let lake = &arguments.lake;
        return cdrlake::convert_to_lake(&LakeOptions {
            partition_by: lake.partition_by,
            repeated: if lake.replace { Repeated::Replace } else { Repeated::Skip },
            duplicates: if lake.deduplicate { Duplicates::Drop } else { Duplicates::Keep },
            compression: arguments.compression,
            target_file_size: lake.target_file_size,
            ..LakeOptions::new(load, lake.access.location(output))
        });
    }
    Ok(cdrlake::convert(&ConvertOptions {
        rejects: arguments.rejects.clone(),
        columns: arguments.columns.clone().unwrap_or_default(),
        where_date: arguments.where_date,
        compression: arguments.compression,
        overwrite: if arguments.overwrite { Overwrite::Replace } else { Overwrite::Refuse },
        ..ConvertOptions::new(load, output)
    })?)
}
