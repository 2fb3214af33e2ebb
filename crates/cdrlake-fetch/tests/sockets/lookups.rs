//! The number API's calls that change nothing.

use std::time::Duration;

use cdrlake_fetch::{Error, ErrorKind, Fetcher, Lookup, Options, Silent};
use cdrlake_sandbox::{Breach, Framing, Reply, Request, Sandbox};

use crate::support::{Archives, Setup, options, serve};

const NUMBERS: &str = "numberCollection";

fn look_up(options: Options, lookup: &Lookup) -> Result<Option<String>, Error> {
    let answer = Fetcher::new(options, &Archives, &Silent).unwrap().look_up(lookup)?;
    Ok(answer.map(|json| String::from_utf8(json).unwrap()))
}

fn numbers() -> Lookup {
    Lookup::Numbers { query: Vec::new() }
}

fn order(id: &str) -> Lookup {
    Lookup::Order { order_id: id.parse().unwrap() }
}

#[test]
fn answers_are_handed_on_as_they_come() {
    let setup = Setup::small();
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        for json in ["[ ]\n", "{\"a\":\r\n 1}", "7", "\"\u{e9}\""] {
            setup.carrier.next(NUMBERS, move |_| {
                Reply::new(200, "application/json; charset=utf-8", json).framed(framing)
            });
            assert_eq!(look_up(setup.options(), &numbers()).unwrap().as_deref(), Some(json));
        }
    }
    let json = look_up(setup.options(), &order("A 1".replace(' ', "/").as_str())).unwrap();
    assert_eq!(json.as_deref(), Some("{\"orderId\": \"A%2F1\"}"));
    let query = [("status", "x y"), ("status", "&")];
    let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    look_up(setup.options(), &Lookup::Numbers { query: query.clone() }).unwrap();
    let (last, _) = setup.sandbox.requests_for(NUMBERS).pop().unwrap();
    assert_eq!((last.method.as_str(), &last.query), ("GET", &query));
    assert_eq!(last.path, "/numberManagement/inbound/v1/numberCollection");
    assert!(last.header("authorization").unwrap().starts_with("Bearer sandbox-token-"));
    assert_eq!(last.header("x-tracking-id"), last.header("apigwtrackingid"));
}

#[test]
fn errors_are_those_of_all_calls() {
    let setup = Setup::small();
    let error = look_up(setup.options(), &order("0")).unwrap_err();
    assert!(matches!(&error, Error::Service(told) if told.http_status == 404), "{error:?}");
    assert!(error.to_string().contains("Resource not found"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Usage);
    for fault in [
        |_: Reply| Reply::error(401, "401", "Unauthorized", ""),
        |_| Reply::error(503, "503", "Service Unavailable", ""),
        |_| Reply::error(429, "429", "", "").with("Retry-After", "0"),
        |reply: Reply| reply.breached(Breach::Cut(3)),
    ] {
        setup.carrier.next(NUMBERS, fault);
        let before = setup.asked(NUMBERS);
        assert!(look_up(setup.options(), &numbers()).is_ok());
        assert_eq!(setup.asked(NUMBERS), before + 2);
    }
    setup.carrier.next(NUMBERS, |_| Reply::empty(204));
    assert_eq!(look_up(setup.options(), &numbers()).unwrap(), None);
    for status in [302, 400, 403, 406, 413] {
        setup.carrier.next(NUMBERS, move |_| Reply::error(status, "ERR01", "a reason", ""));
        let error = look_up(setup.options(), &numbers()).unwrap_err();
        assert!(matches!(&error, Error::Service(told) if told.http_status == status), "{error:?}");
    }
}

#[test]
fn what_is_no_json_is_not_handed_on() {
    for (body, found) in [
        ("", "empty"),
        ("<html>", "HTML"),
        ("[1, 2", "ends early"),
        ("[1, 2] and more", "something else"),
        ("+33 382 50", "something else"),
    ] {
        let sandbox = serve(move |_| Reply::new(200, "application/json", body));
        let error = look_up(options(&sandbox.url()), &numbers()).unwrap_err();
        assert!(matches!(error, Error::NotJson { .. }), "{error:?}");
        assert!(error.to_string().contains(found), "{error}");
        assert!(!error.to_string().contains("382 50"), "{error}");
        assert_eq!(error.kind(), ErrorKind::DamagedInput);
    }
}

#[test]
fn an_answer_cut_at_every_byte_is_not_handed_on() {
    let body = "[{\"startFullNumber\": \"+3338250xxx0\"}]";
    for framing in [Framing::Length, Framing::Chunked, Framing::Close] {
        let reply = Reply::new(200, "application/json", body).framed(framing);
        let whole = reply.framed_body().len() - if framing == Framing::Chunked { 2 } else { 0 };
        for end in 0..whole {
            let reply = reply.clone().breached(Breach::Cut(end));
            let sandbox = serve(move |_| reply.clone());
            let mut options = options(&sandbox.url());
            options.retry.attempts = 1;
            assert!(look_up(options, &numbers()).is_err(), "{framing:?} cut at {end}");
        }
    }
}

#[test]
fn an_answer_without_end_meets_a_limit() {
    let body = format!("[{}", " ".repeat(65 << 20));
    let sandbox = Sandbox::http(0, move |request: &Request| match request.resource() {
        "token" => Reply::new(200, "", "{\"access_token\": \"abc\"}"),
        _ => Reply::new(200, "application/json", body.clone()),
    })
    .unwrap();
    let mut options = options(&sandbox.url());
    options.deadlines.total = Duration::from_secs(60);
    let error = look_up(options, &numbers()).unwrap_err();
    assert!(error.to_string().contains("longer than 64 MiB"), "{error}");
}
