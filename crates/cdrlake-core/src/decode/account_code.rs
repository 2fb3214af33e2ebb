//! The account code, which repeats the origin in most products.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::ArrowError;

use super::column::Column;
use super::ids::is_equal;
use super::values::Strings;
use crate::layout::Field;
use crate::mask::{Masks, NUMBER_LEN};
use crate::record::Record;
use crate::schema::schema;
use crate::validate::Sound;

/// Where the field begins.
pub(super) const ACCOUNT_CODE: usize = Field::AccountCode.range().start;

/// The text of the field, trimmed; null when blank.
///
/// As long as it is the origin, byte by byte, rows are only counted. If it is in all rows of a batch,
/// its array is the origin's, so that what comes next can see that there is but one.
#[derive(Default)]
pub(super) struct AccountCodes {
    /// The first rows, in which it is the origin.
    repeated: usize,
    /// It in the others.
    others: Strings,
}

impl AccountCodes {
    fn push(&mut self, record: Record<'_>) {
        match Masks::of(record.account_code()).trimmed() {
            Some((start, end)) => {
                let text = record.chunk::<NUMBER_LEN>(ACCOUNT_CODE + start);
                self.others.push_chunk(text, end - start);
            }
            None => self.others.push_null(),
        }
    }
}

impl Column for AccountCodes {
    fn append(&mut self, group: &[Sound<'_>]) {
        let records = group.iter().map(Sound::record);
        if self.others.len() == 0 && records.clone().all(repeats_origin) {
            self.repeated += group.len();
        } else {
            records.for_each(|record| self.push(record));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let repeated = std::mem::take(&mut self.repeated);
        let others = self.others.finish()?;
        let origins = arrays.get(schema().index_of("origin")?);
        arrays.push(match origins.filter(|_| repeated > 0) {
            None => Arc::new(others),
            Some(origins) if others.is_empty() => Arc::clone(origins),
            Some(origins) => {
                let origins = origins.as_string::<i32>().iter().take(repeated);
                Arc::new(origins.chain(&others).collect::<StringArray>())
            }
        });
        Ok(())
    }
}

#[inline(always)]
pub(super) fn repeats_origin(record: Record<'_>) -> bool {
    is_equal(record.account_code(), record.origin())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::Decoder;
    use crate::encode::{Values, encode};
    use crate::number::trim;
    use crate::options::SourceOptions;

    /// Records of groups that each hold one kind of account code; batches end within groups.
    #[test]
    fn it_repeats_the_origin_or_does_not_anywhere() {
        let origin = "04123456789";
        let kinds = [origin, "", "C123", "         04123456789"];
        let columns = ["origin", "account_code"].map(|name| schema().index_of(name).unwrap());
        for choice in 0..kinds.len().pow(4) {
            let groups = [choice % 4, choice / 4 % 4, choice / 16 % 4, choice / 64];
            let codes: Vec<&str> = groups.iter().flat_map(|&kind| [kinds[kind]; 64]).collect();
            let mut bytes = Vec::new();
            for code in &codes {
                let mut record = encode(&Values { origin, ..Values::default() }).unwrap();
                record[ACCOUNT_CODE..][..NUMBER_LEN]
                    .copy_from_slice(format!("{code:20}").as_bytes());
                bytes.extend_from_slice(&record);
                bytes.push(b'\n');
            }
            for batch_size in [100, 256] {
                let options = SourceOptions { batch_size, ..SourceOptions::new("calls.cdr") };
                let mut decoder = Decoder::new(&options);
                let (mut rest, mut expected) = (&bytes[..], &codes[..]);
                while !rest.is_empty() {
                    rest = &rest[decoder.decode(rest, &mut |_| panic!("rejected"))..];
                    let batch = decoder.flush().unwrap().unwrap();
                    let (these, behind) = expected.split_at(batch.num_rows());
                    expected = behind;
                    let [origins, account_codes] = columns.map(|column| batch.column(column));
                    let trimmed = these.iter().map(|code| trim(code.as_bytes()));
                    let trimmed = trimmed.map(|code| std::str::from_utf8(code).unwrap());
                    let texts: StringArray =
                        trimmed.map(|code| (!code.is_empty()).then_some(code)).collect();
                    assert_eq!(account_codes.as_string::<i32>(), &texts, "{groups:?}");
                    let all_repeat = these.iter().all(|&code| code == origin);
                    assert_eq!(Arc::ptr_eq(origins, account_codes), all_repeat);
                }
                assert!(expected.is_empty());
            }
        }
    }
}
