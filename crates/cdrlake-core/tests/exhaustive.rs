//! Each byte of each of the carrier's sample records set to each value: what is said of the line, and
//! which columns change.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common {
    pub(crate) mod compare;
}

use std::collections::BTreeMap;
use std::io::Read;

use cdrlake_core::reference::{self, Row};
use cdrlake_core::{COLUMNS, Field, RECORD_LEN, RecordId, SourceOptions, Strictness, TimeZone};
use common::compare::{assert_same, decode_in_pieces};

macro_rules! sample {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../testdata/valid/", $name)))
    };
}

/// All of the carrier's samples; their names tell country and product.
const FILES: [(&str, &[u8]); 11] = [
    sample!("CZ_AAX_10_0001_20151010090117.cdr"),
    sample!("DE_ABC_10_0001_20110603170122.cdr.gz"),
    sample!("DE_SV_00_0001_20110930090122.cdr"),
    sample!("FR_PBW_00_0001_20150820170113.cdr"),
    sample!("GB_ADC_12_0001_20111020090122.cdr"),
    sample!("GB_DMP_12_0001_20180323170131.cdr"),
    sample!("IT_AJB_12_0001_20121026170104.cdr"),
    sample!("IT_AJC_15_0001_20121106170122.cdr.zip"),
    sample!("LU_ALB_10_0001_20150917090117.cdr"),
    sample!("RO_BKD_10_0001_20150703090117.cdr"),
    sample!("SK_BKE_10_0001_20150922090117.cdr"),
];

/// How many records they have.
const RECORDS: usize = 21;

/// The columns that come from the record, and the fields that each comes from.
const ORIGINS: [(&str, &[Field]); 28] = {
    use Field::{
        AccountCode, Carrier, Charged, Continuation, Date, Destination, Dialled, Duration, Origin,
        ProductType, PulsesGenerated, PulsesIn, PulsesSent, ServiceIndicator, SwitchId, Time,
        TrunkIncoming, TrunkOutgoing,
    };
    [
        ("origin", &[Origin]),
        ("origin_e164", &[Origin, ProductType]),
        ("origin_masked_digits", &[Origin]),
        ("destination", &[Destination]),
        ("destination_e164", &[Destination, ProductType]),
        ("product_type", &[ProductType]),
        ("product_type_name", &[ProductType]),
        ("start_time", &[Date, Time]),
        ("start_time_utc", &[Date, Time]),
        ("start_time_ambiguous", &[Date, Time]),
        ("duration", &[Duration]),
        ("continuation", &[Continuation]),
        ("switch_id", &[SwitchId]),
        ("trunk_incoming", &[TrunkIncoming]),
        ("trunk_outgoing", &[TrunkOutgoing]),
        ("account_code", &[AccountCode]),
        ("pulses_in", &[PulsesIn]),
        ("pulses_generated", &[PulsesGenerated]),
        ("pulses_sent", &[PulsesSent]),
        ("charge_band", &[PulsesSent]),
        ("service_indicator", &[ServiceIndicator]),
        ("charged_number", &[Charged]),
        ("charged_number_e164", &[Charged, ProductType]),
        ("dialled_number", &[Dialled]),
        ("dialled_number_e164", &[Dialled]),
        ("carrier", &[Carrier]),
        ("trailer", &[]),
        // From every byte, so it must change.
        ("record_id", &[]),
    ]
};

/// Whether the byte may change a column.
fn may_change(column: &str, byte: Field) -> bool {
    let origins = ORIGINS.iter().find(|(name, _)| *name == column);
    column == "record_id" || origins.is_some_and(|(_, fields)| fields.contains(&byte))
}

/// The lines of the samples, without line feed, by the name of their file.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let lines = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes.split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect()
    };
    let files = FILES.iter().flat_map(|&(name, bytes)| {
        lines(&unpacked(name, bytes)).into_iter().map(move |line| (name, line))
    });
    files.filter(|(_, line)| !line.is_empty()).collect()
}

fn unpacked(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    let length = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    match name.rsplit('.').next() {
        Some("gz") => flate2::bufread::GzDecoder::new(bytes).read_to_end(&mut unpacked),
        // The first entry, behind its header, name and extra field.
        Some("zip") => flate2::bufread::DeflateDecoder::new(&bytes[30 + length(26) + length(28)..])
            .read_to_end(&mut unpacked),
        _ => return bytes.to_vec(),
    }
    .unwrap();
    unpacked
}

fn options(name: &str, strictness: Strictness) -> SourceOptions {
    let mut options = SourceOptions::from_file_name(name);
    options.record_id = RecordId::Fill;
    options.strictness = strictness;
    options.time_zone = options.metadata.country.map(|c| TimeZone::of_country(c).unwrap());
    options
}

/// What is said of a line: its columns, or code and field.
#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    Row(Row),
    Reject(String, Option<String>),
}

/// The verdicts of lines by number, on which both decoders agree.
fn verdicts(lines: &[u8], options: &SourceOptions, what: &str) -> BTreeMap<u64, Verdict> {
    let expected = reference::decode(lines, options);
    let (decoded, _) = decode_in_pieces(lines, &[lines.len()], options);
    assert_same(&decoded, &expected, what);
    let rows = expected.rows.into_iter().map(|row| {
        (row[1].as_deref().and_then(|number| number.parse().ok()).unwrap(), Verdict::Row(row))
    });
    let rejects = expected
        .rejects
        .into_iter()
        .map(|reject| (reject.record_number, Verdict::Reject(reject.code, reject.field)));
    rows.chain(rejects).collect()
}

