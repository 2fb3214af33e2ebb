//! The table of HTTP faults, row by row; contents, cuts, tokens, names and certificates have files
//! of their own.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cdrlake_fetch::{Error, ErrorKind, Fetched, Operation, Retry, Stored, Task, TransportFault};
use cdrlake_sandbox::{Breach, Framing, Reply, Request, Sandbox, zip_of};

use crate::support::{
    Setup, UNRATED, bill, day, error, fetch, files, good, only, options, run, serve, usage,
};

#[test]
fn a_good_answer_is_stored_as_it_came() {
    let setup = Setup::small();
    for multipart in [false, true] {
        for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
            setup.carrier.next(UNRATED, move |reply| {
                let reply = if multipart { reply.in_multipart() } else { reply };
                reply.framed(framing)
            });
            let Ok(Fetched::Files(files)) = setup.one(day("2026-11-21")) else { panic!() };
            assert_eq!(files.len(), 1);
            let stored = std::fs::read(files[0].path()).unwrap();
            let seed = "ABC1020261121"
                .bytes()
                .fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
            // Two files a day since 1970.
            const SEQUENCE: u32 = 20_778 * 2 % 10_000;
            let days = ["20261120", "20261121"];
            let expected = cdrlake_sandbox::day("ABC", "10", days, SEQUENCE, seed, 3);
            assert_eq!(stored, expected);
        }
    }
    assert_eq!(setup.files(), ["ABC2026112100.cdr.zip"]);
    let (request, _) = &setup.sandbox.requests_for(UNRATED)[0];
    let expected = [
        ("serviceProfile", "ABC"),
        ("productOffering", "SIP Trunking"),
        ("fromDate", "2026-11-21"),
        ("toDate", "2026-11-21"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(request.query, expected);
    let id = request.header("x-tracking-id").unwrap();
    assert_eq!(request.header("apigwtrackingid"), Some(id));
    let tracking_ids: std::collections::HashSet<String> = setup
        .sandbox
        .requests()
        .iter()
        .map(|(request, _)| request.header("x-tracking-id").unwrap().to_owned())
        .collect();
    assert_eq!(tracking_ids.len(), setup.sandbox.requests().len());
}

#[test]
fn a_large_file_is_stored_whole() {
    let mut random = fastrand::Rng::with_seed(7);
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..)).take(24 << 20).collect();
    let zip = zip_of(&[("a.cdr", &noise)]);
    for reply in [Reply::zip("ABC.cdr.zip", zip.clone()), Reply::zip("ABC.zip", zip).in_multipart()]
    {
        let len = reply.body.len();
        let sandbox = serve(move |_| reply.clone());
        let directory = tempfile::tempdir().unwrap();
        let result = only(run(options(&sandbox.url()), &[day("2026-11-01")], directory.path()));
        let Ok(Fetched::Files(files)) = result else { panic!("{result:?}") };
        let stored = std::fs::metadata(files[0].path()).unwrap().len();
        assert!(stored > 24 << 20 && stored <= len as u64);
    }
}

#[test]
fn passing_errors_are_repeated_and_others_not() {
    for (status, tries) in [
        (408, 3),
        (429, 3),
        (500, 3),
        (502, 3),
        (503, 3),
        (504, 3),
        (400, 1),
        (403, 1),
        (405, 1),
        (406, 1),
        (413, 1),
        (415, 1),
    ] {
        let sandbox = serve(move |_| error(status));
        let (result, files) = fetch(options(&sandbox.url()));
        let Err(Error::Service(told)) = &result else { panic!("{status}: {result:?}") };
        assert_eq!(sandbox.requests_for(UNRATED).len(), tries, "{status}");
        assert_eq!(told.http_status, status);
        assert_eq!(told.code.as_deref(), Some("ERR01"));
        let kind = if tries > 1 { ErrorKind::Transient } else { ErrorKind::Usage };
        assert_eq!(result.as_ref().unwrap_err().kind(), kind, "{status}");
        let shown = result.unwrap_err().to_string();
        let last = sandbox.requests().pop().unwrap().0;
        let id = last.header("x-tracking-id").unwrap().to_owned();
        for part in ["ERR01", "a reason", "a message", &format!("{status}-01"), &id] {
            assert!(shown.contains(part), "{shown}");
        }
        assert!(files.is_empty());
    }
}

