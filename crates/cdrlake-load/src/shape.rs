//! Batches of a table as a caller wants them: which columns, and text as what type.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use arrow_select::take::take;

use crate::error::LoadError;

/// How text of few different values is typed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextType {
    /// `Dictionary(Int32, Utf8)`: a value once a batch. Each batch has its own dictionary.
    #[default]
    Dictionary,
    /// `Utf8`, for engines that take no dictionaries.
    Plain,
}

/// Which columns the caller wants, and as what.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) schema: SchemaRef,
    /// Their places in the table.
    columns: Vec<usize>,
}

impl Shape {
    /// The columns of these names of a table, in their order; all of the table's if none.
    pub(crate) fn new(
        table: &Schema,
        columns: Option<&[String]>,
        text_type: TextType,
    ) -> Result<Self, LoadError> {
        let at =
            |name: &String| table.index_of(name).map_err(|_| LoadError::NoColumn(name.clone()));
        let columns: Vec<usize> = match columns {
            Some(names) => names.iter().map(at).collect::<Result<_, _>>()?,
            None => (0..table.fields().len()).collect(),
        };
        let fields = columns.iter().map(|&at| match (text_type, table.field(at)) {
            (TextType::Plain, field) if is_dictionary(field.data_type()) => {
                Field::new(field.name(), DataType::Utf8, field.is_nullable())
            }
            (_, field) => field.clone(),
        });
        Ok(Self { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), columns })
    }

    /// A batch of the table in this shape.
    pub(crate) fn apply(&self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        let arrays = self.columns.iter().zip(self.schema.fields()).map(|(&at, field)| {
            let array = batch.column(at);
            match is_dictionary(array.data_type()) && !is_dictionary(field.data_type()) {
                true => plain(array),
                false => Ok(Arc::clone(array)),
            }
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>, ArrowError>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), arrays, &options)
    }
}

fn is_dictionary(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Dictionary(..))
}

/// The values of a dictionary array, row by row.
fn plain(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let array = array.as_dictionary::<Int32Type>();
    take(array.values(), array.keys(), None)
}
