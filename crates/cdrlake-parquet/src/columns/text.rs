//! Columns of text or bytes: a dictionary where values repeat, else one value behind the other.
//!
//! A batch's own dictionary is mapped to the row group's once, each of its values hashed once, and
//! only ids are translated. Text that comes plain is looked up value by value, until it proves to
//! be mostly different; then all there is becomes plain, and no value is hashed any more.

use arrow_array::cast::AsArray;
use arrow_array::types::{ByteArrayType, Int32Type};
use arrow_array::{Array, ArrayRef, DictionaryArray, GenericByteArray, StringArray};
use arrow_schema::DataType;
use parquet::basic::Encoding;
use parquet::errors::{ParquetError, Result};
use parquet::schema::types::ColumnDescPtr;

use super::bit_packing::{push_run, push_values, width_of};
use super::chunk::{ChunkWriter, ColumnChunk, DataPage};
use super::compression::Compressor;
use super::dictionary::{Dictionary, UNMAPPED};
use super::encoder::{ColumnEncoder, pages};
use super::levels::Levels;
use super::plain_text::{Encoded, PlainText};
use super::repeats::{Held, Repeats};

/// A text column under construction.
pub(super) struct TextColumn {
    column: ColumnDescPtr,
    levels: Levels,
    form: Form,
    dictionary: Dictionary,
    ids: Repeats<u16>,
    mapping: Mapping,
    plain: PlainText,
    /// A page, before compression.
    page: Vec<u8>,
}

/// How the values are held, and will be written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Dictionary,
    Plain,
}

/// The row group's ids of the values of a batch's dictionary; valid as long as batches share it.
#[derive(Default)]
struct Mapping {
    values: Option<ArrayRef>,
    ids: Vec<u16>,
    mapped: usize,
}

impl Mapping {
    /// Begins anew, unless `values` are the ones it is of.
    fn begin(&mut self, values: &ArrayRef) {
        let is_same = |known: &ArrayRef| known.to_data().ptr_eq(&values.to_data());
        if !self.values.as_ref().is_some_and(is_same) {
            self.ids.clear();
            self.ids.resize(values.len(), UNMAPPED);
            self.mapped = 0;
            self.values = Some(values.clone());
        }
    }
}

impl TextColumn {
    pub(super) fn new(column: &ColumnDescPtr) -> Self {
        Self {
            column: column.clone(),
            levels: Levels::new(column.max_def_level() > 0),
            form: Form::Dictionary,
            dictionary: Dictionary::default(),
            ids: Repeats::default(),
            mapping: Mapping::default(),
            plain: PlainText::default(),
            page: Vec::new(),
        }
    }

    fn write_dictionary_array(&mut self, array: &DictionaryArray<Int32Type>) -> Result<()> {
        let (keys, values) = (array.keys(), array.values());
        let Some(texts) = values.as_string_opt::<i32>() else {
            return Err(ParquetError::NYI(format!("a dictionary of {}", values.data_type())));
        };
        if keys.null_count() == keys.len() {
            return Ok(());
        }
        self.mapping.begin(values);
        if self.form == Form::Dictionary && !self.map(array, texts) {
            self.make_plain();
        }
        let ids = &self.mapping.ids;
        match (self.form, keys.nulls()) {
            (Form::Plain, _) => {
                let values = keys.iter().flatten().map(|key| texts.value(key as usize));
                values.for_each(|value| self.plain.push(value.as_bytes()));
            }
            (Form::Dictionary, _) if texts.len() == 1 => {
                self.ids.push_run(ids[0], keys.len() - keys.null_count());
            }
            (Form::Dictionary, None) => {
                self.ids.extend(keys.values().iter().map(|&key| ids[key as usize]));
            }
            (Form::Dictionary, Some(_)) => {
                self.ids.extend(keys.iter().flatten().map(|key| ids[key as usize]));
            }
        }
        Ok(())
    }

    /// Maps each value that `array` uses; false if they are too many for a dictionary.
    fn map(&mut self, array: &DictionaryArray<Int32Type>, texts: &StringArray) -> bool {
        let Mapping { ids, mapped, .. } = &mut self.mapping;
        if *mapped == ids.len() {
            return true;
        }
        let seen = self.ids.len() + array.len();
        for key in array.keys().iter().flatten() {
            let id = &mut ids[key as usize];
            if *id == UNMAPPED {
                let value = texts.value(key as usize).as_bytes();
                let Some(mapped_to) = self.dictionary.id(value, seen) else { return false };
                *id = mapped_to;
                *mapped += 1;
                if *mapped == texts.len() {
                    break;
                }
            }
        }
        true
    }

