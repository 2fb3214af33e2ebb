//! Where each field of a record stands: the one table from which ranges, accessors' widths and
//! messages derive.
//!
//! The carrier's section 4.5 numbers positions from 1; offsets here are 0-based, so its
//! "position" is `start + 1`.

use std::ops::Range;

/// Bytes of a record without its line feed.
pub const RECORD_LEN: usize = 228;

/// The most bytes a line may have before its line feed and still be a record: 228 of the record
/// and up to 64 of a trailer.
pub const MAX_RECORD_LINE_LEN: usize = 292;

/// What a field holds on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Free text, trimmed of spaces on both sides; blank means none.
    Text,
    /// A telephone number as text; padded on either side, possibly masked with `x` at its end.
    Number,
    /// Exactly two digits.
    ProductType,
    /// `YYYYMMDD`.
    Date,
    /// `HHMMSSss`, the last two ignored.
    Time,
    /// Tenths of a second, digits padded with spaces on either side.
    Duration,
    /// One of `0 1 2 3 5`.
    Continuation,
    /// Always `0`.
    EndOfRecord,
}

/// A field of the record, in wire order.
///
/// The discriminant is the carrier's reference number in section 4.5, less one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// Calling party's number (ref. 1).
    Origin,
    /// Called party's number (ref. 2).
    Destination,
    /// Two-digit product type (ref. 3).
    ProductType,
    /// Local date of the call's start (ref. 4).
    Date,
    /// Local time of the call's start (ref. 5).
    Time,
    /// Duration in tenths of a second (ref. 6).
    Duration,
    /// Part of a call of more than six hours (ref. 7).
    Continuation,
    /// Switch identifier (ref. 8).
    SwitchId,
    /// Incoming trunk (ref. 9).
    TrunkIncoming,
    /// Outgoing trunk (ref. 10).
    TrunkOutgoing,
    /// Account code; repeats a party's number (ref. 11).
    AccountCode,
    /// Pulses in; not in use (ref. 12).
    PulsesIn,
    /// Pulses generated; not in use (ref. 13).
    PulsesGenerated,
    /// Pulses sent: the regulator's charge band (ref. 14).
    PulsesSent,
    /// Service indicator (ref. 15).
    ServiceIndicator,
    /// C-Num: the number an IN number is translated to, or a trunk id (ref. 16).
    Charged,
    /// D-Num: the dialled IN number (ref. 17).
    Dialled,
    /// The reseller's profile (ref. 18).
    Carrier,
    /// Constant `0` (ref. 19).
    EndOfRecord,
    /// What some French records carry between byte 228 and the line feed; no field of the
    /// carrier's table.
    Trailer,
}

/// One row of the layout table.
#[derive(Clone, Copy, Debug)]
pub struct FieldSpec {
    /// The field.
    pub field: Field,
    /// Its name in reports, rejects and messages.
    pub name: &'static str,
    /// Offset of its first byte in the record.
    pub start: usize,
    /// Offset behind its last byte.
    pub end: usize,
    /// What it holds.
    pub kind: Kind,
    /// What it means, for people.
    pub meaning: &'static str,
}

const fn spec(
    field: Field,
    name: &'static str,
    range: Range<usize>,
    kind: Kind,
    meaning: &'static str,
) -> FieldSpec {
    FieldSpec { field, name, start: range.start, end: range.end, kind, meaning }
}

