//! Consolidated files: ordered once, waited for, downloaded.

use std::time::Duration;

use cdrlake_fetch::{Error, ErrorKind, Fetched, Task};
use cdrlake_sandbox::{Breach, Reply, Settings};

use crate::support::{CONSOLIDATED, ORDER, Setup, only, run, usage};

type Fault = Box<dyn Fn(Reply) -> Reply + Send + Sync>;

fn order() -> Task {
    Task::Order(usage("2026-11-01", "2026-11-07"))
}

#[test]
fn an_order_is_waited_for() {
    let setup = Setup::new(Settings { order_polls: 4, records: 3, ..Settings::default() });
    setup.carrier.next(CONSOLIDATED, |_| Reply::empty(204));
    setup.carrier.next(CONSOLIDATED, |_| Reply::empty(202));
    setup.carrier.next(CONSOLIDATED, |reply| {
        Reply { status: 200, ..Reply::zip("ABC.cdr.zip", cdrlake_sandbox::empty_zip()) }
            .with("x-was", &reply.status.to_string())
    });
    let result = setup.one(order());
    assert!(matches!(result, Ok(Fetched::Files(_))), "{result:?}");
    assert_eq!(setup.files(), ["ABC2026110701.cdr.zip"]);
    assert_eq!((setup.asked(ORDER), setup.asked(CONSOLIDATED)), (1, 5));
    let (request, _) = &setup.sandbox.requests_for(ORDER)[0];
    assert_eq!(request.method, "POST");
    assert!(request.body.is_empty());
    assert_eq!(request.parameter("toDate"), Some("2026-11-07"));
    let (request, _) = &setup.sandbox.requests_for(CONSOLIDATED)[0];
    assert_eq!(request.parameter("orderID"), Some("2026110701"));
}

#[test]
fn an_order_that_is_not_ready_in_time_can_be_resumed() {
    let setup = Setup::new(Settings { order_polls: 1000, records: 3, ..Settings::default() });
    let mut options = setup.options();
    options.wait = Duration::from_millis(50);
    let error = only(run(options.clone(), &[order()], setup.directory.path())).unwrap_err();
    assert!(matches!(error, Error::NotReady { .. }), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(error.to_string().contains("order 2026110701"), "{error}");
    assert!(setup.files().is_empty());
    let resumed =
        Task::Resume { profile: "ABC".parse().unwrap(), order_id: "2026110701".parse().unwrap() };
    options.wait = Duration::from_secs(30);
    options.first_wait = Duration::ZERO;
    let result = only(run(options, &[resumed], setup.directory.path()));
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(setup.asked(ORDER), 1);
}

#[test]
fn an_order_is_repeated_only_where_it_cannot_have_been_placed() {
    let error = |status| Reply::error(status, "ERR01", "a reason", "a message");
    let faults: [(&str, Fault, usize); 12] = [
        ("429", Box::new(move |_| error(429)), 2),
        ("503", Box::new(move |_| error(503)), 2),
        ("401", Box::new(move |_| error(401)), 2),
        ("500", Box::new(move |_| error(500)), 1),
        ("502", Box::new(move |_| error(502)), 1),
        ("504", Box::new(move |_| error(504)), 1),
        ("400", Box::new(move |_| error(400)), 1),
        ("404", Box::new(move |_| error(404)), 1),
        ("cut", Box::new(|reply| reply.breached(Breach::Cut(10))), 1),
        ("no answer", Box::new(|reply| reply.breached(Breach::Raw(Vec::new()))), 1),
        ("reset", Box::new(|reply| reply.breached(Breach::Reset(0))), 1),
        ("no order id", Box::new(|_| Reply::new(200, "application/json", "{\"order\": {}}")), 1),
    ];
    for (name, fault, tries) in faults {
        let setup = Setup::small();
        setup.carrier.next(ORDER, fault);
        let result = setup.one(order());
        assert_eq!(setup.asked(ORDER), tries, "{name}: {result:?}");
        assert_eq!(result.is_ok(), tries > 1, "{name}");
        if matches!(name, "500" | "502" | "504" | "cut" | "no answer" | "reset" | "no order id") {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::OrderUnknown { .. }), "{name}: {error:?}");
            assert!(error.to_string().contains("may have been placed"), "{error}");
            assert_eq!(error.kind(), ErrorKind::Io);
        }
    }
}

#[test]
fn a_silent_answer_to_an_order_is_not_repeated() {
    let setup = Setup::small();
    setup.carrier.next(ORDER, |reply| reply.breached(Breach::Silence(Duration::from_secs(2))));
    let mut options = setup.options();
    options.deadlines.idle = Duration::from_millis(200);
    let error = only(run(options, &[order()], setup.directory.path())).unwrap_err();
    assert!(matches!(error, Error::OrderUnknown { .. }), "{error:?}");
    assert_eq!(setup.asked(ORDER), 1);
}

#[test]
fn an_order_that_finds_nobody_is_repeated() {
    // Nobody listens for a moment, so that the first connections are refused.
    let port = crate::support::free_port();
    let directory = tempfile::tempdir().unwrap();
    let mut options = crate::support::options(&format!("http://127.0.0.1:{port}"));
    options.credentials = cdrlake_fetch::Credentials::Token("sandbox-token-1".to_owned().into());
    options.retry.attempts = 50;
    options.retry.first_wait = Duration::from_millis(20);
    options.retry.longest_wait = Duration::from_millis(50);
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        crate::support::token_holder(port)
    });
    let result = only(run(options, &[order()], directory.path()));
    let sandbox = late.join().unwrap();
    assert!(result.is_ok(), "{result:?}");
    assert_eq!(sandbox.requests_for(ORDER).len(), 1);
}

#[test]
fn an_order_that_is_too_large_is_halved() {
    let setup = Setup::small();
    setup.carrier.next(ORDER, |_| Reply::error(413, "ERR01", "too large", ""));
    let report = setup.run(&[order()]);
    assert_eq!(report.tasks.len(), 2);
    assert!(report.tasks.iter().all(|task| task.result.is_ok()), "{report:?}");
    assert_eq!(setup.files().len(), 2);
}

#[test]
fn the_href_of_an_answer_is_left_alone() {
    // The stand-in's href is of 127.0.0.2, where nobody listens: following it would fail.
    let setup = Setup::small();
    assert!(setup.one(order()).is_ok());
    let paths: Vec<String> =
        setup.sandbox.requests().into_iter().map(|(request, _)| request.path).collect();
    assert!(paths.iter().all(|path| !path.contains("20261107")), "{paths:?}");
}