    fn write_plain_array<T: ByteArrayType<Offset = i32>>(&mut self, array: &GenericByteArray<T>) {
        if self.form == Form::Plain {
            self.plain.extend(array);
            return;
        }
        for (row, value) in array.iter().enumerate() {
            let Some(value) = value else { continue };
            let Some(id) = self.dictionary.id(value.as_ref(), self.ids.len() + 1) else {
                self.make_plain();
                self.plain.extend(&array.slice(row, array.len() - row));
                return;
            };
            self.ids.push_run(id, 1);
        }
    }

    /// Appends so many rows of one value.
    pub(super) fn push_run(&mut self, value: &[u8], rows: usize) {
        self.levels.append_present(rows);
        if self.form == Form::Dictionary {
            match self.dictionary.id(value, self.ids.len() + rows) {
                Some(id) => return self.ids.push_run(id, rows),
                None => self.make_plain(),
            }
        }
        (0..rows).for_each(|_| self.plain.push(value));
    }

    /// Gives up the dictionary.
    fn make_plain(&mut self) {
        let Self { plain, dictionary, ids, .. } = self;
        match ids.held() {
            Held::Nothing => {}
            Held::One(id) => (0..ids.len()).for_each(|_| plain.push(dictionary.value(id))),
            Held::List(ids) => ids.iter().for_each(|&id| plain.push(dictionary.value(id))),
        }
        self.ids.clear();
        self.dictionary.clear();
        self.form = Form::Plain;
    }

    fn write_dictionary_pages(&mut self, writer: &mut ChunkWriter<'_>) -> Result<()> {
        let Self { levels, dictionary, ids, page, .. } = self;
        page.clear();
        dictionary.push_page(page);
        writer.dictionary(page, dictionary.len())?;
        let width = width_of((dictionary.len() - 1) as u16);
        let mut first = 0;
        let is_one = matches!(ids.held(), Held::One(_));
        for rows in pages(levels, is_one) {
            let (count, values) = (rows.len(), levels.values_in(rows.clone()));
            page.clear();
            levels.push(rows, values, page);
            page.push(width as u8);
            let bounds = match ids.held() {
                Held::List(ids) => {
                    let ids = &ids[first..first + values];
                    push_values(ids, width, page);
                    dictionary.bounds(ids)
                }
                Held::One(id) if values > 0 => {
                    push_run(id, values, width, page);
                    dictionary.bounds(&[id])
                }
                _ => None,
            };
            first += values;
            let encoding = Encoding::RLE_DICTIONARY;
            let nulls = count - values;
            writer.data(DataPage { bytes: page, encoding, rows: count, nulls, bounds })?;
        }
        Ok(())
    }

    fn write_plain_pages(&mut self, writer: &mut ChunkWriter<'_>) -> Result<()> {
        let Self { levels, plain, page, .. } = self;
        let mut texts = plain.values();
        for rows in pages(levels, plain.is_empty()) {
            let (count, values) = (rows.len(), levels.values_in(rows.clone()));
            page.clear();
            levels.push(rows, values, page);
            let Encoded { encoding, bounds } = texts.push_page(values, page);
            let nulls = count - values;
            writer.data(DataPage { bytes: page, encoding, rows: count, nulls, bounds })?;
        }
        Ok(())
    }
}

impl ColumnEncoder for TextColumn {
    fn write(&mut self, array: &dyn Array) -> Result<()> {
        self.levels.append(array)?;
        match array.data_type() {
            DataType::Dictionary(..) => match array.as_dictionary_opt() {
                Some(array) => self.write_dictionary_array(array)?,
                None => return Err(ParquetError::NYI(array.data_type().to_string())),
            },
            DataType::Utf8 => self.write_plain_array(array.as_string::<i32>()),
            DataType::Binary => self.write_plain_array(array.as_binary::<i32>()),
            other => return Err(ParquetError::NYI(other.to_string())),
        }
        Ok(())
    }

    fn finish(&mut self, compressor: &mut Compressor) -> Result<ColumnChunk> {
        self.finish_at(0, compressor)
    }
}

impl TextColumn {
    /// The column so far as a chunk that will stand at this place of its file; begins anew.
    pub(super) fn finish_at(
        &mut self,
        start: u64,
        compressor: &mut Compressor,
    ) -> Result<ColumnChunk> {
        let mut writer = ChunkWriter::new(&self.column, compressor).at(start);
        if self.dictionary.len() > 0 {
            self.write_dictionary_pages(&mut writer)?;
        } else {
            self.write_plain_pages(&mut writer)?;
        }
        self.levels.clear();
        self.form = Form::Dictionary;
        self.dictionary.clear();
        self.ids.clear();
        self.mapping = Mapping::default();
        self.plain.clear();
        writer.finish()
    }
}
