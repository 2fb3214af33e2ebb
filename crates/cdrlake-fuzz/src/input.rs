//! Bytes of the fuzzer to sources and options.

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Result, Unstructured};
use cdrlake_core::{
    Country, Numbers, Privacy, PrivacyKey, RECORD_LEN, RecordId, SourceOptions, Strictness,
    TimeZone,
};

macro_rules! sample {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../testdata/valid/", $name)))
    };
}

/// The carrier's samples, and the names of their files.
pub const SAMPLES: [(&str, &[u8]); 9] = [
    sample!("CZ_AAX_10_0001_20151010090117.cdr"),
    sample!("DE_SV_00_0001_20110930090122.cdr"),
    sample!("FR_PBW_00_0001_20150820170113.cdr"),
    sample!("GB_ADC_12_0001_20111020090122.cdr"),
    sample!("GB_DMP_12_0001_20180323170131.cdr"),
    sample!("IT_AJB_12_0001_20121026170104.cdr"),
    sample!("LU_ALB_10_0001_20150917090117.cdr"),
    sample!("RO_BKD_10_0001_20150703090117.cdr"),
    sample!("SK_BKE_10_0001_20150922090117.cdr"),
];

/// The lines of the samples, without line feed; empty ones among them.
static LINES: LazyLock<Vec<&[u8]>> = LazyLock::new(|| {
    SAMPLES.iter().flat_map(|(_, file)| file.split(|&byte| byte == b'\n')).collect()
});

/// The most lines that a script makes: a few groups of the fast path.
const MAX_LINES: usize = 300;

/// Options of every kind, from two bytes.
pub(crate) fn options(bytes: &mut Unstructured<'_>) -> Result<SourceOptions> {
    let (flags, country) = (u8::arbitrary(bytes)?, u8::arbitrary(bytes)?);
    let mut options = SourceOptions::new("fuzz.cdr");
    if flags & 1 == 1 {
        options.strictness = Strictness::Strict;
    }
    if flags & 2 == 2 {
        options.record_id = RecordId::Fill;
    }
    options.batch_size = 1 + usize::from(flags >> 2) * 5;
    options.metadata.country = self::country(country);
    if country & 0x80 != 0 {
        options.time_zone =
            options.metadata.country.and_then(|country| TimeZone::of_country(country).ok());
    }
    let key = || Some(PrivacyKey::new([flags; PrivacyKey::LEN]));
    let privacy = match country & 0x60 {
        0x20 => {
            Privacy::new(Numbers::Masked { keep: flags & 15 }, key().filter(|_| flags & 16 == 16))
        }
        0x40 => Privacy::new(Numbers::Pseudonymized, key()),
        _ => Ok(Privacy::CLEAR),
    };
    options.privacy = privacy.unwrap_or_default();
    Ok(options)
}

/// One of all countries, or none.
pub(crate) fn country(choice: u8) -> Option<Country> {
    let countries: Vec<Country> = Country::all().collect();
    countries.get(usize::from(choice) % (countries.len() + 1)).copied()
}

/// The bytes of a source: what is left as it is, or a script of edited samples.
pub(crate) fn source(bytes: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    if u8::arbitrary(bytes)? % 2 == 0 {
        return Ok(bytes.bytes(bytes.len())?.to_vec());
    }
    let (mut source, mut lines) = (Vec::new(), 0);
    while !bytes.is_empty() && lines < MAX_LINES {
        let burst = Burst::arbitrary(bytes)?;
        lines += burst.add_to(&mut source);
    }
    // The end of a source has rules of its own.
    match source.len() % 5 {
        0 => _ = source.pop(),
        1 => source.push(0x1A),
        _ => {}
    }
    Ok(source)
}

/// Equal lines: a sample, edited.
#[derive(Debug, Arbitrary)]
struct Burst {
    sample: u8,
    count: u8,
    edits: [Edit; 2],
    tail: Tail,
}

#[derive(Debug, Arbitrary)]
enum Edit {
    None,
    Set(u8, u8),
    Cut(u8),
    /// A number of digits and a mask, at the start of a field.
    Number {
        field: u8,
        prefix: u8,
        digits: u8,
        mask: u8,
    },
}

#[derive(Debug, Arbitrary)]
enum Tail {
    None,
    CarriageReturn,
    Trailer(u8),
    Bytes([u8; 3]),
}

impl Burst {
    /// Adds its lines; gives their number.
    fn add_to(&self, source: &mut Vec<u8>) -> usize {
        let mut line = LINES[usize::from(self.sample) % LINES.len()].to_vec();
        line.truncate(RECORD_LEN);
        self.edits.iter().for_each(|edit| edit.apply(&mut line));
        match self.tail {
            Tail::None => {}
            Tail::CarriageReturn => line.push(b'\r'),
            Tail::Trailer(len) => line.extend((0..len).map(|i| b' ' + i % 95)),
            Tail::Bytes(bytes) => line.extend(bytes),
        }
        line.push(b'\n');
        // Mostly one, which is fast to judge; at most two groups of the fast path and some.
        let count = usize::from(self.count.saturating_sub(239)).max(1) * 9 - 8;
        (0..count).for_each(|_| source.extend_from_slice(&line));
        count
    }
}

impl Edit {
    fn apply(&self, line: &mut Vec<u8>) {
        match *self {
            Self::None => {}
            Self::Set(at, byte) => {
                if let Some(old) = line.get_mut(usize::from(at)) {
                    *old = byte;
                }
            }
            Self::Cut(len) => line.truncate(usize::from(len)),
            Self::Number { field, prefix, digits, mask } => {
                const PREFIXES: [&str; 8] = ["", "0", "00", "+", "39", "44", "420", "x"];
                let mut number = PREFIXES[usize::from(prefix) % 8].as_bytes().to_vec();
                number.extend((0..digits % 18).map(|i| b'0' + digits.wrapping_add(i * 7) % 10));
                number.extend((0..mask % 6).map(|_| if mask & 8 == 8 { b'X' } else { b'x' }));
                number.resize(20, b' ');
                let start = [0, 20, 184, 204][usize::from(field) % 4];
                if let Some(old) = line.get_mut(start..start + 20) {
                    old.copy_from_slice(&number);
                }
            }
        }
    }
}
