//! Telephone numbers: as delivered and, beside it, normalized.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int8Array};
use arrow_schema::ArrowError;

use super::Column;
use super::code::{Ids, derived};
use super::values::{NULL, Strings, dictionary};
use crate::country::Country;
use crate::number::{Role, masked_digits, normalize, trim};
use crate::product::charged_is_trunk;
use crate::record::Record;
use crate::validate::Sound;

/// A party's number and its E.164 form; for the origin also how many digits are masked.
///
/// Parties' numbers are nearly unique, so each is normalized where it stands.
pub(super) struct Parties<F> {
    field: F,
    country: Option<Country>,
    delivered: Strings,
    e164: Strings,
    masked_digits: Option<Vec<i8>>,
}

impl<F> Parties<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; 20],
{
    pub(super) fn new(field: F, country: Option<Country>) -> Self {
        Self {
            field,
            country,
            delivered: Strings::default(),
            e164: Strings::default(),
            masked_digits: None,
        }
    }

    pub(super) fn with_masked_digits(self) -> Self {
        Self { masked_digits: Some(Vec::new()), ..self }
    }
}

impl<F> Column for Parties<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; 20] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let record = sound.record();
            let number = trim((self.field)(record));
            self.delivered.push_non_empty(number);
            match normalize(number, Role::Party, *record.product_type(), self.country) {
                Some(e164) => self.e164.push(e164.as_bytes()),
                None => self.e164.push_null(),
            }
            if let Some(counts) = &mut self.masked_digits {
                counts.push(masked_digits(number) as i8);
            }
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(self.delivered.finish()?));
        arrays.push(Arc::new(self.e164.finish()?));
        if let Some(counts) = &mut self.masked_digits {
            arrays.push(Arc::new(Int8Array::from(std::mem::take(counts))));
        }
        Ok(())
    }
}

/// An IN service's number and its E.164 form, normalized once for each distinct value.
pub(super) struct Services<F> {
    field: F,
    country: Option<Country>,
    ids: Ids<20>,
    /// Whether the row's value is a number; every value is, if there is no list.
    is_number: Option<Vec<bool>>,
}

impl<F> Services<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; 20],
{
    pub(super) fn new(field: F, country: Option<Country>) -> Self {
        Self { field, country, ids: Ids::new(), is_number: None }
    }

    /// Leaves out what the product type says is a trunk id.
    pub(super) fn unless_trunk(self) -> Self {
        Self { is_number: Some(Vec::new()), ..self }
    }
}

impl<F> Column for Services<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; 20] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            self.ids.push((self.field)(sound.record()));
        }
        if let Some(is_number) = &mut self.is_number {
            let types = group.iter().map(|sound| *sound.record().product_type());
            is_number.extend(types.map(|product_type| !charged_is_trunk(product_type)));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let (ids, values) = self.ids.finish()?;
        let mut number_ids = ids.clone();
        if let Some(is_number) = &mut self.is_number {
            for (id, is_number) in number_ids.iter_mut().zip(std::mem::take(is_number)) {
                *id = if is_number { *id } else { NULL };
            }
        }
        let country = self.country;
        let e164 = derived(&number_ids, &values, |number| {
            // The product type matters only to a party's number.
            normalize(number.as_bytes(), Role::Service, *b"00", country)
        })?;
        arrays.push(dictionary(ids, values)?);
        arrays.push(e164);
        Ok(())
    }
}
