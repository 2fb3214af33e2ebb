//! The two tables of products: the record's product types, and the file name's product
//! identifiers.

/// Product types of the record (section 4.5, ref. 3), by their two digits.
const TYPES: [(&str, &str); 10] = [
    ("00", "Direct Service"),
    ("01", "Indirect Service"),
    ("04", "Direct Service"),
    ("06", "NH Geo Premium"),
    ("07", "NH Geo Wholesale"),
    ("08", "NH Geo Retail"),
    ("09", "NH Geo Incoming"),
    ("10", "NH IN Incoming"),
    ("79", "SIP Trunking"),
    ("80", "IP Voice Line"),
];

/// A product identifier of file names (section 4.4.5) and what it is called.
struct Product {
    identifier: &'static str,
    name: &'static str,
    /// Other names for it: the API's offering, and what the carrier's text calls it besides.
    aliases: &'static [&'static str],
}

const PRODUCTS: [Product; 7] = [
    Product { identifier: "00", name: "Voice Line", aliases: &[] },
    Product { identifier: "10", name: "SIP Trunking", aliases: &[] },
    Product { identifier: "11", name: "IP Voice Line", aliases: &["Voice Line (v)"] },
    Product { identifier: "12", name: "IN for Resellers", aliases: &[] },
    Product { identifier: "15", name: "Geographic Number Hosting", aliases: &["Wholesale SIP"] },
    Product { identifier: "19", name: "CIC for Resellers", aliases: &[] },
    Product { identifier: "20", name: "CIC Opc Reseller", aliases: &[] },
];

/// The name of a record's product type; none if the carrier's table does not have it.
///
/// ```
/// assert_eq!(cdrlake_core::product_type_name("79"), Some("SIP Trunking"));
/// assert_eq!(cdrlake_core::product_type_name("42"), None);
/// ```
#[must_use]
pub fn product_type_name(product_type: &str) -> Option<&'static str> {
    TYPES.iter().find(|(digits, _)| *digits == product_type).map(|(_, name)| *name)
}

/// The types of SIP Trunking and IP Voice Line, whose C-Num is a trunk id and not a number.
pub(crate) const fn charged_is_trunk(product_type: [u8; 2]) -> bool {
    matches!(&product_type, SIP_TRUNKING | IP_VOICE_LINE)
}

pub(crate) const SIP_TRUNKING: &[u8; 2] = b"79";
const IP_VOICE_LINE: &[u8; 2] = b"80";

/// Whether the carrier's table has the product type; `false` for anything but two digits.
#[inline]
pub(crate) fn is_known_type(product_type: [u8; 2]) -> bool {
    /// A bit for each value of the two digits.
    const KNOWN: u128 = {
        let mut known = 0;
        let mut i = 0;
        while i < TYPES.len() {
            let digits = TYPES[i].0.as_bytes();
            known |= 1 << ((digits[0] - b'0') * 10 + (digits[1] - b'0'));
            i += 1;
        }
        known
    };
    let [tens, units] = product_type.map(|digit| digit.wrapping_sub(b'0'));
    tens <= 9 && units <= 9 && KNOWN >> (tens * 10 + units) & 1 == 1
}

/// The name of a file name's product identifier; none if the carrier's table does not have it.
///
/// ```
/// assert_eq!(cdrlake_core::product_name("12"), Some("IN for Resellers"));
/// assert_eq!(cdrlake_core::product_name("01"), None); // the carrier's own example uses it
/// ```
#[must_use]
pub fn product_name(identifier: &str) -> Option<&'static str> {
    PRODUCTS.iter().find(|p| p.identifier.eq_ignore_ascii_case(identifier)).map(|p| p.name)
}

/// The product identifier that a person means: an identifier, a product's name or the API's
/// offering, in any case.
///
/// Anything of one or two letters or digits is taken for an identifier, in the table or not, for
/// the carrier uses some that the table does not have.
///
/// # Errors
///
/// [`UnknownProduct`], which lists the names there are.
///
/// ```
/// use cdrlake_core::parse_product;
///
/// assert_eq!(parse_product("wholesale sip")?, "15");
/// assert_eq!(parse_product("IN For Resellers")?, "12");
/// assert_eq!(parse_product("01")?, "01");
/// assert!(parse_product("SIP Trunk").is_err());
/// # Ok::<(), cdrlake_core::UnknownProduct>(())
/// ```
pub fn parse_product(text: &str) -> Result<String, UnknownProduct> {
    let text = text.trim();
    let named = PRODUCTS.iter().find(|product| {
        product.name.eq_ignore_ascii_case(text)
            || product.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(text))
    });
    match named {
        Some(product) => Ok(product.identifier.to_owned()),
        None if is_identifier(text) => Ok(text.to_owned()),
        None => Err(UnknownProduct(text.to_owned())),
    }
}

/// One or two letters or digits.
pub(crate) fn is_identifier(text: &str) -> bool {
    matches!(text.len(), 1 | 2) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A product that is neither an identifier nor a name of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownProduct(String);

impl std::error::Error for UnknownProduct {}

impl std::fmt::Display for UnknownProduct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unknown product {:?}; give an identifier of two characters or one of", self.0)?;
        for (i, product) in PRODUCTS.iter().enumerate() {
            write!(f, "{} {:?}", if i == 0 { "" } else { "," }, product.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_types_are_those_with_a_name() {
        for value in 0..100 {
            let digits = format!("{value:02}");
            let bytes = digits.as_bytes().try_into().unwrap();
            assert_eq!(is_known_type(bytes), product_type_name(&digits).is_some(), "{digits}");
        }
        assert!(!is_known_type(*b" 0"));
        assert!(!is_known_type([0xFF, 0xFF]));
    }

    #[test]
    fn products_go_by_every_name() {
        for product in &PRODUCTS {
            assert_eq!(parse_product(product.identifier).unwrap(), product.identifier);
            assert_eq!(parse_product(&product.name.to_uppercase()).unwrap(), product.identifier);
            assert_eq!(product_name(product.identifier), Some(product.name));
        }
        assert_eq!(parse_product("Voice Line (v)").unwrap(), "11");
        assert!(parse_product("").is_err());
        let unknown = parse_product("SIP Trunk").unwrap_err().to_string();
        let names =
            "one of \"Voice Line\", \"SIP Trunking\", \"IP Voice Line\", \"IN for Resellers\"";
        assert!(unknown.starts_with("unknown product \"SIP Trunk\"; "), "{unknown}");
        assert!(unknown.contains(names), "{unknown}");
    }
}
