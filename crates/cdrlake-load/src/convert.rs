//! One Parquet file, and its rejects, out of all inputs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::RecordBatch;
use cdrlake_parquet::{
    Compression, Layout, RowGroup, RowGroupEncoder, Savepoint, StagedFile, StagedParquet, directory,
};
use cdrlake_run::Stage;
use cdrlake_source::Source;

use crate::blocks::{OpenSource, SourceEnd};
use crate::check_outputs::check_outputs;
use crate::error::LoadError;
use crate::load_run::{Loaded, Run, load};
use crate::options::LoadOptions;
use crate::provenance::{SourceIdentities, SourceRows, add_rows, labels};
use crate::publish::{Overwrite, publish_files};
use crate::rejects::RejectsFile;
use crate::report::{Output, OutputKind, Report, Status};
use crate::select::{Columns, DateRange};
use crate::sink::{Encoder, RejectedLines, Sink};
use crate::table::calls_layout;
use crate::writable::FileContent;

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
/// [`LoadError`], if the run as a whole cannot be done; nothing is published then, but a rejects
/// file may be if publishing the output itself fails after it.
pub fn convert(options: &ConvertOptions) -> Result<Report, LoadError> {
    let (output, rejects_path) = (&options.output, options.rejects_path());
    let outputs: [(&Path, FileContent); 2] =
        [(output, FileContent::Calls), (&rejects_path, FileContent::Rejects)];
    let excluded = check_outputs(&options.load, &outputs, options.overwrite)?;
    let (privacy, kept) = options.load.privacy.settle(options.load.record_id)?;
    let left_out = options.columns.left_out();
    let left_out: Vec<&str> = left_out.iter().map(String::as_str).collect();
    let layout = calls_layout(options.compression, &left_out, privacy.numbers())?;
    let layout = Arc::new(layout);
    let file = OneFile {
        calls: StagedParquet::create(directory(output), output, Arc::clone(&layout))?,
        rejects: RejectsFile::new(rejects_path, kept),
        layout,
        sources: SourceIdentities::default(),
        rows: Vec::new(),
    };
    let run = Run {
        where_date: options.where_date,
        spool_near: Some(output),
        record_id: options.load.record_id,
        privacy,
        rejects: kept,
        ..Run::alone(&options.load, &excluded)
    };
    let Loaded { output: file, sources, left_out } = load(run, file)?;
    let OneFile { calls, rejects, sources: identities, rows, .. } = file;
    let mut outputs = Vec::new();
    let mut omitted = 0;
    if sources.iter().any(|source| source.report.status == Status::Loaded) {
        let stale = rejects.path().to_owned();
        omitted = rejects.omitted();
        let rejects = rejects.finish()?;
        let metadata = identities.metadata(None, &rows);
        let calls = calls.finish(|source| identities.source_hash(source), metadata)?;
        let calls = StagedFile { path: output.clone(), ..calls };
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
    let reports = sources.into_iter().map(|source| source.report).collect();
    let report = Report::new(options.load.run_id(), reports, left_out, outputs);
    Ok(Report { rejects_not_written: omitted, ..report })
}

fn published(kind: OutputKind, file: &StagedFile) -> Output {
    Output { kind, path: file.path.clone(), rows: file.rows, bytes: file.bytes }
}

/// One file of calls that is not visible yet, and its rejects.
struct OneFile {
    calls: StagedParquet,
    rejects: RejectsFile,
    layout: Arc<Layout>,
    sources: SourceIdentities,
    /// Whose the rows of `calls` are, from the first to the last.
    rows: Vec<SourceRows>,
}

impl Sink for OneFile {
    type Encoder = RowGroups;
    /// Of the file, and of its rows.
    type Savepoint = (Savepoint, Vec<SourceRows>);
    type Output = Self;

    fn encoder(&self) -> RowGroups {
        RowGroups(Arc::clone(&self.layout))
    }

    fn meet(&mut self, source: Source) -> Result<(), LoadError> {
        self.sources.push(&source.source_file, None);
        Ok(())
    }

    fn end(&mut self, index: usize, end: SourceEnd) {
        self.sources.end(index, end.hash);
    }

    fn write(
        &mut self,
        (row_group, rows): (Option<RowGroup>, Vec<SourceRows>),
    ) -> Result<(), LoadError> {
        let Some(row_group) = row_group else { return Ok(()) };
        self.calls.append(row_group, labels(&rows))?;
        rows.into_iter().for_each(|rows| add_rows(&mut self.rows, rows));
        Ok(())
    }

    fn write_rejects(&mut self, rejects: RejectedLines<'_>) -> Result<(), LoadError> {
        self.rejects.write(rejects)
    }

    fn savepoint(&mut self) -> Result<Self::Savepoint, LoadError> {
        Ok((self.calls.savepoint(), self.rows.clone()))
    }

    fn rollback(&mut self, (savepoint, rows): Self::Savepoint) -> Result<(), LoadError> {
        self.rows = rows;
        Ok(self.calls.rollback(&savepoint)?)
    }

    /// The files end only if any source was loaded.
    fn finish(self) -> Result<Self, LoadError> {
        Ok(self)
    }
}

/// Encodes each block as one row group.
struct RowGroups(Arc<Layout>);

impl Encoder for RowGroups {
    type Block = (RowGroupEncoder, Vec<SourceRows>);
    type Rows = (Option<RowGroup>, Vec<SourceRows>);

    fn begin(&self) -> Result<Self::Block, LoadError> {
        Ok((self.0.row_group()?, Vec::new()))
    }

    fn add(
        &self,
        (row_group, rows): &mut Self::Block,
        source: &OpenSource,
        batch: RecordBatch,
    ) -> Result<(), LoadError> {
        if batch.num_rows() > 0 {
            add_rows(rows, SourceRows { source: source.index, rows: batch.num_rows() as u64 });
        }
        Ok(row_group.write(&batch)?)
    }

    fn finish(&self, (row_group, rows): Self::Block) -> Result<Self::Rows, LoadError> {
        Ok((row_group.finish()?, rows))
    }
}
