//! How sources are read and judged, the same for every output.

use std::num::NonZero;
use std::path::PathBuf;
use std::thread;

use cdrlake_core::{DEFAULT_BATCH_SIZE, RecordId, Strictness};
use cdrlake_run::{Interrupt, Progress, new_run_id};
use cdrlake_source::{Input, Limits, Selection, Settings, TimeZones};

use crate::blocks::BLOCK_LEN;
use crate::error::LoadError;
use crate::history::OnChanged;
use crate::max_rejects::MaxRejects;
use crate::privacy::PrivacyOptions;

/// How sources are read and judged.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// Files, directories, standard input; loaded in this order.
    pub inputs: Vec<Input>,
    /// What is read of them, by its name.
    pub selection: Selection,
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
    pub on_changed: OnChanged,
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
    /// Sizes that memory and the cuts of files depend on.
    pub sizes: Sizes,
}

impl LoadOptions {
    /// 512 MiB.
    pub const DEFAULT_MEMORY_LIMIT: u64 = 512 << 20;

    /// The defaults for these inputs.
    #[must_use]
    pub fn new(inputs: Vec<Input>) -> Self {
        Self {
            inputs,
            selection: Selection::default(),
            settings: Settings::default(),
            limits: Limits::default(),
            time_zones: TimeZones::default(),
            strictness: Strictness::default(),
            record_id: RecordId::default(),
            privacy: PrivacyOptions::default(),
            on_changed: OnChanged::default(),
            max_rejects: None,
            threads: None,
            memory_limit: Self::DEFAULT_MEMORY_LIMIT,
            also_written: Vec::new(),
            run_id: None,
            interrupt: Interrupt::default(),
            progress: Progress::default(),
            sizes: Sizes::default(),
        }
    }

    /// The id of the run: the caller's, or a new one.
    #[must_use]
    pub fn run_id(&self) -> String {
        self.run_id.clone().unwrap_or_else(new_run_id)
    }

    /// Bytes of rows that may wait for their row groups in a lake.
    #[must_use]
    pub fn waiting_memory(&self) -> usize {
        self.sizes.waiting_memory.unwrap_or((self.memory_limit / 8) as usize)
    }

    pub(crate) fn zip_buffer(&self) -> u64 {
        self.sizes.zip_buffer.unwrap_or(self.memory_limit / 4)
    }

    /// How many threads work, and how many blocks are under way: two more, so that none waits for
    /// work. Fewer of both, if memory is short.
    pub(crate) fn workers(&self) -> Result<Workers, LoadError> {
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
            return Err(LoadError::MemoryLimit((BASE_MEMORY + EACH) * 4 / 3));
        }
        let wanted = self.threads.or_else(|| thread::available_parallelism().ok());
        let threads = wanted.map_or(1, NonZero::get).min(most as usize);
        Ok(Workers { threads, blocks: threads + 2 })
    }
}

/// Sizes that memory and the cuts of files depend on. They are other than usual only in tests, which
/// meet every boundary with little data.
#[derive(Clone, Debug)]
pub struct Sizes {
    /// Rows of a batch.
    pub batch_size: usize,
    /// Bytes of a block.
    pub block_len: usize,
    /// Bytes of a zip inside another archive that may be held in memory; a quarter of the memory
    /// limit if none.
    pub zip_buffer: Option<u64>,
    /// Bytes of rows that may wait for their row groups in a lake; an eighth of the memory limit if
    /// none.
    pub waiting_memory: Option<usize>,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            batch_size: DEFAULT_BATCH_SIZE,
            block_len: BLOCK_LEN,
            zip_buffer: None,
            waiting_memory: None,
        }
    }
}

/// What is at work at a time.
pub(crate) struct Workers {
    pub(crate) threads: usize,
    pub(crate) blocks: usize,
}
