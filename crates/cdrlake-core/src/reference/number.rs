//! Numbers as E.164: the contract's section 3, rule by rule.

fn calling_code(country: &str) -> &'static str {
    match country {
        "AT" => "43",
        "BE" => "32",
        "CA" | "US" => "1",
        "CH" => "41",
        "CZ" => "420",
        "DE" => "49",
        "DK" => "45",
        "ES" => "34",
        "FI" => "358",
        "FR" => "33",
        "GB" => "44",
        "HK" => "852",
        "IE" => "353",
        "IT" => "39",
        "JP" => "81",
        "LU" => "352",
        "NL" => "31",
        "NO" => "47",
        "PL" => "48",
        "PT" => "351",
        "RO" => "40",
        "SE" => "46",
        "SK" => "421",
        _ => "",
    }
}

/// The E.164 form of a party's number, or of a service's.
pub(super) fn number(
    number: &str,
    is_party: bool,
    product_type: &str,
    country: Option<&str>,
) -> Option<String> {
    let number = number.to_lowercase();
    let digits = number.trim_end_matches('x');
    let (sign, digits) = match digits.strip_prefix('+') {
        Some(digits) => ("+", digits),
        None => ("", digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    let with_code = ["CZ", "PL", "RO", "SK", "LU", "FI", "NO", "JP"];
    let e164 = if sign == "+" {
        number
    } else if let Some(international) = number.strip_prefix("00") {
        format!("+{international}")
    } else if is_party
        && product_type == "79"
        && country.is_some_and(|country| with_code.contains(&country))
        && !number.starts_with('0')
    {
        format!("+{number}")
    } else {
        let country = country?;
        let code = calling_code(country);
        match (number.starts_with('0'), country) {
            (true, "IT") => format!("+39{number}"),
            (true, _) => format!("+{code}{}", &number[1..]),
            (false, "IT") if number.starts_with("39") && number.len() >= 11 => format!("+{number}"),
            (false, "IT") => format!("+39{number}"),
            (false, _) if number.starts_with(code) && number.len() - code.len() >= 7 => {
                format!("+{number}")
            }
            (false, _) => return None,
        }
    };
    (7..=15).contains(&(e164.len() - 1)).then_some(e164)
}
