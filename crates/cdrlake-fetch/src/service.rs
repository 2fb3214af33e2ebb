//! A request to its answer: with a token, and repeated where that helps and does no harm.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cdrlake_run::{ErrorKind, Interrupt};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use serde::Deserialize;

use crate::credentials::Credentials;
use crate::endpoint::Endpoint;
use crate::error::{Error, ServiceError};
use crate::progress::{Event, Progress};
use crate::quote::quote;
use crate::request::{Call, Twice};
use crate::retry::{Attempts, Retry};
use crate::token::{Token, Tokens};
use crate::transport::{Connection, Incoming, Outgoing, Transport};
use crate::transport_error::TransportFault;

/// Error payloads and tokens are read up to here.
const LONGEST_TEXT: u64 = 64 << 10;
/// How many tokens a request may use up, if each of them worked for others before.
const MOST_REFUSALS: u32 = 8;

/// The API, as one of its customers.
pub(crate) struct Service<'a> {
    transport: Transport,
    endpoint: Endpoint,
    credentials: Credentials,
    tokens: Tokens,
    /// Why there will be no token.
    no_token: Mutex<Option<ServiceError>>,
    retry: Retry,
    /// Until when the service asked not to be asked.
    closed_until: Mutex<Option<Instant>>,
    interrupt: Interrupt,
    progress: &'a dyn Progress,
}

impl<'a> Service<'a> {
    pub(crate) fn new(
        transport: Transport,
        endpoint: Endpoint,
        credentials: Credentials,
        retry: Retry,
        interrupt: Interrupt,
        progress: &'a dyn Progress,
    ) -> Self {
        let ready = match &credentials {
            Credentials::Token(token) => Some(token),
            Credentials::Consumer { .. } => None,
        };
        Self {
            transport,
            endpoint,
            tokens: Tokens::new(ready),
            no_token: Mutex::new(None),
            credentials,
            retry,
            closed_until: Mutex::new(None),
            interrupt,
            progress,
        }
    }

    /// What `receive` makes of the answer to `call`. `receive` gets answers of success, and
    /// may be called again if it fails in a way that may pass.
    pub(crate) fn call<T>(
        &self,
        call: &Call,
        receive: &dyn Fn(Incoming) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut attempts = Attempts::new(self.retry);
        let mut refusals = 0;
        loop {
            self.wait_until_open()?;
            let token = self.tokens.token(|| self.ask_for_token(call))?;
            let error = match self.attempt(call, &token, receive) {
                Ok(received) => {
                    token.worked();
                    return Ok(received);
                }
                Err(error) => error,
            };
            if let Error::Service(answer) = &error {
                if answer.is_token_refused() {
                    let is_worth_another = token.has_worked() || token.may_be_replaced();
                    if !is_worth_another || refusals >= MOST_REFUSALS {
                        return Err(error);
                    }
                    refusals += 1;
                    self.tokens.refused(&token);
                    continue;
                }
                token.worked();
            }
            self.wait_to_repeat(call, error, &mut attempts, call.twice)?;
        }
    }

    fn attempt<T>(
        &self,
        call: &Call,
        token: &Arc<Token>,
        receive: &dyn Fn(Incoming) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let is_order = call.twice == Twice::Orders;
        let answer = self.transport.send(&Outgoing {
            method: call.method,
            url: &call.url,
            query: &call.query,
            authorization: &token.authorization,
            accept: call.accept,
            form: None,
            connection: if is_order { Connection::Fresh } else { Connection::Any },
        });
        match answer {
            Ok(answer) if (200..300).contains(&answer.status) => receive(answer),
            Ok(answer) => {
                let error = self.service_error(answer);
                if is_order && error.http_status >= 500 && error.http_status != 503 {
                    let tracking_id = error.tracking_id.clone();
                    return Err(Error::OrderUnknown {
                        problem: error.to_string(),
                        fault: None,
                        tracking_id,
                    });
                }
                Err(Error::Service(error))
            }
            Err((fault, tracking_id)) if is_order && fault.may_be_of_an_answer() => {
                let problem = fault.to_string();
                Err(Error::OrderUnknown { problem, fault: Some(fault), tracking_id })
            }
            Err((fault, tracking_id)) => Err(Error::Transport { fault, tracking_id }),
        }
    }

    /// Sleeps if `error` may pass, else gives it back.
    fn wait_to_repeat(
        &self,
        call: &Call,
        error: Error,
        attempts: &mut Attempts,
        twice: Twice,
    ) -> Result<(), Error> {
        if !may_be_repeated(&error, twice) {
            return Err(error);
        }
        self.interrupt.check()?;
        let asked = match &error {
            Error::Service(answer) | Error::Token(answer) => answer.retry_after,
            _ => None,
        };
        let Some(wait) = attempts.next_wait(asked) else { return Err(error) };
        if asked.is_some() {
            self.close_for(wait);
        }
        self.progress.event(&Event::Retrying { name: &call.name, error: &error, wait });
        Ok(self.interrupt.sleep(wait)?)
    }

    /// All who ask wait, not only the one that was told to.
    fn close_for(&self, wait: Duration) {
        let until = Instant::now().checked_add(wait);
        let mut closed = self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        *closed = (*closed).max(until);
    }

    fn wait_until_open(&self) -> Result<(), Error> {
        let until = *self.closed_until.lock().unwrap_or_else(PoisonError::into_inner);
        let wait = until.map(|until| until.saturating_duration_since(Instant::now()));
        Ok(self.interrupt.sleep(wait.unwrap_or_default())?)
    }

