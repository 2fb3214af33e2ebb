//! The workload that all benchmarks share: frozen, so that figures can be compared.

use cdrlake_generate::frozen::Calls;

/// Records of the whole workload.
pub const RECORDS: u64 = 4_000_000;

const SEED: u64 = 42;

/// BLAKE3 of the whole workload.
const BLAKE3: &str = "8a804ea9d363a144c87ddd8ccdd636cc3edd447f3a8a0b3a140065c6aa2a1de4";

/// The workload's bytes.
///
/// # Panics
///
/// If they are not the ones that were frozen.
#[must_use]
pub fn workload() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORDS as usize * 229);
    Calls::new(SEED, RECORDS).for_each(|line| bytes.extend_from_slice(&line));
    assert_eq!(blake3::hash(&bytes).to_hex().as_str(), BLAKE3, "the workload changed");
    bytes
}
