//! A run: tasks to files, several at a time.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread::scope;
use std::time::{Duration, Instant};

use cdrlake_inbox::{Asked, Line};
use cdrlake_run::Interrupt;
use jiff::civil::Date;
use serde::Deserialize;

use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::{Error, Reach};
use crate::horizon::is_final;
use crate::inbox::{Inbox, Received, Stored};
use crate::noted::{Noting, asked_of};
use crate::parameters::{OrderId, Profile};
use crate::progress::{Event, Progress};
use crate::receive::{Checks, Receiver};
use crate::request::{Operation, Usage};
use crate::retry::Retry;
use crate::service::Service;
use crate::setup_error::SetupError;
use crate::task::{Fetched, Task, TaskReport};
use crate::transport::{Deadlines, Incoming, Transport, with_query};

/// How to fetch.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where from.
    pub endpoint: Endpoint,
    /// As whom.
    pub credentials: Credentials,
    /// Certificates to trust in place of the public ones, in PEM.
    pub ca_file: Option<PathBuf>,
    /// How many downloads at a time.
    pub jobs: NonZero<usize>,
    /// How patient with faults.
    pub retry: Retry,
    /// How patient with slowness.
    pub deadlines: Deadlines,
    /// How long to wait for an order, in sum.
    pub wait: Duration,
    /// The longest wait before an order is asked for a second time; it grows from there.
    pub first_wait: Duration,
    /// The day it is, for what is final and what is gone.
    pub today: Date,
    /// Whether to end early. What is on its way then is dropped, unless it is an order.
    pub interrupt: Interrupt,
}

impl Options {
    /// Four downloads at a time, the default patience, and two hours for an order, which is what
    /// the carrier promises (section 4.3).
    #[must_use]
    pub fn new(endpoint: Endpoint, credentials: Credentials) -> Self {
        const FOUR: NonZero<usize> = NonZero::new(4).unwrap();
        Self {
            endpoint,
            credentials,
            ca_file: None,
            jobs: FOUR,
            retry: Retry::default(),
            deadlines: Deadlines::default(),
            wait: Duration::from_secs(2 * 3600),
            first_wait: Duration::from_secs(30),
            today: crate::horizon::today(),
            interrupt: Interrupt::default(),
        }
    }
}

/// What came of a run.
#[derive(Debug)]
pub struct Report {
    /// In the order of the tasks; a task that was halved has one for each part.
    pub tasks: Vec<TaskReport>,
}

/// Fetches.
pub struct Fetcher<'a> {
    pub(crate) options: Options,
    pub(crate) service: Service<'a>,
    checks: &'a dyn Checks,
    progress: &'a dyn Progress,
}

impl fmt::Debug for Fetcher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fetcher").field("options", &self.options).finish_non_exhaustive()
    }
}

impl<'a> Fetcher<'a> {
    /// Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// [`SetupError`]: the `ca_file` or the environment's proxy cannot be used.
    pub fn new(
        options: Options,
        checks: &'a dyn Checks,
        progress: &'a dyn Progress,
    ) -> Result<Self, SetupError> {
        let transport = Transport::new(
            &options.endpoint,
            options.deadlines,
            options.ca_file.as_deref(),
            options.interrupt.clone(),
        )?;
        let service = Service::new(
            transport,
            options.endpoint.clone(),
            options.credentials.clone(),
            options.retry,
            options.interrupt.clone(),
            progress,
        );
        Ok(Self { options, service, checks, progress })
    }

    /// The URL of a request, with its query; there is no secret in it.
    #[must_use]
    pub fn url(endpoint: &Endpoint, operation: &Operation) -> String {
        let call = operation.call(endpoint);
        with_query(&call.url, &call.query)
    }

