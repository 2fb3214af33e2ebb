//! Numbers of nobody: ranges that numbering plans set aside for drama, or leave unassigned.
//!
//! Where numbers are set aside for film, television and print, one subscriber in eight has one:
//!
//! | country | whose decision | numbers |
//! |---|---|---|
//! | CA, US | the North American Numbering Plan | 555 0100 to 0199 in each area code |
//! | DE | Bundesnetzagentur, notice 148/2021 | 000 to 999 behind (0)30 23125, (0)69 90009, (0)40 66969, (0)221 4710 and (0)89 99998 |
//! | FR | Arcep, decision 2018-0881 | 01 99 00, 02 61 91, 03 53 01, 04 65 71, 05 36 49 and 06 39 98, four digits behind each |
//! | GB | Ofcom, telephone numbers for drama | 000 to 999 behind 01632 960, 020 7946 0, 0113, 0121 and 0161 496 0, 07700 900, 03069 990 and, freephone, 08081 570 |
//! | IE | ComReg, numbering conditions | 020 91, five digits behind it |
//! | SE | PTS | 070 174 06 05 to 06 99 |
//!
//! They are few, so all others have numbers of a range that the country's plan leaves unassigned, and
//! where no numbers are known to be set aside (AT, BE, CH, CZ, DK, ES, FI, HK, IT, JP, LU, NL, NO, PL,
//! PT, RO, SK), all have. In the unassigned ranges libphonenumber (9.0.43) knows no valid number.

use cdrlake_core::Country;

use crate::text::Text;

/// Numbers that follow each other: a prefix and digits behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first digits, without the trunk prefix 0 (in Italy, with the 0 that belongs to it).
    pub prefix: &'static str,
    /// How many digits follow them.
    pub digits: usize,
    /// What they are for the first number.
    pub first: u64,
    /// How many numbers there are.
    pub count: u64,
}

impl Range {
    /// All numbers of `digits` digits behind `prefix`.
    const fn all(prefix: &'static str, digits: usize) -> Self {
        Self { prefix, digits, first: 0, count: 10_u64.pow(digits as u32) }
    }
}

/// A country's numbers of nobody.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    code: &'static str,
    calling_code: &'static str,
    /// What the plan leaves unassigned.
    pub unassigned: Range,
    /// What it sets aside for drama.
    pub drama: &'static [Range],
    /// Freephone numbers that it sets aside for drama.
    pub freephone: Option<Range>,
}

const fn plan(
    code: &'static str,
    calling_code: &'static str,
    prefix: &'static str,
    digits: usize,
) -> Plan {
    Plan { code, calling_code, unassigned: Range::all(prefix, digits), drama: &[], freephone: None }
}

/// A line of each area code of the North American plan: 555 0100 to 555 0199.
const FICTION: &[Range] = &[
    Range::all("20255501", 2),
    Range::all("21255501", 2),
    Range::all("31255501", 2),
    Range::all("41555501", 2),
    Range::all("61355501", 2),
    Range::all("41655501", 2),
];

#[rustfmt::skip]
const PLANS: [Plan; 24] = [
    plan("AT", "43", "97", 8),
    plan("BE", "32", "41", 7),
    Plan { drama: FICTION, ..plan("CA", "1", "29", 8) },
    plan("CH", "41", "93", 7),
    plan("CZ", "420", "86", 7),
    Plan {
        drama: &[
            Range::all("3023125", 3), Range::all("6990009", 3), Range::all("4066969", 3),
            Range::all("2214710", 3), Range::all("8999998", 3),
        ],
        ..plan("DE", "49", "165", 7)
    },
    plan("DK", "45", "84", 6),
    plan("ES", "34", "46", 7),
    plan("FI", "358", "12", 7),
    Plan {
        drama: &[
            Range::all("19900", 4), Range::all("26191", 4), Range::all("35301", 4),
            Range::all("46571", 4), Range::all("53649", 4), Range::all("63998", 4),
        ],
        ..plan("FR", "33", "40", 7)
    },
    Plan {
        drama: &[
            Range::all("1632960", 3), Range::all("2079460", 3), Range::all("1134960", 3),
            Range::all("1214960", 3), Range::all("1614960", 3), Range::all("7700900", 3),
            Range::all("3069990", 3),
        ],
        freephone: Some(Range::all("8081570", 3)),
        ..plan("GB", "44", "4", 9)
    },
    plan("HK", "852", "87", 6),
    Plan { drama: &[Range::all("2091", 5)], ..plan("IE", "353", "3", 8) },
    plan("IT", "39", "0378", 6),
    plan("JP", "81", "21", 7),
    plan("LU", "352", "96", 6),
    plan("NL", "31", "42", 7),
    plan("NO", "47", "60", 6),
    plan("PL", "48", "35", 7),
    plan("PT", "351", "5", 8),
    plan("RO", "40", "5", 8),
    Plan {
        drama: &[Range { prefix: "701740", digits: 3, first: 605, count: 95 }],
        ..plan("SE", "46", "71", 7)
    },
    plan("SK", "421", "7", 8),
    Plan { drama: FICTION, ..plan("US", "1", "29", 8) },
];

