//! What the carrier's API would answer: tokens, the five calls for files, two for numbers, errors.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::archive::{consolidated, day, empty_zip};
use crate::http::Request;
use crate::reply::Reply;
use crate::server::Sandbox;

/// How the stand-in behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The client id it knows.
    pub key: String,
    /// The client secret it knows.
    pub secret: String,
    /// How many records a day has.
    pub records: u64,
    /// What `expires_in` says.
    pub token_lifetime: u64,
    /// After how many requests a token has expired.
    pub token_requests: u32,
    /// How many times an order is not ready yet.
    pub order_polls: u32,
    /// Whether files come in `multipart/form-data`.
    pub multipart: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            key: "sandbox-key".to_owned(),
            secret: "sandbox-secret".to_owned(),
            records: 1000,
            token_lifetime: 1800,
            token_requests: u32::MAX,
            order_polls: 1,
            multipart: false,
        }
    }
}

type Fault = Box<dyn Fn(Reply) -> Reply + Send + Sync>;

/// The stand-in, and what it remembers.
pub struct Carrier {
    settings: Settings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Every token given, and how many requests it may still serve.
    tokens: HashMap<String, u32>,
    /// Every order: its query's days, and how many times it is still not ready.
    orders: HashMap<String, (Vec<[String; 2]>, u32)>,
    /// What goes wrong with the next answers for a resource.
    faults: HashMap<String, VecDeque<Fault>>,
}

impl Carrier {
    /// With nothing given and ordered yet.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { settings, state: Mutex::default() }
    }

    /// Starts a server of plain http that gives its answers. `port` 0 is any that is free.
    ///
    /// # Errors
    ///
    /// The port is taken.
    pub fn serve(self: &Arc<Self>, port: u16) -> io::Result<Sandbox> {
        let carrier = Arc::clone(self);
        Sandbox::http(port, move |request: &Request| carrier.answer(request))
    }

    /// Makes something of the next answer for `resource` that nobody has claimed yet.
    pub fn next(&self, resource: &str, fault: impl Fn(Reply) -> Reply + Send + Sync + 'static) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.faults.entry(resource.to_owned()).or_default().push_back(Box::new(fault));
    }

    /// The answer to a request.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Reply {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = state.faults.get_mut(request.resource()).and_then(VecDeque::pop_front);
        let reply = if request.path.ends_with("/authentication/v1/oauth/token") {
            self.token(request, &mut state)
        } else {
            self.authorized(request, &mut state)
        };
        let reply = match request.header("x-tracking-id") {
            Some(id) => reply.with("x-tracking-id", id),
            None => Reply::error(400, "400-004", "Validation not met", "x-tracking-id is missing"),
        };
        match fault {
            Some(fault) => fault(reply),
            None => reply,
        }
    }

    fn token(&self, request: &Request, state: &mut State) -> Reply {
        let wrong =
            |status, code, message| Reply::error(status, code, "Validation not met", message);
        let form = "application/x-www-form-urlencoded";
        if request.method != "POST" || request.header("content-type") != Some(form) {
            return wrong(415, "415-001", "The format of the posted body is not supported");
        }
        if request.body != b"grant_type=client_credentials" {
            return wrong(400, "400-002", "The request is missing grant_type.");
        }
        let expected = format!(
            "Basic {}",
            STANDARD.encode(format!("{}:{}", self.settings.key, self.settings.secret))
        );
        match request.header("authorization") {
            None => wrong(400, "400-001", "The request is missing authorization parameter."),
            Some(given) if given != expected => Reply::error(
                401,
                "401-002",
                "Authentication error",
                "The authorization parameter is not valid.",
            ),
            Some(_) => {
                let token = format!("sandbox-token-{}", state.tokens.len() + 1);
                let body = format!(
                    r#"{{"access_token": "{token}", "token_type": "Bearer", "expires_in": {}}}"#,
                    self.settings.token_lifetime
                );
                state.tokens.insert(token, self.settings.token_requests);
                Reply::new(200, "application/json", body)
            }
        }
    }

    fn authorized(&self, request: &Request, state: &mut State) -> Reply {
        let token = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        match token.and_then(|token| state.tokens.get_mut(token)) {
            Some(left) if *left > 0 => *left -= 1,
            _ => {
                return Reply::error(
                    401,
                    "401-02",
                    "Unauthorized",
                    "Access token is not valid or has expired.",
                );
            }
        }
        let under = |base| request.path.rsplit_once(base).map(|(_, resource)| resource);
        if let Some(resource) = under("/numberManagement/inbound/v1/") {
            return number(&request.method, resource);
        }
        let Some(resource) = under("/usageManagement/v1/") else {
            return Reply::error(404, "404-01", "Not found", "Resource not found.");
        };
        match (request.method.as_str(), resource) {
            ("GET", "unratedCallDetailRecord") => self.unrated(request),
            ("POST", "generateConsolidatedUnratedCallDetailRecord") => self.order(request, state),
            ("GET", "consolidatedUnratedCallDetailRecord") => self.ordered(request, state),
            ("GET", "ratedCallDetailRecord" | "nonUsageReport") => self.bill(request),
            _ => Reply::error(405, "405-01", "Method not allowed", "Check GET and POST."),
        }
    }

    fn unrated(&self, request: &Request) -> Reply {
        let Some((profile, days)) = usage(request) else { return invalid() };
        let product = product(request.parameter("productOffering").unwrap_or_default());
        // One day has its files bare in the zip, several have a zip a day, as it were.
        let Some([day_before, last]) = days.last() else { return Reply::empty(204) };
        let seed = seed(&format!("{profile}{product}{last}"));
        let sequence = sequence(last);
        let body = match days.len() {
            1 => day(profile, product, [day_before, last], sequence, seed, self.settings.records),
            _ => consolidated(profile, last, &days, seed, self.settings.records),
        };
        self.file(&format!("{profile}{last}00.cdr.zip"), body)
    }

    fn order(&self, request: &Request, state: &mut State) -> Reply {
        let Some((_, days)) = usage(request) else { return invalid() };
        let today = days.last().map(|[_, day]| day.clone()).unwrap_or_default();
        let order_id = format!("{today}{:02}", state.orders.len() + 1);
        // The href is of another host: who follows it sends the token there.
        let body = format!(
            r#"{{"order": {{"href": "http://127.0.0.2:1/{order_id}", "orderId": "{order_id}"}}}}"#
        );
        state.orders.insert(order_id, (days, self.settings.order_polls));
        Reply::new(200, "application/json", body)
    }

    fn ordered(&self, request: &Request, state: &mut State) -> Reply {
        let order_id = request.parameter("orderID").unwrap_or_default();
        let profile = request.parameter("serviceProfile").unwrap_or_default();
        match state.orders.get_mut(order_id) {
            None => Reply::error(404, "404-01", "Not found", "Resource not found."),
            Some((_, left)) if *left > 0 => {
                *left -= 1;
                Reply::error(404, "404-01", "Not found", "The file is not available yet.")
            }
            Some((days, _)) => {
                let body =
                    consolidated(profile, order_id, days, seed(order_id), self.settings.records);
                self.file(&format!("{profile}{order_id}.cdr.zip"), body)
            }
        }
    }

    fn bill(&self, request: &Request) -> Reply {
        let Some(ocn) = request.parameter("OCN").filter(|ocn| !ocn.is_empty()) else {
            return invalid();
        };
        if request.parameter("month") == Some("Jan") {
            return self.file("nothing.zip", empty_zip());
        }
        let content = format!("a file of {ocn} whose format is not public\n");
        self.file("", crate::archive::zip_of(&[("charges.r.cat", content.as_bytes())]))
    }

    fn file(&self, name: &str, body: Vec<u8>) -> Reply {
        let reply = if name.is_empty() {
            Reply::new(200, "application/octet-stream", body)
        } else {
            Reply::zip(name, body)
        };
        if self.settings.multipart { reply.in_multipart() } else { reply }
    }
}

