//! Batches to the files of a lake: rows wait, partition by partition, until they are worth a row
//! group, and row groups go to files until these are large enough.
//!
//! What goes where depends on nothing but the batches and their order. A source or archive that
//! fails at its end is taken back: a [savepoint](Partitions::savepoint) keeps the rows that waited
//! when it began, and how far each file had come.

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use arrow_array::{RecordBatch, UInt32Array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use cdrlake_load::{Deferred, SourceIdentities, SourceRows, add_rows, defer, tenths};
use cdrlake_parquet::{Layout, RowGroup, sync_each};
use parquet::errors::{ParquetError, Result as ParquetResult};

use super::encoded::EncodedRows;
use super::partition_file::{ClosedFile, FileMark, OpenFile, PartitionFile};
use crate::error::LakeError;
use crate::partition::{Partition, Pieces};

/// Rows that are worth a row group, as many as a block has: about two MiB.
const ROW_GROUP_ROWS: usize = 65_536;

/// Files under construction at a time, unless they must wait for the end of a source: each has a
/// handle, and its row groups' statistics are in memory.
const MAX_OPEN_FILES: usize = 256;

/// What a batch takes beside its values: 35 arrays have their own headers.
const BATCH_OVERHEAD: usize = 8 << 10;

/// How the files of a lake are cut.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tuning {
    /// Bytes from which on a file gets no more row groups.
    pub(crate) target_file_size: u64,
    /// Bytes of rows that may wait for their row groups.
    pub(crate) waiting_memory: usize,
}

/// The files of a run under construction.
pub(crate) struct Partitions {
    layout: Arc<Layout>,
    directory: PathBuf,
    tuning: Tuning,
    waiting: BTreeMap<Partition, Waiting>,
    /// Batches of many partitions, which came behind those that wait by partition.
    mixed: Vec<Mixed>,
    /// Of both.
    waiting_bytes: usize,
    /// Row groups being encoded, in the order in which they are appended.
    encoding: VecDeque<Encoding>,
    open: BTreeMap<Partition, OpenFile>,
    /// Large enough, but begun before a savepoint, so that they may yet be taken back in part, or with rows of
    /// a source that has not ended.
    full: Vec<OpenFile>,
    finished: Vec<PartitionFile>,
    savepoints: Vec<Savepoint>,
    next_id: u64,
    /// The number of the run.
    run: u64,
    identities: SourceIdentities,
    /// Row groups appended so far.
    appended: u64,
}

/// Rows that wait for their row group.
#[derive(Clone, Default)]
struct Waiting {
    batches: Vec<RecordBatch>,
    sources: Vec<SourceRows>,
    rows: usize,
    bytes: usize,
}

/// A batch whose rows are of many partitions.
struct Mixed {
    source: usize,
    batch: RecordBatch,
    parts: Vec<(Partition, Vec<u32>)>,
    bytes: usize,
}

impl Mixed {
    fn new(source: usize, batch: RecordBatch, parts: Vec<(Partition, Vec<u32>)>) -> Self {
        let numbers = batch.num_rows() * size_of::<u32>();
        let bytes = batch.get_array_memory_size() + BATCH_OVERHEAD + numbers;
        Self { source, batch, parts, bytes }
    }
}

/// A row group while it is encoded.
struct Encoding {
    partition: Partition,
    sources: Vec<SourceRows>,
    tenths: u64,
    bytes: usize,
    row_group: Deferred<ParquetResult<Option<RowGroup>>>,
}

/// A state to return to.
struct Savepoint {
    waiting: BTreeMap<Partition, Waiting>,
    waiting_bytes: usize,
    open: Vec<FileMark>,
    full: Vec<FileMark>,
    /// Files from here on were begun later.
    next_id: u64,
}

