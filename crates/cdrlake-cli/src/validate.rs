//! `cdrlake validate`.

use std::io::{self, BufWriter, Write};

use anyhow::{Context, Result};

use crate::args::ValidateArguments;
use crate::bar::{Aside, RunBar};
use crate::message::{Event, tell};
use crate::outcome::Outcome;
use crate::output_file::OutputFile;
use crate::{config, summary};

pub(crate) fn run(arguments: &ValidateArguments) -> Result<Outcome> {
    if let Some(problem) = arguments.load.problem() {
        tell(Event::Usage, problem);
        return Ok(Outcome::Usage);
    }
    let Some(profiles) =
        config::profiles_or_usage(arguments.load.reading.opening.config.as_deref())
    else {
        return Ok(Outcome::Usage);
    };
    let report_path = arguments.report.as_deref();
    let report_file = report_path.map(OutputFile::of_report).transpose()?;
    let mut listing = Listing { output: BufWriter::new(Aside(io::stdout())), result: Ok(()) };
    let options = arguments.load.options(profiles, report_path)?;
    let bar = RunBar::of_load(&options, arguments.load.telling.showing());
    let validated = cdrlake::validate(&options, &mut |source, reject| {
        listing.line(format_args!("{source}, {reject}"));
    });
    drop(bar);
    let report = match validated {
        Ok(report) => report,
        Err(error) => return Outcome::of_load_error(error, &options.progress),
    };
    listing.finish().context("cannot list rejected lines")?;
    let outcome = Outcome::of(&report);
    summary::print(&report, arguments.load.telling.quiet, outcome);
    if let Some(file) = report_file {
        file.write_report(&report)?;
    }
    Ok(outcome)
}

/// Lines on standard output; once that is closed or full, no more.
struct Listing {
    output: BufWriter<Aside<io::Stdout>>,
    result: io::Result<()>,
}

impl Listing {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        if self.result.is_ok() {
            self.result = writeln!(self.output, "{line}");
        }
    }

    /// Nobody reading on is not an error.
    fn finish(mut self) -> io::Result<()> {
        match self.result.and_then(|()| self.output.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }
}
