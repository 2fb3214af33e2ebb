//! What a person, or a program, is told at the end of a run.

use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cdrlake_lake::{Report, SourceReport, Status};
use tempfile::NamedTempFile;

/// A line on standard error. That it may be closed is no reason to fail.
pub(crate) fn line(line: fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// What failed and why; unless quiet also what was skipped, and the totals.
pub(crate) fn print(report: &Report, quiet: bool) {
    for source in &report.sources {
        match (source.status, &source.error, &source.same_as) {
            (Status::Failed, Some(error), _) => {
                line(format_args!("failed: {} {error}", source.source));
            }
            (Status::Skipped, _, Some(first)) if !quiet => {
                line(format_args!("skipped: {} has the same content as {first}", source.source));
            }
            _ => {}
        }
    }
    for input in &report.empty_inputs {
        line(format_args!("nothing to read in {input}"));
    }
    if quiet {
        return;
    }
    print_empty(report);
    let totals = &report.totals;
    line(format_args!(
        "sources: {} loaded, {} skipped, {} failed",
        report.count(Status::Loaded),
        report.count(Status::Skipped),
        report.count(Status::Failed)
    ));
    line(format_args!(
        "records: {} read = {} written + {} rejected; blank lines: {}; seconds of calls: {}",
        totals.records_read,
        totals.records_written,
        totals.records_rejected,
        totals.blank_lines,
        totals.duration_seconds
    ));
    for (code, count) in &totals.rejects {
        line(format_args!("  rejected: {count} {code}"));
    }
    for (code, count) in &totals.warnings {
        line(format_args!("  warning: {count} {code}"));
    }
    for output in &report.outputs {
        line(format_args!(
            "{}: {} rows, {} bytes",
            output.path.display(),
            output.rows,
            output.bytes
        ));
    }
}

/// Names the sources of zero bytes, unless they are many.
fn print_empty(report: &Report) {
    const MOST: usize = 20;
    let is_empty =
        |source: &&SourceReport| source.status == Status::Loaded && source.tally.bytes_read == 0;
    for source in report.sources.iter().filter(is_empty).take(MOST) {
        line(format_args!("empty: {}", source.source));
    }
    let others = report.sources.iter().filter(is_empty).skip(MOST).count();
    if others > 0 {
        line(format_args!("empty: {others} others"));
    }
}

/// The file of `--report`: made before the run, so that a wrong path is not found out after it.
pub(crate) struct ReportFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl ReportFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if path.is_dir() {
            bail!("cannot write {}: it is a directory", path.display());
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new()
            .prefix(".cdrlake-")
            .permissions(permissions())
            .tempfile_in(directory)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(crate) fn write(mut self, report: &Report) -> Result<()> {
        let path = &self.path;
        let context = || format!("the run is done, but its report {} is not", path.display());
        serde_json::to_writer_pretty(&mut self.file, report).with_context(context)?;
        self.file.write_all(b"\n").with_context(context)?;
        self.file.as_file().sync_all().with_context(context)?;
        self.file.persist(path).with_context(context)?;
        Ok(())
    }
}

/// Those of any new file: the umask decides.
fn permissions() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
