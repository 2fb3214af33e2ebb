//! The rules of numbers.

use arbitrary::{Arbitrary, Result, Unstructured};
use cdrlake_core::{
    COLUMNS, Country, Field, Role, SourceOptions, SplitNumber, masked_digits, normalize, reference,
    trim,
};

use crate::decode::{assert_same, in_pieces};
use crate::input::country;

#[derive(Debug, Arbitrary)]
struct Choice {
    country: u8,
    product_type: u8,
    /// Where a part of the split form ends.
    ends: [u8; 3],
}

/// What comes out is E.164, the columns are what the rule says, and both are what the reference says.
///
/// Input: five bytes that choose, then a number.
pub fn numbers(input: &[u8]) {
    let mut bytes = Unstructured::new(input);
    let Ok((choice, number)) = parts(&mut bytes) else { return };
    let country = country(choice.country);
    let product_type = [b"00", b"79", b"80", b"10"][usize::from(choice.product_type) % 4];
    for role in [Role::Party, Role::Service] {
        check_form(number, role, *product_type, country);
        check_form(trim(number), role, *product_type, country);
    }
    let in_field = &number[..number.len().min(Field::Origin.range().len())];
    if in_field.iter().all(|byte| matches!(byte, 0x20..=0x7E)) {
        check_columns(in_field, *product_type, country);
    }
    if let (Some(country), Ok(text)) = (country, std::str::from_utf8(number)) {
        check_split(text, country, choice.ends);
    }
}

fn parts<'a>(bytes: &mut Unstructured<'a>) -> Result<(Choice, &'a [u8])> {
    let choice = Choice::arbitrary(bytes)?;
    Ok((choice, bytes.bytes(bytes.len())?))
}

fn check_form(number: &[u8], role: Role, product_type: [u8; 2], country: Option<Country>) {
    let Some(e164) = normalize(number, role, product_type, country) else { return };
    let digits = e164.as_str().strip_prefix('+').expect("a plus");
    let visible = digits.trim_end_matches('x');
    assert!((7..=15).contains(&digits.len()) && visible.bytes().all(|byte| byte.is_ascii_digit()));
    assert_eq!(digits.len() - visible.len(), masked_digits(number));
    // In E.164 already, it stays as it is; but a mask alone, as of 00xxxxxxxx, is no number again.
    let again = normalize(e164.as_bytes(), role, product_type, None);
    assert_eq!(again, Some(e164).filter(|_| !visible.is_empty()));
}

/// The columns of a record in which all numbers are this one.
fn check_columns(number: &[u8], product_type: [u8; 2], country: Option<Country>) {
    let mut record = crate::SAMPLES[1].1[..229].to_vec();
    let columns = [
        (Field::Origin, "origin_e164", Role::Party),
        (Field::Destination, "destination_e164", Role::Party),
        (Field::Charged, "charged_number_e164", Role::Service),
        (Field::Dialled, "dialled_number_e164", Role::Service),
    ];
    for (field, ..) in columns {
        record[field.range()].fill(b' ');
        record[field.range()][..number.len()].copy_from_slice(number);
    }
    record[Field::ProductType.range()].copy_from_slice(&product_type);
    let mut options = SourceOptions::new("number.cdr");
    options.metadata.country = country;
    let (decoded, _) = in_pieces(&record, &[], &options);
    assert_same(&decoded, &reference::decode(&record, &options));
    for (field, name, role) in columns {
        let column = COLUMNS.iter().position(|spec| spec.name == name).expect("a column");
        let is_trunk = field == Field::Charged && matches!(&product_type, b"79" | b"80");
        let e164 = normalize(trim(number), role, product_type, country).filter(|_| !is_trunk);
        assert_eq!(
            decoded.rows[0][column].as_deref(),
            e164.as_ref().map(cdrlake_core::E164::as_str)
        );
    }
}

fn check_split(text: &str, country: Country, ends: [u8; 3]) {
    let mut rest = text;
    let mut part = |end: u8| {
        let (part, behind) = rest.split_at_checked(usize::from(end) % 8).unwrap_or((rest, ""));
        rest = behind;
        part
    };
    let [area_code, area_code_extension, range_start] = ends.map(&mut part);
    let range =
        SplitNumber { country, area_code, area_code_extension, range_start, range_end: rest };
    if let Ok((first, last)) = range.to_e164() {
        assert!(first <= last && first.len() == last.len());
        assert!((8..=16).contains(&first.len()) && first[1..].starts_with(country.calling_code()));
    }
}
