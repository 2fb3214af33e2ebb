//! `cdrlake convert`.

use anyhow::Result;
use cdrlake_lake::{ConvertOptions, Overwrite};

use crate::args::ConvertArguments;
use crate::config;
use crate::outcome::Outcome;
use crate::report_file::ReportFile;
use crate::summary;

pub(crate) fn run(arguments: &ConvertArguments) -> Result<Outcome> {
    for path in [Some(&arguments.output), arguments.rejects.as_ref()].into_iter().flatten() {
        if path.extension().is_none_or(|extension| extension != "parquet") {
            summary::line(format_args!(
                "error: {} does not end in .parquet; name the one file to write",
                path.display()
            ));
            return Ok(Outcome::Usage);
        }
    }
    let Some(profiles) = config::profiles_or_usage(arguments.load.config.as_deref()) else {
        return Ok(Outcome::Usage);
    };
    let report_path = arguments.report.as_deref();
    let options = ConvertOptions {
        load: arguments.load.options(profiles, report_path),
        output: arguments.output.clone(),
        rejects: arguments.rejects.clone(),
        compression: arguments.compression,
        overwrite: if arguments.overwrite { Overwrite::Replace } else { Overwrite::Refuse },
    };
    let report_file = report_path.map(ReportFile::create).transpose()?;
    let report = match cdrlake_lake::convert(&options) {
        Ok(report) => report,
        Err(error) => return Outcome::of_error(error),
    };
    summary::print(&report, arguments.load.quiet);
    if report.outputs.is_empty() {
        summary::line(format_args!("nothing was loaded, so nothing is written"));
    }
    if let Some(file) = report_file {
        file.write(&report)?;
    }
    Ok(Outcome::of(&report))
}