/// What the number API might answer: the form is made up, the numbers are the carrier's example.
fn number(method: &str, resource: &str) -> Reply {
    let json = match (method, resource.split_once('/')) {
        ("GET", None) if resource == "numberCollection" => {
            r#"[{"startFullNumber": "+3338250xxx0", "endFullNumber": "+3338250xxx9"}]"#.to_owned()
        }
        ("GET", Some(("order", "0"))) => {
            return Reply::error(404, "404-01", "Not found", "Resource not found.");
        }
        ("GET", Some(("order", id))) => format!(r#"{{"orderId": "{id}"}}"#),
        _ => return Reply::error(405, "405-01", "Method not allowed", "Check GET and POST."),
    };
    Reply::new(200, "application/json", json)
}

fn invalid() -> Reply {
    Reply::error(400, "400-005", "Validation not met", "Invalid input parameter")
}

/// The profile, and each day with the day before it.
fn usage(request: &Request) -> Option<(&str, Vec<[String; 2]>)> {
    const MOST: usize = 400;
    let profile = request.parameter("serviceProfile")?;
    let parse = |name| request.parameter(name)?.parse::<Date>().ok();
    let (from, to) = (parse("fromDate")?, parse("toDate")?);
    let compact = |date: Date| date.strftime("%Y%m%d").to_string();
    let days = from.series(1.day()).take_while(|day| *day <= to).take(MOST);
    let days = days.filter_map(|day| Some([compact(day.yesterday().ok()?), compact(day)]));
    Some((profile, days.collect()))
}

/// The product identifier of an offering.
fn product(offering: &str) -> &'static str {
    match offering {
        "Voice Line" => "00",
        "IP Voice Line" => "11",
        "IN For Resellers" => "12",
        "Wholesale SIP" => "15",
        "CIC for Resellers" => "19",
        "CIC Opc Reseller" => "20",
        _ => "10",
    }
}

/// The first number of a day's two files: one follows the other from day to day, over 9999 too.
fn sequence(day: &str) -> u32 {
    const EPOCH: Date = Date::constant(1970, 1, 1);
    let days = Date::strptime("%Y%m%d", day).ok().and_then(|day| day.since(EPOCH).ok());
    days.map_or(0, |days| days.get_days().rem_euclid(5000) as u32 * 2)
}

fn seed(text: &str) -> u64 {
    text.bytes().fold(7, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)))
}