impl Plan {
    /// A country's.
    #[must_use]
    pub fn of(country: Country) -> &'static Self {
        let plan = PLANS.iter().find(|plan| plan.code == country.code());
        plan.unwrap_or(&PLANS[0])
    }

    /// A country other than this one, for calls abroad: `index` of them all.
    pub(crate) fn abroad(&self, index: u64) -> &'static Self {
        let plan = &PLANS[index as usize % PLANS.len()];
        if plan.code == self.code { &PLANS[(index as usize + 1) % PLANS.len()] } else { plan }
    }

    /// The number of a subscriber: the same for the same index, another for most others.
    pub(crate) fn subscriber(&self, index: u64) -> Number {
        match self.drama {
            [_, ..] if index % 8 == 7 => {
                let index = index / 8;
                let range = self.drama[index as usize % self.drama.len()];
                Number::of(self, range, index / self.drama.len() as u64)
            }
            _ => Number::of(self, self.unassigned, index),
        }
    }

    /// The number of an IN service.
    pub(crate) fn service(&self, index: u64) -> Number {
        // Apart from the subscribers', of which there are fewer.
        Number::of(self, self.freephone.unwrap_or(self.unassigned), 90_000_000 + index)
    }
}

/// A national number of nobody.
#[derive(Clone, Copy)]
pub(crate) struct Number {
    calling_code: &'static str,
    keeps_leading_zero: bool,
    national: Text,
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// With the trunk prefix 0.
    National,
    /// With 00 and the country code.
    International,
    /// With the country code only.
    CountryCode,
}

impl Number {
    fn of(plan: &Plan, range: Range, index: u64) -> Self {
        // An odd factor that 5 does not divide spreads neighbours over a range of decimal digits.
        let scattered = range.first + index.wrapping_mul(0x9E37_79B9) % range.count;
        let mut national = Text::default();
        national.push(range.prefix).push_digits(scattered, range.digits);
        Self { calling_code: plan.calling_code, keeps_leading_zero: plan.code == "IT", national }
    }

    pub(crate) fn in_form(&self, form: Form) -> Text {
        let mut text = Text::default();
        match form {
            Form::National if self.keeps_leading_zero => {}
            Form::National => _ = text.push("0"),
            Form::International => _ = text.push("00").push(self.calling_code),
            Form::CountryCode => _ = text.push(self.calling_code),
        }
        text.push(self.national.as_str());
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_has_its_plan() {
        for country in Country::all() {
            let plan = Plan::of(country);
            assert_eq!((plan.code, plan.calling_code), (country.code(), country.calling_code()));
            assert!((0..100).all(|index| plan.abroad(index).code != plan.code));
        }
    }

    #[test]
    fn subscribers_have_numbers_of_their_own() {
        for plan in &PLANS {
            let numbers: std::collections::BTreeSet<String> = (0..1000)
                .filter(|index| index % 8 != 7)
                .map(|index| {
                    plan.subscriber(index).in_form(Form::International).as_str().to_owned()
                })
                .collect();
            assert_eq!(numbers.len(), 875, "{}", plan.code);
        }
    }

    #[test]
    fn forms() {
        let plan = Plan::of("GB".parse().unwrap());
        let number = Number::of(plan, plan.drama[0], 0);
        assert_eq!(number.in_form(Form::National).as_str(), "01632960000");
        assert_eq!(number.in_form(Form::International).as_str(), "00441632960000");
        assert_eq!(number.in_form(Form::CountryCode).as_str(), "441632960000");
        let plan = Plan::of("IT".parse().unwrap());
        let number = Number::of(plan, plan.unassigned, 0);
        assert_eq!(number.in_form(Form::National).as_str(), "0378000000");
        assert_eq!(number.in_form(Form::International).as_str(), "00390378000000");
    }
}
