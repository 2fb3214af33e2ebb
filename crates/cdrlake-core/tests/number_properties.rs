//! Properties of the rules that bring numbers to E.164.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cdrlake_core::{Country, Role, SplitNumber, masked_digits, normalize, trim};
use proptest::prelude::*;
use proptest::sample::select;

fn country() -> impl Strategy<Value = Option<Country>> {
    prop::option::of(select(Country::all().collect::<Vec<_>>()))
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Party, Role::Service])
}

fn product_type() -> impl Strategy<Value = [u8; 2]> {
    select(vec![*b"00", *b"10", *b"79", *b"80"])
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(|0|00|\\+|39|44|420|1)[0-9]{0,15}[xX]{0,4}",
        1 => "[ -~]{0,20}",
        1 => any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// What comes out is `+`, 7 to 15 digits, the last ones perhaps `x`; and is left as it is when it
    /// goes in again.
    #[test]
    fn what_comes_out_is_e164(
        number in number(), role in role(), product_type in product_type(), country in country(),
    ) {
        let Some(e164) = normalize(number.as_bytes(), role, product_type, country) else {
            return Ok(());
        };
        let text = e164.as_str();
        let digits = text.strip_prefix('+').unwrap();
        prop_assert!((7..=15).contains(&digits.len()), "{}", text);
        let visible = digits.trim_end_matches('x');
        prop_assert!(visible.bytes().all(|byte| byte.is_ascii_digit()), "{}", text);
        prop_assert_eq!(digits.len() - visible.len(), masked_digits(number.as_bytes()));
        let again = normalize(text.as_bytes(), role, product_type, None);
        prop_assert_eq!(again.map(|e164| e164.as_str().to_owned()), Some(text.to_owned()));
    }

    /// All digits of the number are in the result, but for a prefix of zeros.
    #[test]
    fn no_digit_is_invented_or_lost(
        number in "[0-9]{1,15}", role in role(), product_type in product_type(), country in country(),
    ) {
        let Some(e164) = normalize(number.as_bytes(), role, product_type, country) else {
            return Ok(());
        };
        let code = country.map_or("", Country::calling_code);
        let digits = &e164.as_str()[1..];
        let rest = digits.strip_prefix(code).unwrap_or(digits);
        prop_assert!(number.ends_with(rest) || number.ends_with(digits), "{} {}", number, digits);
        let dropped = number.len() - number.len().min(digits.len());
        prop_assert!(number[..dropped].bytes().all(|byte| byte == b'0'));
    }

    /// Masking digits changes nothing but these digits.
    #[test]
    fn masks_stand_for_digits(
        number in "0[0-9]{8,11}", mask in 1_usize..=4, role in role(),
        product_type in product_type(), country in country(),
    ) {
        let kept = number.len() - mask;
        let masked = format!("{}{}", &number[..kept], "x".repeat(mask));
        let e164 = |number: &str| {
            normalize(number.as_bytes(), role, product_type, country)
                .map(|e164| e164.as_str().to_owned())
        };
        let expected = e164(&number).map(|mut e164| {
            e164.truncate(e164.len() - mask);
            e164 + &"x".repeat(mask)
        });
        prop_assert_eq!(e164(&masked), expected);
    }

    #[test]
    fn trimming_takes_spaces_only(text in " {0,5}[!-~]{0,3} {0,5}[!-~]{0,3} {0,5}") {
        prop_assert_eq!(trim(text.as_bytes()), text.trim_matches(' ').as_bytes());
    }

    /// Of any parts the split form gives a range in E.164, or says why not.
    #[test]
    fn split_numbers_are_e164_or_an_error(
        country in select(Country::all().collect::<Vec<_>>()),
        area_code in "[0-9x ]{0,5}",
        area_code_extension in "[0-9]{0,4}",
        range_start in "[0-9xX]{0,6}",
        range_end in "[0-9xX]{0,6}",
    ) {
        let split = SplitNumber {
            country,
            area_code: &area_code,
            area_code_extension: &area_code_extension,
            range_start: &range_start,
            range_end: &range_end,
        };
        if let Ok((first, last)) = split.to_e164() {
            prop_assert!(first <= last && first.len() == last.len());
            for number in [first, last] {
                let digits = number.strip_prefix('+').unwrap();
                prop_assert!((7..=15).contains(&digits.len()));
                prop_assert!(digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'x'));
                prop_assert!(digits.starts_with(country.calling_code()));
            }
        }
    }
}
