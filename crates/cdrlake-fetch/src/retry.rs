//! How often a request is repeated, and how long is waited before.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The limits of repetition.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// How many times a request is sent at the most.
    pub attempts: u32,
    /// How long is waited between the attempts of a request, in sum. A server that asks for more
    /// is not waited for.
    pub budget: Duration,
    /// The longest wait after the first attempt; it doubles with each.
    pub first_wait: Duration,
    /// The longest wait, where the server does not ask for more.
    pub longest_wait: Duration,
}

impl Default for Retry {
    /// Six attempts, ten minutes.
    fn default() -> Self {
        Self {
            attempts: 6,
            budget: Duration::from_secs(600),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        }
    }
}

/// The attempts of one request.
#[derive(Debug)]
pub(crate) struct Attempts {
    limits: Retry,
    made: u32,
    waited: Duration,
}

impl Attempts {
    pub(crate) fn new(limits: Retry) -> Self {
        Self { limits, made: 0, waited: Duration::ZERO }
    }

    /// How long to wait before the next attempt; none if that was the last. `asked` is what the
    /// server asked for.
    pub(crate) fn next_wait(&mut self, asked: Option<Duration>) -> Option<Duration> {
        self.made += 1;
        if self.made >= self.limits.attempts {
            return None;
        }
        let doubled = self.limits.first_wait.saturating_mul(1 << (self.made - 1).min(20));
        let jittered = doubled.min(self.limits.longest_wait).mul_f64(0.5 + fastrand::f64() / 2.0);
        // A little more than asked for, so that all who were sent away do not return at once.
        let wait = asked.map_or(jittered, |asked| asked.saturating_add(jittered.min(asked / 8)));
        self.waited = self.waited.saturating_add(wait);
        (self.waited <= self.limits.budget).then_some(wait)
    }
}

/// The value of `Retry-After`: seconds, or a date.
pub(crate) fn parse_retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let at = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit() {
        let mut attempts = Attempts::new(Retry { attempts: 12, ..Retry::default() });
        let waits: Vec<f64> = std::iter::from_fn(|| attempts.next_wait(None))
            .map(|wait| wait.as_secs_f64())
            .collect();
        assert_eq!(waits.len(), 11);
        for (number, wait) in waits.into_iter().enumerate() {
            let longest = 2f64.powi(number as i32).min(60.0);
            assert!((longest / 2.0..=longest).contains(&wait), "{number}: {wait}");
        }
    }

    #[test]
    fn attempts_and_budget_end() {
        let mut attempts = Attempts::new(Retry { attempts: 3, ..Retry::default() });
        assert!(attempts.next_wait(None).is_some());
        assert!(attempts.next_wait(None).is_some());
        assert!(attempts.next_wait(None).is_none());
        let mut attempts = Attempts::new(Retry::default());
        let minute = Duration::from_secs(300);
        let wait = attempts.next_wait(Some(minute)).unwrap();
        assert!(wait >= minute && wait <= minute + Duration::from_secs(1));
        assert!(attempts.next_wait(Some(minute)).is_none());
        let mut attempts = Attempts::new(Retry::default());
        for huge in [Duration::from_secs(u64::MAX), Duration::MAX] {
            assert!(attempts.next_wait(None).is_some());
            assert!(attempts.next_wait(Some(huge)).is_none());
            attempts.waited = Duration::ZERO;
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Timestamp::from_second(784_111_777).unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            (" 7 ", Some(7)),
            ("99999999999999999999", Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:51:07 GMT", Some(90)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(parse_retry_after(value, now), expected, "{value:?}");
        }
    }
}
