//! Random sources, damaged in every way the contract names.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use cdrlake_core::{
    Country, Field, Metadata, Numbers, Privacy, PrivacyKey, RecordId, SourceOptions, Strictness,
};
use cdrlake_generate::frozen::Calls;
use fastrand::Rng;

/// Zones whose clocks go forward and back at other times and by other steps, and none.
const ZONES: [Option<&str>; 8] = [
    None,
    None,
    Some("Europe/London"),
    Some("Europe/Dublin"),
    Some("Europe/Lisbon"),
    Some("America/New_York"),
    Some("Australia/Lord_Howe"),
    Some("Asia/Tokyo"),
];

/// The carrier's samples, as lines without line feed.
fn samples() -> Vec<Vec<u8>> {
    let files: [&[u8]; 9] = [
        include_bytes!("../../../../testdata/valid/CZ_AAX_10_0001_20151010090117.cdr"),
        include_bytes!("../../../../testdata/valid/DE_SV_00_0001_20110930090122.cdr"),
        include_bytes!("../../../../testdata/valid/FR_PBW_00_0001_20150820170113.cdr"),
        include_bytes!("../../../../testdata/valid/GB_ADC_12_0001_20111020090122.cdr"),
        include_bytes!("../../../../testdata/valid/GB_DMP_12_0001_20180323170131.cdr"),
        include_bytes!("../../../../testdata/valid/IT_AJB_12_0001_20121026170104.cdr"),
        include_bytes!("../../../../testdata/valid/LU_ALB_10_0001_20150917090117.cdr"),
        include_bytes!("../../../../testdata/valid/RO_BKD_10_0001_20150703090117.cdr"),
        include_bytes!("../../../../testdata/valid/SK_BKE_10_0001_20150922090117.cdr"),
    ];
    let lines = files.iter().flat_map(|file| file.split(|&byte| byte == b'\n'));
    lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

/// Makes lines: bursts of sound ones, among them damaged ones of every kind.
pub(crate) struct Lines {
    rng: Rng,
    samples: Vec<Vec<u8>>,
    calls: Calls,
}

impl Lines {
    pub(crate) fn new(seed: u64) -> Self {
        Self { rng: Rng::with_seed(seed), samples: samples(), calls: Calls::new(seed, u64::MAX) }
    }

    /// A source of about this many lines.
    pub(crate) fn source(&mut self, lines: usize) -> Vec<u8> {
        let mut source = Vec::new();
        let mut left = lines;
        while left > 0 {
            // A burst of equal strides, so that the fast path is entered and left.
            let burst = if self.rng.bool() { self.rng.usize(1..200).min(left) } else { 1 };
            let tail: &[u8] = self.rng.choice([&b""[..], b"", b"", b"\r", b" PBW2S"]).unwrap();
            for _ in 0..burst {
                source.extend_from_slice(&self.sound());
                source.extend_from_slice(tail);
                source.push(b'\n');
            }
            source.extend_from_slice(&self.damaged());
            source.push(b'\n');
            left = left.saturating_sub(burst + 1);
        }
        match self.rng.u8(0..6) {
            0 => {
                source.pop();
            }
            1 => source.extend_from_slice(&self.sound()),
            2 => source.extend_from_slice(b"\x1A"),
            3 => {
                source.extend_from_slice(&self.sound());
                source
                    .extend_from_slice(self.rng.choice([&b"\x1A"[..], b"\r\x1A", b"\r"]).unwrap());
            }
            _ => {}
        }
        source
    }

    /// 228 bytes that pass validation.
    fn sound(&mut self) -> Vec<u8> {
        let mut line = if self.rng.u8(0..4) == 0 {
            self.rng.choice(&self.samples).unwrap()[..228].to_vec()
        } else {
            self.calls.next().unwrap()[..228].to_vec()
        };
        match self.rng.u8(0..7) {
            0 => self.set(&mut line, Field::ProductType, &["00", "10", "79", "80", "42"]),
            1 => self.set(&mut line, Field::Duration, &["      17", "17      ", "  170   "]),
            2 => self.set(&mut line, Field::Date, &["20240229", "19000101", "21001231"]),
            3 => {
                let fields = [Field::SwitchId, Field::TrunkIncoming, Field::TrunkOutgoing];
                let field = self.rng.choice(fields).unwrap();
                let texts = ["CX01632960000", "016329 960000 12", "1234567 x", "00012 000001"];
                let padded = texts.map(|text| format!("{text:25}"));
                self.set(&mut line, field, &padded.each_ref().map(String::as_str));
                self.set(&mut line, Field::PulsesIn, &["000001", "016329", "12 345", "      "]);
            }
            4 => {
                let ids = ["SIPGB00012", "SIP441632960000", "00", "1234567"];
                let padded = ids.map(|id| format!("{id:20}"));
                self.set(&mut line, Field::Charged, &padded.each_ref().map(String::as_str));
            }
            5 => {
                // Any day and second, for the clocks of any zone.
                let (year, month, day) =
                    (self.rng.u16(1900..=2100), self.rng.u8(1..=12), self.rng.u8(1..=28));
                let second = self.rng.u32(0..86_400);
                let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
                let text = format!("{year}{month:02}{day:02}{hour:02}{minute:02}{second:02}  ");
                line[42..58].copy_from_slice(text.as_bytes());
            }
            _ => {}
        }
        if self.rng.u8(0..3) == 0 {
            let field = self
                .rng
                .choice([Field::Origin, Field::Destination, Field::Charged, Field::Dialled])
                .unwrap();
            let number = self.number();
            let padded =
                if self.rng.bool() { format!("{number:>20}") } else { format!("{number:<20}") };
            line[field.range()].copy_from_slice(padded.as_bytes());
        }
        line
    }

    fn set(&mut self, line: &mut [u8], field: Field, values: &[&str]) {
        line[field.range()].copy_from_slice(self.rng.choice(values).unwrap().as_bytes());
    }

    /// Up to 20 characters of the kind that stand in number fields.
    pub(crate) fn number(&mut self) -> String {
        let prefix =
            self.rng.choice(["", "0", "00", "+", "39", "44", "420", "33", "1", "x", "+0"]).unwrap();
        let digits: String = (0..self.rng.usize(0..14)).map(|_| self.rng.digit(10)).collect();
        let mask = self.rng.choice(["", "", "x", "xxxx", "XXX", "xXx", "x1"]).unwrap();
        let odd = if self.rng.u8(0..10) == 0 { " 1" } else { "" };
        let mut number = format!("{prefix}{digits}{odd}{mask}");
        number.truncate(20);
        number
    }

    /// A line, without line feed, with something wrong or odd; it may still be sound.
    fn damaged(&mut self) -> Vec<u8> {
        let mut line = self.sound();
        let at = self.rng.usize(0..228);
        match self.rng.u8(0..16) {
            0 => line.truncate(at),
            1 => line[at] = self.rng.u8(..),
            2 => line[at] = b'\n',
            // The same letter in Latin-1 and in UTF-8.
            3 if self.rng.bool() => line[at] = 0xE9,
            3 => line[at.min(226)..][..2].copy_from_slice("é".as_bytes()),
            4 => line.clear(),
            5 => line = b"\r".to_vec(),
            6 => line.extend((0..self.rng.usize(0..80)).map(|_| self.rng.u8(0x20..0x7F))),
            7 => line.extend((0..self.rng.usize(0..80)).map(|_| self.rng.u8(..))),
            8 => line.extend_from_slice(b"\r\r"),
            9 => {
                line[227] = b'1';
                line.extend_from_slice(b"    ");
            }
            10 => {
                self.set(&mut line, Field::Date, &["20230229", "18991231", "00000000", "2023 101"]);
            }
            11 => {
                self.set(&mut line, Field::Time, &["23595999", "235959  ", "24000000", "2359599x"]);
            }
            12 => self.set(
                &mut line,
                Field::Duration,
                &["        ", "1 2     ", "-1      ", "99999999"],
            ),
            13 => self.set(&mut line, Field::Continuation, &["4", " ", "5", "x"]),
            14 => self.set(&mut line, Field::ProductType, &["7 ", "xx", "99", "04"]),
            _ => {
                let len = self.rng.usize(0..2000);
                line = std::iter::repeat_with(|| self.rng.u8(0x20..0x7F)).take(len).collect();
            }
        }
        if self.rng.u16(0..2000) == 0 {
            line = vec![b'7'; self.rng.usize(60_000..70_000)];
        }
        line
    }

    fn privacy(&mut self) -> Privacy {
        let masked = Numbers::Masked { keep: self.rng.u8(0..=Numbers::MAX_KEEP) };
        let numbers = self.rng.choice([Numbers::Clear, masked, Numbers::Pseudonymized]).unwrap();
        let key = match numbers {
            Numbers::Clear => None,
            Numbers::Masked { .. } if self.rng.bool() => None,
            _ => Some(PrivacyKey::new(self.rng.choice([[0; 32], [1; 32]]).unwrap())),
        };
        Privacy::new(numbers, key).unwrap()
    }

    /// Options of every kind.
    pub(crate) fn options(&mut self) -> SourceOptions {
        let countries: Vec<Country> = Country::all().collect();
        let named = self.rng.bool();
        SourceOptions {
            metadata: Metadata {
                country: self.rng.choice(countries).filter(|_| self.rng.u8(0..5) > 0),
                profile: named.then(|| "ABC".to_owned()),
                product_identifier: named
                    .then(|| self.rng.choice(["00", "12", "77"]).unwrap().to_owned()),
                sequence_number: named.then(|| self.rng.i32(0..10_000)),
                file_time: named.then(|| self.rng.i64(-2_000_000_000..4_000_000_000) * 1_000_000),
            },
            time_zone: self.rng.choice(ZONES).unwrap().map(|zone| zone.parse().unwrap()),
            strictness: self
                .rng
                .choice([Strictness::Lenient, Strictness::Lenient, Strictness::Strict])
                .unwrap(),
            record_id: self.rng.choice([RecordId::Omit, RecordId::Fill]).unwrap(),
            privacy: self.privacy(),
            batch_size: self.rng.usize(1..500),
            ..SourceOptions::new("random.cdr")
        }
    }

    /// Lengths that cut `len` bytes into pieces, short and long ones.
    pub(crate) fn pieces(&mut self, len: usize) -> Vec<usize> {
        let longest = self.rng.choice([1, 3, 100, 300, 5_000, 100_000]).unwrap();
        let mut left = len;
        std::iter::from_fn(|| {
            let piece = self.rng.usize(1..=longest).min(left);
            left -= piece;
            (piece > 0).then_some(piece)
        })
        .collect()
    }
}
