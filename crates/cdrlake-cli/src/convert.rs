//! `cdrlake convert`.

use std::path::Path;

use anyhow::Result;
use cdrlake_core::RecordId;
use cdrlake_lake::{
    ConvertOptions, Duplicates, LakeError, LakeOptions, LoadOptions, OutputKind, Overwrite,
    Repeated, Report, Status,
};

use crate::args::ConvertArguments;
use crate::config;
use crate::outcome::Outcome;
use crate::report_file::ReportFile;
use crate::summary;

pub(crate) fn run(arguments: &ConvertArguments) -> Result<Outcome> {
    if let Some(problem) = contradiction(arguments) {
        summary::line(format_args!("error: {problem}"));
        return Ok(Outcome::Usage);
    }
    let Some(profiles) =
        config::profiles_or_usage(arguments.load.reading.opening.config.as_deref())
    else {
        return Ok(Outcome::Usage);
    };
    let report_path = arguments.report.as_deref();
    let mut load = arguments.load.options(profiles, report_path);
    load.record_id = if arguments.record_id { RecordId::Fill } else { RecordId::Omit };
    let report_file = report_path.map(ReportFile::create).transpose()?;
    let report = match convert(arguments, load) {
        Ok(report) => report,
        Err(error) => return Outcome::of_error(error),
    };
    summary::print(&report, arguments.load.quiet);
    if report.outputs.iter().any(|output| output.kind == OutputKind::Calls && output.rows == 0) {
        summary::line(format_args!("no record was accepted, so the table has no row"));
    }
    if report.outputs.is_empty() {
        summary::line(format_args!("{}", why_no_output(&report)));
    }
    if let Some(file) = report_file {
        file.write(&report)?;
    }
    Ok(Outcome::of(&report))
}

/// Sources are noted in a lake's ledger though no row of them is new.
fn why_no_output(report: &Report) -> &'static str {
    let totals = &report.totals;
    let [loaded, skipped] = [Status::Loaded, Status::Skipped].map(|status| report.count(status));
    if loaded > 0 && totals.records_rejected > 0 {
        "no replayed line was accepted, so there is no new file"
    } else if loaded > 0 && totals.records_duplicate > 0 {
        "the lake has every record already, so there is no new file"
    } else if loaded > 0 {
        "no record was in what was loaded, so there is no new file"
    } else if skipped > 0 {
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
    if let Some(rejects) = arguments.rejects.as_deref().filter(|path| !is_parquet(path)) {
        return Some(format!("{} does not end in .parquet", rejects.display()));
    }
    let of_file =
        [("--rejects", arguments.rejects.is_some()), ("--overwrite", arguments.overwrite)];
    let of_lake = [
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
        return cdrlake_lake::convert_to_lake(&LakeOptions {
            partition_by: lake.partition_by,
            repeated: if lake.replace { Repeated::Replace } else { Repeated::Skip },
            duplicates: if lake.deduplicate { Duplicates::Drop } else { Duplicates::Keep },
            compression: arguments.compression,
            target_file_size: lake.target_file_size,
            ..LakeOptions::new(load, lake.access.location(output))
        });
    }
    cdrlake_lake::convert(&ConvertOptions {
        rejects: arguments.rejects.clone(),
        compression: arguments.compression,
        overwrite: if arguments.overwrite { Overwrite::Replace } else { Overwrite::Refuse },
        ..ConvertOptions::new(load, output)
    })
}
