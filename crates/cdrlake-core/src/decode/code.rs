//! Text of few different values: dictionary-encoded, for most rows repeat the one before.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int8Array, StringArray};
use arrow_schema::ArrowError;
use hashbrown::HashMap;

use super::Column;
use super::values::{NULL, Strings, dictionary};
use crate::number::trim;
use crate::record::Record;
use crate::validate::Sound;

/// The distinct values of a batch and the id of each row's.
///
/// A row's bytes are compared with the row before; only if they differ are they trimmed and looked
/// up, left-justified so that padding on either side gives the same value.
pub(super) struct Ids<const N: usize> {
    last: ([u8; N], i32),
    known: HashMap<[u8; N], i32>,
    values: Strings,
    ids: Vec<i32>,
}

impl<const N: usize> Ids<N> {
    const BLANK: ([u8; N], i32) = ([b' '; N], NULL);

    pub(super) fn new() -> Self {
        Self {
            last: Self::BLANK,
            known: HashMap::new(),
            values: Strings::default(),
            ids: Vec::new(),
        }
    }

    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8; N]) {
        if *bytes != self.last.0 {
            self.last = (*bytes, self.look_up(trim(bytes)));
        }
        self.ids.push(self.last.1);
    }

    fn look_up(&mut self, value: &[u8]) -> i32 {
        if value.is_empty() {
            return NULL;
        }
        let mut key = [b' '; N];
        key[..value.len()].copy_from_slice(value);
        *self.known.entry(key).or_insert_with(|| {
            let id = self.values.len() as i32;
            self.values.push(value);
            id
        })
    }

    /// The ids and what they stand for; begins anew.
    pub(super) fn finish(&mut self) -> Result<(Vec<i32>, StringArray), ArrowError> {
        self.last = Self::BLANK;
        self.known.clear();
        Ok((std::mem::take(&mut self.ids), self.values.finish()?))
    }
}

/// Another dictionary column of the same ids: `derive` gives each distinct value's counterpart.
pub(super) fn derived<T: AsRef<[u8]>>(
    ids: &[i32],
    values: &StringArray,
    mut derive: impl FnMut(&str) -> Option<T>,
) -> Result<ArrayRef, ArrowError> {
    let mut strings = Strings::default();
    let mapped: Vec<i32> = values
        .iter()
        .map(|value| match value.and_then(&mut derive) {
            Some(counterpart) => {
                strings.push(counterpart.as_ref());
                strings.len() as i32 - 1
            }
            None => NULL,
        })
        .collect();
    let ids = ids.iter().map(|&id| mapped.get(id as usize).copied().unwrap_or(NULL)).collect();
    dictionary(ids, strings.finish()?)
}

/// A field's text, trimmed; null when blank.
pub(super) struct Codes<F, const N: usize> {
    field: F,
    ids: Ids<N>,
}

impl<const N: usize, F> Codes<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N],
{
    pub(super) fn new(field: F) -> Self {
        Self { field, ids: Ids::new() }
    }
}

impl<const N: usize, F> Column for Codes<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            self.ids.push((self.field)(sound.record()));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let (ids, values) = self.ids.finish()?;
        arrays.push(dictionary(ids, values)?);
        Ok(())
    }
}

/// A field's text and, beside it, the name it stands for.
pub(super) struct Named<F, const N: usize> {
    codes: Codes<F, N>,
    name: fn(&str) -> Option<&'static str>,
}

impl<const N: usize, F> Named<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N],
{
    pub(super) fn new(field: F, name: fn(&str) -> Option<&'static str>) -> Self {
        Self { codes: Codes::new(field), name }
    }
}

impl<const N: usize, F> Column for Named<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        self.codes.append(group);
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let (ids, values) = self.codes.ids.finish()?;
        let names = derived(&ids, &values, self.name)?;
        arrays.push(dictionary(ids, values)?);
        arrays.push(names);
        Ok(())
    }
}

/// A field of one digit, as a number.
pub(super) struct Digits<F> {
    field: F,
    values: Vec<i8>,
}

impl<F> Digits<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; 1],
{
    pub(super) fn new(field: F) -> Self {
        Self { field, values: Vec::new() }
    }
}

impl<F> Column for Digits<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; 1] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        let digit = |sound: &Sound<'_>| ((self.field)(sound.record())[0] - b'0') as i8;
        self.values.extend(group.iter().map(digit));
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(Arc::new(Int8Array::from(std::mem::take(&mut self.values))));
        Ok(())
    }
}

/// What stands between the record and its line feed, trimmed; null when blank.
#[derive(Default)]
pub(super) struct Trailers {
    known: HashMap<Box<[u8]>, i32>,
    values: Strings,
    ids: Vec<i32>,
}

impl Trailers {
    fn look_up(&mut self, trailer: &[u8]) -> i32 {
        if trailer.is_empty() {
            return NULL;
        }
        if let Some(&id) = self.known.get(trailer) {
            return id;
        }
        let id = self.values.len() as i32;
        self.values.push(trailer);
        self.known.insert(trailer.into(), id);
        id
    }
}

impl Column for Trailers {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let id = self.look_up(trim(sound.trailer()));
            self.ids.push(id);
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        self.known.clear();
        arrays.push(dictionary(std::mem::take(&mut self.ids), self.values.finish()?)?);
        Ok(())
    }
}
