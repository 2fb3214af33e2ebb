//! The table: one row a record, one schema whatever the options.

use std::sync::{Arc, LazyLock};

use arrow_schema::{DataType, Field as ArrowField, Schema, SchemaRef, TimeUnit};

use crate::layout::Field;

/// Version of the table, written to Parquet files under the key `cdrlake.schema_version`.
///
/// It grows when a column is added, removed or given another meaning.
pub const SCHEMA_VERSION: u32 = 2;

/// Version of the rules of validation and normalization, kept in a lake's ledger by source.
///
/// It grows when the same bytes would give other rows, rejects or numbers.
pub const RULES_VERSION: u32 = 1;

/// Where a column's values come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The same in every row of a source: its name, what the name tells, and settings.
    Source,
    /// The line's place in its source.
    Line,
    /// A field of the record.
    Field(Field),
    /// Nothing yet: null until an option fills it.
    Option,
}

/// What a column holds, and so its Arrow type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// Text of many different values: `Utf8`.
    Text,
    /// Text of few different values: `Dictionary(Int32, Utf8)`.
    Code,
    /// `Int8`.
    Int8,
    /// `Int32`.
    Int32,
    /// `Int64`.
    Int64,
    /// `Boolean`.
    Boolean,
    /// Local date and time, microseconds, no zone.
    LocalTime,
    /// Instant, microseconds, UTC.
    Instant,
    /// Seconds with one decimal: `Decimal128(8, 1)`.
    Seconds,
    /// `Binary`, 16 bytes each.
    Binary16,
}

/// The zone of instants, as Arrow spells it.
pub(crate) const UTC: &str = "UTC";

impl ColumnType {
    /// The type in the batches that a [`Decoder`](crate::Decoder) gives.
    #[must_use]
    pub fn arrow(self) -> DataType {
        match self {
            Self::Text => DataType::Utf8,
            Self::Code => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
            Self::Int8 => DataType::Int8,
            Self::Int32 => DataType::Int32,
            Self::Int64 => DataType::Int64,
            Self::Boolean => DataType::Boolean,
            Self::LocalTime => DataType::Timestamp(TimeUnit::Microsecond, None),
            Self::Instant => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
            Self::Seconds => DataType::Decimal128(8, 1),
            Self::Binary16 => DataType::Binary,
        }
    }

    /// The type in the table's own words; whether text is dictionary-encoded is no part of it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Code => "string",
            Self::Int8 => "int8",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::Boolean => "boolean",
            Self::LocalTime => "timestamp(us)",
            Self::Instant => "timestamp(us, UTC)",
            Self::Seconds => "decimal(8,1)",
            Self::Binary16 => "binary",
        }
    }
}

/// One column of the table.
#[derive(Clone, Copy, Debug)]
pub struct ColumnSpec {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub column_type: ColumnType,
    /// Whether it may be null.
    pub nullable: bool,
    /// Where its values come from.
    pub origin: Origin,
    /// What it means, for people.
    pub meaning: &'static str,
}

const fn column(
    name: &'static str,
    column_type: ColumnType,
    origin: Origin,
    meaning: &'static str,
) -> ColumnSpec {
    ColumnSpec { name, column_type, nullable: true, origin, meaning }
}

const fn required(spec: ColumnSpec) -> ColumnSpec {
    ColumnSpec { nullable: false, ..spec }
}

const fn field(
    name: &'static str,
    column_type: ColumnType,
    field: Field,
    meaning: &'static str,
) -> ColumnSpec {
    column(name, column_type, Origin::Field(field), meaning)
}

