//! Numbers that are not to stay as they are: masked, or tokens in their place.
//!
//! Each column is decoded as ever, and treated when its batch is complete, so that decoding costs
//! nothing where numbers stay clear. A dictionary's values are treated once each, and none stays in it
//! that no row may show.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, DictionaryArray, Int32Array, StringArray};
use arrow_schema::ArrowError;
use hashbrown::HashMap;

use super::account_code::{ACCOUNT_CODE, repeats_origin};
use super::column::Column;
use super::number::{Parties, Services};
use super::values::Strings;
use crate::country::Country;
use crate::mask::NUMBER_LEN;
use crate::number::{Role, normalize};
use crate::options::SourceOptions;
use crate::privacy::{Numbers, PrivacyKey, Token, blotted, is_no_number, kept_len};
use crate::product::charged_is_trunk;
use crate::record::Record;
use crate::schema::schema;
use crate::validate::Sound;

/// What stands in place of numbers.
#[derive(Clone)]
enum Treatment {
    /// Their first digits, so many at the most, and `x`.
    Mask(u8),
    Tokens(PrivacyKey),
}

/// Makes columns whose numbers are treated.
pub(super) struct Private {
    treatment: Treatment,
    country: Option<Country>,
}

impl Private {
    /// None if numbers stay clear.
    pub(super) fn of(options: &SourceOptions) -> Option<Self> {
        let treatment = match (options.privacy.numbers(), options.privacy.key()) {
            (Numbers::Clear, _) => return None,
            (Numbers::Pseudonymized, Some(key)) => Treatment::Tokens(key.clone()),
            (Numbers::Masked { keep }, _) => Treatment::Mask(keep),
            // There is no such privacy; but if there were, nothing would be kept.
            (Numbers::Pseudonymized, None) => Treatment::Mask(0),
        };
        Some(Self { treatment, country: options.metadata.country })
    }

    /// A party's number and its E.164 form, and what else the column has.
    pub(super) fn party<const AT: usize>(&self, column: Parties<AT>) -> Box<dyn Column> {
        Box::new(PrivateParties { column, treatment: self.treatment.clone() })
    }

    /// The account code, which is a party's number.
    pub(super) fn account_code(&self) -> Box<dyn Column> {
        let column = PrivateParties {
            column: Parties::<ACCOUNT_CODE>::new(self.country),
            treatment: self.treatment.clone(),
        };
        Box::new(PrivateAccountCodes { column, are_origins: true })
    }

    /// D-Num and its E.164 form.
    pub(super) fn dialled<F>(&self, column: Services<F>) -> Box<dyn Column>
    where
        F: for<'a> Fn(Record<'a>) -> &'a [u8; NUMBER_LEN] + Send + 'static,
    {
        let (treatment, country) = (self.treatment.clone(), self.country);
        Box::new(PrivateServices { column, treatment, country, are_trunks: None })
    }

    /// C-Num and its E.164 form; short trunk ids stay.
    pub(super) fn charged<F>(&self, column: Services<F>) -> Box<dyn Column>
    where
        F: for<'a> Fn(Record<'a>) -> &'a [u8; NUMBER_LEN] + Send + 'static,
    {
        let (treatment, country) = (self.treatment.clone(), self.country);
        Box::new(PrivateServices { column, treatment, country, are_trunks: Some(Vec::new()) })
    }

    /// Text that is no number, but may hold part of one after a shift.
    pub(super) fn text(column: impl Column + 'static) -> Box<dyn Column> {
        Box::new(PrivateText(column))
    }
}

/// The account code. If it is the origin in all rows of a batch, its array is the origin's.
struct PrivateAccountCodes {
    column: PrivateParties<ACCOUNT_CODE>,
    /// Whether it is the origin in all rows so far.
    are_origins: bool,
}

