//! Writes the seeds of the corpus: `cargo run -p cdrlake-fuzz --example seeds`, in the repository.
//!
//! They are the carrier's samples and the damaged files of `testdata`, each behind the bytes that its
//! target reads first.

#![allow(clippy::unwrap_used, reason = "a script")]

use std::fs;
use std::path::Path;

use cdrlake_fuzz::SAMPLES;

/// Larger files would only slow the fuzzer down.
const MAX_LEN: u64 = 4096;

fn main() {
    let invalid: Vec<(String, Vec<u8>)> = fs::read_dir("testdata/invalid")
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.metadata().unwrap().len() <= MAX_LEN)
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    for (number, (name, file)) in (0..).zip(SAMPLES) {
        // Options, country, and a source as it is.
        let source = [&[4, number * 3, 0], file].concat();
        seed("decode", name, &source);
        seed("chunks", name, &[&[3, 1, 0, 200, 0, 29, 1], &source[..]].concat());
        seed("parquet", name, &[&[number * 2 + number % 2], &source[..]].concat());
        seed("containers", name, &[&[0, 0], file].concat());
        seed("file_names", name, &[&[3][..], b"ABC", name.as_bytes()].concat());
        let values: Vec<u8> = file[..200].to_vec();
        seed("round_trip", name, &[&[0], &values[..]].concat());
        seed(
            "round_trip",
            &format!("generate_{number}"),
            &[1, number, number, number * 4, 8, 99, number],
        );
        for (place, field) in [("origin", 0..20), ("destination", 20..40), ("dialled", 204..224)] {
            seed(
                "numbers",
                &format!("{place}_{name}"),
                &[&[number, number, 2, 3, 2], &file[field]].concat(),
            );
        }
    }
    for (name, file) in &invalid {
        if name.ends_with(".cdr") {
            seed("decode", name, &[&[4, 10, 0], &file[..]].concat());
            seed("chunks", name, &[&[2, 100, 0, 130, 0, 5, 10, 0], &file[..]].concat());
            seed("parquet", name, &[&[6, 4, 0, 0], &file[..]].concat());
        } else {
            seed("containers", name, &[&[5, 0], &file[..]].concat());
        }
    }
    // Scripts of edited samples, and trees of containers.
    for number in 0..8_u8 {
        let script: Vec<u8> =
            (0..40_u8).map(|i| number.wrapping_mul(31).wrapping_add(i.wrapping_mul(37))).collect();
        seed("decode", &format!("script_{number}"), &[&[number, number, 1], &script[..]].concat());
        seed(
            "chunks",
            &format!("script_{number}"),
            &[&[2, 9, 0, number, 1, number, 7, 1], &script[..]].concat(),
        );
        seed(
            "parquet",
            &format!("script_{number}"),
            &[&[number * 17, 2, 0, 1], &script[..]].concat(),
        );
        let tree =
            [&[5, 1, 0, number][..], &[2, number % 5, 3, number, 1, 0, 7, number, 2, 0]].concat();
        seed("containers", &format!("tree_{number}"), &tree);
    }
    for name in ["AM220120110182.cdr.zip", "22020120112.cdr", "ABC20230920-a1.CDR.GZ", "calls.txt"]
    {
        seed("file_names", name, &[&[2][..], b"22", name.as_bytes()].concat());
    }
}

fn seed(target: &str, name: &str, bytes: &[u8]) {
    let directory = Path::new("fuzz/corpus").join(target);
    fs::create_dir_all(&directory).unwrap();
    fs::write(directory.join(name), bytes).unwrap();
}
