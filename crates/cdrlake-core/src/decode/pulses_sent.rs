//! Pulses sent, and the charge band that they are in some countries.

use std::sync::Arc;

use arrow_array::{ArrayRef, StringArray};
use arrow_schema::ArrowError;

use super::code::derived;
use super::column::Column;
use super::ids::{Batch, Ids};
use super::values::{UniformText, dictionary};
use crate::country::Country;
use crate::validate::Sound;

/// What says that there is no charge band.
const NO_BAND: &str = "000000";

/// The columns `pulses_sent` and `charge_band`. Where both hold the same, they share an array.
pub(super) struct PulsesSent {
    ids: Ids<6>,
    has_bands: bool,
    pulses: UniformText,
    band: UniformText,
}

impl PulsesSent {
    /// Pulses sent are a charge band in Great Britain and France, and where the country is unknown may be one.
    pub(super) fn new(country: Option<Country>) -> Self {
        let has_bands = country.is_none_or(|country| matches!(country.code(), "GB" | "FR"));
        Self {
            ids: Ids::new(),
            has_bands,
            pulses: UniformText::default(),
            band: UniformText::default(),
        }
    }

    fn band<'t>(&self, text: Option<&'t str>) -> Option<&'t str> {
        text.filter(|&text| self.has_bands && text != NO_BAND)
    }
}

impl Column for PulsesSent {
    fn append(&mut self, group: &[Sound<'_>]) {
        self.ids.append(group.iter().map(|sound| sound.record().pulses_sent()));
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let (pulses, bands) = match self.ids.finish()? {
            Batch::Uniform(text, rows) => {
                let (text, band) = (text.as_deref(), self.band(text.as_deref()));
                let pulses = self.pulses.rows(rows, text)?;
                if text == band {
                    (Arc::clone(&pulses), pulses)
                } else {
                    (pulses, self.band.rows(rows, band)?)
                }
            }
            Batch::Various(ids, values) => {
                let are_bands = |values: &StringArray| {
                    values.iter().flatten().all(|text| self.band(Some(text)).is_some())
                };
                if are_bands(&values) {
                    let pulses = dictionary(ids, values)?;
                    (Arc::clone(&pulses), pulses)
                } else {
                    let bands =
                        derived(&ids, &values, |text| self.band(Some(text)).map(str::to_owned))?;
                    (dictionary(ids, values)?, bands)
                }
            }
        };
        arrays.extend([pulses, bands]);
        Ok(())
    }
}
