//! A run as far as it is the same for every output: its options, and inputs to what was loaded.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::thread;

use cdrlake_core::{DEFAULT_BATCH_SIZE, Privacy, RecordId, Strictness};

use crate::blocks::{BLOCK_LEN, Buffers, Decoding, Gathered, Gatherer, Verdicts};
use crate::error::LakeError;
use crate::known::{Changed, History};
use crate::load::{Collected, Destination, LoadedSource, Loader};
use crate::pipeline;
use crate::privacy::{ClearRejects, PrivacyOptions};
use crate::report::{MaxRejects, SourceReport};
use crate::work::{Rows, Worker};
use cdrlake_run::Interrupt;
use cdrlake_run::{Progress, Stage, new_run_id};
use cdrlake_source::Excluded;
use cdrlake_source::TimeZones;
use cdrlake_source::{Input, Limits, Opening, Settings, visit};

/// How sources are read and judged.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Files, directories, standard input; loaded in this order.
    pub inputs: Vec<Input>,
    /// What is known of sources whose names do not tell.
    pub settings: Settings,
    /// Caps against archives that are bombs.
    pub limits: Limits,
    /// Whose clocks the times of sources are of.
    pub time_zones: TimeZones,
    /// Whether warnings reject.
    pub strictness: Strictness,
    /// Whether rows get a `record_id`; a lake's own setting comes before this.
    pub record_id: RecordId,
    /// What becomes of parties' numbers; a lake's own settings come before this.
    pub privacy: PrivacyOptions,
    /// What to do with a source whose name, of the carrier's form, came before with other content.
    pub changed: Changed,
    /// How many rejects a source may have; any number if none.
    pub max_rejects: Option<MaxRejects>,
    /// Threads that work; as many as the machine has if none, and fewer if memory is short. The
    /// output does not depend on it.
    pub threads: Option<NonZero<usize>>,
    /// Bytes of memory to stay within, give or take 64 MiB.
    pub memory_limit: u64,
    /// Files that the caller writes, such as a report: they may be neither inputs nor outputs.
    pub also_written: Vec<PathBuf>,
    /// What the run is called in its report, the ledger and the lock; drawn by [`new_run_id`] if none.
    /// A lake takes each once.
    pub run_id: Option<String>,
    /// Asks the run to end.
    pub interrupt: Interrupt,
    /// Tells how far the run is.
    pub progress: Progress,
    /// Rows of a batch.
    pub(crate) batch_size: usize,
    /// Bytes of a block; other than usual only in tests.
    pub(crate) block_len: usize,
    /// Bytes of a zip inside another archive that may be held in memory; other than a quarter of
    /// the memory limit only in tests.
    pub(crate) zip_buffer: Option<u64>,
    /// Bytes of rows that may wait for their row groups in a lake; other than an eighth of the
    /// memory limit only in tests.
    pub(crate) waiting_memory: Option<usize>,
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
            time_zones: TimeZones::default(),
            strictness: Strictness::default(),
            record_id: RecordId::default(),
            privacy: PrivacyOptions::default(),
            changed: Changed::default(),
            max_rejects: None,
            threads: None,
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            also_written: Vec::new(),
            run_id: None,
            interrupt: Interrupt::default(),
            progress: Progress::default(),
            batch_size: DEFAULT_BATCH_SIZE,
            block_len: BLOCK_LEN,
            zip_buffer: None,
            waiting_memory: None,
        }
    }

    /// The caller's, or a new one.
    pub(crate) fn run_id(&self) -> String {
        self.run_id.clone().unwrap_or_else(new_run_id)
    }

    pub(crate) fn waiting_memory(&self) -> usize {
        self.waiting_memory.unwrap_or((self.memory_limit / 8) as usize)
    }

    pub(crate) fn zip_buffer(&self) -> u64 {
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

/// What a run does with what it loads.
pub(crate) struct Run<'r> {
    pub(crate) options: &'r LoadOptions,
    pub(crate) rows: Rows<'r>,
    /// Near which large spools go.
    pub(crate) spool_near: Option<&'r Path>,
    pub(crate) destination: Destination<'r>,
    pub(crate) record_id: RecordId,
    pub(crate) privacy: Privacy,
    /// Whether rejected lines are kept with their bytes.
    pub(crate) rejects: ClearRejects,
    pub(crate) written: &'r Excluded,
    pub(crate) history: History<'r>,
}

/// What came of all inputs.
pub(crate) struct Loaded<'d> {
    pub(crate) destination: Destination<'d>,
    pub(crate) sources: Vec<LoadedSource>,
    /// Inputs in which there was no source, and tables of calls among rejects files.
    pub(crate) empty_inputs: Vec<String>,
}

impl Loaded<'_> {
    /// What came of each source.
    pub(crate) fn reports(sources: Vec<LoadedSource>) -> Vec<SourceReport> {
        sources.into_iter().map(|loaded| loaded.report).collect()
    }
}

/// Loads all inputs.
pub(crate) fn load(run: Run<'_>) -> Result<Loaded<'_>, LakeError> {
    let Run { options, rows, spool_near, destination, .. } = run;
    let Run { record_id, privacy, rejects, written, history, .. } = run;
    let buffers = Buffers::default();
    let max_rejects = options.max_rejects;
    let worker = Worker { rows, max_rejects, spool_near, rejects, buffers: &buffers };
    let work = |block| Collected::Worked(worker.work(block));
    let opening = Opening {
        settings: &options.settings,
        limits: options.limits,
        zip_buffer: options.zip_buffer(),
        excluded: written,
        interrupt: &options.interrupt,
        progress: &options.progress,
    };
    let verdicts = Verdicts::default();
    let mut loader = Loader::new(destination, max_rejects, &verdicts, &options.progress);
    let mut empty_inputs = Vec::new();
    let collect = |collected| loader.collect(collected);
    let Workers { threads, blocks } = options.workers()?;
    pipeline::run(threads, blocks, &work, collect, |queue| {
        let emit = |gathered| match gathered {
            Gathered::Block(block) => queue.submit(block),
            Gathered::Awaited => queue.drain(),
            other => queue.pass(Collected::Gathered(other)),
        };
        let decoding = Decoding { record_id, privacy };
        let mut gatherer = Gatherer::new(options, decoding, &buffers, history, &verdicts, emit);
        for input in &options.inputs {
            let before = gatherer.sources();
            visit(input, opening, &mut gatherer)?;
            let passed_over = gatherer.take_passed_over();
            if gatherer.sources() == before && passed_over.is_empty() {
                empty_inputs.push(input.to_string());
            }
            empty_inputs.extend(passed_over);
        }
        gatherer.finish()?;
        drop(gatherer);
        options.progress.enter(Stage::Finishing);
        queue.pass(Collected::End)
    })?;
    let (destination, sources) = loader.finish()?;
    Ok(Loaded { destination, sources, empty_inputs })
}
