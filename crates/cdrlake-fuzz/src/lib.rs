//! What the fuzz targets check, apart from the fuzzer, so that tests replay what it found.
//!
//! Each target takes any bytes, makes an input of them and panics if a promise is broken. The
//! programs in `fuzz/` only call them; `tests/replay.rs` calls them with all of `fuzz/corpus` and
//! `fuzz/regressions`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a finding is a panic")]

mod containers;
mod decode;
mod file_names;
mod input;
mod numbers;
mod parquet;
mod round_trip;
mod scratch;

pub use containers::containers;
pub use decode::{chunks, decode};
pub use file_names::file_names;
pub use input::SAMPLES;
pub use numbers::numbers;
pub use parquet::parquet;
pub use round_trip::round_trip;

/// A target's name, and what it checks of some bytes.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 7] = [
    ("decode", decode),
    ("chunks", chunks),
    ("numbers", numbers),
    ("file_names", file_names),
    ("containers", containers),
    ("round_trip", round_trip),
    ("parquet", parquet),
];
