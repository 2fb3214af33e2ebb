//! Tokens: asked for as rarely as possible, refreshed once for all, refused for good.

use std::collections::HashMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cdrlake_fetch::{Credentials, Error, ErrorKind, Task};
use cdrlake_sandbox::{Breach, Reply, Sandbox, Settings};
use jiff::ToSpan;
use jiff::civil::date;

use crate::support::{Setup, UNRATED, day, only, options, run, serve};

fn days(count: i64) -> Vec<Task> {
    (0..count).map(|n| day(&(date(2026, 9, 1) + n.days()).to_string())).collect()
}

#[test]
fn fifty_files_over_four_connections_with_tokens_of_ten_requests() {
    let setup = Setup::new(Settings { token_requests: 10, records: 200, ..Settings::default() });
    let mut options = setup.options();
    options.jobs = NonZero::new(4).unwrap();
    let report = run(options, &days(50), setup.directory.path());
    assert!(report.tasks.iter().all(|task| task.result.is_ok()), "{report:?}");
    assert_eq!(setup.files().len(), 50);
    let mut served: HashMap<String, u32> = HashMap::new();
    let mut refused = 0;
    for (request, status) in setup.sandbox.requests_for(UNRATED) {
        match status {
            200 => {
                *served.entry(request.parameter("fromDate").unwrap().to_owned()).or_default() += 1;
            }
            401 => refused += 1,
            status => panic!("{status}"),
        }
    }
    assert_eq!(served.len(), 50);
    assert!(served.values().all(|times| *times == 1), "each fetched once");
    // Fifty files need five tokens of ten requests; each is asked for once.
    assert_eq!(setup.asked("token"), 5);
    // When a token ends, every connection may learn it by itself.
    assert!((4..=16).contains(&refused), "{refused}");
    assert!(setup.sandbox.connections() <= 5, "{}", setup.sandbox.connections());
}

#[test]
fn one_token_for_all() {
    let setup = Setup::small();
    let mut options = setup.options();
    options.jobs = NonZero::new(8).unwrap();
    let report = run(options, &days(20), setup.directory.path());
    assert!(report.tasks.iter().all(|task| task.result.is_ok()));
    assert_eq!((setup.asked("token"), setup.asked(UNRATED)), (1, 20));
}

#[test]
fn a_token_is_renewed_before_it_ends() {
    let setup = Setup::new(Settings { token_lifetime: 1, records: 3, ..Settings::default() });
    setup.carrier.next(UNRATED, |reply| {
        let (len, pause) = (reply.body.len(), Duration::from_millis(1100));
        reply.breached(Breach::Drip(len, pause))
    });
    let report = setup.run(&days(2));
    assert!(report.tasks.iter().all(|task| task.result.is_ok()));
    // No request was refused: the token was known to be near its end.
    assert_eq!((setup.asked("token"), setup.asked(UNRATED)), (2, 2));
}

#[test]
fn a_refusal_in_either_form_refreshes_the_token_once() {
    for (status, code) in [(401, "401-02"), (400, "400-001")] {
        let setup = Setup::small();
        setup.carrier.next(UNRATED, move |_| Reply::error(status, code, "Unauthorized", ""));
        assert!(setup.one(day("2026-11-01")).is_ok());
        assert_eq!((setup.asked("token"), setup.asked(UNRATED)), (2, 2));
        // A service that refuses every token is asked with one more only.
        let sandbox = serve(move |_| Reply::error(status, code, "Unauthorized", ""));
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(&sandbox.url());
        options.jobs = NonZero::new(4).unwrap();
        let report = run(options, &days(12), directory.path());
        assert!(report.tasks.iter().all(|task| task.result.is_err()));
        assert!(
            sandbox.requests_for("token").len() <= 3,
            "{}",
            sandbox.requests_for("token").len()
        );
        let asked: Vec<(String, usize)> = sandbox
            .requests_for(UNRATED)
            .iter()
            .map(|(request, _)| {
                (request.header("authorization").unwrap().to_owned(), request.connection)
            })
            .collect();
        assert!(asked.len() <= 8, "{asked:?}");
    }
}

