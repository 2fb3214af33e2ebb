//! Secrets and telephone numbers, looked for in everything that comes out.

use std::fmt::Write as _;
use std::io;
use std::sync::{Arc, Mutex};

use cdrlake_fetch::{Credentials, Error, Fetcher, Inbox, Lookup, Operation, Options, Task};
use cdrlake_sandbox::{Breach, Carrier, Reply, Request, Sandbox, Settings};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Archives, CONSOLIDATED, ORDER, Told, UNRATED, bill, day, options, usage};

const KEY: &str = "canary-key";
const SECRET: &str = "canary-secret";
const TOKEN: &str = "sandbox-token-";
const PHONE: &str = "447700900123";

const NUMBERS: &str = "numberCollection";

/// Everything that `log` and `tracing` say, at every level.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl io::Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl log::Log for Logs {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}\n", record.target(), record.args());
        self.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

/// Faults whose answers repeat what must not be shown.
fn misbehave(carrier: &Carrier, secrets: &'static str) {
    let told = move || format!("{secrets} +{PHONE} and 0{}", &PHONE[2..]);
    for resource in ["token", UNRATED, ORDER, CONSOLIDATED, "ratedCallDetailRecord"] {
        carrier.next(resource, move |_| Reply::error(503, &told(), &told(), &told()));
    }
    carrier.next(UNRATED, move |_| Reply::error(401, &told(), &told(), &told()));
    carrier.next(UNRATED, move |_| Reply::error(400, &told(), &told(), &told()));
    carrier.next(UNRATED, move |_| Reply::new(200, "text/html", format!("<p>{}", told())));
    carrier
        .next(UNRATED, move |_| Reply { status: 200, ..Reply::error(500, &told(), "", &told()) });
    carrier.next(UNRATED, move |_| Reply::new(200, &told(), told()));
    carrier.next(UNRATED, move |_| Reply::empty(302).with("Location", &format!("/{TOKEN}1")));
    carrier.next(ORDER, move |_| Reply::new(200, "application/json", told()));
    carrier.next("nonUsageReport", move |_| {
        Reply::empty(403).with("APIGWTrackingId", PHONE).with("APIGWExceptionCode", &told())
    });
    carrier.next("nonUsageReport", |reply| reply.breached(Breach::Reset(5)));
    carrier.next(NUMBERS, move |_| Reply::error(503, &told(), &told(), &told()));
    carrier.next(NUMBERS, move |_| Reply::error(400, &told(), &told(), &told()));
    carrier.next(NUMBERS, move |_| Reply::new(200, &told(), told()));
}

/// `reply` with what the request proved itself by.
fn echo(request: &Request, mut reply: Reply) -> Reply {
    let authorization = request.header("authorization").unwrap();
    let fill = |text: &str| text.replace("<authorization>", authorization);
    for (_, value) in &mut reply.headers {
        *value = fill(value);
    }
    if let Ok(text) = String::from_utf8(reply.body.clone()) {
        reply.body = fill(&text).into();
    }
    reply
}

fn tasks() -> Vec<Task> {
    let mut tasks =
        ["01", "02", "03", "04", "05", "06"].map(|d| day(&format!("2026-11-{d}"))).to_vec();
    tasks.push(Task::Order(usage("2026-11-01", "2026-11-03")));
    tasks.push(Task::Order(usage("2026-11-01", "2026-11-03")));
    tasks.push(Task::Download(Operation::Rated(bill("Nov"))));
    tasks.push(Task::Download(Operation::NonUsage(bill("Nov"))));
    tasks
}

/// All that an error can tell.
fn shown(error: &Error) -> String {
    let mut out = format!("{error} {error:#?}");
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        write!(out, "{cause} {cause:?}").unwrap();
        source = cause.source();
    }
    out
}

#[test]
fn nothing_secret_comes_out_at_any_level() {
    let logs = Logs::default();
    log::set_boxed_logger(Box::new(logs.clone())).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(logs.clone())
        .finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let settings = Settings { key: KEY.into(), secret: SECRET.into(), ..Settings::default() };
    let carrier = Arc::new(Carrier::new(settings));
    let sandbox = Sandbox::http(0, {
        let carrier = Arc::clone(&carrier);
        move |request: &Request| echo(request, carrier.answer(request))
    })
    .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let inbox = Inbox::open(directory.path()).unwrap();
    let mut out = String::new();
    let consumer =
        Credentials::Consumer { key: KEY.to_owned().into(), secret: SECRET.to_owned().into() };
    let ready = Credentials::Token(format!("{TOKEN}1").into());
    for (credentials, secrets) in
        [(consumer, "canary-key canary-secret <authorization>"), (ready, "<authorization>")]
    {
        // One task a run, so that no failure keeps another from being tried.
        misbehave(&carrier, secrets);
        for task in tasks() {
            let options = Options { credentials: credentials.clone(), ..options(&sandbox.url()) };
            let told = Told::default();
            let fetcher = Fetcher::new(options.clone(), &Archives, &told).unwrap();
            let report = fetcher.run(&[task], &inbox);
            write!(out, "{fetcher:?} {options:?} {report:?} {:?}", told.0.lock().unwrap()).unwrap();
            report.tasks.iter().filter_map(|task| task.result.as_ref().err()).for_each(|error| {
                out.push_str(&shown(error));
            });
        }
        // The query of a person who looks a number up.
        let lookup = Lookup::Numbers { query: vec![("number".into(), PHONE.into())] };
        for _ in 0..2 {
            let options = Options { credentials: credentials.clone(), ..options(&sandbox.url()) };
            let told = Told::default();
            let error = Fetcher::new(options, &Archives, &told).unwrap().look_up(&lookup);
            write!(out, "{lookup} {:?}", told.0.lock().unwrap()).unwrap();
            out.push_str(&shown(&error.unwrap_err()));
        }
    }
    // The journal and whatever else is in the inbox; archives are compressed numbers of nobody.
    let places = ["", "rated", "non-usage"].map(|place| directory.path().join(place));
    for entry in places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        write!(out, "{} ", path.display()).unwrap();
        out.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
    }
    let logs = String::from_utf8(logs.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("cdrlake_fetch"), "the logs are there");
    assert!(out.contains("HTTP 400") && out.contains("HTTP 403"), "the errors are there");
    let basic = "Y2FuYXJ5LWtleTpjYW5hcnktc2VjcmV0";
    // Tokens of other tests are in the logs of all, by nobody's fault but theirs, if they leak.
    for (name, text) in [("output", &out), ("log", &logs)] {
        for canary in [KEY, SECRET, TOKEN, basic, PHONE, &PHONE[2..]] {
            let found = text.find(canary).map(|at| {
                text[..at].char_indices().rev().nth(200).map_or(0, |(start, _)| start)..at
            });
            assert!(found.is_none(), "{canary} in {name}: {}", &text[found.unwrap()]);
        }
    }
}