#[test]
fn a_fault_that_passes_does_no_harm() {
    let faults: [fn(Reply) -> Reply; 9] = [
        |_| error(503),
        |_| error(500),
        |_| error(429),
        |reply| reply.breached(Breach::Cut(10)),
        |reply| reply.breached(Breach::Reset(0)),
        |reply| reply.breached(Breach::Reset(100)),
        |reply| reply.breached(Breach::Raw(b"not HTTP at all\r\n\r\n".to_vec())),
        |reply| reply.in_multipart().breached(Breach::Cut(100)),
        |reply| reply.framed(Framing::Close).breached(Breach::Cut(100)),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let setup = Setup::small();
        setup.carrier.next(UNRATED, fault);
        let result = setup.one(day("2026-11-01"));
        assert!(matches!(result, Ok(Fetched::Files(_))), "{number}: {result:?}");
        assert_eq!(setup.asked(UNRATED), 2, "{number}");
        assert_eq!(setup.files(), ["ABC2026110100.cdr.zip"]);
    }
}

#[test]
fn retry_after_is_honoured_in_seconds_and_as_a_date() {
    for status in [429, 503] {
        for as_date in [false, true] {
            let setup = Setup::small();
            setup.carrier.next(UNRATED, move |_| {
                let value = if as_date {
                    // Whole seconds: two from now are more than one away.
                    let at = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(2);
                    jiff::fmt::rfc2822::DateTimePrinter::new()
                        .timestamp_to_rfc9110_string(&at)
                        .unwrap()
                } else {
                    "1".to_owned()
                };
                error(status).with("Retry-After", &value)
            });
            let began = Instant::now();
            assert!(setup.one(day("2026-11-01")).is_ok());
            assert!(began.elapsed() >= Duration::from_secs(1), "{status} {as_date}");
            assert!(began.elapsed() < Duration::from_secs(5), "{status} {as_date}");
        }
    }
}

#[test]
fn a_retry_after_beyond_the_budget_is_not_waited_for() {
    let setup = Setup::small();
    setup.carrier.next(UNRATED, |_| error(429).with("Retry-After", "3600"));
    let began = Instant::now();
    let told = setup.one(day("2026-11-01")).unwrap_err();
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(told.kind(), ErrorKind::Transient);
    assert!(told.to_string().contains("3600 s"), "{told}");
    assert_eq!(setup.asked(UNRATED), 1);
    // However far beyond, and whatever came before.
    for far in ["99999999999999999999", "29 Dec 9999 12:00:00 GMT"] {
        for _ in 0..2 {
            setup.carrier.next(UNRATED, |_| error(500));
        }
        setup.carrier.next(UNRATED, move |_| error(429).with("Retry-After", far));
        let mut options = setup.options();
        options.retry.attempts = 9;
        options.retry.first_wait = Duration::from_millis(700);
        options.retry.longest_wait = Duration::from_secs(2);
        let result = only(run(options, &[day("2026-11-01")], setup.directory.path()));
        assert!(matches!(&result, Err(Error::Service(told)) if told.http_status == 429), "{far}");
    }
}

#[test]
fn all_waits_of_a_request_have_one_budget() {
    let sandbox = serve(|_| error(503));
    let mut options = options(&sandbox.url());
    options.retry = Retry {
        attempts: u32::MAX,
        budget: Duration::from_millis(300),
        first_wait: Duration::from_millis(20),
        longest_wait: Duration::from_millis(40),
    };
    let began = Instant::now();
    let (result, files) = fetch(options);
    assert!(matches!(result, Err(Error::Service(_))) && files.is_empty(), "{result:?}");
    assert!(began.elapsed() >= Duration::from_millis(200) && began.elapsed().as_secs() < 5);
    // No wait is shorter than half of what it may be at the longest.
    let asked = sandbox.requests_for(UNRATED).len();
    assert!((8..=17).contains(&asked), "{asked}");
}

#[test]
fn all_wait_when_one_is_told_to() {
    let setup = Setup::small();
    setup.carrier.next(UNRATED, |_| error(429).with("Retry-After", "1"));
    let mut options = setup.options();
    options.jobs = NonZero::new(2).unwrap();
    let days = ["2026-11-01", "2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"];
    let report = run(options, &days.map(day), setup.directory.path());
    assert!(report.tasks.iter().all(|task| task.result.is_ok()));
    // Of those that ask later, at most one was on its way when the first was told.
    assert_eq!(setup.asked(UNRATED), 6);
}

