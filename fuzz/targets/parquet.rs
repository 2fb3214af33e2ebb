#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| cdrlake_fuzz::parquet(input));
