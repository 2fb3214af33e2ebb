//! Telephone numbers: as delivered and, beside it, normalized.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int8Array, StringArray};
use arrow_schema::ArrowError;

use super::code::derived;
use super::column::Column;
use super::ids::{Batch, Ids};
use super::values::{NULL, Strings, UniformText, dictionary, take};
use crate::country::Country;
use crate::mask::{Masks, NUMBER_LEN};
use crate::number::{E164, Form, Prefix, Role, normalize};
use crate::product::charged_is_trunk;
use crate::record::Record;
use crate::validate::Sound;

/// The most digits of a number in E.164.
const E164_DIGITS: usize = 15;

/// The number of a party in the field from byte `AT` on, and its E.164 form; for the origin also
/// how many digits are masked.
///
/// Parties' numbers are nearly unique, so each is normalized where it stands: from the bits that
/// tell its digits, without a copy in between.
pub(super) struct Parties<const AT: usize> {
    country: Option<Country>,
    /// `+` and the country's calling code.
    prefix: ([u8; 4], usize),
    delivered: Strings,
    e164: Strings,
    masked_digits: Option<Vec<i8>>,
}

impl<const AT: usize> Parties<AT> {
    pub(super) fn new(country: Option<Country>) -> Self {
        let code = country.map_or("", Country::calling_code).bytes();
        let mut prefix = *b"+   ";
        let len = 1 + code.len();
        prefix[1..].iter_mut().zip(code).for_each(|(to, digit)| *to = digit);
        Self {
            country,
            prefix: (prefix, len),
            delivered: Strings::default(),
            e164: Strings::default(),
            masked_digits: None,
        }
    }

    pub(super) fn with_masked_digits(self) -> Self {
        Self { masked_digits: Some(Vec::new()), ..self }
    }

    /// Appends a number, and returns how many digits are masked.
    #[inline(always)]
    fn push(&mut self, record: Record<'_>) -> usize {
        let masks = Masks::of(record.chunk::<NUMBER_LEN>(AT));
        let Some((start, end)) = masks.trimmed() else {
            self.delivered.push_null();
            self.e164.push_null();
            return 0;
        };
        let number = record.chunk::<NUMBER_LEN>(AT + start);
        self.delivered.push_chunk(number, end - start);
        let masked = masks.masked_before(end);
        // A leading plus says that a calling code follows.
        let plus = usize::from(number[0] == b'+');
        if !masks.are_digits(start + plus, end - masked) {
            self.e164.push_null();
            return masked;
        }
        let digits = end - start - plus;
        let form = if plus == 1 {
            Form::international(digits, 0)
        } else {
            Form::of(&number[..digits], Role::Party, *record.product_type(), self.country)
        };
        let Some(Form { prefix, skipped }) = form else {
            self.e164.push_null();
            return masked;
        };
        let prefix = match prefix {
            Prefix::Nothing => (b"+   ", 1),
            Prefix::CallingCode => (&self.prefix.0, self.prefix.1),
        };
        let rest = record.chunk::<E164_DIGITS>(AT + start + plus + skipped);
        self.e164.push_chunks(prefix, rest, digits - skipped);
        if masked > 0 {
            // As delivered it may be in upper case. Digits that gave way to the prefix are visible.
            self.e164.overwrite_end(masked, b'x');
        }
        masked
    }
}

impl<const AT: usize> Column for Parties<AT> {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let masked = self.push(sound.record());
            if let Some(counts) = &mut self.masked_digits {
                counts.push(masked as i8);
            }
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(self.delivered.finish()?));
        arrays.push(Arc::new(self.e164.finish()?));
        if let Some(counts) = &mut self.masked_digits {
            arrays.push(Arc::new(Int8Array::from(take(counts))));
        }
        Ok(())
    }
}

/// An IN service's number and its E.164 form, normalized once for each distinct value.
pub(super) struct Services<F> {
    field: F,
    country: Option<Country>,
    ids: Ids<NUMBER_LEN>,
    /// Whether the row's value is a number; every value is, if there is no list.
    is_number: Option<Vec<bool>>,
    uniform: [UniformText; 2],
}

impl<F> Services<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; NUMBER_LEN],
{
    pub(super) fn new(field: F, country: Option<Country>) -> Self {
        Self { field, country, ids: Ids::new(), is_number: None, uniform: Default::default() }
    }

    /// Leaves out what the product type says is a trunk id.
    pub(super) fn unless_trunk(self) -> Self {
        Self { is_number: Some(Vec::new()), ..self }
    }
}

impl<F> Column for Services<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; NUMBER_LEN] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        self.ids.append(group.iter().map(|sound| (self.field)(sound.record())));
        if let Some(is_number) = &mut self.is_number {
            let types = group.iter().map(|sound| *sound.record().product_type());
            is_number.extend(types.map(|product_type| !charged_is_trunk(product_type)));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let is_number = self.is_number.as_mut().map(take);
        let country = self.country;
        // The product type matters only to a party's number.
        let e164 = |number: &str| normalize(number.as_bytes(), Role::Service, *b"00", country);
        let batch = self.ids.finish()?;
        let all_numbers = is_number.as_deref().is_none_or(|all| !all.contains(&false));
        let (ids, values) = match batch {
            Batch::Uniform(text, rows) if text.is_none() || all_numbers => {
                let e164 = text.as_deref().and_then(e164);
                let [delivered, normalized] = &mut self.uniform;
                arrays.push(delivered.rows(rows, text.as_deref())?);
                arrays.push(normalized.rows(rows, e164.as_ref().map(E164::as_str))?);
                return Ok(());
            }
            Batch::Uniform(text, rows) => (vec![0; rows], StringArray::from_iter_values(text)),
            Batch::Various(ids, values) => (ids, values),
        };
        let mut number_ids = ids.clone();
        for (id, is_number) in number_ids.iter_mut().zip(is_number.unwrap_or_default()) {
            *id = if is_number { *id } else { NULL };
        }
        let normalized = derived(&number_ids, &values, e164)?;
        arrays.push(dictionary(ids, values)?);
        arrays.push(normalized);
        Ok(())
    }
}