impl Column for PrivateAccountCodes {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.are_origins &= group.iter().map(Sound::record).all(repeats_origin);
        self.column.append(group);
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let are_origins = std::mem::replace(&mut self.are_origins, true);
        let origins = arrays.get(schema().index_of("origin")?).filter(|_| are_origins);
        if let Some(origins) = origins.cloned() {
            // What else the column has is not treated, and goes.
            self.column.column.finish(&mut Vec::new())?;
            arrays.push(origins);
            return Ok(());
        }
        let first = arrays.len() + 1;
        self.column.finish(arrays)?;
        arrays.truncate(first);
        Ok(())
    }
}

struct PrivateParties<const AT: usize> {
    column: Parties<AT>,
    treatment: Treatment,
}

impl<const AT: usize> Column for PrivateParties<AT> {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.column.append(group);
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let at = arrays.len();
        self.column.finish(arrays)?;
        let Some([delivered, e164, ..]) = arrays.get_mut(at..) else { return Err(unexpected()) };
        let treated = {
            let [delivered, e164] = [strings(delivered)?, strings(e164)?];
            match &self.treatment {
                Treatment::Mask(keep) => [masked(delivered, *keep)?, masked(e164, *keep)?],
                Treatment::Tokens(key) => tokens(delivered, e164, key)?,
            }
        };
        [*delivered, *e164] = treated;
        Ok(())
    }
}

fn masked(numbers: &StringArray, keep: u8) -> Result<ArrayRef, ArrowError> {
    let mut masked = Strings::default();
    for number in numbers {
        match number {
            Some(number) => {
                masked.push(number.as_bytes());
                masked.overwrite_end(number.len() - kept_len(number, keep), b'x');
            }
            None => masked.push_null(),
        }
    }
    Ok(Arc::new(masked.finish()?))
}

/// Tokens of numbers as delivered, and of those of them that have an E.164 form; one array, if all have.
fn tokens(
    delivered: &StringArray,
    e164: &StringArray,
    key: &PrivacyKey,
) -> Result<[ArrayRef; 2], ArrowError> {
    let (mut of_all, mut of_e164) = (Strings::default(), Strings::default());
    // By the number in E.164, or else the text.
    let mut known: [HashMap<&str, Token>; 2] = Default::default();
    let [known_numbers, known_texts] = &mut known;
    for (delivered, e164) in delivered.iter().zip(e164) {
        match (e164, delivered) {
            (Some(number), _) => {
                let token =
                    known_numbers.entry(number).or_insert_with(|| key.token_of_e164(number));
                of_all.push(token.as_ref());
                of_e164.push(token.as_ref());
            }
            (None, Some(text)) => {
                let token = known_texts.entry(text).or_insert_with(|| key.token_of_text(text));
                of_all.push(token.as_ref());
                of_e164.push_null();
            }
            (None, None) => {
                of_all.push_null();
                of_e164.push_null();
            }
        }
    }
    let of_all: ArrayRef = Arc::new(of_all.finish()?);
    let of_e164: ArrayRef = match delivered.null_count() == e164.null_count() {
        true => Arc::clone(&of_all),
        false => Arc::new(of_e164.finish()?),
    };
    Ok([of_all, of_e164])
}

struct PrivateServices<F> {
    column: Services<F>,
    treatment: Treatment,
    country: Option<Country>,
    /// Whether the row's value is a trunk id; none is, if there is no list.
    are_trunks: Option<Vec<bool>>,
}

impl<F> PrivateServices<F> {
    /// What stands in place of a number as delivered.
    fn of_delivered(&self, text: &str) -> Vec<u8> {
        match &self.treatment {
            Treatment::Mask(keep) => mask(text, *keep),
            Treatment::Tokens(key) => {
                let e164 = normalize(text.as_bytes(), Role::Service, *b"00", self.country);
                let token = match e164 {
                    Some(number) => key.token(&number),
                    None => key.token_of_text(text),
                };
                token.as_ref().to_vec()
            }
        }
    }