    /// Does `tasks`. What fails harms nothing else, but a failure that every other request would
    /// meet too, and five in a row of another kind, end the run: the rest is [`Error::NotTried`].
    #[must_use]
    pub fn run(&self, tasks: &[Task], inbox: &Inbox) -> Report {
        let queue: Mutex<VecDeque<(usize, &Task)>> = Mutex::new(tasks.iter().enumerate().collect());
        let done = Mutex::new(Vec::new());
        let course = Course::default();
        self.progress.planned(tasks.len());
        let work = || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some((number, task)) = next else { break };
                let reports = self.task(task, inbox, &course);
                let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                done.push((number, reports));
            }
        };
        scope(|scope| {
            for _ in 0..self.options.jobs.get().min(tasks.len()) {
                scope.spawn(work);
            }
        });
        let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
        done.sort_by_key(|(number, _)| *number);
        Report { tasks: done.into_iter().flat_map(|(_, reports)| reports).collect() }
    }

    /// A task, in as many parts as the service wants.
    fn task(&self, task: &Task, inbox: &Inbox, course: &Course) -> Vec<TaskReport> {
        let mut reports = Vec::new();
        let mut parts = vec![task.clone()];
        while let Some(part) = parts.pop() {
            let mut operation = part.operation();
            let result = if course.is_over() {
                Err(Error::NotTried)
            } else {
                self.part(&part, &mut operation, inbox)
            };
            if let Err(Error::Service(error)) = &result
                && error.http_status == 413
                && let Some(halves) = operation.halves()
            {
                self.progress.event(&Event::Halved { operation: &operation });
                self.progress.planned(1);
                parts.extend(halves.into_iter().rev().map(|half| match (half, &part) {
                    (Operation::Order(usage), _) => Task::Order(usage),
                    (half, Task::Again(_)) => Task::Again(half),
                    (half, _) => Task::Download(half),
                }));
                continue;
            }
            course.note(result.as_ref().err());
            let report = TaskReport { operation, result };
            self.progress.finished(&report);
            reports.push(report);
        }
        reports
    }

    /// `request` becomes the one that the result is of.
    fn part(&self, task: &Task, request: &mut Operation, inbox: &Inbox) -> Result<Fetched, Error> {
        self.options.interrupt.check()?;
        match task {
            Task::Download(operation) => {
                match inbox.journal.files(&Self::url(&self.options.endpoint, operation)) {
                    Some(files) => Ok(Fetched::Earlier(files)),
                    None => self.download(operation, inbox),
                }
            }
            Task::Again(operation) => self.download(operation, inbox),
            Task::Order(usage) => {
                let order_id = self.order(usage)?;
                let profile = usage.profile.clone();
                let ordered = Operation::Consolidated { profile, order_id: order_id.clone() };
                let asked = Asked {
                    order_id: Some(order_id.to_string()),
                    resource: ordered.resource().to_owned(),
                    ..asked_of(&Operation::Order(usage.clone()))
                };
                // A run that resumes it is to know what was ordered.
                let line = Line { asked: Some(asked.clone()), ..Line::default() };
                self.note(line, &ordered, inbox);
                *request = ordered;
                self.wait_for(&usage.profile, &order_id, asked, inbox)
            }
            Task::Resume { profile, order_id } => {
                let noted = inbox.journal.order(profile.as_str(), order_id.as_str());
                let asked = noted.unwrap_or_else(|| asked_of(request));
                self.wait_for(profile, order_id, asked, inbox)
            }
        }
    }

    fn download(&self, operation: &Operation, inbox: &Inbox) -> Result<Fetched, Error> {
        let received = self.receive(operation, inbox)?;
        if received.is_empty() {
            return Ok(Fetched::Nothing);
        }
        let room = operation.room().map(|name| inbox.room(name)).transpose()?;
        let inbox = room.as_ref().unwrap_or(inbox);
        // Of two clocks the one behind, for the other may be ahead.
        let today = received.iter().filter_map(|received| received.day).min();
        let today = today.map_or(self.options.today, |day| day.min(self.options.today));
        let is_final = match operation {
            Operation::Unrated(usage) => is_final(usage.days.to(), today),
            _ => false,
        };
        let request = is_final.then(|| Self::url(&self.options.endpoint, operation));
        self.store(received, operation, asked_of(operation), request, inbox)
    }

    /// Files to their places. `request` is what need not be sent again while they are there.
    fn store(
        &self,
        received: Vec<Received>,
        operation: &Operation,
        asked: Asked,
        request: Option<String>,
        inbox: &Inbox,
    ) -> Result<Fetched, Error> {
        let noting = Noting::of(&received);
        let stored = publish(received, operation, inbox)?;
        self.note(noting.line(&stored, asked, request), operation, inbox);
        Ok(Fetched::Files(stored))
    }

    /// The files are there, or the order is placed; a failure must not hide that.
    fn note(&self, line: Line, operation: &Operation, inbox: &Inbox) {
        if let Err(error) = inbox.journal.append(line) {
            self.progress.event(&Event::NotNoted { operation, error: &error });
        }
    }

    /// What is there now; nothing is no error.
    fn receive(&self, operation: &Operation, inbox: &Inbox) -> Result<Vec<Received>, Error> {
        const ACCEPTED: u16 = 202;
        const NOT_FOUND: u16 = 404;
        let is_ordered = matches!(operation, Operation::Consolidated { .. });
        let receiver = Receiver {
            service: &self.service,
            inbox,
            checks: self.checks,
            progress: self.progress,
        };
        match self.service.call(&operation.call(&self.options.endpoint), &|answer| match answer
            .status
        {
            // Accepted, but not done: what an order may be that is waited for.
            ACCEPTED if is_ordered => Ok(Vec::new()),
            _ => receiver.receive(answer),
        }) {
            Err(Error::Service(error)) if error.http_status == NOT_FOUND => Ok(Vec::new()),
            received => received,
        }
    }

    fn order(&self, usage: &Usage) -> Result<OrderId, Error> {
        let operation = Operation::Order(usage.clone());
        let order_id = self.service.call(&operation.call(&self.options.endpoint), &order_id)?;
        self.progress.event(&Event::Ordered { operation: &operation, order_id: &order_id });
        Ok(order_id)
    }

    /// Asks for an order's file until it is there.
    fn wait_for(
        &self,
        profile: &Profile,
        order_id: &OrderId,
        asked: Asked,
        inbox: &Inbox,
    ) -> Result<Fetched, Error> {
        const LONGEST: Duration = Duration::from_secs(300);
        let operation =
            Operation::Consolidated { profile: profile.clone(), order_id: order_id.clone() };
        let began = Instant::now();
        let mut longest = self.options.first_wait;
        loop {
            let received = self.receive(&operation, inbox)?;
            if !received.is_empty() {
                return self.store(received, &operation, asked, None, inbox);
            }
            let left = self.options.wait.saturating_sub(began.elapsed());
            if left.is_zero() {
                let (order_id, waited) = (order_id.clone(), self.options.wait);
                return Err(Error::NotReady { order_id, waited });
            }
            let wait = longest.mul_f64(0.75 + fastrand::f64() / 4.0).min(left);
            self.progress.event(&Event::Waiting { order_id, wait });
            self.options.interrupt.sleep(wait)?;
            longest = (longest * 3 / 2).min(LONGEST);
        }
    }
}