#[test]
fn refused_credentials_are_tried_once() {
    let setup = Setup::small();
    let mut options = setup.options();
    options.credentials = Credentials::Consumer {
        key: "sandbox-key".to_owned().into(),
        secret: "x".to_owned().into(),
    };
    options.jobs = NonZero::new(4).unwrap();
    let report = run(options, &days(8), setup.directory.path());
    assert_eq!((setup.asked("token"), setup.asked(UNRATED)), (1, 0));
    let error = report.tasks.into_iter().find_map(|task| match task.result {
        Err(Error::NotTried) => None,
        result => result.err(),
    });
    let error = error.unwrap();
    assert!(matches!(error, Error::Token(_)), "{error:?}");
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn a_ready_token_is_used_and_not_refreshed() {
    let sandbox = crate::support::token_holder(0);
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&sandbox.url());
    options.credentials = Credentials::Token("sandbox-token-1".to_owned().into());
    assert!(only(run(options.clone(), &days(1), directory.path())).is_ok());
    options.credentials = Credentials::Token("another".to_owned().into());
    let report = run(options, &days(3)[1..], directory.path());
    assert!(matches!(&report.tasks[0].result, Err(Error::Service(e)) if e.http_status == 401));
    assert!(matches!(&report.tasks[1].result, Err(Error::NotTried)));
    assert_eq!(sandbox.requests_for("token").len(), 0);
    assert_eq!(sandbox.requests_for(UNRATED).len(), 2);
}

#[test]
fn the_token_service_may_fail_for_a_while() {
    let setup = Setup::small();
    setup.carrier.next("token", |_| Reply::error(503, "001", "service unavailable", ""));
    setup.carrier.next("token", |reply| reply.breached(Breach::Cut(5)));
    assert!(setup.one(day("2026-11-01")).is_ok());
    assert_eq!(setup.asked("token"), 3);
}

#[test]
fn the_errors_of_the_token_service() {
    for (status, code, kind, tries) in [
        (400, "005", ErrorKind::Usage, 1),
        (401, "002", ErrorKind::Usage, 1),
        (415, "001", ErrorKind::Usage, 1),
        (404, "404", ErrorKind::Usage, 1),
        (302, "302", ErrorKind::Usage, 1),
        (429, "429", ErrorKind::Transient, 3),
        (500, "002", ErrorKind::Transient, 3),
        (503, "001", ErrorKind::Transient, 3),
    ] {
        let setup = Setup::small();
        for _ in 0..3 {
            setup
                .carrier
                .next("token", move |_| Reply::error(status, code, "a reason", "a message"));
        }
        let error = setup.one(day("2026-11-01")).unwrap_err();
        let Error::Token(told) = &error else { panic!("{error:?}") };
        assert_eq!((told.http_status, told.code.as_deref()), (status, Some(code)));
        assert_eq!(error.kind(), kind, "{status}");
        assert_eq!(setup.asked("token"), tries, "{status}");
        assert_eq!(setup.asked(UNRATED), 0);
        assert!(error.to_string().contains("tracking id cdrlake-"), "{error}");
    }
}

#[test]
fn an_answer_that_is_no_token() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    for body in ["", "<html>", "{\"access_token\": \"canary\",}", "{\"access_token\": 7}", "[1, 2"]
    {
        ASKED.store(0, Ordering::SeqCst);
        let sandbox = Sandbox::http(0, move |_| {
            ASKED.fetch_add(1, Ordering::SeqCst);
            Reply::new(200, "application/json", body)
        })
        .unwrap();
        let directory = tempfile::tempdir().unwrap();
        let error = only(run(options(&sandbox.url()), &days(1), directory.path())).unwrap_err();
        assert!(matches!(error, Error::Token(_)), "{error:?}");
        assert!(!error.to_string().contains("canary"), "{error}");
        assert_eq!(ASKED.load(Ordering::SeqCst), 1);
    }
}
