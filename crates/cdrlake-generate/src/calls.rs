//! Synthetic calls of a country and a product, in pieces that can be made in any order.

use cdrlake_core::encode::encode;
use cdrlake_core::{Country, Field, RECORD_LEN};

use crate::Damage;
use crate::numbers::Plan;
use crate::product::{Maker, Padding, Product};
use crate::profile::Profile;
use crate::random::Random;
use crate::span::Span;

/// Records of a piece, but the last, which may have fewer.
pub const PIECE_RECORDS: u64 = 8192;

/// Calls to be made: whose, when, and how many.
#[derive(Clone, Debug)]
pub struct Calls {
    /// Whose numbering plan and habits they follow.
    pub country: Country,
    /// Which product's records they are.
    pub product: Product,
    /// The reseller; up to three of its characters stand in each record.
    pub profile: Profile,
    /// When they are made.
    pub span: Span,
    /// How many.
    pub records: u64,
    /// Chooses them: the same seed gives a country's, product's and profile's the same calls, and
    /// those of another nothing in common with them.
    pub seed: u64,
    /// What is wrong with them.
    pub damage: Damage,
}

impl Calls {
    /// In how many pieces they come.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.records.div_ceil(PIECE_RECORDS)
    }

    /// Adds the lines of a piece; nothing, if there is none of this number. What is in it depends on
    /// nothing but `self` and its number.
    pub fn piece(&self, piece: u64, lines: &mut Vec<u8>) {
        if piece >= self.pieces() {
            return;
        }
        let first = piece * PIECE_RECORDS;
        let records = (self.records - first).min(PIECE_RECORDS);
        let mut random = self.random(piece);
        let maker =
            Maker { plan: Plan::of(self.country), country: self.country, product: self.product };
        for index in first..first + records {
            let start = lines.len();
            self.line(index, &maker, &mut random, lines);
            self.damage.befall(lines, start, &mut random);
            lines.push(b'\n');
        }
        if first + records == self.records && self.damage.takes_last_line_feed(&mut random) {
            lines.pop();
        }
    }

    /// What a piece is drawn from.
    ///
    /// With numbers of its own for whom it is of: else products with alike records, and profiles
    /// that begin alike, had the same files, and all had the same durations.
    fn random(&self, piece: u64) -> Random {
        let whose = [self.country.code(), self.product.identifier(), self.profile.as_str()];
        let bytes = whose.into_iter().flat_map(str::bytes);
        let seed =
            bytes.fold(self.seed, |seed, byte| Random::of_part(seed, u64::from(byte)).next());
        Random::of_part(seed, piece)
    }

    /// Adds a line without its line feed.
    fn line(&self, index: u64, maker: &Maker, random: &mut Random, lines: &mut Vec<u8>) {
        const HOUR_TENTHS: u32 = 36_000;
        let moment = self.span.moment(index, self.records);
        let mut call = maker.call(random);
        // A file is made an hour after its span, and all calls in it have ended.
        call.duration_tenths =
            call.duration_tenths.min(moment.hours_left.saturating_mul(HOUR_TENTHS));
        let time = (moment.hour, moment.minute, random.below(60) as u8);
        let carrier = self.profile.carrier();
        // Every value is made to fit its field; tests say so.
        let values = call.values(moment.date, time, carrier);
        let mut record = encode(&values).unwrap_or([b' '; RECORD_LEN]);
        match call.duration_padding {
            Padding::Spaces => pad_with_spaces(&mut record[Field::Duration.range()]),
            // Tenths of the second in which the call began.
            Padding::Zeros => record[Field::Time.range()][6] = b'0' + random.below(10) as u8,
        }
        lines.extend_from_slice(&record);
        if maker.has_trailer() {
            lines.push(b' ');
            lines.extend_from_slice(carrier.as_bytes());
            lines.extend_from_slice(b"2S");
        }
    }
}

/// Replaces leading zeros, but for a last one.
fn pad_with_spaces(digits: &mut [u8]) {
    let last = digits.len().saturating_sub(1);
    digits[..last].iter_mut().take_while(|byte| **byte == b'0').for_each(|byte| *byte = b' ');
}
