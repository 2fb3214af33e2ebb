//! The five calls of the billing API, and what any call is to who sends it.

use std::fmt;

use cdrlake_inbox::{NON_USAGE, RATED};
use jiff::civil::Date;

use crate::days::Days;
use crate::endpoint::Endpoint;
use crate::parameters::{AccountNumber, InvoiceNumber, Month, Offering, OrderId, Profile, Year};

/// A request, apart from who asks: where to, and what a person calls it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    /// Not yet escaped.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) accept: &'static str,
    pub(crate) twice: Twice,
    pub(crate) name: String,
}

/// What sending a request twice does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Twice {
    /// No more than sending it once.
    Harmless,
    /// It orders twice.
    Orders,
}

/// Whose unrated records, and of which days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// `serviceProfile`.
    pub profile: Profile,
    /// `productOffering`.
    pub offering: Offering,
    /// `fromDate` and `toDate`.
    pub days: Days,
}

/// Whose bill, and which; the carrier chooses where something is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// `OCN`.
    pub ocn: AccountNumber,
    /// `BCN`.
    pub bcn: Option<AccountNumber>,
    /// `invoiceNumber`.
    pub invoice: Option<InvoiceNumber>,
    /// `month`.
    pub month: Option<Month>,
    /// `year`.
    pub year: Option<Year>,
}

/// A call of the billing API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `GET unratedCallDetailRecord`: the files of some days (section 4.1).
    Unrated(Usage),
    /// `POST generateConsolidatedUnratedCallDetailRecord`: orders one file of some days (section
    /// 4.2).
    Order(Usage),
    /// `GET consolidatedUnratedCallDetailRecord`: the file that was ordered (section 4.3).
    Consolidated {
        /// `serviceProfile`.
        profile: Profile,
        /// `orderID`.
        order_id: OrderId,
    },
    /// `GET ratedCallDetailRecord`: a month's rated records (section 5).
    Rated(Bill),
    /// `GET nonUsageReport`: a month's charges besides calls (section 6).
    NonUsage(Bill),
}

impl Operation {
    /// `GET` or `POST`.
    #[must_use]
    pub fn method(&self) -> &'static str {
        if self.is_order() { "POST" } else { "GET" }
    }

    /// The last part of the path.
    #[must_use]
    pub fn resource(&self) -> &'static str {
        match self {
            Self::Unrated(_) => "unratedCallDetailRecord",
            Self::Order(_) => "generateConsolidatedUnratedCallDetailRecord",
            Self::Consolidated { .. } => "consolidatedUnratedCallDetailRecord",
            Self::Rated(_) => "ratedCallDetailRecord",
            Self::NonUsage(_) => "nonUsageReport",
        }
    }

    /// The query, in the order of the documents, not yet escaped.
    #[must_use]
    pub fn query(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Unrated(usage) | Self::Order(usage) => vec![
                ("serviceProfile", usage.profile.to_string()),
                ("productOffering", usage.offering.to_string()),
                ("fromDate", usage.days.from().to_string()),
                ("toDate", usage.days.to().to_string()),
            ],
            Self::Consolidated { profile, order_id } => {
                vec![("serviceProfile", profile.to_string()), ("orderID", order_id.to_string())]
            }
            Self::Rated(bill) | Self::NonUsage(bill) => {
                let optional = [
                    ("BCN", bill.bcn.as_ref().map(AccountNumber::to_string)),
                    ("invoiceNumber", bill.invoice.as_ref().map(InvoiceNumber::to_string)),
                    ("month", bill.month.as_ref().map(Month::to_string)),
                    ("year", bill.year.as_ref().map(Year::to_string)),
                ];
                let optional = optional.into_iter().filter_map(|(name, v)| Some((name, v?)));
                std::iter::once(("OCN", bill.ocn.to_string())).chain(optional).collect()
            }
        }
    }

    /// The same call as two, each of about half the days; none if it cannot be cut.
    #[must_use]
    pub fn halves(&self) -> Option<[Self; 2]> {
        let with = |usage: &Usage, days| Usage { days, ..usage.clone() };
        match self {
            Self::Unrated(usage) => {
                Some(usage.days.halves()?.map(|days| Self::Unrated(with(usage, days))))
            }
            Self::Order(usage) => {
                Some(usage.days.halves()?.map(|days| Self::Order(with(usage, days))))
            }
            Self::Consolidated { .. } | Self::Rated(_) | Self::NonUsage(_) => None,
        }
    }

    /// The directory of the inbox that its files are stored in, if not the inbox itself.
    #[must_use]
    pub fn room(&self) -> Option<&'static str> {
        match self {
            Self::Unrated(_) | Self::Order(_) | Self::Consolidated { .. } => None,
            Self::Rated(_) => Some(RATED),
            Self::NonUsage(_) => Some(NON_USAGE),
        }
    }

    /// What is sent for it.
    pub(crate) fn call(&self, endpoint: &Endpoint) -> Call {
        let query = self.query().into_iter().map(|(name, value)| (name.to_owned(), value));
        Call {
            method: self.method(),
            url: endpoint.billing_url(self.resource()),
            query: query.collect(),
            accept: "*/*",
            twice: if self.is_order() { Twice::Orders } else { Twice::Harmless },
            name: self.to_string(),
        }
    }

    fn is_order(&self) -> bool {
        matches!(self, Self::Order(_))
    }

    /// The name of the file it brings, without hash and extension, where the server gives none.
    pub(crate) fn file_stem(&self) -> String {
        let rest = match self {
            Self::Unrated(usage) | Self::Order(usage) => {
                format!("{}_{}_{}", usage.profile, usage.days.from(), usage.days.to())
            }
            Self::Consolidated { profile, order_id } => format!("{profile}_{order_id}"),
            Self::Rated(bill) | Self::NonUsage(bill) => match bill_days(bill) {
                Some((from, to)) => format!("{}_{from}_{to}", bill.ocn),
                None => bill.ocn.to_string(),
            },
        };
        format!("{}_{rest}", self.resource())
    }
}

