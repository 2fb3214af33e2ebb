//! Requests over the wire: connections, TLS, deadlines; no retries, no tokens.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use cdrlake_run::{Interrupt, Watched};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use secrecy::{ExposeSecret, SecretString};
use ureq::http::{HeaderMap, HeaderValue, Request, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig};
use ureq::{Agent, BodyReader};

use crate::endpoint::Endpoint;
use crate::proxy::{self, WrongProxy};
use crate::retry::parse_retry_after;
use crate::setup_error::SetupError;
use crate::transport_error::TransportError;

/// How long a request may take.
#[derive(Clone, Copy, Debug)]
pub struct Deadlines {
    /// To connect, with TLS.
    pub connect: Duration,
    /// Between one arrival of bytes and the next; also for the first of an answer.
    pub idle: Duration,
    /// For all of a request and its answer.
    pub total: Duration,
}

impl Default for Deadlines {
    /// 30 s, two minutes, one hour.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            idle: Duration::from_secs(120),
            total: Duration::from_secs(3600),
        }
    }
}

/// Sends requests to one endpoint.
pub(crate) struct Transport {
    agent: Agent,
    /// Keeps no connection: on one that was kept, a failure does not tell whether the server has
    /// seen the request.
    ordering: Agent,
    interrupt: Interrupt,
}

/// A request; secrets are in `authorization` alone.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: &'static str,
    pub(crate) url: &'a str,
    pub(crate) query: &'a [(String, String)],
    pub(crate) authorization: &'a SecretString,
    pub(crate) accept: &'static str,
    pub(crate) form: Option<&'static str>,
    /// Whether a connection may be one that served before.
    pub(crate) connection: Connection,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    Any,
    Fresh,
}

/// An answer whose body has not been read.
pub(crate) struct Incoming {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Watched<BodyReader<'static>>,
    pub(crate) tracking_id: String,
}

impl Transport {
    /// `ca_file` has the certificates to trust, in PEM, in place of the public ones.
    pub(crate) fn new(
        endpoint: &Endpoint,
        deadlines: Deadlines,
        ca_file: Option<&Path>,
        interrupt: Interrupt,
    ) -> Result<Self, SetupError> {
        let roots = match ca_file {
            Some(path) => certificates(path)?,
            None => RootCerts::WebPki,
        };
        // A proxy that the environment names gets to see a tunnel only; requests to this machine,
        // which alone may be plain, it does not get at all.
        let proxy = if endpoint.is_loopback() {
            None
        } else {
            proxy::from_environment()
                .map_err(|WrongProxy(variable)| SetupError::Proxy { variable })?
        };
        let config = |idle_connections| {
            Agent::config_builder()
                .http_status_as_error(false)
                .https_only(endpoint.is_https())
                .max_redirects(0)
                .max_redirects_will_error(false)
                .proxy(proxy.clone())
                .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
                .user_agent(concat!("cdrlake/", env!("CARGO_PKG_VERSION")))
                .timeout_resolve(Some(deadlines.connect))
                .timeout_connect(Some(deadlines.connect))
                .timeout_per_read(Some(deadlines.idle))
                .timeout_per_write(Some(deadlines.idle))
                .timeout_global(Some(deadlines.total))
                .max_idle_connections(idle_connections)
                .max_idle_connections_per_host(idle_connections)
                .build()
        };
        const IDLE_CONNECTIONS: usize = 10;
        let (agent, ordering) = (config(IDLE_CONNECTIONS).into(), config(0).into());
        Ok(Self { agent, ordering, interrupt })
    }

