//! The records of sources as their rows tell them: a multiset, to be compared with that of others.

use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Decimal128Type, Int8Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::{DataType, TimeUnit};
use cdrlake_run::Interrupt;
use hashbrown::HashMap;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReaderBuilder, RowSelection, RowSelector,
};
use parquet::errors::ParquetError;

use crate::commit::FileChunks;
use crate::error::LakeError;
use crate::format::LakeFormat;

/// The columns that come from a record's bytes, in a lake of this format: one for each field, without the
/// trailer, which follows the record.
pub fn wire_columns(format: LakeFormat) -> impl Iterator<Item = &'static str> {
    let pulses_sent = match format {
        LakeFormat::One => CHARGE_BAND,
        LakeFormat::Two => "pulses_sent",
    };
    [
        "origin",
        "destination",
        "product_type",
        "start_time",
        "duration",
        "continuation",
        "switch_id",
        "trunk_incoming",
        "trunk_outgoing",
        "account_code",
        "pulses_in",
        "pulses_generated",
        pulses_sent,
        "service_indicator",
        "charged_number",
        "dialled_number",
        "carrier",
    ]
    .into_iter()
}

/// What format one has of pulses sent, which does not say all that was delivered.
const CHARGE_BAND: &str = "charge_band";

/// By what two records are known to be the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The column `record_id`.
    RecordId,
    /// The columns of their fields, as a lake of this format has them.
    Fields(LakeFormat),
}

impl Identity {
    fn columns(self) -> Vec<&'static str> {
        match self {
            Self::RecordId => vec!["record_id"],
            Self::Fields(format) => {
                wire_columns(format).filter(|name| *name != CHARGE_BAND).collect()
            }
        }
    }
}

/// Records by a digest of what tells them apart, and how often each is there.
#[derive(Debug, Default)]
pub(crate) struct Records {
    counts: HashMap<[u8; 16], u64>,
    len: u64,
}

impl Records {
    /// How many there are.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// How many both have: of each record, as many as the one has that has fewer.
    pub(crate) fn shared(&self, other: &Self) -> u64 {
        let of = |(id, &count): (&[u8; 16], &u64)| {
            other.counts.get(id).map_or(0, |&others| others.min(count))
        };
        self.counts.iter().map(of).sum()
    }

    fn add(&mut self, digest: blake3::Hash) {
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = *digest.as_bytes();
        *self.counts.entry(id).or_default() += 1;
        self.len += 1;
    }
}

/// Adds records of a file, which messages call `path`: those of the runs of rows that are `wanted`.
pub(crate) fn read_records(
    file: FileChunks,
    path: &Path,
    wanted: impl Iterator<Item = (bool, u64)>,
    identity: Identity,
    interrupt: &Interrupt,
    records: &mut Records,
) -> Result<(), LakeError> {
    let parquet = |error| LakeError::Parquet { path: path.to_owned(), error };
    let changed = || LakeError::FileChanged(path.to_owned());
    let selectors: Vec<RowSelector> = wanted
        .map(|(is_wanted, rows)| match is_wanted {
            true => RowSelector::select(rows as usize),
            false => RowSelector::skip(rows as usize),
        })
        .collect();
    // The types of the file alone, whatever a writer wished to have read from it.
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder =
        ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).map_err(parquet)?;
    let rows: usize = selectors.iter().map(|selector| selector.row_count).sum();
    if builder.metadata().file_metadata().num_rows() != rows as i64 {
        return Err(changed());
    }
    let columns = identity.columns();
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    let reader = builder.with_projection(mask).with_row_selection(RowSelection::from(selectors));
    for batch in reader.build().map_err(parquet)? {
        interrupt.check()?;
        let batch = batch.map_err(|error| parquet(ParquetError::from(error)))?;
        let found = columns.iter().map(|name| batch.column_by_name(name).map(Arc::clone));
        let found: Vec<ArrayRef> = found.collect::<Option<_>>().ok_or_else(changed)?;
        add_batch(&batch, &found, records).ok_or_else(changed)?;
    }
    Ok(())
}

/// Adds each row; none if a column has a type that no lake has.
fn add_batch(batch: &RecordBatch, columns: &[ArrayRef], records: &mut Records) -> Option<()> {
    for row in 0..batch.num_rows() {
        let mut digest = blake3::Hasher::new();
        for column in columns {
            hash_value(&mut digest, column, row)?;
        }
        records.add(digest.finalize());
    }
    Some(())
}

/// Hashes a value with its length in front of it, so that no two rows give the same bytes; null has a length
/// of its own. Returns nothing if the column has a type that none of [`wire_columns`] and `record_id` has.
pub fn hash_value(hasher: &mut blake3::Hasher, column: &dyn Array, row: usize) -> Option<()> {
    if column.is_null(row) {
        hasher.update(&u32::MAX.to_le_bytes());
        return Some(());
    }
    let mut update = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u32).to_le_bytes());
        hasher.update(bytes);
    };
    match column.data_type() {
        DataType::Utf8 => update(column.as_string::<i32>().value(row).as_bytes()),
        DataType::Binary => update(column.as_binary::<i32>().value(row)),
        DataType::FixedSizeBinary(_) => update(column.as_fixed_size_binary().value(row)),
        DataType::Int8 => update(&column.as_primitive::<Int8Type>().value(row).to_le_bytes()),
        DataType::Timestamp(TimeUnit::Microsecond, None) => {
            update(&column.as_primitive::<TimestampMicrosecondType>().value(row).to_le_bytes());
        }
        DataType::Decimal128(..) => {
            update(&column.as_primitive::<Decimal128Type>().value(row).to_le_bytes());
        }
        _ => return None,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(values: &[&str]) -> Records {
        let mut records = Records::default();
        values.iter().for_each(|value| records.add(blake3::hash(value.as_bytes())));
        records
    }

    #[test]
    fn a_record_is_shared_as_often_as_both_have_it() {
        let (some, others) = (records(&["a", "a", "b"]), records(&["a", "a", "a", "c"]));
        assert_eq!((some.len(), others.len()), (3, 4));
        assert_eq!((some.shared(&others), others.shared(&some)), (2, 2));
        assert_eq!(some.shared(&records(&[])), 0);
    }
}
