//! Where numbers in a row of files leave some out.

use std::collections::BTreeSet;

use cdrlake_fetch::{Days, UNRATED_DAYS};
use jiff::civil::Date;

/// Where the sequence numbers of files in the order of their times leave numbers out.
///
/// A number that is lower by less than half of all is no gap: its file is late, or the numbers began
/// anew. Nor is what came with a file nearby, however late.
pub(crate) fn gaps(files: &[(Date, u16)]) -> Vec<Days> {
    const NUMBERS: u16 = 10_000;
    /// As many files as the carrier keeps, two a day.
    const NEARBY: usize = 2 * UNRATED_DAYS as usize;
    let leaves_out = |at: usize, before: u16, after: u16| {
        let steps = (after + NUMBERS - before) % NUMBERS;
        if !(2..NUMBERS / 2).contains(&steps) {
            return false;
        }
        let nearby = &files[at.saturating_sub(NEARBY)..files.len().min(at + NEARBY)];
        let nearby: BTreeSet<u16> = nearby.iter().map(|(_, number)| *number).collect();
        // After 9999 comes 0 or 1, so 0 may never have been.
        let mut left_out = (1..steps).map(|step| (before + step) % NUMBERS);
        left_out.any(|number| number != 0 && !nearby.contains(&number))
    };
    let pairs = files.windows(2).enumerate();
    pairs
        .filter_map(|(at, pair)| match *pair {
            [(from, before), (to, after)] if leaves_out(at, before, after) => {
                Days::new(from, to).ok()
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn days(numbers: &[u16]) -> Vec<(i8, i8)> {
        let files: Vec<_> =
            (1..).map(|day| date(2026, 11, day)).zip(numbers.iter().copied()).collect();
        gaps(&files).iter().map(|gap| (gap.from().day(), gap.to().day())).collect()
    }

    #[test]
    fn gaps_are_from_the_file_before_to_the_file_after() {
        assert_eq!(days(&[]), []);
        assert_eq!(days(&[7]), []);
        assert_eq!(days(&[7, 8, 9]), []);
        assert_eq!(days(&[7, 9, 10, 12]), [(1, 2), (3, 4)]);
        assert_eq!(days(&[7, 7, 8]), [], "a number twice");
    }

    #[test]
    fn numbers_wrap_to_either_0_or_1() {
        assert_eq!(days(&[9998, 9999, 0, 1]), []);
        assert_eq!(days(&[9998, 9999, 1, 2]), []);
        assert_eq!(days(&[9998, 0]), [(1, 2)]);
        assert_eq!(days(&[9998, 1]), [(1, 2)]);
        assert_eq!(days(&[9999, 2]), [(1, 2)]);
    }

    #[test]
    fn a_late_file_and_a_new_beginning_are_no_gaps() {
        assert_eq!(days(&[500, 1, 2]), []);
        assert_eq!(days(&[500, 499, 500]), []);
        assert_eq!(days(&[4, 6, 5, 7]), [], "5 was made later than 6");
        assert_eq!(days(&[4, 6, 7, 8, 5, 9]), []);
        assert_eq!(days(&[9998, 0, 9999, 1]), []);
        assert_eq!(days(&[4, 8, 6, 9]), [(1, 2), (3, 4)], "5 and 7 are still missing");
    }
}