/// The columns, in order.
#[rustfmt::skip]
pub const COLUMNS: [ColumnSpec; 37] = {
    use ColumnType::{Binary16, Boolean, Code, Instant, Int8, Int32, Int64, LocalTime, Seconds, Text};
    [
        required(column("source_file", Code, Origin::Source, "file name without directories; archive!member")),
        required(column("record_number", Int64, Origin::Line, "physical line number in the source, from 1")),
        column("country",            Code,      Origin::Source, "ISO 3166 alpha-2"),
        column("profile",            Code,      Origin::Source, "the reseller's profile"),
        column("product_identifier", Code,      Origin::Source, "product identifier of the file name"),
        column("product",            Code,      Origin::Source, "name of the product identifier"),
        column("sequence_number",    Int32,     Origin::Source, "rolling number of the delivery, 0 to 9999"),
        column("file_time",          LocalTime, Origin::Source, "the file's own time, from its name"),
        required(column("source_hash", Binary16, Origin::Source, "first 128 bits of BLAKE3 of the source's decompressed bytes")),
        field("origin",              Text,      Field::Origin, "calling number as delivered"),
        field("origin_e164",         Text,      Field::Origin, "calling number in E.164; x for masked digits"),
        required(field("origin_masked_digits", Int8, Field::Origin, "length of the trailing run of x")),
        field("destination",         Text,      Field::Destination, "called number as delivered"),
        field("destination_e164",    Text,      Field::Destination, "called number in E.164"),
        field("product_type",        Code,      Field::ProductType, "the record's two digits"),
        field("product_type_name",   Code,      Field::ProductType, "their name; null if unknown"),
        field("start_time",          LocalTime, Field::Time, "start of the call, local time as delivered"),
        column("start_time_utc",     Instant,   Origin::Option, "start of the call as an instant; null without a time zone"),
        column("start_time_ambiguous", Boolean, Origin::Option, "true where the clock went back; null without a time zone"),
        field("duration",            Seconds,   Field::Duration, "seconds, exact to the wire's tenths"),
        field("continuation",        Int8,      Field::Continuation, "0, 1, 2, 3 or 5"),
        field("switch_id",           Code,      Field::SwitchId, "switch identifier"),
        field("trunk_incoming",      Code,      Field::TrunkIncoming, "incoming trunk"),
        field("trunk_outgoing",      Code,      Field::TrunkOutgoing, "outgoing trunk"),
        field("account_code",        Text,      Field::AccountCode, "account code; repeats a party's number"),
        field("pulses_in",           Code,      Field::PulsesIn, "not in use"),
        field("pulses_generated",    Code,      Field::PulsesGenerated, "not in use"),
        field("pulses_sent",         Code,      Field::PulsesSent, "as delivered; a charge band in some countries"),
        field("charge_band",         Code,      Field::PulsesSent, "regulator's charge band (GB, FR, or country unknown); null when blank or 000000"),
        field("service_indicator",   Code,      Field::ServiceIndicator, "0000 standard, 0001 ISDN"),
        field("charged_number",      Code,      Field::Charged, "C-Num: target of an IN number, or a trunk id"),
        field("charged_number_e164", Code,      Field::Charged, "C-Num in E.164; null for product types 79 and 80"),
        field("dialled_number",      Code,      Field::Dialled, "D-Num: the IN number dialled"),
        field("dialled_number_e164", Code,      Field::Dialled, "D-Num in E.164"),
        field("carrier",             Code,      Field::Carrier, "the reseller's profile as the record has it"),
        field("trailer",             Code,      Field::Trailer, "bytes between the record and its line feed"),
        column("record_id",          Binary16,  Origin::Option, "first 128 bits of BLAKE3 of the record; null unless asked for"),
    ]
};

/// The Arrow schema of the table, as the batches of a [`Decoder`](crate::Decoder) have it.
#[must_use]
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let fields: Vec<ArrowField> = COLUMNS
            .iter()
            .map(|spec| ArrowField::new(spec.name, spec.column_type.arrow(), spec.nullable))
            .collect();
        Arc::new(Schema::new(fields))
    });
    Arc::clone(&SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::FIELDS;

    #[test]
    fn every_field_but_the_constant_one_has_a_column() {
        for spec in &FIELDS {
            let has_column =
                COLUMNS.iter().any(|column| column.origin == Origin::Field(spec.field));
            // `start_time` is date and time.
            let expected = !matches!(spec.field, Field::Date | Field::EndOfRecord);
            assert_eq!(has_column, expected, "{}", spec.name);
        }
    }

    /// The contract's section 2: its table, row by row.
    #[test]
    fn agrees_with_the_contracts_table() {
        #[rustfmt::skip]
        let contract = [
            ("source_file not null", "string"), ("record_number not null", "int64"),
            ("country", "string"), ("profile", "string"),
            ("product_identifier", "string"), ("product", "string"),
            ("sequence_number", "int32"), ("file_time", "timestamp(us)"),
            ("source_hash not null", "binary"),
            ("origin", "string"), ("origin_e164", "string"), ("origin_masked_digits not null", "int8"),
            ("destination", "string"), ("destination_e164", "string"),
            ("product_type", "string"), ("product_type_name", "string"),
            ("start_time", "timestamp(us)"), ("start_time_utc", "timestamp(us, UTC)"),
            ("start_time_ambiguous", "boolean"),
            ("duration", "decimal(8,1)"), ("continuation", "int8"),
            ("switch_id", "string"), ("trunk_incoming", "string"), ("trunk_outgoing", "string"),
            ("account_code", "string"), ("pulses_in", "string"), ("pulses_generated", "string"),
            ("pulses_sent", "string"), ("charge_band", "string"), ("service_indicator", "string"),
            ("charged_number", "string"), ("charged_number_e164", "string"),
            ("dialled_number", "string"), ("dialled_number_e164", "string"),
            ("carrier", "string"), ("trailer", "string"), ("record_id", "binary"),
        ];
        let columns = COLUMNS.map(|spec| {
            let name = if spec.nullable {
                spec.name.to_owned()
            } else {
                format!("{} not null", spec.name)
            };
            (name, spec.column_type.name())
        });
        assert_eq!(columns, contract.map(|(name, column_type)| (name.to_owned(), column_type)));
        for (field, spec) in schema().fields().iter().zip(&COLUMNS) {
            assert_eq!((field.name().as_str(), field.is_nullable()), (spec.name, spec.nullable));
        }
    }

    #[test]
    fn names_are_distinct() {
        for spec in &COLUMNS {
            assert_eq!(COLUMNS.iter().filter(|other| other.name == spec.name).count(), 1);
        }
    }
}