#[test]
fn a_slow_drip_meets_the_deadlines() {
    let drip = |pause| good().breached(Breach::Drip(1, Duration::from_millis(pause)));
    // Each byte is in time for the idle deadline, but not all for the total one.
    let sandbox = serve(move |_| drip(50));
    let mut patient = options(&sandbox.url());
    patient.retry.attempts = 1;
    patient.deadlines.total = Duration::from_millis(500);
    let began = Instant::now();
    let (result, files) = fetch(patient.clone());
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_timeout(&result.unwrap_err());
    assert!(files.is_empty());
    // No byte is in time for the idle deadline.
    let sandbox = serve(move |_| drip(2000));
    let mut impatient = options(&sandbox.url());
    impatient.retry.attempts = 1;
    impatient.deadlines.idle = Duration::from_millis(200);
    let began = Instant::now();
    let (result, files) = fetch(impatient.clone());
    assert!(began.elapsed() < Duration::from_secs(2));
    assert_timeout(&result.unwrap_err());
    assert!(files.is_empty());
    // Not even the head comes.
    let sandbox = serve(|_| good().breached(Breach::Silence(Duration::from_secs(2))));
    impatient.endpoint = sandbox.url().parse().unwrap();
    assert_timeout(&fetch(impatient).0.unwrap_err());
}

fn assert_timeout(error: &Error) {
    let Error::Transport { fault, .. } = error else { panic!("{error:?}") };
    assert_eq!(fault.fault(), TransportFault::Timeout, "{error}");
    assert_eq!(error.kind(), ErrorKind::Transient);
}

#[test]
fn nobody_there() {
    let url = format!("http://127.0.0.1:{}", crate::support::free_port());
    let directory = tempfile::tempdir().unwrap();
    let error = only(run(options(&url), &[day("2026-11-01")], directory.path())).unwrap_err();
    let Error::Transport { fault, .. } = &error else { panic!("{error:?}") };
    assert_eq!(fault.fault(), TransportFault::Connect);
    assert_eq!(error.kind(), ErrorKind::Transient);
}

#[test]
fn redirects_are_not_followed() {
    static ELSEWHERE: AtomicUsize = AtomicUsize::new(0);
    let elsewhere = Sandbox::http(0, |_| {
        ELSEWHERE.fetch_add(1, Ordering::SeqCst);
        good()
    })
    .unwrap();
    for status in [301, 302, 303, 307, 308] {
        for url in [elsewhere.url(), elsewhere.url().replace("127.0.0.1", "127.0.0.2")] {
            let sandbox = serve(move |_| Reply::empty(status).with("Location", &url));
            let (result, files) = fetch(options(&sandbox.url()));
            let error = result.unwrap_err();
            assert!(matches!(&error, Error::Service(told) if told.http_status == status));
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(files.is_empty());
        }
    }
    // Nor are key and secret, or an order, taken elsewhere.
    let url = elsewhere.url();
    let sandbox = Sandbox::http(0, move |request: &Request| match request.resource() {
        "token" if request.connection == 0 => {
            Reply::new(200, "application/json", "{\"access_token\": \"abc\"}")
                .with("Connection", "close")
        }
        _ => Reply::empty(307).with("Location", &url),
    })
    .unwrap();
    let order = Task::Order(usage("2026-11-01", "2026-11-02"));
    for (number, task) in [order.clone(), order].iter().enumerate() {
        let directory = tempfile::tempdir().unwrap();
        let task = std::slice::from_ref(task);
        let error = only(run(options(&sandbox.url()), task, directory.path())).unwrap_err();
        assert_eq!(matches!(error, Error::Token(_)), number == 1, "{error:?}");
        let (Error::Token(told) | Error::Service(told)) = &error else { panic!("{error:?}") };
        assert_eq!(told.http_status, 307);
    }
    assert_eq!(ELSEWHERE.load(Ordering::SeqCst), 0);
}

#[test]
fn too_much_is_asked_for_in_halves() {
    let sandbox = serve(|request| {
        let [from, to] = ["fromDate", "toDate"].map(|name| request.parameter(name).unwrap());
        // Nobody gets more than two days, and the fifth is too large by itself.
        let days = to[8..].parse::<u32>().unwrap() - from[8..].parse::<u32>().unwrap() + 1;
        if days > 2 || from == "2026-11-05" {
            return error(413);
        }
        Reply::new(200, "", zip_of(&[(from, to.as_bytes())]))
    });
    let directory = tempfile::tempdir().unwrap();
    let task = Task::Download(Operation::Unrated(usage("2026-11-01", "2026-11-08")));
    let report = run(options(&sandbox.url()), &[task], directory.path());
    let days: Vec<(String, bool)> =
        report.tasks.iter().map(|task| (task.operation.to_string(), task.result.is_ok())).collect();
    let expected = [
        ("unrated ABC SIP Trunking, 2026-11-01 to 2026-11-02", true),
        ("unrated ABC SIP Trunking, 2026-11-03 to 2026-11-04", true),
        ("unrated ABC SIP Trunking, 2026-11-05", false),
        ("unrated ABC SIP Trunking, 2026-11-06", true),
        ("unrated ABC SIP Trunking, 2026-11-07 to 2026-11-08", true),
    ]
    .map(|(name, is_done)| (name.to_owned(), is_done));
    assert_eq!(days, expected);
    let Err(Error::Service(told)) = &report.tasks[2].result else { panic!("{report:?}") };
    assert_eq!(told.http_status, 413);
}

