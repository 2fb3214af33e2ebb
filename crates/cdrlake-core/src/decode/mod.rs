//! Sound records to columns: one file a column kind, each behind the same small trait.
//!
//! Every kind passes over a whole group of records before the next does, so that its state stays
//! in registers and the records in the first-level cache.

mod account_code;
mod code;
mod column;
mod constant;
mod duration;
mod ids;
mod number;
mod private;
mod pulses_sent;
mod record_id;
mod time;
mod values;

use arrow_array::RecordBatch;
use arrow_schema::ArrowError;

use self::column::Column;
use self::private::Private;
use crate::country::Country;
use crate::layout::Field;
use crate::options::SourceOptions;
use crate::product::{product_name, product_type_name};
use crate::record_id::RecordId;
use crate::schema::{ColumnType, schema};
use crate::time_zone::TimeZone;
use crate::validate::Sound;

const ORIGIN: usize = Field::Origin.range().start;
const DESTINATION: usize = Field::Destination.range().start;

/// All columns of the table, filled together.
pub(crate) struct Columns {
    columns: Vec<Box<dyn Column>>,
    rows: usize,
}

impl Columns {
    pub(crate) fn new(options: &SourceOptions) -> Self {
        let metadata = &options.metadata;
        let country = metadata.country;
        let identifier = metadata.product_identifier.as_deref();
        let text = |value: Option<&str>| -> Box<dyn Column> { Box::new(constant::text(value)) };
        let private = Private::of(options);
        let private = private.as_ref();
        let mut columns: Vec<Box<dyn Column>> = vec![
            text(Some(&options.source_file)),
            Box::new(constant::RecordNumbers::default()),
            text(country.map(Country::code)),
            text(metadata.profile.as_deref()),
            text(identifier),
            text(identifier.and_then(product_name)),
            Box::new(constant::int32(metadata.sequence_number)),
            Box::new(constant::local_time(metadata.file_time)),
            Box::new(constant::bytes(options.source_hash.to_vec())),
            party(number::Parties::<ORIGIN>::new(country).with_masked_digits(), private),
            party(number::Parties::<DESTINATION>::new(country), private),
            Box::new(code::Named::new(|record| record.product_type(), product_type_name)),
            Box::new(time::StartTimes::default()),
        ];
        columns.extend(instants(options.time_zone.as_ref()));
        let charged = number::Services::new(|record| record.charged(), country).unless_trunk();
        let dialled = number::Services::new(|record| record.dialled(), country);
        columns.extend::<Vec<Box<dyn Column>>>(vec![
            Box::new(duration::Durations::default()),
            Box::new(code::Digits::new(|record| record.continuation())),
            codes(code::Codes::new(|record| record.switch_id()), private),
            codes(code::Codes::new(|record| record.trunk_incoming()), private),
            codes(code::Codes::new(|record| record.trunk_outgoing()), private),
            match private {
                Some(private) => private.account_code(),
                None => Box::new(account_code::AccountCodes::default()),
            },
            codes(code::Codes::new(|record| record.pulses_in()), private),
            codes(code::Codes::new(|record| record.pulses_generated()), private),
            codes(pulses_sent::PulsesSent::new(country), private),
            Box::new(code::Codes::new(|record| record.service_indicator())),
            match private {
                Some(private) => private.charged(charged),
                None => Box::new(charged),
            },
            match private {
                Some(private) => private.dialled(dialled),
                None => Box::new(dialled),
            },
            Box::new(code::Codes::new(|record| record.carrier())),
            codes(code::Trailers::default(), private),
            match options.record_id {
                RecordId::Fill if options.privacy.has_record_ids() => {
                    Box::new(record_id::RecordIds::new(options.privacy.clone()))
                }
                RecordId::Fill | RecordId::Omit => Box::new(constant::nulls(ColumnType::Binary16)),
            },
        ]);
        Self { columns, rows: 0 }
    }

    pub(crate) const fn rows(&self) -> usize {
        self.rows
    }

    #[inline]
    pub(crate) fn append(&mut self, group: &[Sound<'_>]) {
        for column in &mut self.columns {
            column.append(group);
        }
        self.rows += group.len();
    }

    /// The rows so far as a batch.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let schema = schema();
        let mut arrays = Vec::with_capacity(schema.fields().len());
        for column in &mut self.columns {
            column.finish(&mut arrays)?;
        }
        self.rows = 0;
        RecordBatch::try_new(schema, arrays)
    }
}

fn party<const AT: usize>(
    column: number::Parties<AT>,
    private: Option<&Private>,
) -> Box<dyn Column> {
    match private {
        Some(private) => private.party(column),
        None => Box::new(column),
    }
}

/// Text that after a shift may hold a number. Shorter fields have no room for the digits of one.
fn codes(column: impl Column + 'static, private: Option<&Private>) -> Box<dyn Column> {
    match private {
        Some(_) => Private::text(column),
        None => Box::new(column),
    }
}

/// The columns `start_time_utc` and `start_time_ambiguous`.
fn instants(zone: Option<&TimeZone>) -> Vec<Box<dyn Column>> {
    match zone {
        Some(zone) => vec![Box::new(time::Instants::new(zone.clone()))],
        None => vec![
            Box::new(constant::nulls(ColumnType::Instant)),
            Box::new(constant::nulls(ColumnType::Boolean)),
        ],
    }
}