    /// Sends `request` under a new tracking id.
    pub(crate) fn send(
        &self,
        request: &Outgoing<'_>,
    ) -> Result<Incoming, (TransportError, String)> {
        let tracking_id = format!("cdrlake-{:032x}", fastrand::u128(..));
        let answer = self.try_send(request, &tracking_id);
        tracing::debug!(
            method = request.method,
            url = request.url,
            tracking_id,
            status = answer.as_ref().ok().map(|answer| answer.status().as_u16()),
            error = answer.as_ref().err().map(tracing::field::display),
            "request"
        );
        match answer {
            Ok(answer) => {
                let (parts, body) = answer.into_parts();
                // The number of an order is worth waiting for.
                let interrupt = match request.connection {
                    Connection::Any => self.interrupt.clone(),
                    Connection::Fresh => Interrupt::default(),
                };
                Ok(Incoming {
                    status: parts.status.as_u16(),
                    body: interrupt.watch(body.into_reader()),
                    headers: parts.headers,
                    tracking_id,
                })
            }
            Err(error) => Err((error, tracking_id)),
        }
    }

    fn try_send(
        &self,
        request: &Outgoing<'_>,
        tracking_id: &str,
    ) -> Result<ureq::http::Response<ureq::Body>, TransportError> {
        let agent = match request.connection {
            Connection::Any => &self.agent,
            Connection::Fresh => &self.ordering,
        };
        let mut authorization = HeaderValue::from_str(request.authorization.expose_secret())
            .map_err(|error| TransportError::from(ureq::Error::Http(error.into())))?;
        authorization.set_sensitive(true);
        let builder = Request::builder()
            .method(request.method)
            .uri(with_query(request.url, request.query))
            .header(header::AUTHORIZATION, authorization)
            .header(header::ACCEPT, request.accept)
            // Archives are to arrive as they are.
            .header(header::ACCEPT_ENCODING, "identity")
            .header("x-tracking-id", tracking_id)
            .header("APIGWTrackingId", tracking_id);
        let answer = match (request.method, request.form) {
            ("POST", form) => {
                let builder = match form {
                    Some(_) => {
                        builder.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    }
                    None => builder,
                };
                builder
                    .body(form.unwrap_or_default())
                    .map_err(ureq::Error::Http)
                    .and_then(|request| agent.run(request))
            }
            _ => builder.body(()).map_err(ureq::Error::Http).and_then(|request| agent.run(request)),
        };
        answer.map_err(TransportError::from)
    }
}

/// `url` with its query, escaped.
pub(crate) fn with_query(url: &str, query: &[(String, String)]) -> String {
    let mut whole = url.to_owned();
    for (number, (name, value)) in query.iter().enumerate() {
        whole.push(if number == 0 { '?' } else { '&' });
        whole.push_str(&escape(name));
        whole.push('=');
        whole.push_str(&escape(value));
    }
    whole
}

/// `text` as a part of a path or query.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// The certificates of a PEM file.
fn certificates(path: &Path) -> Result<RootCerts, SetupError> {
    let unreadable = |source| SetupError::UnreadableCaFile { path: path.to_owned(), source };
    let unusable = |source| SetupError::CaFile { path: path.to_owned(), source };
    let pem = std::fs::read(path).map_err(unreadable)?;
    let mut certificates = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(io::Error::other).map_err(unusable)?
        {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(unusable(io::Error::other("there is no certificate in it")));
    }
    Ok(RootCerts::new_with_certs(&certificates))
}

impl Incoming {
    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The time that it was for the service.
    pub(crate) fn date(&self) -> Option<Timestamp> {
        DateTimeParser::new().parse_timestamp(self.header("date")?).ok()
    }

    /// How long to wait before asking again; a date counts from the service's own time.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let now = self.date().unwrap_or_else(Timestamp::now);
        parse_retry_after(self.header("retry-after")?, now)
    }

    /// Up to `limit` bytes of the body, to its end.
    pub(crate) fn read_text(&mut self, limit: u64) -> Result<Vec<u8>, TransportError> {
        // Room for any token, so that no copy of it is left behind when this grows.
        const ROOM: u64 = 64 << 10;
        let mut bytes = Vec::with_capacity(limit.min(ROOM) as usize);
        self.body.by_ref().take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped() {
        let query = [("a", "SIP Trunking"), ("b", "x&y=z/é%\"")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            with_query("https://host/p", &query),
            "https://host/p?a=SIP%20Trunking&b=x%26y%3Dz%2F%C3%A9%25%22"
        );
        assert_eq!(with_query("https://host/p", &[]), "https://host/p");
    }
}
