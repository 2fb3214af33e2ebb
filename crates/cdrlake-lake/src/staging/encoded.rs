//! Rows of a lake as row groups, and whose they are.
//!
//! Where a block has many rows of one partition, they need not wait for others: the worker that
//! decoded them encodes them, and they leave its memory before the next block comes.

use std::collections::BTreeMap;

use cdrlake_load::{SourceRows, add_rows, tenths};
use cdrlake_parquet::{Layout, RowGroup};
use parquet::errors::Result;

use crate::partition::{Partition, Pieces};

/// A row group of one partition.
pub(crate) struct EncodedRows {
    pub(crate) partition: Partition,
    /// Whose its rows are, from the first to the last.
    pub(crate) sources: Vec<SourceRows>,
    /// Tenths of seconds of its calls.
    pub(crate) tenths: u64,
    pub(crate) row_group: RowGroup,
}

/// Takes from a block's pieces, each list with the index of its source, the rows of every partition
/// that has at least `least` of them.
///
/// Nothing is taken where pieces are mixed: the order of a partition's rows would change.
pub(crate) fn encode_large<'p>(
    pieces: impl IntoIterator<Item = (usize, &'p mut Vec<Pieces>)>,
    layout: &Layout,
    least: usize,
) -> Result<Vec<EncodedRows>> {
    let mut lists = Vec::new();
    for (source, pieces) in pieces {
        for piece in pieces {
            match piece {
                Pieces::Mixed(..) => return Ok(Vec::new()),
                Pieces::Apart(batches) => lists.push((source, batches)),
            }
        }
    }
    let mut rows: BTreeMap<Partition, usize> = BTreeMap::new();
    for (partition, batch) in lists.iter().flat_map(|(_, batches)| batches.iter()) {
        *rows.entry(*partition).or_default() += batch.num_rows();
    }
    let large = rows.into_iter().filter(|&(_, rows)| rows >= least.max(1));
    let encoded = large.map(|(partition, _)| {
        let (mut batches, mut sources) = (Vec::new(), Vec::new());
        for (source, list) in &mut lists {
            for (_, batch) in list.extract_if(.., |(of, _)| *of == partition) {
                add_rows(
                    &mut sources,
                    SourceRows { source: *source, rows: batch.num_rows() as u64 },
                );
                batches.push(batch);
            }
        }
        let tenths = batches.iter().map(tenths).sum();
        let row_group = layout.encode(&batches)?;
        Ok(row_group.map(|row_group| EncodedRows { partition, sources, tenths, row_group }))
    });
    encoded.filter_map(Result::transpose).collect()
}
