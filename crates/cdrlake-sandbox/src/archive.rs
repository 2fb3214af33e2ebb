//! Archives of synthetic records, as the carrier would deliver them.

use std::io::{Cursor, Write};

use cdrlake_generate::frozen::Calls;
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// The files of a day as one zip: `records` calls in all, the same for the same `seed`.
///
/// The file of 9 AM has the calls since 4 PM of the day before, that of 5 PM the rest (section
/// 4.4). `day` and `day_before` are YYYYMMDD.
#[must_use]
pub fn day(
    profile: &str,
    product: &str,
    [day_before, day]: [&str; 2],
    sequence: u32,
    seed: u64,
    records: u64,
) -> Vec<u8> {
    let [morning, afternoon] = halves([day_before, day], seed, records);
    let name = |sequence: u32, time: &str| {
        format!("GB_{profile}_{product}_{:04}_{day}{time}.cdr.gz", sequence % 10_000)
    };
    zip_of(&[
        (&name(sequence, "090122"), &gzip(&morning)),
        (&name(sequence + 1, "170122"), &gzip(&afternoon)),
    ])
}

/// All records of some days, each with the day before it, in one file.
#[must_use]
pub fn consolidated(
    profile: &str,
    order_id: &str,
    days: &[[String; 2]],
    seed: u64,
    records: u64,
) -> Vec<u8> {
    let mut all = Vec::new();
    for (number, [day_before, day]) in days.iter().enumerate() {
        let halves = halves([day_before, day], seed.wrapping_add(number as u64), records);
        all.extend(halves.into_iter().flatten());
    }
    zip_of(&[(&format!("{profile}{order_id}.cdr"), &all)])
}

/// A zip without any file.
#[must_use]
pub fn empty_zip() -> Vec<u8> {
    zip_of(&[])
}

/// A zip of files with their names.
///
/// # Panics
///
/// If two have the same name.
#[must_use]
pub fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("a name of its own");
        zip.write_all(content).expect("memory");
    }
    zip.finish().expect("memory").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// The calls of the files of morning and afternoon.
fn halves([day_before, day]: [&str; 2], seed: u64, records: u64) -> [Vec<u8>; 2] {
    let mut halves = [Vec::new(), Vec::new()];
    for mut line in Calls::new(seed, records) {
        let hour = 10 * (line[50] - b'0') + (line[51] - b'0');
        let (half, date) = match hour {
            0..8 => (0, day),
            8..16 => (1, day),
            _ => (0, day_before),
        };
        line[42..50].copy_from_slice(date.as_bytes());
        halves[half].extend_from_slice(&line);
    }
    halves
}
