//! `cdrlake fetch numbers` and `order`.

use std::fs;
use std::process::Command;

use cdrlake_sandbox::Reply;

use crate::{KEY, SECRET, Setup, cdrlake, status, stderr, stdout};

const NUMBERS: &str = "numberCollection";

fn fetch(setup: &Setup, arguments: &[&str]) -> Command {
    let mut command = cdrlake(setup.directory.path());
    command.arg("fetch").args(arguments).args(["--endpoint", &setup.sandbox.url()]);
    command.env("CDRLAKE_CONSUMER_KEY", KEY).env("CDRLAKE_CONSUMER_SECRET", SECRET);
    command
}

#[test]
fn the_answer_goes_to_standard_output_as_it_came() {
    let setup = Setup::new();
    let output = fetch(&setup, &["order", "--order-id", "A-1"]).output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    assert_eq!((stdout(&output), stderr(&output)), ("{\"orderId\": \"A-1\"}".into(), "".into()));
    let query = ["--query", "a=x=y", "--query", "b="];
    let output = fetch(&setup, &[&["numbers"][..], &query].concat()).output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    let json: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    assert_eq!(json[0]["startFullNumber"], "+3338250xxx0");
    let (request, _) = setup.sandbox.requests_for(NUMBERS).pop().unwrap();
    assert_eq!((request.parameter("a"), request.parameter("b")), (Some("x=y"), Some("")));
}

#[test]
fn a_file_has_the_last_whole_answer() {
    let setup = Setup::new();
    let numbers = || fetch(&setup, &["numbers", "-o", "numbers.json"]).output().unwrap();
    let read = || fs::read_to_string(setup.directory.path().join("numbers.json")).unwrap();
    for json in ["[1]", "[1, 2]"] {
        setup.carrier.next(NUMBERS, move |_| Reply::new(200, "application/json", json));
        let output = numbers();
        assert_eq!((status(&output), stdout(&output), read()), (0, String::new(), json.to_owned()));
    }
    setup.carrier.next(NUMBERS, |_| Reply::new(200, "application/json", "[1, 2,"));
    setup.carrier.next(NUMBERS, |_| Reply::empty(204));
    assert_eq!(status(&numbers()), 1);
    assert_eq!(status(&numbers()), 0);
    assert_eq!(read(), "[1, 2]");
    assert_eq!(fs::read_dir(setup.directory.path()).unwrap().count(), 1, "and nothing else");
}

#[test]
fn exit_statuses() {
    let setup = Setup::new();
    let error = |status: u16| Reply::error(status, "ERR01", "a reason", "a message");
    for (reply, expected, told) in [
        (Reply::empty(204), 0, "numbers: there is nothing"),
        (error(403), 1, "suspended"),
        (error(404), 1, "HTTP 404, code ERR01, status 404-01, a reason: a message"),
        (error(413), 1, "contact the carrier's support"),
        (error(429).with("Retry-After", "9999"), 75, "try again later"),
        (error(503), 75, "try again after some time"),
        (Reply::new(200, "text/html", "<html>"), 1, "not JSON but HTML"),
    ] {
        setup.carrier.next(NUMBERS, move |_| reply.clone());
        let output = fetch(&setup, &["numbers", "--retry-for", "0s"]).output().unwrap();
        assert_eq!(status(&output), expected, "{output:?}");
        assert!(stderr(&output).contains(told), "{told}: {output:?}");
        assert_eq!(stdout(&output), "");
    }
    let asked = setup.sandbox.requests().len();
    for wrong in [
        &["order"][..],
        &["order", "--order-id", ".."],
        &["order", "--order-id", "a b"],
        &["numbers", "--query", "a"],
        &["numbers", "--query", "=a"],
    ] {
        let output = fetch(&setup, wrong).output().unwrap();
        assert_eq!(status(&output), 2, "{output:?}");
    }
    assert_eq!(setup.sandbox.requests().len(), asked, "nothing is sent");
}

#[test]
fn a_dry_run_sends_nothing() {
    let mut command = cdrlake(std::path::Path::new("."));
    command.args(["fetch", "numbers", "--query", "a=+1", "--endpoint", "sandbox", "--dry-run"]);
    let output = command.output().unwrap();
    let base = "https://sandbox.apis.colt.net";
    let expected = format!(
        "POST {base}/authentication/v1/oauth/token\n\
         GET {base}/numberManagement/inbound/v1/numberCollection?a=%2B1\n"
    );
    // That the sandbox keeps no files matters to nobody here.
    assert_eq!((stdout(&output), stderr(&output)), (expected, String::new()));
}