    /// Asks the token service, with the same patience; `call` is what the token is for.
    fn ask_for_token(&self, call: &Call) -> Result<Token, Error> {
        let mut no_token = self.no_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = no_token.as_ref() {
            // Asking again for what was refused may lock an account.
            return Err(Error::Token(Box::new(error.clone())));
        }
        let mut attempts = Attempts::new(self.retry);
        loop {
            let error = match self.try_token() {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            match self.wait_to_repeat(call, error, &mut attempts, Twice::Harmless) {
                Ok(()) => {}
                Err(Error::Token(error)) => {
                    *no_token = Some((*error).clone());
                    return Err(Error::Token(error));
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn try_token(&self) -> Result<Token, Error> {
        let answer = self.transport.send(&Outgoing {
            method: "POST",
            url: &self.endpoint.token_url(),
            query: &[],
            authorization: &self.basic(),
            accept: "application/json",
            form: Some("grant_type=client_credentials"),
            connection: Connection::Any,
        });
        let mut answer =
            answer.map_err(|(fault, tracking_id)| Error::Transport { fault, tracking_id })?;
        if answer.status != 200 {
            return Err(Error::Token(self.service_error(answer)));
        }
        let text = answer.read_text(LONGEST_TEXT).map(Zeroizing::new);
        let tracking_id = answer.tracking_id;
        let text =
            text.map_err(|fault| Error::Transport { fault, tracking_id: tracking_id.clone() })?;
        Token::from_answer(&text).ok_or_else(|| {
            Error::Token(Box::new(ServiceError {
                http_status: 200,
                reason: Some("the answer has no bearer token in JSON".to_owned()),
                tracking_id,
                ..ServiceError::default()
            }))
        })
    }

    /// `Basic …`; empty where a token was given, which is not asked for.
    fn basic(&self) -> SecretString {
        let Credentials::Consumer { key, secret } = &self.credentials else {
            return SecretString::default();
        };
        let pair = format!("{}:{}", key.expose_secret(), secret.expose_secret());
        let pair = Zeroizing::new(pair);
        let encoded = Zeroizing::new(STANDARD.encode(pair.as_bytes()));
        SecretString::from(format!("Basic {}", *encoded))
    }

    /// The error that an answer tells.
    fn service_error(&self, mut answer: Incoming) -> Box<ServiceError> {
        // A body that cannot be read tells nothing more; the status does.
        let body = answer.read_text(LONGEST_TEXT).unwrap_or_default();
        let mut error = ServiceError {
            http_status: answer.status,
            retry_after: answer.retry_after(),
            ..self.payload(&body).unwrap_or_default()
        };
        if error.code.is_none() {
            let code = answer.header("APIGWExceptionCode");
            error.code = code.map(|code| self.quote(code));
        }
        error.tracking_id = self.tracking_id(&answer);
        Box::new(error)
    }

    /// The carrier's error payload, if `body` is one.
    pub(crate) fn payload(&self, body: &[u8]) -> Option<ServiceError> {
        #[derive(Deserialize)]
        struct Payload {
            code: Option<Text>,
            reason: Option<Text>,
            message: Option<Text>,
            status: Option<Text>,
        }
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Text {
            Text(String),
            Number(i64),
        }
        let payload: Payload = serde_json::from_slice(body).ok()?;
        let show = |text: Option<Text>| {
            text.map(|text| match text {
                Text::Text(text) => self.quote(&text),
                Text::Number(number) => self.quote(&number.to_string()),
            })
            .filter(|text| !text.is_empty())
        };
        Some(ServiceError {
            code: show(payload.code),
            reason: show(payload.reason),
            message: show(payload.message),
            status: show(payload.status),
            ..ServiceError::default()
        })
    }

    /// The server's text, fit to be shown.
    pub(crate) fn quote(&self, text: &str) -> String {
        let (basic, tokens) = (self.basic(), self.tokens.all());
        let mut hidden = self.credentials.secrets();
        let authorizations = tokens.iter().map(|token| &token.authorization).chain([&basic]);
        for authorization in authorizations {
            let parts = authorization.expose_secret().split_once(' ');
            hidden.extend(parts.map(|(_, secret)| secret));
        }
        quote(text, &hidden)
    }

    /// The request's tracking id, and the server's own if it has another.
    fn tracking_id(&self, answer: &Incoming) -> String {
        let theirs = ["APIGWTrackingId", "x-tracking-id"].iter().find_map(|name| {
            let theirs = |id: &&str| is_tracking_id(id) && *id != answer.tracking_id;
            answer.header(name).filter(theirs).filter(|id| !self.quote(id).contains("[secret]"))
        });
        match theirs {
            Some(theirs) => format!("{}, the service's {theirs}", answer.tracking_id),
            None => answer.tracking_id.clone(),
        }
    }
}

/// The documents' pattern, short enough for a message, and not a telephone number.
fn is_tracking_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.~:@-".contains(&byte);
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    (1..=64).contains(&text.len()) && letters >= 4 && text.bytes().all(allowed)
}

/// Whether sending the request again may help, and cannot order twice.
fn may_be_repeated(error: &Error, twice: Twice) -> bool {
    let is_order = twice == Twice::Orders;
    let may_pass = |error: &Error| error.kind() == ErrorKind::Transient;
    match error {
        Error::Token(_) => may_pass(error),
        Error::Service(answer) if is_order => matches!(answer.http_status, 429 | 503),
        Error::Transport { fault, .. } if is_order => fault.fault() == TransportFault::Connect,
        _ if is_order => false,
        // A body without length that was cut shows only here.
        Error::Damaged { .. } => true,
        error => may_pass(error),
    }
}
