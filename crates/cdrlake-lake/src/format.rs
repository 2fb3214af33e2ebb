//! What differs between lakes of the versions of this program: their tables, and where their files stand.
//!
//! A lake keeps the format that it was made with, so that all its files have one schema.

use std::sync::{Arc, LazyLock};

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{
    Array, ArrayRef, DictionaryArray, FixedSizeBinaryArray, Int32Array, RecordBatch,
};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use cdrlake_core::Numbers;
use cdrlake_load::{calls_layout, layout};
use cdrlake_parquet::{Compression, Layout};
use cdrlake_source::INTERNAL;
use parquet::errors::Result as ParquetResult;

use crate::model::FileKind;
use crate::partition::Partition;

/// The format of a lake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LakeFormat {
    /// Rejects and the table of sources stand beside the calls, as Parquet files; rows do not tell their
    /// source's hash.
    One,
    /// Only calls are files that end in `.parquet`.
    #[default]
    Two,
}

const SOURCE_HASH: &str = "source_hash";
const PULSES_SENT: &str = "pulses_sent";
const CHARGE_BAND: &str = "charge_band";
const RECORD_ID: &str = "record_id";

impl LakeFormat {
    /// All of them.
    pub(crate) const ALL: [Self; 2] = [Self::One, Self::Two];

    /// The version of its table of calls, as Parquet files tell it.
    #[must_use]
    pub const fn schema_version(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Two => cdrlake_core::SCHEMA_VERSION,
        }
    }

    /// The directory in a lake where its files of a kind stand.
    #[must_use]
    pub fn directory(self, kind: FileKind) -> String {
        match (self, kind) {
            (Self::Two, FileKind::Rejects) => format!("{INTERNAL}/{}", kind.name()),
            _ => kind.name().to_owned(),
        }
    }

    /// The path of a file in a lake.
    pub(crate) fn path(self, kind: FileKind, partition: Partition, name: &str) -> String {
        let (directory, below) = (self.directory(kind), partition.to_string());
        let separator = if below.is_empty() { "" } else { "/" };
        let ending = match (self, kind) {
            (Self::Two, FileKind::Rejects) => "pq",
            _ => "parquet",
        };
        format!("{directory}{separator}{below}/{name}.{ending}")
    }

    /// The path of the table of sources in a lake.
    #[must_use]
    pub const fn sources_table(self) -> &'static str {
        match self {
            Self::One => "sources.parquet",
            Self::Two => "_cdrlake/sources/sources.pq",
        }
    }

    /// The layout of its files of calls, without the columns that their directories tell.
    pub(crate) fn calls_layout(
        self,
        compression: Compression,
        without: &[&str],
        numbers: Numbers,
    ) -> ParquetResult<Layout> {
        match self {
            Self::One => {
                let fields = schema_1().fields().iter();
                let fields = fields.filter(|field| !without.contains(&field.name().as_str()));
                let schema = Schema::new(fields.cloned().collect::<Vec<_>>());
                layout(Arc::new(schema), self.schema_version(), compression, numbers)
            }
            Self::Two => calls_layout(compression, without, numbers),
        }
    }

    /// A batch of calls as its files have it. The hash of the source comes with the file.
    pub(crate) fn batch(self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        match self {
            Self::One => of_schema_1(batch),
            Self::Two => {
                let columns = batch.schema_ref().fields().iter().enumerate();
                let kept = columns.filter(|(_, field)| field.name() != SOURCE_HASH);
                batch.project(&kept.map(|(index, _)| index).collect::<Vec<_>>())
            }
        }
    }
}

/// The table of calls of format one.
fn schema_1() -> &'static SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let schema = cdrlake_core::schema();
        let fields = schema.fields().iter().filter_map(|field| match field.name().as_str() {
            SOURCE_HASH | PULSES_SENT => None,
            RECORD_ID => Some(Arc::new(Field::new(RECORD_ID, DataType::FixedSizeBinary(16), true))),
            _ => Some(Arc::clone(field)),
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    });
    &SCHEMA
}

fn of_schema_1(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let column = |name: &str| {
        batch.column_by_name(name).ok_or_else(|| ArrowError::SchemaError(format!("no {name}")))
    };
    let arrays = schema_1().fields().iter().map(|field| match field.name().as_str() {
        CHARGE_BAND => band_of_any_country(column(PULSES_SENT)?),
        RECORD_ID => fixed(column(RECORD_ID)?),
        name => column(name).cloned(),
    });
    RecordBatch::try_new(Arc::clone(schema_1()), arrays.collect::<Result<_, _>>()?)
}

/// Format one took pulses sent for a charge band wherever they are not zeros.
fn band_of_any_country(pulses: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let Some(pulses) = pulses.as_dictionary_opt::<Int32Type>() else {
        return Err(ArrowError::SchemaError("pulses_sent is no dictionary".to_owned()));
    };
    let values = pulses.values().as_string::<i32>();
    let is_band = |key: &i32| values.value(*key as usize) != "000000";
    let keys: Int32Array = pulses.keys().iter().map(|key| key.filter(is_band)).collect();
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::clone(pulses.values()))?))
}

fn fixed(ids: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let ids = ids.as_binary::<i32>();
    Ok(Arc::new(FixedSizeBinaryArray::try_from_sparse_iter_with_size(ids.iter(), 16)?))
}

/// The `record_id`s of a column of a file of either format; none in place of one that is missing, or of
/// another length.
pub fn record_ids(column: &dyn Array) -> Vec<Option<&[u8; 16]>> {
    match column.data_type() {
        DataType::Binary => {
            column.as_binary::<i32>().iter().map(|id| id?.try_into().ok()).collect()
        }
        DataType::FixedSizeBinary(16) => {
            column.as_fixed_size_binary().iter().map(|id| id?.try_into().ok()).collect()
        }
        _ => vec![None; column.len()],
    }
}
