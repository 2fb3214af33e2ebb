//! What a page or a column chunk holds at least and at most, and how many nulls.

use parquet::basic::Type;
use parquet::data_type::{ByteArray, FixedLenByteArray};
use parquet::errors::{ParquetError, Result};
use parquet::file::statistics::{Statistics, ValueStatistics};

/// The least or the greatest value, as its column's physical type orders it.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Bound {
    /// A boolean; false is less than true.
    Boolean(bool),
    /// An integer of 32 bits, or what Parquet keeps as one: a date, a decimal.
    Int32(i32),
    /// An integer of 64 bits, or what Parquet keeps as one: a timestamp, a decimal.
    Int64(i64),
    /// Text, or bytes of one length: both are ordered byte by byte.
    Bytes(Vec<u8>),
}

impl Bound {
    /// As the column index has it.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Boolean(value) => vec![u8::from(*value)],
            Self::Int32(value) => value.to_le_bytes().to_vec(),
            Self::Int64(value) => value.to_le_bytes().to_vec(),
            Self::Bytes(value) => value.clone(),
        }
    }
}

/// The least and the greatest value; none if all are null.
pub(crate) type Bounds = Option<(Bound, Bound)>;

/// What holds for both.
pub(crate) fn union(left: Bounds, right: Bounds) -> Bounds {
    match (left, right) {
        (Some((min, max)), Some((other_min, other_max))) => Some((
            if other_min < min { other_min } else { min },
            if other_max > max { other_max } else { max },
        )),
        (bounds, None) | (None, bounds) => bounds,
    }
}

/// Least and greatest of some texts.
///
/// Nearly all comparisons end within the first eight bytes, which compare as one number.
pub(super) fn text_bounds<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Bounds {
    let first = values.next()?;
    let (mut min, mut max) = ((prefix(first), first), (prefix(first), first));
    for value in values {
        let prefix = prefix(value);
        if prefix <= min.0 && (prefix < min.0 || value < min.1) {
            min = (prefix, value);
        }
        if prefix >= max.0 && (prefix > max.0 || value > max.1) {
            max = (prefix, value);
        }
    }
    Some((Bound::Bytes(min.1.to_vec()), Bound::Bytes(max.1.to_vec())))
}

/// The first eight bytes as a number that compares as they do; less are filled up with zeros.
#[inline]
fn prefix(value: &[u8]) -> u64 {
    u64::from_be_bytes(value.first_chunk().copied().unwrap_or_else(|| {
        let mut filled = [0; 8];
        filled[..value.len()].copy_from_slice(value);
        filled
    }))
}

impl Bound {
    fn boolean(&self) -> Option<bool> {
        if let Self::Boolean(value) = self { Some(*value) } else { None }
    }

    fn int32(&self) -> Option<i32> {
        if let Self::Int32(value) = self { Some(*value) } else { None }
    }

    fn int64(&self) -> Option<i64> {
        if let Self::Int64(value) = self { Some(*value) } else { None }
    }

    fn byte_array(&self) -> Option<ByteArray> {
        if let Self::Bytes(value) = self { Some(value.clone().into()) } else { None }
    }
}

/// A column chunk's statistics as Parquet has them; `bounds` are of its type.
pub(super) fn of_chunk(physical_type: Type, bounds: &Bounds, nulls: u64) -> Result<Statistics> {
    fn of<T>(
        bounds: &Bounds,
        value: impl Fn(&Bound) -> Option<T>,
        nulls: u64,
    ) -> ValueStatistics<T> {
        let (min, max) = bounds.as_ref().map(|(min, max)| (value(min), value(max))).unzip();
        ValueStatistics::new(min.flatten(), max.flatten(), None, Some(nulls), false)
    }
    let fixed = |bound: &Bound| bound.byte_array().map(FixedLenByteArray::from);
    // Old readers have fields of their own, which compare bytes as signed: good for numbers alone.
    Ok(match physical_type {
        Type::BOOLEAN => of(bounds, Bound::boolean, nulls).into(),
        Type::INT32 => {
            of(bounds, Bound::int32, nulls).with_backwards_compatible_min_max(true).into()
        }
        Type::INT64 => {
            of(bounds, Bound::int64, nulls).with_backwards_compatible_min_max(true).into()
        }
        Type::BYTE_ARRAY => of(bounds, Bound::byte_array, nulls).into(),
        Type::FIXED_LEN_BYTE_ARRAY => of(bounds, fixed, nulls).into(),
        other => return Err(ParquetError::NYI(format!("statistics of {other}"))),
    })
}

/// The bounds that a column chunk's statistics tell; none if they tell none, or all is null.
pub(crate) fn of_statistics(statistics: &Statistics) -> Bounds {
    let both = |min: Option<Bound>, max: Option<Bound>| min.zip(max);
    let bytes = |bytes: &[u8]| Bound::Bytes(bytes.to_vec());
    match statistics {
        Statistics::Boolean(of) => both(
            of.min_opt().copied().map(Bound::Boolean),
            of.max_opt().copied().map(Bound::Boolean),
        ),
        Statistics::Int32(of) => {
            both(of.min_opt().copied().map(Bound::Int32), of.max_opt().copied().map(Bound::Int32))
        }
        Statistics::Int64(of) => {
            both(of.min_opt().copied().map(Bound::Int64), of.max_opt().copied().map(Bound::Int64))
        }
        other => both(other.min_bytes_opt().map(bytes), other.max_bytes_opt().map(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(values: &[&str]) -> Option<(String, String)> {
        let text = |bound| match bound {
            Bound::Bytes(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("{other:?}"),
        };
        text_bounds(values.iter().map(|value| value.as_bytes()))
            .map(|(min, max)| (text(min), text(max)))
    }

    #[test]
    fn texts_are_ordered_as_bytes() {
        let cases: &[&[&str]] = &[
            &["b", "a", "c"],
            &["0412345678", "0412345679", "04123456"],
            &["0412345678", "0412345677", "0412345"],
            &["ab", "ab\0", "a"],
            &["12345678", "12345678\0", "123456789"],
            &["", "x"],
            &["é", "z", "\u{7F}"],
        ];
        for values in cases {
            let expected = (values.iter().min().unwrap(), values.iter().max().unwrap());
            let (min, max) = bounds(values).unwrap();
            assert_eq!((min.as_str(), max.as_str()), (*expected.0, *expected.1), "{values:?}");
        }
        assert_eq!(bounds(&[]), None);
    }

    #[test]
    fn a_union_holds_both() {
        let pair = |min, max| Some((Bound::Int64(min), Bound::Int64(max)));
        assert_eq!(union(pair(-3, 5), pair(1, 9)), pair(-3, 9));
        assert_eq!(union(None, pair(1, 9)), pair(1, 9));
        assert_eq!(union(pair(1, 9), None), pair(1, 9));
        assert_eq!(union(None, None), None);
    }
}
