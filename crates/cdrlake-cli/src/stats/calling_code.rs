//! The country code that a number in E.164 begins with.

/// Codes of two digits; 1 and 7 have one, all others three (ITU-T E.164, list of assigned codes).
const TWO_DIGITS: [u8; 44] = [
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56,
    57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

/// Codes that begin alike have the same length, so whether one is assigned does not matter.
///
/// `number` begins with `+`; what has no digits enough has no code.
pub(super) fn calling_code(number: &str) -> Option<u16> {
    let digits = number.strip_prefix('+')?.as_bytes();
    let value = |len: usize| {
        let digits = digits.get(..len)?;
        digits.iter().try_fold(0, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0'))
        })
    };
    match value(1)? {
        0 => None,
        code @ (1 | 7) => Some(code),
        _ => value(2)
            .filter(|&code| TWO_DIGITS.iter().any(|&two| u16::from(two) == code))
            .or_else(|| value(3)),
    }
}

#[cfg(test)]
mod tests {
    use cdrlake_core::Country;

    use super::*;

    #[test]
    fn codes_are_split_off() {
        for (number, code) in [
            ("+12025550123", Some(1)),
            ("+74951234567", Some(7)),
            ("+441632960000", Some(44)),
            ("+35226000000", Some(352)),
            ("+42029618xxxx", Some(420)),
            ("+85221234567", Some(852)),
            ("+8861234567", Some(886)),
            ("+80012345678", Some(800)),
            ("+99xxxxxx", None),
            ("+0123", None),
            ("441632", None),
            ("+", None),
            ("", None),
        ] {
            assert_eq!(calling_code(number), code, "{number}");
        }
    }

    #[test]
    fn the_carriers_countries_have_their_codes() {
        for country in Country::all() {
            let number = format!("+{}123456789", country.calling_code());
            assert_eq!(calling_code(&number), country.calling_code().parse().ok(), "{country}");
        }
    }
}