/// Gives the number of cases.
fn check_byte(line: &[u8], offset: usize, options: &SourceOptions) -> usize {
    let field = Field::at(offset);
    let what = format!("{}, byte {offset} ({})", options.source_file, field.name());
    // The line itself comes first, and among the others once more.
    let values: Vec<u8> =
        [line[offset]].into_iter().chain((0..=u8::MAX).filter(|&byte| byte != b'\n')).collect();
    let mut lines = Vec::with_capacity(values.len() * (line.len() + 1));
    for &value in &values {
        let start = lines.len();
        lines.extend_from_slice(line);
        lines[start + offset] = value;
        lines.push(b'\n');
    }
    let verdicts = verdicts(&lines, options, &what);
    assert_eq!(verdicts.len(), values.len(), "{what}: a verdict a line");
    let unchanged = &verdicts[&1];
    for (number, &value) in (1..).zip(&values) {
        let what = format!("{what} set to {value:#04x}");
        match (&verdicts[&number], unchanged) {
            (Verdict::Reject(_, named), Verdict::Row(_)) => {
                // Without `0` there, a line with a trailer is merely too long.
                let is_length = line.len() > RECORD_LEN && field == Field::EndOfRecord;
                let expected = (!is_length).then(|| field.name().to_owned());
                assert_eq!(*named, expected, "{what}");
            }
            (Verdict::Row(row), Verdict::Row(unchanged)) => {
                for (column, spec) in COLUMNS.iter().enumerate() {
                    if spec.name == "record_number" || may_change(spec.name, field) {
                        continue;
                    }
                    assert_eq!(row[column], unchanged[column], "{what}: {}", spec.name);
                }
                let same_id = row.last() == unchanged.last();
                assert_eq!(same_id, value == line[offset], "{what}: record_id");
            }
            // Strict, a trailer is rejected whatever else: a byte can only say so first.
            (verdict, Verdict::Reject(code, _)) => {
                assert!(matches!(verdict, Verdict::Reject(..)), "{what}");
                assert_eq!(code, "trailing_bytes", "{what}");
            }
        }
    }
    values.len() - 1 + check_line_feed(line, offset, options)
}

/// A line feed splits the line: both halves are damaged, and the next line is sound again.
fn check_line_feed(line: &[u8], offset: usize, options: &SourceOptions) -> usize {
    let mut lines = line.to_vec();
    lines[offset] = b'\n';
    lines.push(b'\n');
    lines.extend_from_slice(line);
    lines.push(b'\n');
    let what = format!("{}, line feed at {offset}", options.source_file);
    let verdicts = verdicts(&lines, options, &what);
    let is_whole = |line: &[u8]| (RECORD_LEN..=292).contains(&line.len());
    for (number, half) in [(1, &line[..offset]), (2, &line[offset + 1..])] {
        match verdicts.get(&number) {
            None => assert!(half.is_empty(), "{what}"),
            Some(Verdict::Reject(code, _)) if !is_whole(half) => {
                assert_eq!(code, "short_record", "{what}");
            }
            Some(Verdict::Reject(..)) => {}
            Some(Verdict::Row(_)) => panic!("{what}: half a record was taken for one"),
        }
    }
    let whole = verdicts.get(&3);
    assert!(
        matches!(whole, Some(Verdict::Row(_))) || options.strictness == Strictness::Strict,
        "{what}"
    );
    1
}

fn check_all(strictness: Strictness) {
    let samples = samples();
    assert_eq!(samples.len(), RECORDS);
    let cases = std::thread::scope(|scope| {
        let (even, odd): (Vec<_>, Vec<_>) =
            samples.iter().enumerate().partition(|(index, _)| index % 2 == 0);
        let checked = [even, odd].map(|samples| {
            scope.spawn(move || {
                let mut cases = 0;
                for (_, (name, line)) in samples {
                    let options = options(name, strictness);
                    cases += (0..RECORD_LEN)
                        .map(|offset| check_byte(line, offset, &options))
                        .sum::<usize>();
                }
                cases
            })
        });
        checked.into_iter().map(|checked| checked.join().unwrap()).sum::<usize>()
    });
    assert_eq!(cases, RECORDS * RECORD_LEN * 256);
}

#[test]
fn every_value_of_every_byte() {
    check_all(Strictness::Lenient);
}

#[test]
fn every_value_of_every_byte_strictly() {
    check_all(Strictness::Strict);
}

/// The table above names all columns but those that come from elsewhere.
#[test]
fn every_column_has_its_origin() {
    let from_elsewhere = [
        "source_file",
        "record_number",
        "country",
        "profile",
        "product_identifier",
        "product",
        "sequence_number",
        "file_time",
        "source_hash",
    ];
    let named = from_elsewhere.into_iter().chain(ORIGINS.iter().map(|(name, _)| *name));
    assert!(named.eq(COLUMNS.iter().map(|spec| spec.name)));
}
