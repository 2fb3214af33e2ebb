//! A borrowed view over the 228 bytes of one record, an accessor a field.

use std::fmt;

use crate::error::Shape;
use crate::layout::{Field, RECORD_LEN};

/// The 228 bytes of one record, whatever they hold.
#[derive(Clone, Copy)]
pub struct Record<'a>(&'a [u8; RECORD_LEN]);

/// Shows the record's shape: its digits may be a subscriber's number.
impl fmt::Debug for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Record({})", Shape(self.0))
    }
}

macro_rules! accessors {
    ($($name:ident: $field:ident, $len:literal;)*) => {
        impl<'a> Record<'a> {
            $(
                #[doc = concat!("The bytes of [`Field::", stringify!($field), "`].")]
                #[inline(always)]
                #[must_use]
                pub fn $name(self) -> &'a [u8; $len] {
                    const START: usize = Field::$field.range().start;
                    const { assert!(Field::$field.range().end == START + $len) };
                    // Both bounds are constants within the array: the check is optimized away.
                    self.0[START..].first_chunk().unwrap_or(&[0; $len])
                }
            )*
        }
    };
}

accessors! {
    origin: Origin, 20;
    destination: Destination, 20;
    product_type: ProductType, 2;
    date: Date, 8;
    time: Time, 8;
    duration: Duration, 8;
    continuation: Continuation, 1;
    switch_id: SwitchId, 25;
    trunk_incoming: TrunkIncoming, 25;
    trunk_outgoing: TrunkOutgoing, 25;
    account_code: AccountCode, 20;
    pulses_in: PulsesIn, 6;
    pulses_generated: PulsesGenerated, 6;
    pulses_sent: PulsesSent, 6;
    service_indicator: ServiceIndicator, 4;
    charged: Charged, 20;
    dialled: Dialled, 20;
    carrier: Carrier, 3;
    end_of_record: EndOfRecord, 1;
}

impl<'a> Record<'a> {
    /// A view over `bytes`.
    #[inline(always)]
    #[must_use]
    pub const fn new(bytes: &'a [u8; RECORD_LEN]) -> Self {
        Self(bytes)
    }

    /// All 228 bytes.
    #[inline(always)]
    #[must_use]
    pub const fn bytes(self) -> &'a [u8; RECORD_LEN] {
        self.0
    }

    /// `N` bytes from byte `at` on, whatever fields they are of; zeros where the record ends before.
    #[inline(always)]
    pub(crate) fn chunk<const N: usize>(self, at: usize) -> &'a [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).unwrap_or(&[0; N])
    }

    /// The bytes of `field`; none for the trailer, which stands behind the record.
    #[must_use]
    pub fn field(self, field: Field) -> &'a [u8] {
        self.0.get(field.range()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::FIELDS;

    #[test]
    fn accessors_and_field_agree() {
        let bytes: [u8; RECORD_LEN] = std::array::from_fn(|i| i as u8);
        let record = Record::new(&bytes);
        assert_eq!(record.origin()[..], bytes[..20]);
        assert_eq!(record.carrier()[..], bytes[224..227]);
        assert_eq!(record.field(Field::Trailer), b"");
        let debug = format!("{record:?}");
        assert!(debug.contains("()*+,-./dddddddddd:;<=>?@aaa"), "{debug}");
        assert!(!debug.contains(|c: char| c.is_ascii_digit()));
        let all: Vec<u8> =
            FIELDS.iter().flat_map(|spec| record.field(spec.field)).copied().collect();
        assert_eq!(all, bytes);
    }
}
