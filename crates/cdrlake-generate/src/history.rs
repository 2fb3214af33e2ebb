//! A history of deliveries: files as the carrier would have left them, day by day (section 4.4).

use std::collections::BTreeSet;

use jiff::civil::{Date, DateTime};

use crate::calls::Calls;
use crate::product::Product;
use crate::profile::Profile;
use crate::random::Random;
use crate::span::{Span, SpanError};
use crate::{Country, Damage};

/// Deliveries of a product to a reseller.
#[derive(Clone, Debug)]
pub struct History {
    /// Whose numbering plan and habits they follow.
    pub country: Country,
    /// Which product's.
    pub product: Product,
    /// The reseller.
    pub profile: Profile,
    /// The day of the first delivery.
    pub first_day: Date,
    /// How many deliveries were due.
    pub files: u64,
    /// The first one's sequence number; after 9999 comes 0.
    pub first_sequence: u16,
    /// How many of them are missing, never the first or the last.
    pub gaps: u64,
    /// How many records all files have together.
    pub records: u64,
    /// Chooses the records and what is missing.
    pub seed: u64,
    /// What is wrong with records.
    pub damage: Damage,
}

/// A file of a history.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its name, up to `.cdr`.
    pub name: String,
    /// What is in it.
    pub calls: Calls,
}

impl History {
    /// Its files, in order.
    ///
    /// Each has the calls since the one before it: that of 9 AM those since 4 PM of the day before,
    /// that of 5 PM those since 8 AM. Luxembourg, the Czech Republic, Slovakia and Romania have one
    /// a day.
    ///
    /// # Errors
    ///
    /// [`SpanError`], if it does not fit in the years 1900 to 2100.
    pub fn deliveries(
        &self,
    ) -> Result<impl Iterator<Item = Result<Delivery, SpanError>> + '_, SpanError> {
        // Too many files are found out before any is counted.
        if let Some(last) = self.files.checked_sub(1) {
            self.window(last)?;
        }
        let missing = self.missing();
        let mut total = 0_u128;
        for index in (0..self.files).filter(|index| !missing.contains(index)) {
            total += u128::from(self.window(index)?.span.share());
        }
        let records = u128::from(self.records);
        let mut shares = 0;
        let delivered = (0..self.files).filter(move |index| !missing.contains(index));
        Ok(delivered.map(move |index| {
            let window = self.window(index)?;
            let before = records * shares / total.max(1);
            shares += u128::from(window.span.share());
            let calls = Calls {
                country: self.country,
                product: self.product,
                profile: self.profile.clone(),
                records: (records * shares / total.max(1) - before) as u64,
                seed: Random::of_part(self.seed, index).next(),
                damage: self.damage.clone(),
                span: window.span,
            };
            Ok(Delivery { name: self.name(index, window.made), calls })
        }))
    }

    /// Which of the deliveries that were due are not there.
    fn missing(&self) -> BTreeSet<u64> {
        let between = self.files.saturating_sub(2);
        let mut random = Random::of_part(self.seed, u64::MAX);
        let mut missing = BTreeSet::new();
        // Each subset of that size as likely, in as many steps as it has members.
        for last in between - self.gaps.min(between)..between {
            let chosen = random.below(last + 1);
            missing.insert(1 + if missing.contains(&(1 + chosen)) { last } else { chosen });
        }
        missing
    }

    fn window(&self, index: u64) -> Result<Window, SpanError> {
        let is_daily = ["CZ", "LU", "RO", "SK"].contains(&self.country.code());
        let (days, is_afternoon) =
            if is_daily { (index, false) } else { (index / 2, index % 2 == 1) };
        let days = i64::try_from(days).map_err(|_| SpanError::OutOfRange)?;
        let days = jiff::Span::new().try_days(days).map_err(|_| SpanError::OutOfRange)?;
        let day = self.first_day.checked_add(days).map_err(|_| SpanError::OutOfRange)?;
        let day_before = day.yesterday().map_err(|_| SpanError::OutOfRange)?;
        let (begins, hours, made) = match (is_daily, is_afternoon) {
            (true, _) => (day_before.at(8, 0, 0, 0), 24, 9),
            (false, false) => (day_before.at(16, 0, 0, 0), 16, 9),
            (false, true) => (day.at(8, 0, 0, 0), 8, 17),
        };
        let second = Random::of_part(self.seed ^ 1, index).below(60) as i8;
        Ok(Window { span: Span::new(begins, hours)?, made: day.at(made, 1, second, 0) })
    }

    fn name(&self, index: u64, made: DateTime) -> String {
        let sequence = (u64::from(self.first_sequence) + index) % 10_000;
        format!(
            "{}_{}_{}_{sequence:04}_{}.cdr",
            self.country,
            self.profile,
            self.product.identifier(),
            made.strftime("%Y%m%d%H%M%S")
        )
    }
}

/// What a delivery covers, and when it was made.
struct Window {
    span: Span,
    made: DateTime,
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn history(country: &str, files: u64, gaps: u64) -> History {
        History {
            country: country.parse().unwrap(),
            product: Product::SipTrunking,
            profile: "ABC".parse().unwrap(),
            first_day: date(2025, 10, 1),
            files,
            first_sequence: 9998,
            gaps,
            records: 10_000,
            seed: 1,
            damage: Damage::default(),
        }
    }

    fn names(history: &History) -> Vec<String> {
        history.deliveries().unwrap().map(|delivery| delivery.unwrap().name).collect()
    }

    #[test]
    fn two_files_a_day_or_one() {
        let starts = |names: &[String]| -> Vec<String> {
            names.iter().map(|name| name[..27].to_owned()).collect()
        };
        let twice = names(&history("GB", 4, 0));
        assert_eq!(
            starts(&twice),
            [
                "GB_ABC_10_9998_202510010901",
                "GB_ABC_10_9999_202510011701",
                "GB_ABC_10_0000_202510020901",
                "GB_ABC_10_0001_202510021701"
            ]
            .map(str::to_owned)
        );
        let once = names(&history("LU", 2, 0));
        assert!(once[0].starts_with("LU_ABC_10_9998_202510010901"), "{once:?}");
        assert!(once[1].starts_with("LU_ABC_10_9999_202510020901"), "{once:?}");
    }

    #[test]
    fn every_record_is_in_a_file_and_gaps_are_inside() {
        for gaps in [0, 1, 7, 18, 100] {
            let history = history("GB", 20, gaps);
            let deliveries: Vec<Delivery> =
                history.deliveries().unwrap().collect::<Result<_, _>>().unwrap();
            assert_eq!(deliveries.len() as u64, 20 - gaps.min(18));
            assert_eq!(
                deliveries.iter().map(|delivery| delivery.calls.records).sum::<u64>(),
                10_000
            );
            assert!(deliveries[0].name.contains("_9998_"));
            assert!(deliveries.last().unwrap().name.contains("_0017_"));
        }
        let mut too_late = history("GB", 4, 0);
        too_late.first_day = date(2100, 12, 31);
        assert!(too_late.deliveries().is_err());
        too_late.files = u64::MAX;
        too_late.gaps = u64::MAX;
        assert!(too_late.deliveries().is_err());
    }
}
