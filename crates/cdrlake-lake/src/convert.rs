//! Runs that write no lake: one Parquet file (and its rejects) out, or only verdicts.

use std::path::PathBuf;
use std::sync::Arc;

use cdrlake_core::{Privacy, RecordId, Reject};

use crate::check_outputs::check_outputs;
use crate::error::LakeError;
use crate::known::{History, NothingKnown, Repeated};
use crate::load::Destination;
use crate::privacy::ClearRejects;
use crate::publish::{Overwrite, publish_files};
use crate::rejects::RejectsFile;
use crate::report::{Output, OutputKind, Report, Status};
use crate::run::{LoadOptions, Loaded, Run, load};
use crate::select::{Columns, DateRange};
use crate::table::calls_layout;
use crate::work::Rows;
use cdrlake_parquet::{Compression, StagedFile, StagedParquet, directory};
use cdrlake_run::Stage;

/// What [`convert`] reads and writes.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// How sources are read and judged.
    pub load: LoadOptions,
    /// The Parquet file to write.
    pub output: PathBuf,
    /// Where rejected lines go, if there are any; beside the output if none.
    pub rejects: Option<PathBuf>,
    /// The columns of the output.
    pub columns: Columns,
    /// The days of whose calls the output has rows; all, if none. Records of other days are counted as
    /// filtered, and rejected lines, which have no day, go to the rejects file as ever.
    pub where_date: Option<DateRange>,
    /// How pages are compressed.
    pub compression: Compression,
    /// What to do if an output exists.
    pub overwrite: Overwrite,
}

impl ConvertOptions {
    /// The defaults for these.
    #[must_use]
    pub fn new(load: LoadOptions, output: PathBuf) -> Self {
        Self {
            load,
            output,
            rejects: None,
            columns: Columns::default(),
            where_date: None,
            compression: Compression::default(),
            overwrite: Overwrite::default(),
        }
    }

    /// `<output without .parquet>.rejects.parquet`, unless set.
    #[must_use]
    pub fn rejects_path(&self) -> PathBuf {
        self.rejects.clone().unwrap_or_else(|| self.output.with_extension("rejects.parquet"))
    }
}

/// Converts sources to one Parquet file, published only when it is whole.
///
/// A source that fails is reported and leaves nothing in the output. If no source is loaded,
/// nothing is published.
///
/// # Errors
///
/// [`LakeError`], if the run as a whole cannot be done; nothing is published then, but a rejects
/// file may be if publishing the output itself fails after it.
pub fn convert(options: &ConvertOptions) -> Result<Report, LakeError> {
    let (output, rejects_path) = (&options.output, options.rejects_path());
    let written = check_outputs(&options.load, &[output, &rejects_path], options.overwrite)?;
    let (privacy, kept) = options.load.privacy.settle(options.load.record_id)?;
    let left_out = options.columns.left_out();
    let left_out: Vec<&str> = left_out.iter().map(String::as_str).collect();
    let layout = calls_layout(options.compression, &left_out, privacy.numbers())?;
    let layout = Arc::new(layout);
    let destination = Destination::Files {
        calls: Box::new(StagedParquet::create(directory(output), output, Arc::clone(&layout))?),
        rejects: Box::new(RejectsFile::new(rejects_path, kept)),
    };
    let loaded = load(Run {
        options: &options.load,
        rows: Rows::Encoded { layout: &layout, where_date: options.where_date },
        spool_near: Some(output),
        destination,
        record_id: options.load.record_id,
        privacy,
        rejects: kept,
        written: &written,
        history: nothing_known(&options.load),
    })?;
    let mut outputs = Vec::new();
    let mut omitted = 0;
    let Destination::Files { calls, rejects } = loaded.destination else {
        return Err(LakeError::Defect("the destination changed its kind"));
    };
    if loaded.sources.iter().any(|source| source.report.status == Status::Loaded) {
        let stale = rejects.path().to_owned();
        omitted = rejects.omitted();
        let rejects = rejects.finish()?;
        let calls = StagedFile { path: output.clone(), ..calls.finish()? };
        outputs.push(published(OutputKind::Calls, &calls));
        outputs.extend(rejects.iter().map(|file| published(OutputKind::Rejects, file)));
        let remove = match (&rejects, options.overwrite) {
            (None, Overwrite::Replace) => vec![stale],
            _ => Vec::new(),
        };
        // Rejects first: whoever sees the records can see what was rejected among them.
        let add = rejects.into_iter().chain([calls]).collect();
        options.load.interrupt.check()?;
        options.load.progress.enter(Stage::Publishing);
        publish_files(add, &remove, options.overwrite)?;
    }
    let reports = Loaded::reports(loaded.sources);
    let report = Report::new(options.load.run_id(), reports, loaded.empty_inputs, outputs);
    Ok(Report { rejects_not_written: omitted, ..report })
}

/// Gives every line the verdict that [`convert`] would, and writes nothing. Rejected lines of
/// sources that would be loaded go to `on_reject`, with the source's name, in input order.
///
/// # Errors
///
/// [`LakeError`], if the run as a whole cannot be done.
pub fn validate(
    options: &LoadOptions,
    on_reject: &mut (dyn FnMut(&str, &Reject<'_>) + Send),
) -> Result<Report, LakeError> {
    let written = check_outputs(options, &[], Overwrite::Refuse)?;
    let loaded = load(Run {
        options,
        rows: Rows::Judged,
        spool_near: None,
        destination: Destination::Caller(on_reject),
        record_id: RecordId::Omit,
        privacy: Privacy::CLEAR,
        rejects: ClearRejects::Write,
        written: &written,
        history: nothing_known(options),
    })?;
    let reports = Loaded::reports(loaded.sources);
    Ok(Report::new(options.run_id(), reports, loaded.empty_inputs, Vec::new()))
}

fn published(kind: OutputKind, file: &StagedFile) -> Output {
    Output { kind, path: file.path.clone(), rows: file.rows, bytes: file.bytes }
}

fn nothing_known(options: &LoadOptions) -> History<'static> {
    History { known: &NothingKnown, repeated: Repeated::Skip, changed: options.changed }
}
