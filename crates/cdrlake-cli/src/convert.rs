//! `cdrlake convert`.

use anyhow::Result;
use cdrlake_lake::{ConvertOptions, LakeError, Overwrite};

use crate::args::ConvertArguments;
use crate::outcome::Outcome;
use crate::summary::{self, ReportFile};

pub(crate) fn run(arguments: &ConvertArguments) -> Result<Outcome> {
    if arguments.output.extension().is_none_or(|extension| extension != "parquet") {
        summary::line(format_args!(
            "error: {} does not end in .parquet; name the one file to write",
            arguments.output.display()
        ));
        return Ok(Outcome::Usage);
    }
    let options = ConvertOptions {
        load: arguments.load.options(),
        output: arguments.output.clone(),
        rejects: arguments.rejects.clone(),
        compression: arguments.compression,
        overwrite: if arguments.overwrite { Overwrite::Replace } else { Overwrite::Refuse },
    };
    let report_file = arguments.report.as_deref().map(ReportFile::create).transpose()?;
    let report = match cdrlake_lake::convert(&options) {
        Err(error @ (LakeError::SameOutput(_) | LakeError::MemoryLimit(_))) => {
            summary::line(format_args!("error: {error}"));
            return Ok(Outcome::Usage);
        }
        result => result?,
    };
    summary::print(&report, arguments.load.quiet);
    if let Some(file) = report_file {
        file.write(&report)?;
    }
    Ok(Outcome::of(&report))
}
