//! A whole run: inputs in, one Parquet file (and its rejects) out, or only verdicts.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use cdrlake_core::{Reject, Strictness};

use crate::blocks::{BLOCK_LEN, Buffers, Gathered, Gatherer};
use crate::columns::{Compression, Layout};
use crate::error::LakeError;
use crate::load::{Collected, Destination, Loader};
use crate::pipeline;
use crate::publish::{Overwrite, Plan, publish};
use crate::rejects::RejectsFile;
use crate::report::{MaxRejects, Output, OutputKind, Report, SourceReport, Status};
use crate::source::{Input, Limits, Opening, Settings, visit};
use crate::staging::{StagedFile, StagedParquet};
use crate::work::Worker;
use crate::written::Written;

/// How sources are read and judged.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Files, directories, standard input; loaded in this order.
    pub inputs: Vec<Input>,
    /// What is known of sources whose names do not tell.
    pub settings: Settings,
    /// Caps against archives that are bombs.
    pub limits: Limits,
    /// Whether warnings reject.
    pub strictness: Strictness,
    /// How many rejects a source may have; any number if none.
    pub max_rejects: Option<MaxRejects>,
    /// Threads that work; as many as the machine has if none, and fewer if memory is short. The
    /// output does not depend on it.
    pub threads: Option<NonZero<usize>>,
    /// Bytes of memory to stay within, give or take 64 MiB.
    pub memory_limit: u64,
    /// Files that the caller writes, such as a report: they may be neither inputs nor outputs.
    pub also_written: Vec<PathBuf>,
    /// Bytes of a block; other than usual only in tests.
    pub(crate) block_len: usize,
    /// Bytes of a zip inside another archive that may be held in memory; other than a quarter of
    /// the memory limit only in tests.
    pub(crate) zip_buffer: Option<u64>,
}

impl LoadOptions {
    /// 512 MiB.
    pub const DEFAULT_MEMORY_LIMIT: u64 = 512 << 20;

    /// The defaults for these inputs.
    #[must_use]
    pub fn new(inputs: Vec<Input>) -> Self {
        Self {
            inputs,
            settings: Settings::default(),
            limits: Limits::default(),
            strictness: Strictness::default(),
            max_rejects: None,
            threads: None,
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            also_written: Vec::new(),
            block_len: BLOCK_LEN,
            zip_buffer: None,
        }
    }

    fn zip_buffer(&self) -> u64 {
        self.zip_buffer.unwrap_or(self.memory_limit / 4)
    }

    /// How many threads work, and how many blocks are under way: two more, so that none waits for
    /// work. Fewer of both, if memory is short.
    fn workers(&self) -> Result<Workers, LakeError> {
        /// What a worker takes at its worst, when no two values are equal: mostly the dictionaries
        /// that it builds until they prove too large. Measured; `tests/memory.rs` of the command
        /// holds it to that.
        const WORKER_MEMORY: u64 = 80 << 20;
        const BLOCK_MEMORY: u64 = BLOCK_LEN as u64;
        /// The block being filled, two that wait, and what does not grow.
        const BASE_MEMORY: u64 = 3 * BLOCK_MEMORY + (16 << 20);
        const EACH: u64 = WORKER_MEMORY + BLOCK_MEMORY;
        let left = self.memory_limit - self.zip_buffer();
        let most = left.saturating_sub(BASE_MEMORY) / EACH;
        if most == 0 {
            return Err(LakeError::MemoryLimit((BASE_MEMORY + EACH) * 4 / 3));
        }
        let wanted = self.threads.or_else(|| thread::available_parallelism().ok());
        let threads = wanted.map_or(1, NonZero::get).min(most as usize);
        Ok(Workers { threads, blocks: threads + 2 })
    }
}

/// What is at work at a time.
struct Workers {
    threads: usize,
    blocks: usize,
}