/// The fields 1 to 19 of the carrier's section 4.5, in wire order. Field 20 is the line feed.
#[rustfmt::skip]
pub const FIELDS: [FieldSpec; 19] = [
    spec(Field::Origin,           "origin",              0..20,  Kind::Number,       "calling number; its end masked with x for IN calls"),
    spec(Field::Destination,      "destination",        20..40,  Kind::Number,       "called number"),
    spec(Field::ProductType,      "product_type",       40..42,  Kind::ProductType,  "two digits, 79 = SIP Trunking"),
    spec(Field::Date,             "date",               42..50,  Kind::Date,         "local date of the start, YYYYMMDD"),
    spec(Field::Time,             "time",               50..58,  Kind::Time,         "local time of the start, HHMMSSss; the fraction is ignored"),
    spec(Field::Duration,         "duration",           58..66,  Kind::Duration,     "tenths of a second"),
    spec(Field::Continuation,     "continuation",       66..67,  Kind::Continuation, "0, 1, 2, 3 or 5; for calls over six hours"),
    spec(Field::SwitchId,         "switch_id",          67..92,  Kind::Text,         "switch identifier"),
    spec(Field::TrunkIncoming,    "trunk_incoming",     92..117, Kind::Text,         "incoming trunk, the carrier's own"),
    spec(Field::TrunkOutgoing,    "trunk_outgoing",    117..142, Kind::Text,         "outgoing trunk, the carrier's own"),
    spec(Field::AccountCode,      "account_code",      142..162, Kind::Text,         "repeats a party's number"),
    spec(Field::PulsesIn,         "pulses_in",         162..168, Kind::Text,         "not in use"),
    spec(Field::PulsesGenerated,  "pulses_generated",  168..174, Kind::Text,         "not in use"),
    spec(Field::PulsesSent,       "pulses_sent",       174..180, Kind::Text,         "charge band; 000000 or blank for none"),
    spec(Field::ServiceIndicator, "service_indicator", 180..184, Kind::Text,         "0000 standard, 0001 ISDN"),
    spec(Field::Charged,          "charged",           184..204, Kind::Number,       "C-Num: target of an IN number, or a trunk id"),
    spec(Field::Dialled,          "dialled",           204..224, Kind::Number,       "D-Num: the IN number dialled"),
    spec(Field::Carrier,          "carrier",           224..227, Kind::Text,         "the reseller's profile"),
    spec(Field::EndOfRecord,      "end_of_record",     227..228, Kind::EndOfRecord,  "always 0"),
];

// The fields tile 0..228 without gap or overlap, and the table is in the order of the enum.
const _: () = {
    let mut end = 0;
    let mut i = 0;
    while i < FIELDS.len() {
        assert!(FIELDS[i].start == end, "a gap or an overlap in the layout");
        assert!(FIELDS[i].end > FIELDS[i].start, "an empty field in the layout");
        assert!(FIELDS[i].field as usize == i, "the layout is not in the order of the fields");
        end = FIELDS[i].end;
        i += 1;
    }
    assert!(end == RECORD_LEN, "the fields do not fill the record");
};

impl Field {
    /// All twenty: the record's nineteen in wire order, and the trailer.
    pub const ALL: [Self; 20] = {
        let mut all = [Self::Trailer; 20];
        let mut i = 0;
        while i < FIELDS.len() {
            all[i] = FIELDS[i].field;
            i += 1;
        }
        all
    };

    /// Its name in reports, rejects and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trailer => "trailer",
            field => FIELDS[field as usize].name,
        }
    }

    /// The 0-based offsets it takes in a line; the trailer's are the most it may take.
    #[must_use]
    pub const fn range(self) -> Range<usize> {
        match self {
            Self::Trailer => RECORD_LEN..MAX_RECORD_LINE_LEN,
            field => FIELDS[field as usize].start..FIELDS[field as usize].end,
        }
    }

    /// The field that `offset` of a line falls in; anything behind the record is the trailer.
    #[must_use]
    pub fn at(offset: usize) -> Self {
        FIELDS.iter().find(|spec| offset < spec.end).map_or(Self::Trailer, |spec| spec.field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference number, position and length as the carrier's section 4.5 prints them.
    #[test]
    fn agrees_with_the_carriers_table() {
        let carrier = [
            ("origin", 1, 20),
            ("destination", 21, 20),
            ("product_type", 41, 2),
            ("date", 43, 8),
            ("time", 51, 8),
            ("duration", 59, 8),
            ("continuation", 67, 1),
            ("switch_id", 68, 25),
            ("trunk_incoming", 93, 25),
            ("trunk_outgoing", 118, 25),
            ("account_code", 143, 20),
            ("pulses_in", 163, 6),
            ("pulses_generated", 169, 6),
            ("pulses_sent", 175, 6),
            ("service_indicator", 181, 4),
            ("charged", 185, 20),
            ("dialled", 205, 20),
            ("carrier", 225, 3),
            ("end_of_record", 228, 1),
        ];
        for (spec, (name, position, length)) in FIELDS.iter().zip(carrier) {
            assert_eq!(
                (spec.name, spec.start + 1, spec.end - spec.start),
                (name, position, length)
            );
        }
    }

    #[test]
    fn all_are_in_wire_order() {
        for (index, field) in Field::ALL.into_iter().enumerate() {
            assert_eq!(field as usize, index);
        }
    }

    #[test]
    fn every_offset_falls_in_the_field_whose_range_holds_it() {
        for offset in 0..400 {
            let field = Field::at(offset);
            assert!(field == Field::Trailer && offset >= 228 || field.range().contains(&offset));
        }
    }
}
