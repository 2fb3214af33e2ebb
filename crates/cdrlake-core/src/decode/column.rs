//! What every kind of column does.

use arrow_array::ArrayRef;
use arrow_schema::ArrowError;

use crate::validate::Sound;

/// Builds one column of the table, or a few neighbours that come from the same field.
pub(super) trait Column: Send {
    /// Appends a row for each record.
    fn append(&mut self, group: &[Sound<'_>]);

    /// Pushes the arrays of the rows so far onto `arrays`, in the table's order. Rows that are appended
    /// later go into new arrays.
    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError>;
}
