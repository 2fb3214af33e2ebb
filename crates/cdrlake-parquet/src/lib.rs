//! Arrow batches to Parquet files, in pages of our own. What the rows mean, this crate does not
//! know.
//!
//! The path of a row:
//!
//! 1. [`Layout`] says what columns a table has and how they are compressed; it is shared by threads.
//! 2. [`RowGroupEncoder`] takes batches and gives a [`RowGroup`], in memory, on any thread.
//! 3. [`StagedParquet`] appends row groups to a file that is not visible yet, and can take back those
//!    since a [`Savepoint`].
//! 4. [`StagedFile`] is complete; whoever publishes it gives it its name.
//!
//! Beside that: [`temporary_file`] and its like for files that are not visible yet, and
//! [`sync_each`], which makes many files last in the time of one.

mod column_statistics;
mod columns;
mod error;
mod file;
mod layout;
mod output;
mod small;
mod sync;
mod temporary;
#[cfg(test)]
mod tests;
mod writeback;

pub use column_statistics::ColumnStatistics;
pub use columns::{Bound, Compression, LabelRun, RowGroup, RowGroupEncoder};
pub use error::Error;
pub use file::{Savepoint, StagedParquet};
pub use layout::Layout;
pub use small::SmallParquet;
pub use sync::{sync_directory, sync_each};
pub use temporary::{
    Existing, StagedFile, directory, new_file_beside, persist, temporary_file, temporary_in,
};
