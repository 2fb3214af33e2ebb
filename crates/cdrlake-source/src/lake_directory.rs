//! How a directory shows that it is a lake, and so holds no deliveries.

use std::path::Path;

/// The directory in a lake that is no data: readers leave out what begins with an underscore.
pub const INTERNAL: &str = "_cdrlake";

/// Whether there is a lake in this directory.
#[must_use]
pub fn is_lake(path: &Path) -> bool {
    path.join(INTERNAL).is_dir()
}
