//! How long calls lasted: counts from which any percentile can be told, in bounded memory.

use std::collections::BTreeMap;

/// Durations below this, in tenths of a second, are counted each: six hours, above which the carrier
/// splits a call.
const EXACT: usize = 6 * 3600 * 10;

/// Longer ones are counted by the minute.
const MINUTE: u32 = 600;

/// Counts of durations.
#[derive(Clone, Debug, Default)]
pub(super) struct Durations {
    /// By tenths; as long as the longest so far needs.
    short: Vec<u64>,
    /// By minutes.
    long: BTreeMap<u32, u64>,
    count: u64,
    longest: u32,
}

impl Durations {
    pub(super) fn add(&mut self, tenths: u32) {
        let index = tenths as usize;
        if index < EXACT {
            if index >= self.short.len() {
                self.short.resize((index + 1).next_power_of_two().min(EXACT), 0);
            }
            self.short[index] += 1;
        } else {
            *self.long.entry(tenths / MINUTE).or_default() += 1;
        }
        self.count += 1;
        self.longest = self.longest.max(tenths);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.short.len() < other.short.len() {
            self.short.resize(other.short.len(), 0);
        }
        for (sum, count) in self.short.iter_mut().zip(&other.short) {
            *sum += count;
        }
        for (&minute, count) in &other.long {
            *self.long.entry(minute).or_default() += count;
        }
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    /// The shortest duration, in tenths, that so many of a hundred are not longer than: exact below
    /// six hours, else up to a minute too long. None of nothing.
    pub(super) fn percentile(&self, percent: u64) -> Option<u32> {
        let rank = (u128::from(self.count) * u128::from(percent)).div_ceil(100).max(1);
        let short = self.short.iter().enumerate().map(|(tenths, &count)| (tenths as u32, count));
        let longest = self.longest;
        let long = self.long.iter().map(|(minute, &count)| {
            (minute.saturating_mul(MINUTE).saturating_add(MINUTE - 1).min(longest), count)
        });
        let mut counted = 0;
        short.chain(long).find_map(|(tenths, count)| {
            counted += u128::from(count);
            (counted >= rank).then_some(tenths)
        })
    }

    /// In tenths; none of nothing.
    pub(super) fn longest(&self) -> Option<u32> {
        (self.count > 0).then_some(self.longest)
    }

    /// How many lasted no time.
    pub(super) fn zero(&self) -> u64 {
        self.short.first().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The nearest rank, by sorting.
    fn sorted_percentile(values: &mut [u32], percent: usize) -> u32 {
        values.sort_unstable();
        values[(values.len() * percent).div_ceil(100).max(1) - 1]
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_values() {
        let mut random = fastrand::Rng::with_seed(8);
        for len in [1, 2, 3, 99, 100, 101, 5000] {
            let mut values: Vec<u32> = (0..len).map(|_| random.u32(0..216_000)).collect();
            let (mut whole, mut half) = (Durations::default(), Durations::default());
            for (index, &value) in values.iter().enumerate() {
                if index % 2 == 0 { whole.add(value) } else { half.add(value) }
            }
            whole.merge(&half);
            for percent in [0, 1, 10, 50, 75, 90, 99, 100] {
                let expected = sorted_percentile(&mut values, percent as usize);
                assert_eq!(whole.percentile(percent), Some(expected), "{percent} of {len}");
            }
            assert_eq!(whole.longest(), values.iter().copied().max());
        }
    }

    #[test]
    fn long_calls_are_told_to_the_minute() {
        let mut durations = Durations::default();
        let values = [215_999, 216_000, 300_000, 99_999_999];
        values.into_iter().for_each(|tenths| durations.add(tenths));
        assert_eq!(durations.percentile(25), Some(215_999));
        for (percent, exact) in [(50, 216_000), (75, 300_000), (100, 99_999_999)] {
            let told = durations.percentile(percent).unwrap();
            assert!((exact..exact + MINUTE).contains(&told), "{told}");
        }
        assert_eq!(Durations::default().percentile(50), None);
        assert_eq!((durations.zero(), durations.longest()), (0, Some(99_999_999)));
    }
}
