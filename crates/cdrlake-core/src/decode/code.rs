//! Text of few different values: dictionary-encoded, for most rows repeat the one before.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int8Array, StringArray};
use arrow_schema::ArrowError;
use hashbrown::HashMap;

use super::column::Column;
use super::ids::{Batch, Ids};
use super::values::{NULL, Strings, UniformText, dictionary, take};
use crate::number::trim;
use crate::record::Record;
use crate::validate::Sound;

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
    uniform: UniformText,
}

impl<const N: usize, F> Codes<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N],
{
    pub(super) fn new(field: F) -> Self {
        Self { field, ids: Ids::new(), uniform: UniformText::default() }
    }
}

impl<const N: usize, F> Column for Codes<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        self.ids.append(group.iter().map(|sound| (self.field)(sound.record())));
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        arrays.push(match self.ids.finish()? {
            Batch::Uniform(text, rows) => self.uniform.rows(rows, text.as_deref())?,
            Batch::Various(ids, values) => dictionary(ids, values)?,
        });
        Ok(())
    }
}

/// A field's text and, beside it, the name it stands for.
pub(super) struct Named<F, const N: usize> {
    codes: Codes<F, N>,
    name: fn(&str) -> Option<&'static str>,
    uniform_name: UniformText,
}

impl<const N: usize, F> Named<F, N>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; N],
{
    pub(super) fn new(field: F, name: fn(&str) -> Option<&'static str>) -> Self {
        Self { codes: Codes::new(field), name, uniform_name: UniformText::default() }
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
        match self.codes.ids.finish()? {
            Batch::Uniform(text, rows) => {
                let name = text.as_deref().and_then(self.name);
                arrays.push(self.codes.uniform.rows(rows, text.as_deref())?);
                arrays.push(self.uniform_name.rows(rows, name)?);
            }
            Batch::Various(ids, values) => {
                let names = derived(&ids, &values, self.name)?;
                arrays.push(dictionary(ids, values)?);
                arrays.push(names);
            }
        }
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
        arrays.push(Arc::new(Int8Array::from(take(&mut self.values))));
        Ok(())
    }
}

/// What stands between the record and its line feed, trimmed; null when blank.
#[derive(Default)]
pub(super) struct Trailers {
    known: HashMap<Box<[u8]>, i32>,
    values: Strings,
    /// The rows so far, if none has a trailer.
    blank: usize,
    /// The rows so far otherwise.
    ids: Vec<i32>,
    uniform: UniformText,
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
        if self.ids.is_empty() && group.iter().all(|sound| sound.trailer().is_empty()) {
            self.blank += group.len();
            return;
        }
        self.ids.resize(self.ids.len() + std::mem::take(&mut self.blank), NULL);
        for sound in group {
            let id = self.look_up(trim(sound.trailer()));
            self.ids.push(id);
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        if self.ids.is_empty() {
            arrays.push(self.uniform.rows(std::mem::take(&mut self.blank), None)?);
            return Ok(());
        }
        self.known.clear();
        arrays.push(dictionary(take(&mut self.ids), self.values.finish()?)?);
        Ok(())
    }
}