    fn of_e164(&self, number: &str) -> Vec<u8> {
        match &self.treatment {
            Treatment::Mask(keep) => mask(number, *keep),
            Treatment::Tokens(key) => key.token_of_e164(number).as_ref().to_vec(),
        }
    }
}

impl<F> Column for PrivateServices<F>
where
    F: for<'a> Fn(Record<'a>) -> &'a [u8; NUMBER_LEN] + Send,
{
    fn append(&mut self, group: &[Sound<'_>]) {
        self.column.append(group);
        if let Some(are_trunks) = &mut self.are_trunks {
            let types = group.iter().map(|sound| *sound.record().product_type());
            are_trunks.extend(types.map(charged_is_trunk));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let at = arrays.len();
        self.column.finish(arrays)?;
        let are_trunks = self.are_trunks.as_mut().map(super::values::take).unwrap_or_default();
        let Some([delivered, e164]) = arrays.get_mut(at..) else { return Err(unexpected()) };
        *delivered =
            with_values(delivered, &are_trunks, is_no_number, |text| self.of_delivered(text))?;
        *e164 = with_values(e164, &[], |_| false, |number| self.of_e164(number))?;
        Ok(())
    }
}

/// A dictionary array with other values; but rows that `may_stay` keep a value that `stays`.
fn with_values(
    array: &ArrayRef,
    may_stay: &[bool],
    stays: impl Fn(&str) -> bool,
    mut other: impl FnMut(&str) -> Vec<u8>,
) -> Result<ArrayRef, ArrowError> {
    let (keys, values) = dictionary(array)?;
    // A dictionary may have values that no row shows.
    if values.is_empty() {
        return Ok(Arc::clone(array));
    }
    let mut others = Strings::default();
    for value in values {
        others.push(&value.map(&mut other).unwrap_or_default());
    }
    let mut keys = keys.clone();
    if may_stay.contains(&true) {
        // The places of values that stay, of those that rows have.
        let mut places: HashMap<i32, i32> = HashMap::new();
        let with_place = |(key, &may_stay): (Option<i32>, &bool)| {
            let key = key?;
            let value = values.value(key as usize);
            if !may_stay || !stays(value) {
                return Some(key);
            }
            Some(*places.entry(key).or_insert_with(|| {
                others.push(value.as_bytes());
                others.len() as i32 - 1
            }))
        };
        keys = keys.iter().zip(may_stay).map(with_place).collect();
    }
    Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, Arc::new(others.finish()?))?))
}

fn mask(number: &str, keep: u8) -> Vec<u8> {
    let mut masked = number.as_bytes().to_vec();
    masked.iter_mut().skip(kept_len(number, keep)).for_each(|byte| *byte = b'x');
    masked
}

struct PrivateText<C>(C);

impl<C: Column> Column for PrivateText<C> {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.0.append(group);
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let at = arrays.len();
        self.0.finish(arrays)?;
        for array in arrays.iter_mut().skip(at) {
            let (_, values) = dictionary(array)?;
            if values.iter().flatten().any(|text| blotted(text).is_some()) {
                let treated = |text: &str| blotted(text).unwrap_or_else(|| text.to_owned());
                *array = with_values(array, &[], |_| false, |text| treated(text).into_bytes())?;
            }
        }
        Ok(())
    }
}

fn strings(array: &ArrayRef) -> Result<&StringArray, ArrowError> {
    array.as_string_opt().ok_or_else(unexpected)
}

fn dictionary(array: &ArrayRef) -> Result<(&Int32Array, &StringArray), ArrowError> {
    let dictionary = array.as_dictionary_opt::<Int32Type>().ok_or_else(unexpected)?;
    Ok((dictionary.keys(), strings(dictionary.values())?))
}

fn unexpected() -> ArrowError {
    ArrowError::SchemaError("a column is not of the type that its numbers need".to_owned())
}
