//! The workload of the benchmarks: its bytes never change, so that figures can be compared.
//!
//! Subscribers are in British ranges that are unassigned (numbers that begin with 04) or set aside
//! for drama (07700 900), and American 555 01xx (fiction).

use cdrlake_core::RECORD_LEN;
use cdrlake_core::encode::{EncodeError, Values, encode};

use crate::random::Random;
use crate::text::Text;

/// The name that a file of these records would have.
pub const FILE_NAME: &str = "GB_ABC_10_0001_20251101090122.cdr";

/// British SIP Trunking calls of the 30 days from 2025-10-01, in the order of their minutes.
///
/// Some numbers call often and most rarely, durations have a long tail and some calls are not
/// answered, the hours follow a day's curve. Switches and trunks are few.
///
/// ```
/// use cdrlake_generate::frozen::Calls;
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
    pub const fn new(seed: u64, records: u64) -> Self {
        Self { random: Random::new(seed), records, next: 0 }
    }

    /// Passes over so many records, far faster than making them.
    pub fn skip_records(&mut self, records: u64) {
        for _ in 0..records.min(self.records - self.next) {
            Draw::new(&mut self.random);
            self.next += 1;
        }
    }

    fn record(&mut self) -> Result<[u8; RECORD_LEN], EncodeError> {
        const SWITCHES: [&str; 4] = ["LON", "MAN", "SLO", "BHX"];
        let (day, hour, minute) = moment(self.next, self.records);
        let draw = Draw::new(&mut self.random);
        let origin = subscriber(1, draw.origin);
        let mut destination = Text::default();
        match draw.destination {
            Destination::American { area, line } => {
                destination.push("001").push_digits(area, 3).push("55501").push_digits(line, 2);
            }
            Destination::Drama(line) => {
                destination.push("07700900").push_digits(line, 3);
            }
            Destination::Subscriber(index) => destination = subscriber(5, index),
        }
        let (mut incoming, mut outgoing) = (Text::default(), Text::default());
        incoming.push("SNCB").push_digits(draw.trunks[0], 4);
        outgoing.push("CXLON").push_digits(draw.trunks[1], 3);
        encode(&Values {
            origin: origin.as_str(),
            destination: destination.as_str(),
            product_type: "79",
            date: (2025, 10, 1 + day),
            time: (hour, minute, draw.second),
            duration_tenths: draw.duration_tenths,
            switch_id: SWITCHES[draw.switch],
            trunk_incoming: incoming.as_str(),
            trunk_outgoing: outgoing.as_str(),
            account_code: origin.as_str(),
            carrier: "ABC",
            ..Values::default()
        })
    }
}

/// What chance decides of a record, in the order in which it is asked.
struct Draw {
    origin: u64,
    destination: Destination,
    second: u8,
    duration_tenths: u32,
    switch: usize,
    trunks: [u64; 2],
}

enum Destination {
    American { area: u64, line: u64 },
    Drama(u64),
    Subscriber(u64),
}

impl Draw {
    fn new(random: &mut Random) -> Self {
        let origin = skewed(random, 1 << 22);
        let destination = match random.below(10) {
            0 => Destination::American { area: 201 + random.below(600), line: random.below(100) },
            1 | 2 => Destination::Drama(random.below(1000)),
            _ => Destination::Subscriber(skewed(random, 1 << 24)),
        };
        Self {
            origin,
            destination,
            second: random.below(60) as u8,
            duration_tenths: duration_tenths(random),
            switch: skewed(random, 4) as usize,
            trunks: [skewed(random, 48), skewed(random, 64)],
        }
    }
}

/// Day, hour and minute of a record: its place among all, bent to a day's curve.
fn moment(index: u64, records: u64) -> (u8, u8, u8) {
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
    let place = u128::from(index) * DAYS * SHARES * MINUTES / u128::from(records.max(1));
    let (day, mut rest) = (place / (SHARES * MINUTES), place % (SHARES * MINUTES));
    let mut hour = 0;
    while rest >= HOURS[hour] * MINUTES {
        rest -= HOURS[hour] * MINUTES;
        hour += 1;
    }
    (day as u8, hour as u8, (rest / HOURS[hour]) as u8)
}

impl Iterator for Calls {
    type Item = [u8; RECORD_LEN + 1];

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.records {
            return None;
        }
        // Every value is made to fit its field.
        let record = self.record().unwrap_or([b' '; RECORD_LEN]);
        self.next += 1;
        let mut line = [b'\n'; RECORD_LEN + 1];
        line[..RECORD_LEN].copy_from_slice(&record);
        Some(line)
    }
}

/// An unassigned British number, `04` and nine digits of which the first is from `first` on.
fn subscriber(first: u64, index: u64) -> Text {
    const RANGE: u64 = 400_000_000;
    // A fixed odd factor spreads neighbours over the range.
    let scattered = index.wrapping_mul(0x9E37_79B9) % RANGE;
    let mut number = Text::default();
    number.push("04").push_digits(first * 100_000_000 + scattered, 9);
    number
}

/// Below `limit`, a power of two or a little less, small values far more often: a range that ends
/// at a random power of two.
fn skewed(random: &mut Random, limit: u64) -> u64 {
    let bits = u64::from(limit.ilog2());
    let ends_at = 1 << (bits / 2 + random.below(bits.div_ceil(2) + 1));
    random.below(limit.min(ends_at))
}

/// Linear between quantiles of a long-tailed distribution; one call in sixteen is unanswered.
fn duration_tenths(random: &mut Random) -> u32 {
    const QUANTILES: [u64; 17] =
        [0, 0, 15, 40, 80, 130, 190, 270, 380, 520, 710, 980, 1_400, 2_100, 3_300, 6_200, 36_000];
    let at = random.below(16) as usize;
    (QUANTILES[at] + random.below(QUANTILES[at + 1] - QUANTILES[at] + 1)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use cdrlake_core::{Decoder, SourceOptions};

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

    /// The checksum was written down once; another workload takes another name, not another sum.
    #[test]
    fn no_byte_has_changed() {
        let mut checksum = flate2::Crc::new();
        Calls::new(42, 100_000).for_each(|line| checksum.update(&line));
        assert_eq!((checksum.amount(), checksum.sum()), (22_900_000, 0xFAD4_DA96));
    }

    #[test]
    fn skipped_records_are_those_that_would_have_come() {
        let all: Vec<_> = Calls::new(3, 5000).collect();
        let mut calls = Calls::new(3, 5000);
        calls.skip_records(1700);
        assert!(calls.by_ref().take(100).eq(all[1700..1800].iter().copied()));
        calls.skip_records(10_000);
        assert_eq!(calls.next(), None);
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
