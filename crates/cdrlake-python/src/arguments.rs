//! What Python says to options.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use cdrlake::{Interrupt, LoadOptions, OnChanged, ProfileSettings, ReadOptions, Table, TextType};
use cdrlake_core::{Metadata, RecordId, Strictness, is_profile, parse_product};
use pyo3::prelude::*;

use crate::errors::value_error;
use crate::inputs::Inputs;

/// Asks a run to end.
pub(crate) type StopFlag = Arc<AtomicBool>;

/// How sources are read and judged; `python/cdrlake/_arguments.py` gives every item.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct LoadArguments {
    country: Option<String>,
    profile: Option<String>,
    product: Option<String>,
    profiles: HashMap<String, ProfileArguments>,
    time_zone: Option<String>,
    strict: bool,
    allow_changed: bool,
    max_rejects: Option<String>,
    record_id: bool,
    threads: Option<usize>,
    memory_limit: u64,
}

/// The same words as in `cdrlake.toml`.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ProfileArguments {
    country: Option<String>,
    product: Option<String>,
    time_zone: Option<String>,
}

/// What is read of sources.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub(crate) struct ReadArguments {
    table: String,
    columns: Option<Vec<String>>,
    text: String,
    batch_size: usize,
}

impl LoadArguments {
    /// Options, and the flag that interrupts them.
    pub(crate) fn options(self, inputs: Inputs) -> PyResult<(LoadOptions, StopFlag)> {
        let stop = StopFlag::default();
        let mut options = LoadOptions::new(inputs.0);
        options.settings.metadata = Metadata {
            country: parse(self.country)?,
            profile: self.profile.map(profile).transpose()?,
            product_identifier: product(self.product)?,
            ..Metadata::default()
        };
        let profiles = self.profiles.into_iter();
        let profiles = profiles.map(|(name, known)| Ok((profile(name)?, known.settings()?)));
        options.settings.profiles = profiles.collect::<PyResult<_>>()?;
        options.time_zones = parse(self.time_zone)?.unwrap_or_default();
        options.strictness = if self.strict { Strictness::Strict } else { Strictness::Lenient };
        options.on_changed = if self.allow_changed { OnChanged::Both } else { OnChanged::Hold };
        options.max_rejects = parse(self.max_rejects)?;
        options.record_id = if self.record_id { RecordId::Fill } else { RecordId::Omit };
        let positive = |threads| NonZero::new(threads).ok_or("threads must be 1 or more");
        options.threads = self.threads.map(positive).transpose().map_err(value_error)?;
        options.memory_limit = self.memory_limit;
        options.interrupt = Interrupt::new(Arc::clone(&stop));
        Ok((options, stop))
    }
}

impl ProfileArguments {
    fn settings(self) -> PyResult<ProfileSettings> {
        Ok(ProfileSettings {
            country: parse(self.country)?,
            product_identifier: product(self.product)?,
            time_zone: parse(self.time_zone)?,
        })
    }
}

impl ReadArguments {
    pub(crate) fn options(self, load: LoadOptions) -> PyResult<ReadOptions> {
        let table = match self.table.as_str() {
            "calls" => Table::Calls,
            "rejects" => Table::Rejects,
            other => return Err(value_error(format_args!("unknown table {other:?}"))),
        };
        let text_type = match self.text.as_str() {
            "dictionary" => TextType::Dictionary,
            "plain" => TextType::Plain,
            other => {
                let expected = "text must be 'dictionary' or 'plain', not";
                return Err(value_error(format_args!("{expected} {other:?}")));
            }
        };
        if !(1..=ReadOptions::MAX_BATCH_SIZE).contains(&self.batch_size) {
            let most = ReadOptions::MAX_BATCH_SIZE;
            return Err(value_error(format_args!("batch_size must be 1 to {most}")));
        }
        let (columns, batch_size) = (self.columns, self.batch_size);
        Ok(ReadOptions { table, columns, text_type, batch_size, ..ReadOptions::new(load) })
    }
}

/// Text that has a type of its own.
pub(crate) fn parse<T>(text: Option<String>) -> PyResult<Option<T>>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.map(|text| text.parse()).transpose().map_err(value_error)
}

fn product(text: Option<String>) -> PyResult<Option<String>> {
    text.map(|text| parse_product(&text)).transpose().map_err(value_error)
}

fn profile(text: String) -> PyResult<String> {
    match is_profile(&text) {
        true => Ok(text),
        false => Err(value_error("a profile has 1 to 5 letters or digits")),
    }
}
