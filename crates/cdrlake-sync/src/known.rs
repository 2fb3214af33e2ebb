//! What a lake has, by the offering that brings it.

use std::collections::BTreeMap;

use cdrlake_fetch::{Deliveries, Offering, Profile};
use cdrlake_lake::Delivery;
use jiff::civil::Date;

use crate::gaps::gaps;
use crate::offering::parse_offering;

/// What a lake has of a profile.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// By the offering's name.
    pub(crate) offerings: BTreeMap<&'static str, (Offering, Deliveries)>,
    /// Identifiers of products for which there is no offering, in order.
    pub(crate) unknown_products: Vec<String>,
}

/// What a lake has of a profile, by the offering that brings it.
pub(crate) fn by_offering(known: &[Delivery], profile: &Profile) -> Known {
    let mut files: BTreeMap<&str, Vec<(Date, &Delivery)>> = BTreeMap::new();
    for delivery in known.iter().filter(|known| known.profile == profile.as_str()) {
        let date = delivery.file_time.get(..10).and_then(|date| date.parse().ok());
        let files = files.entry(&delivery.product_identifier).or_default();
        files.extend(date.map(|date| (date, delivery)));
    }
    let mut known = Known::default();
    for (identifier, files) in files {
        if let Ok(offering) = parse_offering(identifier) {
            let files: Vec<_> =
                files.iter().map(|(date, file)| (*date, file.sequence_number)).collect();
            let days = files.iter().map(|(date, _)| *date).collect();
            let deliveries = Deliveries { days, gaps: gaps(&files) };
            known.offerings.insert(offering.as_str(), (offering, deliveries));
        } else {
            known.unknown_products.push(identifier.to_owned());
        }
    }
    known
}

#[cfg(test)]
mod tests {
    use cdrlake_fetch::Days;
    use jiff::civil::date;

    use super::*;

    #[test]
    fn each_product_has_its_own_numbers() {
        let delivery = |profile: &str, product: &str, day: u8, sequence_number| Delivery {
            profile: profile.to_owned(),
            product_identifier: product.to_owned(),
            file_time: format!("2026-11-{day:02}T09:01:22"),
            sequence_number,
        };
        let known = [
            delivery("ABC", "01", 1, 1),
            delivery("ABC", "10", 1, 1),
            delivery("ABC", "10", 1, 2),
            delivery("ABC", "10", 2, 3),
            delivery("ABC", "15", 1, 1),
            delivery("ABC", "15", 3, 3),
            delivery("XYZ", "12", 1, 1),
        ];
        let Known { offerings, unknown_products } = by_offering(&known, &"ABC".parse().unwrap());
        assert_eq!(unknown_products, ["01"]);
        assert_eq!(offerings.keys().collect::<Vec<_>>(), [&"SIP Trunking", &"Wholesale SIP"]);
        let [first, second, third] = [1, 2, 3].map(|day| date(2026, 11, day));
        let deliveries =
            |days: &[Date], gaps| Deliveries { days: days.iter().copied().collect(), gaps };
        assert_eq!(offerings["SIP Trunking"].1, deliveries(&[first, second], vec![]));
        let gap = Days::new(first, third).unwrap();
        assert_eq!(offerings["Wholesale SIP"].1, deliveries(&[first, third], vec![gap]));
    }
}