#[test]
fn one_failure_harms_no_other_unless_all_would_meet_it() {
    let days = ["2026-11-01", "2026-11-02", "2026-11-03"].map(day);
    let setup = Setup::small();
    setup.carrier.next(UNRATED, |_| error(400));
    let report = setup.run(&days);
    let done: Vec<bool> = report.tasks.iter().map(|task| task.result.is_ok()).collect();
    assert_eq!(done, [false, true, true]);
    // The service is down: the rest is not tried.
    let sandbox = serve(|_| error(503));
    let directory = tempfile::tempdir().unwrap();
    let report = run(options(&sandbox.url()), &days, directory.path());
    assert_eq!(sandbox.requests_for(UNRATED).len(), 3);
    assert!(matches!(report.tasks[1].result, Err(Error::NotTried)));
    assert!(matches!(report.tasks[2].result, Err(Error::NotTried)));
}

#[test]
fn a_request_that_always_fails_keeps_no_other_from_being_tried() {
    let days: Vec<_> = (1..=9).map(|d| day(&format!("2026-11-0{d}"))).collect();
    for fault in
        [error(500), good().breached(Breach::Cut(3)), Reply::new(200, "text/html", "<html>")]
    {
        let always = fault.clone();
        let sandbox = serve(move |request| match request.parameter("fromDate") {
            Some("2026-11-01") => fault.clone(),
            Some(name) => Reply::new(200, "", zip_of(&[(name, b"abc")])),
            None => error(400),
        });
        let directory = tempfile::tempdir().unwrap();
        let report = run(options(&sandbox.url()), &days, directory.path());
        let done = report.tasks.iter().filter(|task| task.result.is_ok()).count();
        assert_eq!(done, 8, "{report:?}");
        // But if all fail so, five are enough to see it.
        let sandbox = serve(move |_| always.clone());
        let report = run(options(&sandbox.url()), &days, directory.path());
        let tried = report.tasks.iter().filter(|task| !matches!(task.result, Err(Error::NotTried)));
        assert_eq!(tried.count(), 5);
    }
}

#[test]
fn bills_are_stored_as_they_came() {
    let setup = Setup::small();
    for task in [Operation::Rated(bill("Nov")), Operation::NonUsage(bill("Nov"))] {
        let Ok(Fetched::Files(files)) = setup.one(Task::Download(task)) else { panic!() };
        assert!(matches!(files[..], [Stored::New(_)]));
    }
    let result = setup.one(Task::Download(Operation::Rated(bill("Jan"))));
    assert!(matches!(result, Ok(Fetched::Nothing)));
    assert_eq!(setup.files(), ["non-usage", "rated"]);
    for (room, begin) in [("non-usage", "nonUsageReport"), ("rated", "ratedCallDetailRecord")] {
        let stored = files(&setup.directory.path().join(room));
        let begin = format!("{begin}_O123_2026-11-01_2026-11-30_");
        assert!(stored.len() == 1 && stored[0].starts_with(&begin), "{stored:?}");
    }
}

#[test]
fn what_cannot_be_stored_is_said() {
    let setup = Setup::small();
    let mut options = setup.options();
    options.retry = Retry { attempts: 1, ..options.retry };
    let inbox = cdrlake_fetch::Inbox::open(setup.directory.path()).unwrap();
    std::fs::remove_dir_all(setup.directory.path()).unwrap();
    let fetcher =
        cdrlake_fetch::Fetcher::new(options, &crate::support::Archives, &cdrlake_fetch::Silent)
            .unwrap();
    let error = only(fetcher.run(&[day("2026-11-01")], &inbox)).unwrap_err();
    assert!(matches!(error, Error::Store(_)), "{error:?}");
    assert!(error.to_string().contains(setup.directory.path().to_str().unwrap()), "{error}");
    std::fs::create_dir(setup.directory.path()).unwrap();
}
