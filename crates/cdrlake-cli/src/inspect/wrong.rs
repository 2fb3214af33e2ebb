//! Which bytes of a rejected line are to blame.

use std::ops::Range;

use cdrlake_core::{Fault, Field, RejectCode};

/// The bytes of a line that a fault is about; where one is missing, the place behind the last.
pub(super) fn wrong_bytes(fault: Fault, raw: &[u8]) -> Range<usize> {
    let first_in = |range: Range<usize>, is_wrong: fn(u8) -> bool| {
        let bytes = raw.get(range.start..range.end.min(raw.len())).unwrap_or_default();
        let at = range.start + bytes.iter().position(|&byte| is_wrong(byte))?;
        Some(at..at + 1)
    };
    let line = raw.strip_suffix(b"\r").unwrap_or(raw).len();
    let field = match fault.field {
        Some(Field::Trailer) => cdrlake_core::RECORD_LEN..line,
        Some(field) => field.range(),
        None => raw.len()..raw.len() + 1,
    };
    let first = match fault.code {
        RejectCode::NotAscii => first_in(field.clone(), |byte| !(0x20..=0x7E).contains(&byte)),
        RejectCode::InvalidProductType | RejectCode::InvalidDate => {
            first_in(field.clone(), |byte| !byte.is_ascii_digit())
        }
        RejectCode::InvalidTime => {
            first_in(field.start..field.start + 6, |byte| !byte.is_ascii_digit())
                .or_else(|| first_in(field.clone(), |byte| !byte.is_ascii_digit() && byte != b' '))
        }
        RejectCode::InvalidDuration => {
            first_in(field.clone(), |byte| !byte.is_ascii_digit() && byte != b' ')
        }
        // Where the line should have ended, or byte 227 should have said that more may follow.
        RejectCode::LongRecord => {
            let end = Field::EndOfRecord.range();
            Some(if raw.get(end.clone()) == Some(b"0") {
                let from = cdrlake_core::MAX_RECORD_LINE_LEN;
                from..raw.len().max(from + 1)
            } else {
                end
            })
        }
        RejectCode::CarriageReturn => Some(line..raw.len().max(line + 1)),
        _ => None,
    };
    first.unwrap_or(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: RejectCode, field: Option<Field>) -> Fault {
        Fault { code, field }
    }

    #[test]
    fn marks_stand_below_what_is_wrong() {
        let mut raw = [b'0'; 228];
        raw[45] = b'x';
        raw[57] = b'/';
        raw[7] = 0xE9;
        let cases = [
            (RejectCode::NotAscii, Some(Field::Origin), 7..8),
            (RejectCode::InvalidDate, Some(Field::Date), 45..46),
            (RejectCode::InvalidTime, Some(Field::Time), 57..58),
            (RejectCode::InvalidProductType, Some(Field::ProductType), 40..42),
            (RejectCode::InvalidDuration, Some(Field::Duration), 58..66),
            (RejectCode::InvalidContinuation, Some(Field::Continuation), 66..67),
            (RejectCode::ShortRecord, None, 228..229),
            (RejectCode::MissingLineFeed, None, 228..229),
        ];
        for (code, field, marked) in cases {
            assert_eq!(wrong_bytes(fault(code, field), &raw), marked, "{code}");
        }
        let mut long = [b'0'; 300];
        assert_eq!(wrong_bytes(fault(RejectCode::LongRecord, None), &long), 292..300);
        long[227] = b' ';
        assert_eq!(wrong_bytes(fault(RejectCode::LongRecord, None), &long), 227..228);
        let mut returned = [b'0'; 235];
        returned[234] = b'\r';
        let trailing = fault(RejectCode::TrailingBytes, Some(Field::Trailer));
        assert_eq!(wrong_bytes(trailing, &returned), 228..234);
        assert_eq!(wrong_bytes(fault(RejectCode::CarriageReturn, None), &returned), 234..235);
    }
}
