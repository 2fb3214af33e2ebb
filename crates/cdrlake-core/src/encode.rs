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
    let mut record = Encoder([b' '; RECORD_LEN]);
    record.left(Field::Origin, values.origin)?;
    record.right(Field::Destination, values.destination)?;
    record.left(Field::ProductType, values.product_type)?;
    record.digits(Field::Date, &[(year.into(), 4), (month.into(), 2), (day.into(), 2)])?;
    let time = [(hour.into(), 2), (minute.into(), 2), (second.into(), 2), (0, 2)];
    record.digits(Field::Time, &time)?;
    record.digits(Field::Duration, &[(values.duration_tenths, 8)])?;
    record.digits(Field::Continuation, &[(values.continuation.into(), 1)])?;
    record.right(Field::SwitchId, values.switch_id)?;
    record.right(Field::TrunkIncoming, values.trunk_incoming)?;
    record.right(Field::TrunkOutgoing, values.trunk_outgoing)?;
    record.left(Field::AccountCode, values.account_code)?;
    record.left(Field::PulsesIn, values.pulses_in)?;
    record.left(Field::PulsesGenerated, values.pulses_generated)?;
    record.left(Field::PulsesSent, values.charge_band)?;
    record.left(Field::ServiceIndicator, values.service_indicator)?;
    record.right(Field::Charged, values.charged)?;
    record.right(Field::Dialled, values.dialled)?;
    record.right(Field::Carrier, values.carrier)?;
    record.left(Field::EndOfRecord, "0")?;
    Ok(record.0)
}

/// A record under construction.
struct Encoder([u8; RECORD_LEN]);

impl Encoder {
    fn left(&mut self, field: Field, text: &str) -> Result<(), EncodeError> {
        let start = field.range().start;
        self.put(field, start, text)
    }

    fn right(&mut self, field: Field, text: &str) -> Result<(), EncodeError> {
        let start = field.range().end.saturating_sub(text.len());
        self.put(field, start, text)
    }

    fn put(&mut self, field: Field, start: usize, text: &str) -> Result<(), EncodeError> {
        let text = text.as_bytes();
        if text.len() > field.range().len() {
            return Err(EncodeError::TooLong(field));
        }
        let is_padded = text.first() == Some(&b' ') || text.last() == Some(&b' ');
        if is_padded || !text.iter().all(|byte| matches!(byte, 0x20..=0x7E)) {
            return Err(EncodeError::NotText(field));
        }
        self.0[start..start + text.len()].copy_from_slice(text);
        Ok(())
    }

    /// Numbers side by side, each with its width and leading zeros; they fill the field.
    fn digits(&mut self, field: Field, numbers: &[(u32, usize)]) -> Result<(), EncodeError> {
        let mut start = field.range().start;
        for &(mut number, width) in numbers {
            for byte in self.0[start..start + width].iter_mut().rev() {
                *byte = b'0' + (number % 10) as u8;
                number /= 10;
            }
            if number != 0 {
                return Err(EncodeError::TooLong(field));
            }
            start += width;
        }
        Ok(())
    }
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