/// How a run goes, seen from all its threads.
#[derive(Debug, Default)]
struct Course {
    /// Failures in a row, of those that may be everyone's.
    failures: AtomicU32,
}

impl Course {
    /// As many of these in a row are no coincidence. One request that always fails must not keep
    /// those behind it from being tried, in this run and all later ones.
    const MOST_FAILURES: u32 = 5;

    fn is_over(&self) -> bool {
        self.failures.load(Ordering::Relaxed) >= Self::MOST_FAILURES
    }

    fn note(&self, error: Option<&Error>) {
        match error.map(Error::reach) {
            // What began before the end may still succeed after it.
            None if !self.is_over() => self.failures.store(0, Ordering::Relaxed),
            None | Some(Reach::None) => {}
            Some(Reach::Perhaps) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
            }
            Some(Reach::All) => self.failures.store(Self::MOST_FAILURES, Ordering::Relaxed),
        }
    }
}

fn publish(
    received: Vec<Received>,
    operation: &Operation,
    inbox: &Inbox,
) -> Result<Vec<Stored>, Error> {
    let stem = operation.file_stem();
    let stored = received.into_iter().map(|received| inbox.publish(received, &stem));
    Ok(stored.collect::<Result<_, _>>()?)
}

/// The number of an order, from the answer to it. An `href` in it is left alone.
fn order_id(mut answer: Incoming) -> Result<OrderId, Error> {
    #[derive(Deserialize)]
    struct Answer {
        order: Order,
    }
    #[derive(Deserialize)]
    struct Order {
        #[serde(rename = "orderId")]
        order_id: Text,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Text {
        Text(String),
        Number(u64),
    }
    const LONGEST: u64 = 64 << 10;
    let text = answer.read_text(LONGEST);
    let unknown = |problem: String, fault| Error::OrderUnknown {
        problem,
        fault,
        tracking_id: answer.tracking_id.clone(),
    };
    let text = text.map_err(|fault| unknown(fault.to_string(), Some(fault)))?;
    let order_id =
        serde_json::from_slice(&text).ok().and_then(|answer: Answer| match answer.order.order_id {
            Text::Text(text) => text.parse().ok(),
            Text::Number(number) => number.to_string().parse().ok(),
        });
    order_id.ok_or_else(|| unknown("the answer has no order id".to_owned(), None))
}
