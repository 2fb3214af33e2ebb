//! Connections that hang at each of their steps, and TLS that breaks later: deadlines hold.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use cdrlake_fetch::{Credentials, Deadlines, Error, ErrorKind, Options, Task, TransportFault};
use cdrlake_sandbox::Mute;

use crate::support::{day, only, options, run, usage};

const DEADLINE: Duration = Duration::from_millis(300);

fn impatient(url: &str) -> Options {
    let mut options = options(url);
    options.credentials = Credentials::Token("x".to_owned().into());
    options.retry.attempts = 1;
    options.deadlines = Deadlines { connect: DEADLINE, ..options.deadlines };
    options
}

fn fault(options: Options, task: Task) -> (TransportFault, Error) {
    let directory = tempfile::tempdir().unwrap();
    let began = Instant::now();
    let error = only(run(options, &[task], directory.path())).unwrap_err();
    let took = began.elapsed();
    assert!(took > DEADLINE / 2 && took < Duration::from_secs(3), "{took:?}: {error}");
    let Error::Transport { fault, .. } = &error else { panic!("{error:?}") };
    (fault.fault(), error)
}

#[test]
fn a_connection_that_hangs_meets_its_deadline() {
    let mute = Mute::new().unwrap();
    let _all = mute.fill();
    for task in [day("2026-11-01"), Task::Order(usage("2026-11-01", "2026-11-02"))] {
        let url = format!("http://127.0.0.1:{}", mute.port());
        let (fault, error) = fault(impatient(&url), task);
        assert_eq!(fault, TransportFault::Connect, "{error}");
        assert_eq!(error.kind(), ErrorKind::Transient);
    }
}

#[test]
fn tls_that_hangs_meets_the_same_deadline() {
    let mute = Mute::new().unwrap();
    let url = format!("https://127.0.0.1:{}", mute.port());
    for task in [day("2026-11-01"), Task::Order(usage("2026-11-01", "2026-11-02"))] {
        let (fault, error) = fault(impatient(&url), task);
        // Nothing was sent yet, so an order may be repeated.
        assert_eq!(fault, TransportFault::Connect, "{error}");
        assert_eq!(error.kind(), ErrorKind::Transient);
    }
}

#[test]
fn an_order_that_tls_gives_no_answer_to_may_have_been_placed() {
    // What comes is not TLS, but by then the request might be read.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        assert!(stream.read(&mut [0; 1024]).unwrap() > 0);
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let directory = tempfile::tempdir().unwrap();
    let task = Task::Order(usage("2026-11-01", "2026-11-02"));
    let error = only(run(impatient(&url), &[task], directory.path())).unwrap_err();
    server.join().unwrap();
    assert!(matches!(error, Error::OrderUnknown { .. }), "{error:?}");
}
