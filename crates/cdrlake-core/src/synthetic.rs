//! Synthetic records: seeded, of a realistic shape, and of nobody.
//!
//! Subscribers are in ranges that numbering plans leave unassigned or set aside for drama: British
//! numbers that begin with 04 (unassigned) and 07700 900 (drama), and American 555 01xx (fiction).
//! Only integers go into the choice of values, so a seed gives the same bytes on every machine.

use crate::encode::{EncodeError, Values, encode};
use crate::layout::RECORD_LEN;

/// The name that a file of these records would have.
pub const FILE_NAME: &str = "GB_ABC_10_0001_20251101090122.cdr";

/// British SIP Trunking calls of the 30 days from 2025-10-01, in the order of their minutes.
///
/// Some numbers call often and most rarely, durations have a long tail and some calls are not
/// answered, the hours follow a day's curve. Switches and trunks are few.
///
/// ```
/// use cdrlake_core::synthetic::Calls;
///
/// let first: Vec<_> = Calls::new(42, 1000).take(3).collect();
/// assert!(first.iter().all(|line| line.len() == 229 && line.ends_with(b"0\n")));
/// assert_eq!(first, Calls::new(42, 1000).take(3).collect::<Vec<_>>());
/// ```
#[derive(Clone, Debug)]
pub struct Calls {
    random: Random,
    records: u64,
    next: u64,
}

impl Calls {
    /// So many records, the same for the same seed.
    #[must_use]
    pub fn new(seed: u64, records: u64) -> Self {
        Self { random: Random(seed), records, next: 0 }
    }

    fn record(&mut self) -> Result<[u8; RECORD_LEN], EncodeError> {
        const SWITCHES: [&str; 4] = ["LON", "MAN", "SLO", "BHX"];
        let (day, hour, minute) = self.moment();
        let random = &mut self.random;
        let origin = subscriber(1, random.skewed(1 << 22));
        let destination = match random.below(10) {
            0 => format!("001{}55501{:02}", 201 + random.below(600), random.below(100)),
            1 | 2 => format!("07700900{:03}", random.below(1000)),
            _ => subscriber(5, random.skewed(1 << 24)),
        };
        encode(&Values {
            origin: &origin,
            destination: &destination,
            product_type: "79",
            date: (2025, 10, 1 + day),
            time: (hour, minute, random.below(60) as u8),
            duration_tenths: random.duration_tenths(),
            switch_id: SWITCHES[random.skewed(4) as usize],
            trunk_incoming: &format!("SNCB{:04}", random.skewed(48)),
            trunk_outgoing: &format!("CXLON{:03}", random.skewed(64)),
            account_code: &origin,
            carrier: "ABC",
            ..Values::default()
        })
    }

    /// Day, hour and minute of the next record: its place among all, bent to a day's curve.
    fn moment(&mut self) -> (u8, u8, u8) {
        const DAYS: u128 = 30;
        const MINUTES: u128 = 60;
        /// Shares of a day's calls by hour, in 256ths.
        const HOURS: [u128; 24] =
            [1, 1, 1, 1, 1, 2, 4, 9, 17, 20, 21, 20, 17, 18, 20, 21, 20, 18, 14, 11, 9, 5, 3, 2];
        const SHARES: u128 = 256;
        const _: () = {
            let (mut sum, mut hour) = (0, 0);
            while hour < HOURS.len() {
                sum += HOURS[hour];
                hour += 1;
            }
            assert!(sum == SHARES);
        };
        let place =
            u128::from(self.next) * DAYS * SHARES * MINUTES / u128::from(self.records.max(1));
        self.next += 1;
        let (day, mut rest) = (place / (SHARES * MINUTES), place % (SHARES * MINUTES));
        let mut hour = 0;
        while rest >= HOURS[hour] * MINUTES {
            rest -= HOURS[hour] * MINUTES;
            hour += 1;
        }
        (day as u8, hour as u8, (rest / HOURS[hour]) as u8)
    }
}

impl Iterator for Calls {
    type Item = [u8; RECORD_LEN + 1];

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.records {
            return None;
        }
        // Every value is made to fit its field.
        let record = self.record().unwrap_or([b' '; RECORD_LEN]);
        let mut line = [b'\n'; RECORD_LEN + 1];
        line[..RECORD_LEN].copy_from_slice(&record);
        Some(line)
    }
}

/// An unassigned British number, `04` and nine digits of which the first is from `first` on.
fn subscriber(first: u64, index: u64) -> String {
    const RANGE: u64 = 400_000_000;
    // A fixed odd factor spreads neighbours over the range.
    let scattered = index.wrapping_mul(0x9E37_79B9) % RANGE;
    format!("04{:09}", first * 100_000_000 + scattered)
}

/// SplitMix64: small, and the same everywhere.
#[derive(Clone, Debug)]
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// Below `limit`, a power of two or a little less, small values far more often: a range that
    /// ends at a random power of two.
    fn skewed(&mut self, limit: u64) -> u64 {
        let bits = u64::from(limit.ilog2());
        let ends_at = 1 << (bits / 2 + self.below(bits.div_ceil(2) + 1));
        self.below(limit.min(ends_at))
    }

    /// Linear between quantiles of a long-tailed distribution; one call in sixteen is unanswered.
    fn duration_tenths(&mut self) -> u32 {
        const QUANTILES: [u64; 17] = [
            0, 0, 15, 40, 80, 130, 190, 270, 380, 520, 710, 980, 1_400, 2_100, 3_300, 6_200, 36_000,
        ];
        let at = self.below(16) as usize;
        (QUANTILES[at] + self.below(QUANTILES[at + 1] - QUANTILES[at] + 1)) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Decoder, SourceOptions};

    #[test]
    fn every_record_is_sound_and_every_number_is_normalized() {
        let bytes: Vec<u8> = Calls::new(7, 10_000).flatten().collect();
        let mut options = SourceOptions::from_file_name(FILE_NAME);
        options.batch_size = 10_000;
        let mut decoder = Decoder::new(&options);
        decoder.decode(&bytes, &mut |reject| panic!("{reject}"));
        let batch = decoder.flush().unwrap().unwrap();
        assert_eq!(batch.num_rows(), 10_000);
        assert_eq!(decoder.counts().warnings().count(), 0);
        for name in ["origin_e164", "destination_e164"] {
            assert_eq!(batch.column_by_name(name).unwrap().null_count(), 0, "{name}");
        }
    }

    #[test]
    fn times_span_the_month_in_order() {
        let minutes: Vec<Vec<u8>> =
            Calls::new(7, 100_000).map(|line| line[42..54].to_vec()).collect();
        assert!(minutes.is_sorted());
        assert_eq!(minutes.first().unwrap()[..8], *b"20251001");
        assert_eq!(minutes.last().unwrap()[..8], *b"20251030");
    }
}
