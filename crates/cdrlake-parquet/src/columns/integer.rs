//! Integer columns: differences for what rises or changes little, a dictionary where few values
//! stand close together.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Decimal128Type, Int8Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{Array, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::bit_packing::{push_run, push_values, width_of};
use super::chunk::{ChunkWriter, ColumnChunk, DataPage};
use super::compression::Compressor;
use super::delta::{self, Integer};
use super::encoder::{ColumnEncoder, pages};
use super::levels::Levels;
use super::repeats::{Held, Repeats};
use super::statistics::{Bound, Bounds};

/// How far apart the values of a dictionary may be: a table of ids is kept for all between.
const SPAN: usize = 1 << 16;

/// The id of a value that did not occur.
const NONE: u16 = u16::MAX;

/// An integer of a column, and what of Arrow becomes it.
pub(super) trait Physical: Integer + Ord + Send + 'static {
    fn append(array: &dyn Array, values: &mut Repeats<Self>) -> Result<()>;
    fn bound(self) -> Bound;
    fn push_plain(self, output: &mut Vec<u8>);
}

impl Physical for i32 {
    fn append(array: &dyn Array, values: &mut Repeats<Self>) -> Result<()> {
        match array.data_type() {
            DataType::Int8 => extend::<Int8Type, _>(array, values, i32::from),
            DataType::Int32 => extend::<Int32Type, _>(array, values, |value| value),
            // Its precision is below ten digits, or the column would not be of 32 bits.
            DataType::Decimal128(..) => {
                extend::<Decimal128Type, _>(array, values, |value| value as i32);
            }
            other => return Err(ParquetError::NYI(other.to_string())),
        }
        Ok(())
    }

    fn bound(self) -> Bound {
        Bound::Int32(self)
    }

    fn push_plain(self, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.to_le_bytes());
    }
}

impl Physical for i64 {
    fn append(array: &dyn Array, values: &mut Repeats<Self>) -> Result<()> {
        match array.data_type() {
            DataType::Int64 => extend::<Int64Type, _>(array, values, |value| value),
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                extend::<TimestampMicrosecondType, _>(array, values, |value| value);
            }
            other => return Err(ParquetError::NYI(other.to_string())),
        }
        Ok(())
    }

    fn bound(self) -> Bound {
        Bound::Int64(self)
    }

    fn push_plain(self, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.to_le_bytes());
    }
}

fn extend<A: ArrowPrimitiveType, T: Physical>(
    array: &dyn Array,
    values: &mut Repeats<T>,
    convert: impl Fn(A::Native) -> T + Copy,
) {
    let array = array.as_primitive::<A>();
    match array.null_count() {
        0 => values.extend_uniform(array.values().iter().map(|&value| convert(value))),
        nulls if nulls == array.len() => {}
        _ => array.iter().flatten().for_each(|value| values.push_run(convert(value), 1)),
    }
}

/// An integer column under construction.
pub(super) struct IntegerColumn<T> {
    column: ColumnDescPtr,
    levels: Levels,
    values: Repeats<T>,
    ids: Ids<T>,
    /// A page, before compression.
    page: Vec<u8>,
}

/// A dictionary of integers that stand close together.
struct Ids<T> {
    /// The id of each value from the least on.
    table: Vec<u16>,
    dictionary: Vec<T>,
    ids: Vec<u16>,
}

impl<T: Physical> Ids<T> {
    /// Numbers the distinct `values`; false if they are too far apart, or too many.
    fn number(&mut self, values: &[T]) -> bool {
        let Self { table, dictionary, ids } = self;
        dictionary.clear();
        ids.clear();
        let Some((min, max)) = min_and_max(values) else { return false };
        let least = min.to_i64();
        if max.to_i64().abs_diff(least) >= SPAN as u64 {
            return false;
        }
        table.clear();
        table.resize(SPAN, NONE);
        for &value in values {
            let id = &mut table[value.to_i64().abs_diff(least) as usize % SPAN];
            if *id == NONE {
                if dictionary.len() == usize::from(NONE) {
                    return false;
                }
                *id = dictionary.len() as u16;
                dictionary.push(value);
            }
            ids.push(*id);
        }
        true
    }