impl Partitions {
    /// Files are begun in `directory`, by the run of this number.
    pub(crate) fn new(directory: PathBuf, layout: Arc<Layout>, tuning: Tuning, run: u64) -> Self {
        Self {
            layout,
            directory,
            tuning,
            waiting: BTreeMap::new(),
            mixed: Vec::new(),
            waiting_bytes: 0,
            encoding: VecDeque::new(),
            open: BTreeMap::new(),
            full: Vec::new(),
            finished: Vec::new(),
            savepoints: Vec::new(),
            next_id: 0,
            run,
            identities: SourceIdentities::default(),
            appended: 0,
        }
    }

    /// The next source was met.
    pub(crate) fn meet(&mut self, source_file: &str) {
        self.identities.push(source_file, None);
    }

    /// The source of this index has ended.
    pub(crate) fn end(&mut self, index: usize, hash: blake3::Hash) {
        self.identities.end(index, hash);
    }

    /// Appends rows of a source to their partitions.
    pub(crate) fn append(&mut self, source: usize, pieces: Pieces) -> Result<(), LakeError> {
        match pieces {
            Pieces::Mixed(batch, parts) => self.mix(Mixed::new(source, batch, parts)),
            Pieces::Apart(pieces) => pieces.into_iter().try_for_each(|(partition, batch)| {
                if self.mixed.is_empty() {
                    let bytes = batch.get_array_memory_size() + BATCH_OVERHEAD;
                    let sources = vec![SourceRows { source, rows: batch.num_rows() as u64 }];
                    self.wait(partition, batch, sources, bytes)?;
                    self.make_room(self.tuning.waiting_memory)
                } else {
                    let rows = (0..batch.num_rows() as u32).collect();
                    self.mix(Mixed::new(source, batch, vec![(partition, rows)]))
                }
            }),
        }
    }

    fn mix(&mut self, mixed: Mixed) -> Result<(), LakeError> {
        self.waiting_bytes += mixed.bytes;
        self.mixed.push(mixed);
        if self.waiting_bytes <= self.tuning.waiting_memory {
            return Ok(());
        }
        self.part_mixed()?;
        // There must be room for many more, lest they be parted by twos and threes.
        self.make_room(self.tuning.waiting_memory / 4)
    }

    /// Parts all mixed batches at once, column by column: so each partition has one batch of all its
    /// rows among them.
    fn part_mixed(&mut self) -> Result<(), LakeError> {
        let mixed = std::mem::take(&mut self.mixed);
        let Some(first) = mixed.first() else { return Ok(()) };
        let schema = first.batch.schema();
        let mut parts: BTreeMap<Partition, (Vec<u32>, Vec<SourceRows>)> = BTreeMap::new();
        let (mut before, mut bytes) = (0, 0);
        for Mixed { source, batch, parts: of_batch, bytes: of_mixed } in &mixed {
            for (partition, rows) in of_batch {
                let (numbers, sources) = parts.entry(*partition).or_default();
                numbers.extend(rows.iter().map(|row| before + row));
                add_rows(sources, SourceRows { source: *source, rows: rows.len() as u64 });
            }
            before += batch.num_rows() as u32;
            bytes += of_mixed;
        }
        self.waiting_bytes -= bytes;
        let parts = parts.into_iter().map(|(partition, (numbers, sources))| {
            (partition, UInt32Array::from(numbers), sources, Vec::new())
        });
        let mut parts: Vec<_> = parts.collect();
        for column in 0..schema.fields().len() {
            let arrays: Vec<_> =
                mixed.iter().map(|mixed| mixed.batch.column(column).as_ref()).collect();
            let whole = concat(&arrays).map_err(ParquetError::from)?;
            for (_, numbers, _, columns) in &mut parts {
                columns.push(take(&whole, numbers, None).map_err(ParquetError::from)?);
            }
        }
        drop(mixed);
        for (partition, numbers, sources, columns) in parts {
            let batch = RecordBatch::try_new(Arc::clone(&schema), columns);
            let batch = batch.map_err(ParquetError::from)?;
            // They share their dictionaries, which the batch itself would count as its own.
            let share = bytes * numbers.len() / (before as usize).max(1);
            self.wait(partition, batch, sources, share + BATCH_OVERHEAD)?;
        }
        Ok(())
    }

