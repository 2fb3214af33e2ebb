//! Chance that is the same everywhere: a small generator, and the distributions that calls follow.
//!
//! Only integers go into it, so that a seed gives the same bytes on every machine.

/// SplitMix64: small, and the same everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A stream of its own for each part of what is generated, so that any part can be made alone.
    pub(crate) fn of_part(seed: u64, part: u64) -> Self {
        let mut random = Self(seed);
        let seed = random.next();
        let mut random = Self(seed ^ part.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        Self(random.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// Below `limit`, each value as often.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// Whether one of `of` chances came.
    pub(crate) fn one_in(&mut self, of: u64) -> bool {
        self.below(of) == 0
    }

    /// One of `values`, each as often.
    pub(crate) fn choice<T: Copy>(&mut self, values: &[T]) -> Option<T> {
        values.get(self.below(values.len() as u64) as usize).copied()
    }

    /// Below `limit`, about as often as its inverse: Zipf's law, by a range that ends at a random
    /// power of two.
    pub(crate) fn zipf(&mut self, limit: u64) -> u64 {
        let bits = u64::from(limit.max(1).ilog2());
        let ends_at = 1 << self.below(bits + 1);
        self.below(limit.min(ends_at * 2))
    }

    /// Log-normal, in the unit of `median`: half of all values are below it, two of three within a
    /// factor of about four.
    pub(crate) fn log_normal(&mut self, median: u64) -> u64 {
        /// How many doublings a standard deviation is, in 65,536ths.
        const DEVIATION: i64 = 2 << 16;
        // Twelve uniform values of 16 bits less their mean: nearly normal, of deviation 65,536.
        let words = [self.next(), self.next(), self.next()];
        let sum: u64 =
            words.iter().map(|word| (0..4).map(|i| word >> (16 * i) & 0xFFFF).sum::<u64>()).sum();
        let normal = sum as i64 - 6 * 65_536;
        let doublings = (normal * DEVIATION) >> 16;
        let (whole, fraction) = (doublings >> 16, (doublings & 0xFFFF) as usize);
        let scaled = median * EXP2[fraction >> 8];
        let shift = 32 - whole;
        if (0..64).contains(&shift) { scaled >> shift } else { u64::MAX >> 32 }
    }
}

/// 2 to the power of each 256th below one, in 2^-32.
const EXP2: [u64; 256] = {
    /// 2 to the power of a 256th, in 2^-60.
    const STEP: u128 = 1_156_047_391_917_129_430;
    let mut table = [0; 256];
    let (mut i, mut power) = (0, 1 << 60);
    while i < table.len() {
        table[i] = (power >> 28) as u64;
        power = (power * STEP) >> 60;
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_of_two() {
        for (i, &power) in EXP2.iter().enumerate() {
            let exact = (i as f64 / 256.0).exp2() * 4_294_967_296.0;
            assert!((power as f64 - exact).abs() < 4.0, "{i}: {power} instead of {exact}");
        }
    }

    #[test]
    fn log_normal_values_have_their_median_and_spread() {
        let mut random = Random::new(1);
        let mut values: Vec<u64> = (0..100_000).map(|_| random.log_normal(600)).collect();
        values.sort_unstable();
        let quantile = |percent: usize| values[values.len() * percent / 100];
        assert!((580..=620).contains(&quantile(50)), "{}", quantile(50));
        // A standard deviation is two doublings.
        assert!((2300..=2500).contains(&quantile(84)), "{}", quantile(84));
        assert!((140..=160).contains(&quantile(16)), "{}", quantile(16));
    }

    #[test]
    fn few_values_are_common() {
        const LIMIT: u64 = 100_000;
        let mut random = Random::new(1);
        let mut counts = vec![0_u32; LIMIT as usize];
        (0..1_000_000).for_each(|_| counts[random.zipf(LIMIT) as usize] += 1);
        let share = |values: &[u32]| values.iter().sum::<u32>() as f64 / 1_000_000.0;
        assert!((0.3..0.5).contains(&share(&counts[..100])), "{}", share(&counts[..100]));
        assert!(share(&counts[50_000..]) > 0.01);
    }

    #[test]
    fn parts_have_streams_of_their_own() {
        let firsts: std::collections::BTreeSet<u64> = (0..1000)
            .flat_map(|seed| (0..100).map(move |part| Random::of_part(seed, part).next()))
            .collect();
        assert_eq!(firsts.len(), 100_000);
    }
}
