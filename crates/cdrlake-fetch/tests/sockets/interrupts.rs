//! A run that is asked to end does, whatever it waits for; what was stored stays.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cdrlake_fetch::{Error, Fetched, Interrupt, Operation, Task};
use cdrlake_sandbox::{Breach, Reply, Settings};

use crate::support::{CONSOLIDATED, ORDER, Setup, UNRATED, day, run, usage};

/// Runs `task`, which would take long, and asks it to end when `resource` was asked for.
fn interrupted(setup: &Setup, task: Task, resource: &str) -> cdrlake_fetch::Report {
    let flag = Arc::new(AtomicBool::new(false));
    let mut options = setup.options();
    options.interrupt = Interrupt::new(Arc::clone(&flag));
    options.first_wait = Duration::from_secs(3600);
    options.wait = Duration::from_secs(3600);
    options.retry.budget = Duration::from_secs(3600);
    options.retry.first_wait = Duration::from_secs(1000);
    options.retry.longest_wait = Duration::from_secs(1000);
    let began = Instant::now();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| {
            run(options, &[day("2026-10-01"), task, day("2026-10-02")], setup.directory.path())
        });
        while setup.asked(resource) < if resource == UNRATED { 2 } else { 1 } {
            assert!(began.elapsed() < Duration::from_secs(20), "{resource} is not asked for");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(100));
        flag.store(true, Ordering::Relaxed);
        let asked = Instant::now();
        let report = run.join().unwrap();
        assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
        report
    })
}

#[test]
fn waits_and_downloads_end_early() {
    let drip = |reply: Reply| reply.breached(Breach::Drip(1, Duration::from_millis(20)));
    let throttle =
        |_| Reply::error(429, "429", "Too many requests", "").with("Retry-After", "1800");
    let down = |_| Reply::error(503, "503", "Service unavailable", "");
    type Fault = Box<dyn Fn(Reply) -> Reply + Send + Sync>;
    let faults: [(&str, Fault); 4] = [
        ("drip", Box::new(drip)),
        ("multipart", Box::new(move |reply| drip(reply.in_multipart()))),
        ("throttle", Box::new(throttle)),
        ("down", Box::new(down)),
    ];
    for (name, fault) in faults {
        let setup = Setup::small();
        setup.carrier.next(UNRATED, |reply| reply);
        setup.carrier.next(UNRATED, fault);
        let report = interrupted(&setup, day("2026-11-01"), UNRATED);
        let [first, second, third] = &report.tasks[..] else { panic!() };
        assert!(matches!(first.result, Ok(Fetched::Files(_))), "{name}: {report:?}");
        assert!(matches!(second.result, Err(Error::Interrupted)), "{name}: {report:?}");
        assert!(matches!(third.result, Err(Error::NotTried)), "{name}: {report:?}");
        assert_eq!(setup.files(), ["ABC2026100100.cdr.zip"], "{name}: nothing is left");
        assert_eq!(setup.asked(UNRATED), 2, "{name}");
    }
}

#[test]
fn who_waits_for_an_order_is_told_its_number() {
    let setup = Setup::new(Settings { order_polls: 9, records: 3, ..Settings::default() });
    let report = interrupted(&setup, Task::Order(usage("2026-11-01", "2026-11-07")), CONSOLIDATED);
    let task = &report.tasks[1];
    assert!(matches!(task.result, Err(Error::Interrupted)), "{report:?}");
    let Operation::Consolidated { order_id, .. } = &task.operation else { panic!("{task:?}") };
    assert_eq!(order_id.as_str(), "2026110701");
}

#[test]
fn the_number_of_an_order_is_waited_for() {
    let setup = Setup::small();
    setup.carrier.next(ORDER, |reply| {
        let half = reply.body.len() / 2 + 1;
        reply.breached(Breach::Drip(half, Duration::from_millis(300)))
    });
    let report = interrupted(&setup, Task::Order(usage("2026-11-01", "2026-11-07")), ORDER);
    let task = &report.tasks[1];
    assert!(matches!(task.result, Err(Error::Interrupted)), "{report:?}");
    assert!(matches!(task.operation, Operation::Consolidated { .. }), "{task:?}");
    assert_eq!(setup.asked(CONSOLIDATED), 0);
}
