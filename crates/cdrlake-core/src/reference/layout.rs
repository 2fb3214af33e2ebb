//! Where the fields of a record stand, and their bytes as text.

/// Each field's name, its first byte, and the byte after its last.
pub(super) const LAYOUT: [(&str, usize, usize); 19] = [
    ("origin", 0, 20),
    ("destination", 20, 40),
    ("product_type", 40, 42),
    ("date", 42, 50),
    ("time", 50, 58),
    ("duration", 58, 66),
    ("continuation", 66, 67),
    ("switch_id", 67, 92),
    ("trunk_incoming", 92, 117),
    ("trunk_outgoing", 117, 142),
    ("account_code", 142, 162),
    ("pulses_in", 162, 168),
    ("pulses_generated", 168, 174),
    ("pulses_sent", 174, 180),
    ("service_indicator", 180, 184),
    ("charged", 184, 204),
    ("dialled", 204, 224),
    ("carrier", 224, 227),
    ("end_of_record", 227, 228),
];

pub(super) fn text(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}