    fn width(&self) -> usize {
        width_of(self.dictionary.len().saturating_sub(1) as u16)
    }

    /// Bytes of all pages, nearly; of the dictionary half, for it compresses well and packed bits
    /// do not.
    fn len(&self) -> usize {
        self.dictionary.len() * size_of::<T>() / 2 + self.ids.len() * self.width() / 8
    }
}

fn min_and_max<T: Physical>(values: &[T]) -> Option<(T, T)> {
    let first = *values.first()?;
    Some(values.iter().fold((first, first), |(min, max), &value| (min.min(value), max.max(value))))
}

fn bounds<T: Physical>(values: &[T]) -> Bounds {
    min_and_max(values).map(|(min, max)| (min.bound(), max.bound()))
}

impl<T: Physical> IntegerColumn<T> {
    pub(super) fn new(column: &ColumnDescPtr) -> Self {
        Self {
            column: column.clone(),
            levels: Levels::new(column.max_def_level() > 0),
            values: Repeats::default(),
            ids: Ids { table: Vec::new(), dictionary: Vec::new(), ids: Vec::new() },
            page: Vec::new(),
        }
    }

    /// Whether a dictionary takes less than differences, and counts them if so.
    fn has_dictionary(&mut self) -> bool {
        let Held::List(values) = self.values.held() else { return false };
        self.page.clear();
        delta::push(values, &mut self.page);
        // Differences of a few bits are not worth a dictionary.
        let few_bits = self.page.len() <= values.len() / 2;
        !few_bits && self.ids.number(values) && self.ids.len() < self.page.len()
    }

    fn write_pages(&mut self, encoding: Encoding, writer: &mut ChunkWriter<'_>) -> Result<()> {
        let Self { levels, values, ids, page, .. } = self;
        let mut first = 0;
        for rows in pages(levels, !matches!(values.held(), Held::List(_))) {
            let (count, present) = (rows.len(), levels.values_in(rows.clone()));
            page.clear();
            levels.push(rows, present, page);
            let bounds = match values.held() {
                Held::List(values) => {
                    let range = first..first + present;
                    if encoding == Encoding::RLE_DICTIONARY {
                        page.push(ids.width() as u8);
                        push_values(&ids.ids[range.clone()], ids.width(), page);
                    } else {
                        delta::push(&values[range.clone()], page);
                    }
                    bounds(&values[range])
                }
                Held::One(value) if present > 0 => {
                    page.push(1);
                    push_run(0, present, 1, page);
                    bounds(&[value])
                }
                Held::One(_) => {
                    page.push(1);
                    None
                }
                Held::Nothing => None,
            };
            first += present;
            let nulls = count - present;
            writer.data(DataPage { bytes: page, encoding, rows: count, nulls, bounds })?;
        }
        Ok(())
    }

    fn write_dictionary(&mut self, values: &[T], writer: &mut ChunkWriter<'_>) -> Result<()> {
        self.page.clear();
        values.iter().for_each(|value| value.push_plain(&mut self.page));
        writer.dictionary(&self.page, values.len())
    }
}

impl<T: Physical> ColumnEncoder for IntegerColumn<T> {
    fn write(&mut self, array: &dyn Array) -> Result<()> {
        self.levels.append(array)?;
        T::append(array, &mut self.values)
    }

    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk> {
        let column = self.column.clone();
        let mut writer = ChunkWriter::new(&column, compressor);
        let has_dictionary = self.has_dictionary();
        let dictionary = match self.values.held() {
            Held::One(value) => vec![value],
            Held::List(_) if has_dictionary => self.ids.dictionary.clone(),
            _ => Vec::new(),
        };
        let encoding = match self.values.held() {
            Held::Nothing => Encoding::PLAIN,
            Held::List(_) if !has_dictionary => Encoding::DELTA_BINARY_PACKED,
            _ => {
                self.write_dictionary(&dictionary, &mut writer)?;
                Encoding::RLE_DICTIONARY
            }
        };
        self.write_pages(encoding, &mut writer)?;
        self.levels.clear();
        self.values.clear();
        writer.finish()
    }
}