/// The days of a bill's month, if both month and year are given.
fn bill_days(bill: &Bill) -> Option<(Date, Date)> {
    let (month, year) = (bill.month?, bill.year.as_ref()?);
    let month = Month::ALL.iter().position(|name| *name == month.as_str())? + 1;
    let from = Date::new(year.as_str().parse().ok()?, i8::try_from(month).ok()?, 1).ok()?;
    Some((from, from.last_of_month()))
}

impl fmt::Display for Operation {
    /// What a person calls it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unrated(usage) => write!(f, "unrated {usage}"),
            Self::Order(usage) => write!(f, "order of consolidated {usage}"),
            Self::Consolidated { profile, order_id } => {
                write!(f, "consolidated {profile}, order {order_id}")
            }
            Self::Rated(bill) => write!(f, "rated {bill}"),
            Self::NonUsage(bill) => write!(f, "non-usage {bill}"),
        }
    }
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {}", self.profile, self.offering, self.days)
    }
}

impl fmt::Display for Bill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ocn)?;
        for part in [
            self.bcn.as_ref().map(AccountNumber::as_str),
            self.invoice.as_ref().map(InvoiceNumber::as_str),
            self.month.as_ref().map(Month::as_str),
            self.year.as_ref().map(Year::as_str),
        ]
        .into_iter()
        .flatten()
        {
            write!(f, " {part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn usage() -> Usage {
        Usage {
            profile: "ABC".parse().unwrap(),
            offering: "sip trunking".parse().unwrap(),
            days: Days::new(date(2026, 11, 1), date(2026, 11, 7)).unwrap(),
        }
    }

    fn bill() -> Bill {
        Bill {
            ocn: "O123".parse().unwrap(),
            bcn: None,
            invoice: None,
            month: Some("feb".parse().unwrap()),
            year: Some("2024".parse().unwrap()),
        }
    }

    #[test]
    fn calls_are_those_of_the_documents() {
        let order_id = "2023092012".parse().unwrap();
        let consolidated = Operation::Consolidated { profile: usage().profile, order_id };
        let days = "serviceProfile=ABC productOffering=SIP Trunking fromDate=2026-11-01 \
                    toDate=2026-11-07";
        for (operation, method, resource, query) in [
            (Operation::Unrated(usage()), "GET", "unratedCallDetailRecord", days),
            (
                Operation::Order(usage()),
                "POST",
                "generateConsolidatedUnratedCallDetailRecord",
                days,
            ),
            (
                consolidated,
                "GET",
                "consolidatedUnratedCallDetailRecord",
                "serviceProfile=ABC orderID=2023092012",
            ),
            (
                Operation::Rated(bill()),
                "GET",
                "ratedCallDetailRecord",
                "OCN=O123 month=Feb year=2024",
            ),
            (
                Operation::NonUsage(Bill {
                    bcn: Some("B1".parse().unwrap()),
                    invoice: Some("I 1".parse().unwrap()),
                    ..bill()
                }),
                "GET",
                "nonUsageReport",
                "OCN=O123 BCN=B1 invoiceNumber=I 1 month=Feb year=2024",
            ),
        ] {
            let written: Vec<String> =
                operation.query().iter().map(|(name, value)| format!("{name}={value}")).collect();
            assert_eq!(
                (operation.method(), operation.resource(), written.join(" ").as_str()),
                (method, resource, query)
            );
        }
    }

    #[test]
    fn file_names_tell_what_was_asked_for() {
        for (operation, stem) in [
            (Operation::Unrated(usage()), "unratedCallDetailRecord_ABC_2026-11-01_2026-11-07"),
            (Operation::Rated(bill()), "ratedCallDetailRecord_O123_2024-02-01_2024-02-29"),
            (Operation::NonUsage(Bill { month: None, ..bill() }), "nonUsageReport_O123"),
        ] {
            assert_eq!(operation.file_stem(), stem);
        }
    }

    #[test]
    fn only_ranges_of_days_can_be_halved() {
        let [first, second] = Operation::Unrated(usage()).halves().unwrap();
        assert_eq!(first.to_string(), "unrated ABC SIP Trunking, 2026-11-01 to 2026-11-03");
        assert_eq!(second.to_string(), "unrated ABC SIP Trunking, 2026-11-04 to 2026-11-07");
        assert!(Operation::Rated(bill()).halves().is_none());
    }
}
