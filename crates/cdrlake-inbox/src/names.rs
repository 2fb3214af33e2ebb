//! What things are called in an inbox.

/// The file name of a journal.
pub const JOURNAL: &str = ".cdrlake-fetch.jsonl";

/// The directory of an inbox that rated records stand in. Their format is not public.
pub const RATED: &str = "rated";

/// The directory of an inbox that charges besides calls stand in.
pub const NON_USAGE: &str = "non-usage";

/// The directories of an inbox in which nothing is a call detail record of the carrier's.
pub const ROOMS: [&str; 2] = [RATED, NON_USAGE];

/// File systems allow no longer ones.
const LONGEST: usize = 255;

/// Whether this is the name of a file that may stand in an inbox: no path, and nothing hidden.
///
/// ```
/// use cdrlake_inbox::is_plain_name;
///
/// assert!(is_plain_name("AM220120110182.cdr.zip"));
/// assert!(!is_plain_name("../AM220120110182.cdr.zip"));
/// ```
#[must_use]
pub fn is_plain_name(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len())
        && !name.starts_with('.')
        && !name.contains(['/', '\\'])
        && !name.contains(char::is_control)
}
