//! Inputs to what was loaded, the same for every sink.

use std::path::Path;

use cdrlake_core::{Privacy, RecordId};
use cdrlake_run::Stage;
use cdrlake_source::{Excluded, Inboxes, Opening, visit};

use crate::blocks::{Buffers, Decoding, Gathered, Gatherer, Verdicts};
use crate::check_outputs::check_outputs;
use crate::collect::{Collected, LoadedSource, Loader};
use crate::error::LoadError;
use crate::history::History;
use crate::left_out::LeftOut;
use crate::options::{LoadOptions, Workers};
use crate::pipeline;
use crate::privacy::ClearRejects;
use crate::publish::Overwrite;
use crate::report::Report;
use crate::select::DateRange;
use crate::sink::Sink;
use crate::work::Work;

/// What a run reads, and how, besides where its rows go.
pub struct Run<'r> {
    /// How sources are read and judged.
    pub options: &'r LoadOptions,
    /// The days of whose calls there are rows; all, if none.
    pub where_date: Option<DateRange>,
    /// Near which large spools of rejected lines go; where temporary files go if none.
    pub spool_near: Option<&'r Path>,
    /// Whether rows get a `record_id`.
    pub record_id: RecordId,
    /// What becomes of parties' numbers.
    pub privacy: Privacy,
    /// Whether rejected lines are kept with their bytes.
    pub rejects: ClearRejects,
    /// Files that are no inputs, wherever they are met.
    pub excluded: &'r Excluded,
    /// What earlier runs loaded, and what to do about it.
    pub history: History<'r>,
}

impl<'r> Run<'r> {
    /// A run that knows nothing of earlier ones, and leaves numbers and rejected lines as they are.
    pub(crate) fn alone(options: &'r LoadOptions, excluded: &'r Excluded) -> Self {
        Self {
            options,
            where_date: None,
            spool_near: None,
            record_id: RecordId::Omit,
            privacy: Privacy::CLEAR,
            rejects: ClearRejects::Write,
            excluded,
            history: History::none(options.on_changed),
        }
    }
}

/// What came of all inputs.
#[derive(Debug)]
pub struct Loaded<Output> {
    /// What the sink made.
    pub output: Output,
    /// What became of each source, in the order in which they were met.
    pub sources: Vec<LoadedSource>,
    /// What was met and is no source.
    pub left_out: LeftOut,
}

impl<Output> Loaded<Output> {
    /// What the sink made, and the report of a run of this id that wrote no outputs.
    pub(crate) fn into_report(self, run_id: String) -> (Report, Output) {
        let Self { output, sources, left_out } = self;
        let sources = sources.into_iter().map(|source| source.report).collect();
        (Report::new(run_id, sources, left_out, Vec::new()), output)
    }
}

/// Loads all inputs into a sink, each source wholly or not at all.
///
/// # Errors
///
/// [`LoadError`], if the run as a whole cannot be done; the sink is dropped unfinished then. A source
/// that fails, an input that is not there included, is no error of the run: [`Loaded::sources`] tells.
pub fn load<S: Sink + Send>(run: Run<'_>, sink: S) -> Result<Loaded<S::Output>, LoadError> {
    let Run { options, where_date, spool_near, .. } = run;
    let Run { record_id, privacy, rejects, excluded, history, .. } = run;
    let buffers = Buffers::default();
    let max_rejects = options.max_rejects;
    let encoder = sink.encoder();
    let hashes_first = sink.wants_source_hash();
    let work =
        Work { encoder: &encoder, where_date, max_rejects, spool_near, rejects, buffers: &buffers };
    let work = |block| Collected::Worked(work.on(block));
    let opening = Opening {
        settings: &options.settings,
        selection: &options.selection,
        limits: options.limits,
        zip_buffer: options.zip_buffer(),
        excluded,
        inboxes: &Inboxes::default(),
        interrupt: &options.interrupt,
        progress: &options.progress,
    };
    let verdicts = Verdicts::default();
    let loader = Loader::new(sink, max_rejects, &verdicts, &options.progress);
    let mut left_out = LeftOut::default();
    let Workers { threads, blocks } = options.workers()?;
    let (output, sources) = pipeline::run(threads, blocks, &work, loader, |queue| {
        let emit = |gathered| match gathered {
            Gathered::Block(block) => queue.submit(block),
            Gathered::Awaited => queue.drain(),
            other => queue.pass(Collected::Gathered(other)),
        };
        let decoding = Decoding { record_id, privacy };
        let mut gatherer =
            Gatherer::new(options, decoding, &buffers, history, &verdicts, hashes_first, emit);
        for input in &options.inputs {
            gatherer.begin_input(input);
            let before = gatherer.sources();
            visit(input, opening, &mut gatherer)?;
            let new = gatherer.take_left_out();
            if gatherer.sources() == before && new.is_empty() {
                left_out.empty_inputs.push(input.to_string());
            }
            left_out.append(new);
        }
        gatherer.finish()?;
        options.progress.enter(Stage::Finishing);
        Ok(())
    })?;
    Ok(Loaded { output, sources, left_out })
}

/// Loads all inputs of `options` into a sink that knows nothing of earlier runs. The report says what
/// became of each source; its `outputs` are empty, for only the sink knows them.
///
/// # Errors
///
/// As [`load`].
pub fn load_into<S: Sink + Send>(
    options: &LoadOptions,
    sink: S,
) -> Result<(Report, S::Output), LoadError> {
    let excluded = check_outputs(options, &[], Overwrite::Refuse)?;
    let (privacy, rejects) = options.privacy.settle(options.record_id)?;
    let record_id = options.record_id;
    let run = Run { record_id, privacy, rejects, ..Run::alone(options, &excluded) };
    Ok(load(run, sink)?.into_report(options.run_id()))
}
