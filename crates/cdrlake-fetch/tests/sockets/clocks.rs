//! Clocks that differ: ours decides alone neither what is final nor how long to wait.

use std::time::{Duration, Instant};

use cdrlake_fetch::{Fetched, Task};
use cdrlake_sandbox::Reply;

use crate::support::{Setup, UNRATED, day, only, run};

/// Noon of the 22nd for the service.
const NOON: &str = "Sun, 22 Nov 2026 12:00:00 GMT";

#[test]
fn a_clock_that_is_ahead_makes_no_day_final() {
    for (today, date, is_final) in [
        ("2026-11-22", None, false),
        ("2026-11-23", None, true),
        ("2026-11-22", Some(NOON), false),
        // A year ahead.
        ("2027-11-22", Some(NOON), false),
        // Of two clocks the one behind counts, though it may be the one that is wrong.
        ("2026-11-22", Some("Mon, 22 Nov 2027 12:00:00 GMT"), false),
        ("2026-11-23", Some("Mon, 22 Nov 2027 12:00:00 GMT"), true),
        // An hour before midnight it is the next day already, by the carrier's time.
        ("2026-11-24", Some("Sun, 22 Nov 2026 23:00:00 GMT"), true),
        ("2026-11-24", Some("Sun, 22 Nov 2026 22:59:59 GMT"), false),
        ("2026-11-22", Some("yesterday"), false),
    ] {
        let setup = Setup::small();
        for _ in 0..2 {
            setup.carrier.next(UNRATED, move |reply| match date {
                Some(date) => reply.with("Date", date),
                None => reply,
            });
        }
        let mut options = setup.options();
        options.today = today.parse().unwrap();
        let fetch = |task: Task| only(run(options.clone(), &[task], setup.directory.path()));
        assert!(matches!(fetch(day("2026-11-21")), Ok(Fetched::Files(_))));
        let again = fetch(day("2026-11-21"));
        let is_left_out = matches!(again, Ok(Fetched::Earlier(_)));
        assert_eq!(is_left_out, is_final, "{today} {date:?}: {again:?}");
    }
}

#[test]
fn a_retry_after_counts_from_the_time_of_the_service() {
    // Years ago by our clock, and in years.
    for year in [2001, 2101] {
        let setup = Setup::small();
        setup.carrier.next(UNRATED, move |_| {
            Reply::error(503, "ERR01", "", "")
                .with("Date", &format!("22 Nov {year} 12:00:00 GMT"))
                .with("Retry-After", &format!("22 Nov {year} 12:00:01 GMT"))
        });
        let began = Instant::now();
        assert!(setup.one(day("2026-11-01")).is_ok());
        assert!(began.elapsed() >= Duration::from_secs(1), "{year}");
        assert!(began.elapsed() < Duration::from_secs(5), "{year}");
    }
}
