//! Row provenance: runs of rows, and the source of each.

/// Consecutive rows of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRows {
    /// The source's index in the run.
    pub source: usize,
    /// How many rows.
    pub rows: u64,
}

/// Adds rows after others, in one entry if they are of the same source.
pub fn add_rows(all: &mut Vec<SourceRows>, next: SourceRows) {
    match all.last_mut() {
        Some(last) if last.source == next.source => last.rows += next.rows,
        _ => all.push(next),
    }
}
