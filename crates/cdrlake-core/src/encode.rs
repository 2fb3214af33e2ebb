//! Values to a record: the inverse of decoding, for synthetic data and round trips.

use thiserror::Error;

use crate::layout::{Field, RECORD_LEN};

/// The values of one record. Text is written without padding; empty text is a blank field.
///
/// ```
/// use cdrlake_core::encode::{Values, encode};
///
/// let record = encode(&Values {
///     origin: "01632960123",
///     destination: "0044201632960999",
///     product_type: "79",
///     date: (2025, 10, 19),
///     time: (9, 1, 22),
///     duration_tenths: 1234,
///     carrier: "ABC",
///     ..Values::default()
/// })?;
/// assert!(record.starts_with(b"01632960123             0044201632960999792025101909012200000012340"));
/// # Ok::<(), cdrlake_core::encode::EncodeError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// Up to 20 characters, left-justified.
    pub origin: &'a str,
    /// Up to 20 characters, right-justified.
    pub destination: &'a str,
    /// Two digits.
    pub product_type: &'a str,
    /// Year, month, day.
    pub date: (u16, u8, u8),
    /// Hour, minute, second.
    pub time: (u8, u8, u8),
    /// Tenths of a second, up to 99,999,999.
    pub duration_tenths: u32,
    /// 0, 1, 2, 3 or 5.
    pub continuation: u8,
    /// Up to 25 characters, right-justified.
    pub switch_id: &'a str,
    /// Up to 25 characters, right-justified.
    pub trunk_incoming: &'a str,
    /// Up to 25 characters, right-justified.
    pub trunk_outgoing: &'a str,
    /// Up to 20 characters, left-justified.
    pub account_code: &'a str,
    /// Up to 6 characters, left-justified.
    pub pulses_in: &'a str,
    /// Up to 6 characters, left-justified.
    pub pulses_generated: &'a str,
    /// Up to 6 characters, left-justified.
    pub charge_band: &'a str,
    /// Up to 4 characters, left-justified.
    pub service_indicator: &'a str,
    /// Up to 20 characters, right-justified.
    pub charged: &'a str,
    /// Up to 20 characters, right-justified.
    pub dialled: &'a str,
    /// Up to 3 characters, right-justified.
    pub carrier: &'a str,
}

impl Default for Values<'_> {
    /// A direct call of no length at the start of 2000, with blank text.
    fn default() -> Self {
        Self {
            origin: "",
            destination: "",
            product_type: "00",
            date: (2000, 1, 1),
            time: (0, 0, 0),
            duration_tenths: 0,
            continuation: 0,
            switch_id: "",
            trunk_incoming: "",
            trunk_outgoing: "",
            account_code: "",
            pulses_in: "",
            pulses_generated: "",
            charge_band: "",
            service_indicator: "0000",
            charged: "",
            dialled: "",
            carrier: "",
        }
    }
}

/// A value that does not fit its field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EncodeError {
    /// More characters or digits than the field has bytes.
    #[error("{}: more than {} characters", .0.name(), .0.range().len())]
    TooLong(Field),
    /// Other than printable ASCII, or a space at either end, which padding would swallow.
    #[error("{}: expected printable ASCII without spaces at its ends", .0.name())]
    NotText(Field),
}

/// The 228 bytes of a record.
///
/// Date, time, product type and continuation are written as they are, so that records that fail
/// validation can be made, too.
///
/// # Errors
///
/// [`EncodeError`], if a value does not fit its field.
pub fn encode(values: &Values<'_>) -> Result<[u8; RECORD_LEN], EncodeError> {
    let (year, month, day) = values.date;
    let (hour, minute, second) = values.time;
    let date = format!("{year:04}{month:02}{day:02}");
    let time = format!("{hour:02}{minute:02}{second:02}00");
    let duration = format!("{:08}", values.duration_tenths);
    let continuation = values.continuation.to_string();
    let left = [
        (Field::Origin, values.origin),
        (Field::ProductType, values.product_type),
        (Field::Date, &date),
        (Field::Time, &time),
        (Field::Duration, &duration),
        (Field::Continuation, &continuation),
        (Field::AccountCode, values.account_code),
        (Field::PulsesIn, values.pulses_in),
        (Field::PulsesGenerated, values.pulses_generated),
        (Field::PulsesSent, values.charge_band),
        (Field::ServiceIndicator, values.service_indicator),
        (Field::EndOfRecord, "0"),
    ];
    let right = [
        (Field::Destination, values.destination),
        (Field::SwitchId, values.switch_id),
        (Field::TrunkIncoming, values.trunk_incoming),
        (Field::TrunkOutgoing, values.trunk_outgoing),
        (Field::Charged, values.charged),
        (Field::Dialled, values.dialled),
        (Field::Carrier, values.carrier),
    ];
    let mut record = [b' '; RECORD_LEN];
    for (field, text) in left {
        put(&mut record, field, text, Justify::Left)?;
    }
    for (field, text) in right {
        put(&mut record, field, text, Justify::Right)?;
    }
    Ok(record)
}

#[derive(Clone, Copy)]
enum Justify {
    Left,
    Right,
}

fn put(
    record: &mut [u8; RECORD_LEN],
    field: Field,
    text: &str,
    justify: Justify,
) -> Result<(), EncodeError> {
    let range = field.range();
    if text.len() > range.len() {
        return Err(EncodeError::TooLong(field));
    }
    if text.trim() != text || !text.bytes().all(|byte| matches!(byte, 0x20..=0x7E)) {
        return Err(EncodeError::NotText(field));
    }
    let start = match justify {
        Justify::Left => range.start,
        Justify::Right => range.end - text.len(),
    };
    record[start..start + text.len()].copy_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_an_error() {
        let cases = [
            (Values { carrier: "ABCD", ..Values::default() }, EncodeError::TooLong(Field::Carrier)),
            (Values { origin: " 1", ..Values::default() }, EncodeError::NotText(Field::Origin)),
            (Values { origin: "é", ..Values::default() }, EncodeError::NotText(Field::Origin)),
            (
                Values { duration_tenths: 100_000_000, ..Values::default() },
                EncodeError::TooLong(Field::Duration),
            ),
            (
                Values { continuation: 10, ..Values::default() },
                EncodeError::TooLong(Field::Continuation),
            ),
        ];
        for (values, error) in cases {
            assert_eq!(encode(&values), Err(error));
        }
    }
}