/// What [`convert`] reads and writes.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// How sources are read and judged.
    pub load: LoadOptions,
    /// The Parquet file to write.
    pub output: PathBuf,
    /// Where rejected lines go, if there are any; beside the output if none.
    pub rejects: Option<PathBuf>,
    /// How pages are compressed.
    pub compression: Compression,
    /// What to do if an output exists.
    pub overwrite: Overwrite,
}

impl ConvertOptions {
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
    let written = Written::check(&options.load, &[output, &rejects_path], options.overwrite)?;
    let layout = Arc::new(Layout::calls(options.compression)?);
    let destination = Destination::Files {
        calls: Box::new(StagedParquet::create(output, Arc::clone(&layout))?),
        rejects: Box::new(RejectsFile::new(rejects_path)),
    };
    let loaded = load(&options.load, Some(&layout), Some(output), destination, &written)?;
    let mut outputs = Vec::new();
    let Destination::Files { calls, rejects } = loaded.destination else {
        return Err(LakeError::Defect("the destination changed its kind"));
    };
    if loaded.sources.iter().any(|source| source.status == Status::Loaded) {
        let stale = rejects.path().to_owned();
        let rejects = rejects.finish()?;
        let calls = calls.finish()?;
        outputs.push(published(OutputKind::Calls, &calls));
        outputs.extend(rejects.iter().map(|file| published(OutputKind::Rejects, file)));
        let remove = match (&rejects, options.overwrite) {
            (None, Overwrite::Replace) => vec![stale],
            _ => Vec::new(),
        };
        // Rejects first: whoever sees the records can see what was rejected among them.
        let add = rejects.into_iter().chain([calls]).collect();
        publish(Plan { add, remove }, options.overwrite)?;
    }
    Ok(Report::new(run_id(), loaded.sources, loaded.empty_inputs, outputs))
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
    let written = Written::check(options, &[], Overwrite::Refuse)?;
    let loaded = load(options, None, None, Destination::Caller(on_reject), &written)?;
    Ok(Report::new(run_id(), loaded.sources, loaded.empty_inputs, Vec::new()))
}

/// What came of all inputs.
struct Loaded<'d> {
    destination: Destination<'d>,
    sources: Vec<SourceReport>,
    empty_inputs: Vec<String>,
}

fn load<'d>(
    options: &LoadOptions,
    layout: Option<&Layout>,
    spool_near: Option<&Path>,
    destination: Destination<'d>,
    written: &Written,
) -> Result<Loaded<'d>, LakeError> {
    let buffers = Buffers::default();
    let worker = Worker { layout, max_rejects: options.max_rejects, spool_near, buffers: &buffers };
    let work = |block| Collected::Worked(worker.work(block));
    let opening = Opening {
        settings: &options.settings,
        limits: options.limits,
        zip_buffer: options.zip_buffer(),
        written,
    };
    let mut loader = Loader::new(destination, options.max_rejects);
    let mut empty_inputs = Vec::new();
    let collect = |collected| loader.collect(collected);
    let Workers { threads, blocks } = options.workers()?;
    pipeline::run(threads, blocks, &work, collect, |queue| {
        let emit = |gathered| match gathered {
            Gathered::Block(block) => queue.submit(block),
            other => queue.pass(Collected::Gathered(other)),
        };
        let mut gatherer = Gatherer::new(options.block_len, options.strictness, &buffers, emit);
        for input in &options.inputs {
            let before = gatherer.sources();
            visit(input, opening, &mut gatherer)?;
            if gatherer.sources() == before {
                empty_inputs.push(input.to_string());
            }
        }
        gatherer.finish()
    })?;
    let (destination, sources) = loader.finish()?;
    Ok(Loaded { destination, sources, empty_inputs })
}

fn published(kind: OutputKind, file: &StagedFile) -> Output {
    Output { kind, path: file.path.clone(), rows: file.rows, bytes: file.bytes }
}

/// Random, for nothing may be named or ordered by the wall clock.
fn run_id() -> String {
    let mut bytes = [0; 16];
    // A machine without randomness still deserves its report.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