    /// Rows wait in their partition until they are worth a row group.
    fn wait(
        &mut self,
        partition: Partition,
        batch: RecordBatch,
        sources: Vec<SourceRows>,
        bytes: usize,
    ) -> Result<(), LakeError> {
        let waiting = self.waiting.entry(partition).or_default();
        sources.into_iter().for_each(|rows| add_rows(&mut waiting.sources, rows));
        waiting.rows += batch.num_rows();
        waiting.batches.push(batch);
        waiting.bytes += bytes;
        self.waiting_bytes += bytes;
        if waiting.rows >= ROW_GROUP_ROWS { self.write_row_group(partition) } else { Ok(()) }
    }

    /// Appends rows that are a row group already, behind all that wait in their partition.
    pub(crate) fn append_encoded(&mut self, encoded: EncodedRows) -> Result<(), LakeError> {
        self.part_mixed()?;
        let EncodedRows { partition, sources, tenths, row_group } = encoded;
        self.write_row_group(partition)?;
        let bytes = row_group.encoded_len();
        let row_group = Deferred::ready(Ok(Some(row_group)));
        self.enqueue(Encoding { partition, sources, tenths, bytes, row_group })
    }

    /// Writes the largest partitions' rows until so many bytes are left at the most.
    fn make_room(&mut self, left: usize) -> Result<(), LakeError> {
        while self.waiting_bytes > left {
            let largest = self.waiting.iter().max_by_key(|(_, waiting)| waiting.bytes);
            let Some(largest) = largest.map(|(&partition, _)| partition) else { break };
            self.write_row_group(largest)?;
        }
        Ok(())
    }

    /// Makes the rows that wait in a partition a row group of its file, once it is encoded.
    fn write_row_group(&mut self, partition: Partition) -> Result<(), LakeError> {
        let Some(Waiting { batches, sources, bytes, .. }) = self.waiting.remove(&partition) else {
            return Ok(());
        };
        self.waiting_bytes -= bytes;
        let tenths = batches.iter().map(tenths).sum();
        let layout = Arc::clone(&self.layout);
        let row_group = defer(move || layout.encode(&batches));
        self.enqueue(Encoding { partition, sources, tenths, bytes, row_group })
    }

    /// Appends a row group once it is encoded, and now those before it that are.
    fn enqueue(&mut self, encoding: Encoding) -> Result<(), LakeError> {
        self.encoding.push_back(encoding);
        while let Some(oldest) = self.encoding.front()
            && let Some(row_group) = oldest.row_group.take_if_ready()?
        {
            self.append_row_group(row_group?)?;
        }
        let under_way = |encoding: &VecDeque<Encoding>| -> usize {
            encoding.iter().skip(1).map(|encoding| encoding.bytes).sum()
        };
        while under_way(&self.encoding) > self.tuning.waiting_memory {
            self.append_oldest()?;
        }
        Ok(())
    }

    /// Appends every row group that is being encoded.
    fn append_all(&mut self) -> Result<(), LakeError> {
        while !self.encoding.is_empty() {
            self.append_oldest()?;
        }
        Ok(())
    }

    fn append_oldest(&mut self) -> Result<(), LakeError> {
        let Some(oldest) = self.encoding.front() else { return Ok(()) };
        let row_group = oldest.row_group.wait()??;
        self.append_row_group(row_group)
    }

    /// Appends the row group that came of the oldest that was being encoded.
    fn append_row_group(&mut self, row_group: Option<RowGroup>) -> Result<(), LakeError> {
        let Some(Encoding { partition, sources, tenths, .. }) = self.encoding.pop_front() else {
            return Ok(());
        };
        let Some(row_group) = row_group else { return Ok(()) };
        let rows = EncodedRows { partition, sources, tenths, row_group };
        self.appended += 1;
        if !self.open.contains_key(&partition) {
            self.begin_file(partition)?;
        }
        let Some(file) = self.open.get_mut(&partition) else { return Ok(()) };
        file.append(rows, self.appended)?;
        if file.len() >= self.tuning.target_file_size {
            self.end_file(partition)?;
        }
        Ok(())
    }

