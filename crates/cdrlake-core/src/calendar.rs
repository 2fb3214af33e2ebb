//! Gregorian dates and times of day as the wire writes them, to days and seconds.

/// Seconds in a day; no leap seconds on the wire.
const DAY_SECONDS: i64 = 86_400;

/// The value of `N` ASCII digits; none if any byte is no digit.
#[inline(always)]
pub(crate) fn digits<const N: usize>(bytes: [u8; N]) -> Option<u32> {
    const { assert!(N <= 8, "more places than a word has room for") };
    let mut places = [b'0'; 8];
    places[8 - N..].copy_from_slice(&bytes);
    let word = u64::from_le_bytes(places);
    // Digits, and no others, have a 3 in their upper half, and still do with 6 added.
    let upper = |word: u64| word & 0xF0F0_F0F0_F0F0_F0F0;
    let all_digits = upper(word) | upper(word.wrapping_add(0x0606_0606_0606_0606)) >> 4;
    if all_digits != 0x3333_3333_3333_3333 {
        return None;
    }
    // Neighbours are added in pairs: digits, then pairs of digits, then fours. The first stands
    // lowest in the word, so it is the one that is multiplied.
    let pairs = (word & 0x0F0F_0F0F_0F0F_0F0F).wrapping_mul(10 << 8 | 1) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(100 << 16 | 1) >> 16;
    let eights = (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(10_000 << 32 | 1) >> 32;
    Some(eights as u32)
}

/// Days since 1970-01-01 of `YYYYMMDD`; none unless it is a real Gregorian date of the years 1900
/// to 2100.
#[inline(always)]
pub(crate) fn days(date: [u8; 8]) -> Option<i32> {
    let value = digits(date)?;
    let (year, month, day) = (value / 10_000, value / 100 % 100, value % 100);
    if !(1900..=2100).contains(&year)
        || !(1..=12).contains(&month)
        || day == 0
        || day > days_in_month(year, month)
    {
        return None;
    }
    Some(days_from_civil(year, month, day))
}

/// The date seen last, and its days: neighbours among records are mostly of one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LastDate(Option<([u8; 8], i32)>);

impl LastDate {
    /// [`days`] of `date`.
    #[inline(always)]
    pub(crate) fn days(&mut self, date: [u8; 8]) -> Option<i32> {
        match self.0 {
            Some((last, days)) if last == date => Some(days),
            _ => {
                let days = days(date)?;
                self.0 = Some((date, days));
                Some(days)
            }
        }
    }
}

/// Seconds since midnight of `HHMMSS`; none unless `HH` ≤ 23, `MM` ≤ 59, `SS` ≤ 59.
#[inline(always)]
pub(crate) fn seconds_of_day(time: [u8; 6]) -> Option<u32> {
    let value = digits(time)?;
    let (hours, minutes, seconds) = (value / 10_000, value / 100 % 100, value % 100);
    (hours <= 23 && minutes <= 59 && seconds <= 59).then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Microseconds since 1970-01-01T00:00:00 of a local date and time.
#[inline]
pub(crate) fn microseconds(days: i32, seconds_of_day: u32) -> i64 {
    (i64::from(days) * DAY_SECONDS + i64::from(seconds_of_day)) * 1_000_000
}

fn days_in_month(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Counts days in years that begin in March, so that the leap day is a year's last.
fn days_from_civil(year: u32, month: u32, day: u32) -> i32 {
    /// Days from 0000-03-01 to 1970-01-01.
    const EPOCH: i32 = 719_468;
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    days as i32 - EPOCH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u32, month: u32, day: u32) -> [u8; 8] {
        format!("{year:04}{month:02}{day:02}").into_bytes().try_into().unwrap()
    }

    /// Every day of the 201 years follows the one before, and no other eight digits pass.
    #[test]
    fn days_count_up_without_a_gap() {
        let mut expected = -25_567; // 1900-01-01
        for year in 1899..=2101 {
            for month in 0..=13 {
                for day in 0..=32 {
                    if let Some(days) = days(date(year, month, day)) {
                        assert_eq!(days, expected, "{year}-{month}-{day}");
                        expected += 1;
                    }
                }
            }
        }
        assert_eq!(expected, 47_847); // behind 2100-12-31
        assert_eq!(days(*b"19700101"), Some(0));
        assert_eq!(days(*b"20000229"), Some(11_016));
        assert_eq!(days(*b"19000229"), None);
    }

    #[test]
    fn the_last_date_counts_for_itself_only() {
        let mut last = LastDate::default();
        for text in
            ["19700101", "19700101", "20251019", "20251319", "20251020", "        ", "20251020"]
        {
            let date = text.as_bytes().try_into().unwrap();
            assert_eq!(last.days(date), days(date), "{text}");
        }
    }

    #[test]
    fn digits_and_nothing_else() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut bytes = *b"90817263";
                bytes[place] = byte;
                let expected = byte
                    .is_ascii_digit()
                    .then(|| std::str::from_utf8(&bytes).unwrap().parse().unwrap());
                assert_eq!(digits(bytes), expected, "{byte} at {place}");
            }
        }
        assert_eq!(digits(*b"07"), Some(7));
        assert_eq!(digits(*b"235959"), Some(235_959));
        assert_eq!(digits(*b"99999999"), Some(99_999_999));
        assert_eq!(digits(*b"\xFA0000000"), None);
    }

    #[test]
    fn times() {
        assert_eq!(seconds_of_day(*b"000000"), Some(0));
        assert_eq!(seconds_of_day(*b"235959"), Some(86_399));
        for wrong in [b"240000", b"006000", b"000060", b"00000 ", b"0000:0"] {
            assert_eq!(seconds_of_day(*wrong), None);
        }
        assert_eq!(microseconds(1, 1), 86_401_000_000);
    }
}
