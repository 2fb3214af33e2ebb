//! Which offering of the carrier's API brings the files of which product.

use cdrlake_core::parse_product;
use cdrlake_fetch::{Offering, ParameterError};

/// Finds the offering of the carrier's API that a person, or a lake, means: by the name that the API
/// has for it, or by the name or identifier that the product has in names of files; in any case.
///
/// # Errors
///
/// [`ParameterError`], which lists the offerings there are. The API has none for some products.
///
/// ```
/// use cdrlake_sync::parse_offering;
///
/// assert_eq!(parse_offering("sip trunking")?.as_str(), "SIP Trunking");
/// assert_eq!(parse_offering("15")?.as_str(), "Wholesale SIP");
/// assert!(parse_offering("01").is_err());
/// # Ok::<(), cdrlake_fetch::ParameterError>(())
/// ```
pub fn parse_offering(text: &str) -> Result<Offering, ParameterError> {
    let wrong = match text.parse() {
        Ok(offering) => return Ok(offering),
        Err(error) => error,
    };
    let identifier = parse_product(text).map_err(|_| wrong)?;
    let name = match identifier.as_str() {
        "00" => "Voice Line",
        "10" => "SIP Trunking",
        "11" => "IP Voice Line",
        "12" => "IN For Resellers",
        "15" => "Wholesale SIP",
        "19" => "CIC for Resellers",
        "20" => "CIC Opc Reseller",
        _ => return Err(wrong),
    };
    name.parse()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_go_by_every_name() {
        for (text, name) in [
            ("sip trunking", "SIP Trunking"),
            ("10", "SIP Trunking"),
            ("Wholesale SIP", "Wholesale SIP"),
            ("geographic number hosting", "Wholesale SIP"),
            ("15", "Wholesale SIP"),
            ("IN for Resellers", "IN For Resellers"),
            ("12", "IN For Resellers"),
            ("Voice Line (v)", "IP Voice Line"),
            ("00", "Voice Line"),
            ("19", "CIC for Resellers"),
            ("20", "CIC Opc Reseller"),
        ] {
            assert_eq!(parse_offering(text).map(|offering| offering.as_str()), Ok(name), "{text}");
        }
        for wrong in ["", "01", "SIP"] {
            let error = parse_offering(wrong).unwrap_err().to_string();
            assert!(error.contains("\"CIC for Resellers\""), "{wrong}");
        }
    }
}
