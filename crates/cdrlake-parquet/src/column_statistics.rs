//! What a column of a whole file holds, over its row groups.

use crate::columns::Bound;

/// What a column of a file holds.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnStatistics {
    /// The column's name.
    pub column: String,
    /// Rows in which it is null.
    pub nulls: u64,
    /// The least and the greatest value; none if all are null.
    pub bounds: Option<(Bound, Bound)>,
}
