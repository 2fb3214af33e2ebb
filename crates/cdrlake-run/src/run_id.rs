//! What a run is called.

/// Returns a new run's id: 32 random hexadecimal digits, for nothing may be named or ordered by the
/// wall clock.
#[must_use]
pub fn new_run_id() -> String {
    let mut bytes = [0; 16];
    // A machine without randomness still deserves its report.
    let _ = getrandom::fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