    fn begin_file(&mut self, partition: Partition) -> Result<(), LakeError> {
        if self.open.len() >= MAX_OPEN_FILES {
            let idle = self.open.values().min_by_key(|file| file.last_append);
            if let Some(idle) = idle.map(|file| file.partition) {
                self.end_file(idle)?;
            }
        }
        let file = OpenFile::begin(self.next_id, partition, &self.directory, &self.layout)?;
        self.next_id += 1;
        self.open.insert(partition, file);
        Ok(())
    }

    /// A partition's file is large enough, or must make room.
    fn end_file(&mut self, partition: Partition) -> Result<(), LakeError> {
        let Some(mut file) = self.open.remove(&partition) else { return Ok(()) };
        file.suspend()?;
        self.full.push(file);
        self.end_full()
    }

    /// Ends the full files that can end.
    fn end_full(&mut self) -> Result<(), LakeError> {
        let held = self.taken_back_in_part_before();
        let can_end = |file: &mut OpenFile| file.id >= held && file.can_end(&self.identities);
        for file in self.full.extract_if(.., can_end) {
            self.finished.push(file.finish(self.run, &self.identities)?);
        }
        Ok(())
    }

    /// Files begun before the one of this id may yet be taken back in part.
    fn taken_back_in_part_before(&self) -> u64 {
        self.savepoints.last().map_or(0, |savepoint| savepoint.next_id)
    }

    /// Keeps the present state, to [roll back](Self::rollback) to, or to
    /// [release](Self::release). Savepoints may be inside each other.
    pub(crate) fn savepoint(&mut self) -> Result<(), LakeError> {
        self.part_mixed()?;
        self.append_all()?;
        self.savepoints.push(Savepoint {
            waiting: self.waiting.clone(),
            waiting_bytes: self.waiting_bytes,
            open: self.open.values().map(OpenFile::mark).collect(),
            full: self.full.iter().map(OpenFile::mark).collect(),
            next_id: self.next_id,
        });
        Ok(())
    }

    /// What came since the last savepoint stays.
    pub(crate) fn release(&mut self) -> Result<(), LakeError> {
        self.append_all()?;
        self.savepoints.pop();
        self.end_full()
    }

    /// Takes back everything since the last savepoint.
    pub(crate) fn rollback(&mut self) -> Result<(), LakeError> {
        self.append_all()?;
        let Some(savepoint) = self.savepoints.pop() else {
            return Err(LakeError::Defect("there is no savepoint to return to"));
        };
        self.mixed.clear();
        self.waiting = savepoint.waiting;
        self.waiting_bytes = savepoint.waiting_bytes;
        self.finished.retain(|file| file.id < savepoint.next_id);
        let files = std::mem::take(&mut self.open).into_values();
        for mut file in files.chain(std::mem::take(&mut self.full)) {
            let is_of_file = |mark: &&FileMark| mark.id == file.id;
            if let Some(mark) = savepoint.open.iter().find(is_of_file) {
                file.rollback(mark)?;
                self.open.insert(file.partition, file);
            } else if let Some(mark) = savepoint.full.iter().find(is_of_file) {
                file.rollback(mark)?;
                self.full.push(file);
            }
        }
        Ok(())
    }

    /// Writes all rows that wait.
    pub(crate) fn flush(&mut self) -> Result<(), LakeError> {
        self.part_mixed()?;
        while let Some(partition) = self.waiting.keys().next().copied() {
            self.write_row_group(partition)?;
        }
        self.append_all()
    }

    /// The finished files, in the order in which they were begun, and whose their rows are.
    pub(crate) fn finish(mut self) -> Result<(Vec<PartitionFile>, SourceIdentities), LakeError> {
        self.flush()?;
        let files = std::mem::take(&mut self.open).into_values().chain(self.full);
        let files = files.map(|file| file.complete(self.run, &self.identities));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        sync_each(&files, ClosedFile::sync)?;
        self.finished.extend(files.into_iter().map(ClosedFile::into_partition_file));
        self.finished.sort_by_key(|file| file.id);
        Ok((self.finished, self.identities))
    }
}
