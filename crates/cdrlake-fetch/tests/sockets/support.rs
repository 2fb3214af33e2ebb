//! A server, an inbox, and a fetcher with little patience.

use std::fs::File;
use std::io;
use std::num::NonZero;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cdrlake_fetch::{
    Bill, Checks, Contents, Credentials, Days, Deadlines, Error, Event, Fetched, Fetcher, Format,
    Inbox, Operation, Options, Progress, Report, Retry, Silent, Task, TaskReport, Usage,
};
use cdrlake_sandbox::{Carrier, Reply, Request, Sandbox, Settings, zip_of};
use tempfile::TempDir;

pub(crate) const UNRATED: &str = "unratedCallDetailRecord";
pub(crate) const ORDER: &str = "generateConsolidatedUnratedCallDetailRecord";
pub(crate) const CONSOLIDATED: &str = "consolidatedUnratedCallDetailRecord";

/// Knows names that begin with a letter and have a digit; tests zips and gzips to their ends.
pub(crate) struct Archives;

impl Checks for Archives {
    fn is_known_name(&self, name: &str) -> bool {
        name.starts_with("ABC")
    }

    fn test(&self, archive: &mut File, format: Format) -> Result<Contents, String> {
        let test = || -> io::Result<Contents> {
            match format {
                Format::Gzip => {
                    io::copy(&mut flate2::read::MultiGzDecoder::new(archive), &mut io::sink())?;
                    Ok(Contents::Files)
                }
                Format::Zip => {
                    let mut zip = zip::ZipArchive::new(archive)?;
                    for number in 0..zip.len() {
                        io::copy(&mut zip.by_index(number)?, &mut io::sink())?;
                    }
                    Ok(if zip.is_empty() { Contents::Nothing } else { Contents::Files })
                }
            }
        };
        test().map_err(|error| error.to_string())
    }
}

/// Remembers what it was told.
#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<String>>);

impl Progress for Told {
    fn finished(&self, report: &TaskReport) {
        let text = match &report.result {
            Ok(fetched) => format!("{fetched:?}"),
            Err(error) => error.to_string(),
        };
        self.0.lock().unwrap().push(format!("{}: {text}", report.operation));
    }

    fn event(&self, event: &Event<'_>) {
        self.0.lock().unwrap().push(format!("{event:?}"));
    }
}

/// The stand-in with its default behaviour.
pub(crate) struct Setup {
    pub(crate) sandbox: Sandbox,
    pub(crate) carrier: Arc<Carrier>,
    pub(crate) directory: TempDir,
}

impl Setup {
    pub(crate) fn new(settings: Settings) -> Self {
        let carrier = Arc::new(Carrier::new(settings));
        let sandbox = carrier.serve(0);
        Self { sandbox: sandbox.unwrap(), carrier, directory: tempfile::tempdir().unwrap() }
    }

    /// A few records a day.
    pub(crate) fn small() -> Self {
        Self::new(Settings { records: 3, ..Settings::default() })
    }

    pub(crate) fn options(&self) -> Options {
        options(&self.sandbox.url())
    }

    pub(crate) fn run(&self, tasks: &[Task]) -> Report {
        run(self.options(), tasks, self.directory.path())
    }

    /// The only result of one task.
    pub(crate) fn one(&self, task: Task) -> Result<Fetched, Error> {
        only(self.run(&[task]))
    }

    /// How many requests there were for a resource.
    pub(crate) fn asked(&self, resource: &str) -> usize {
        self.sandbox.requests_for(resource).len()
    }

    pub(crate) fn files(&self) -> Vec<String> {
        files(self.directory.path())
    }
}

/// A server that answers tokens as it should, and everything else with `reply`.
pub(crate) fn serve(reply: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Sandbox {
    let carrier = Carrier::new(Settings::default());
    Sandbox::http(0, move |request: &Request| {
        if request.resource() == "token" { carrier.answer(request) } else { reply(request) }
    })
    .unwrap()
}

/// Options with little patience.
pub(crate) fn options(url: &str) -> Options {
    let Settings { key, secret, .. } = Settings::default();
    let credentials = Credentials::Consumer { key: key.into(), secret: secret.into() };
    let mut options = Options::new(url.parse().unwrap(), credentials);
    options.retry = Retry {
        attempts: 3,
        budget: Duration::from_secs(20),
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(5),
    };
    options.deadlines = Deadlines {
        connect: Duration::from_secs(5),
        idle: Duration::from_secs(10),
        total: Duration::from_secs(30),
    };
    options.first_wait = Duration::from_millis(1);
    options.jobs = NonZero::new(1).unwrap();
    options.today = "2026-11-22".parse().unwrap();
    options
}

pub(crate) fn run(options: Options, tasks: &[Task], directory: &Path) -> Report {
    let fetcher = Fetcher::new(options, &Archives, &Silent).unwrap();
    fetcher.run(tasks, &Inbox::open(directory).unwrap())
}

pub(crate) fn only(report: Report) -> Result<Fetched, Error> {
    let [report] = report.tasks.try_into().unwrap();
    report.result
}

/// One request, and what is in the inbox after it.
pub(crate) fn fetch(options: Options) -> (Result<Fetched, Error>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let result = only(run(options, &[day("2026-11-01")], directory.path()));
    (result, files(directory.path()))
}

/// All files but the journal.
pub(crate) fn files(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".cdrlake-fetch.jsonl")
        .collect();
    names.sort();
    names
}

pub(crate) fn usage(from: &str, to: &str) -> Usage {
    Usage {
        profile: "ABC".parse().unwrap(),
        offering: "SIP Trunking".parse().unwrap(),
        days: Days::new(from.parse().unwrap(), to.parse().unwrap()).unwrap(),
    }
}

pub(crate) fn day(day: &str) -> Task {
    Task::Download(Operation::Unrated(usage(day, day)))
}

pub(crate) fn bill(month: &str) -> Bill {
    Bill {
        ocn: "O123".parse().unwrap(),
        bcn: None,
        invoice: None,
        month: Some(month.parse().unwrap()),
        year: Some("2026".parse().unwrap()),
    }
}

/// A port that nobody listens on, and below those that the system gives to the other tests.
pub(crate) fn free_port() -> u16 {
    let mut ports = std::iter::repeat_with(|| fastrand::u16(20_000..32_000));
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// A server that accepts one token without having given it.
pub(crate) fn token_holder(port: u16) -> Sandbox {
    let carrier = Carrier::new(Settings { records: 3, ..Settings::default() });
    let ask = Request {
        method: "POST".to_owned(),
        path: "/authentication/v1/oauth/token".to_owned(),
        query: Vec::new(),
        headers: [
            ("authorization", "Basic c2FuZGJveC1rZXk6c2FuZGJveC1zZWNyZXQ="),
            ("content-type", "application/x-www-form-urlencoded"),
            ("x-tracking-id", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        body: b"grant_type=client_credentials".to_vec(),
        connection: 0,
    };
    assert_eq!(carrier.answer(&ask).status, 200);
    Arc::new(carrier).serve(port).unwrap()
}

/// An archive of one file.
pub(crate) fn good() -> Reply {
    Reply::zip("ABC.cdr.zip", zip_of(&[("a.cdr", b"abc")]))
}

/// An error of the service.
pub(crate) fn error(status: u16) -> Reply {
    Reply::error(status, "ERR01", "a reason", "a message")
}
