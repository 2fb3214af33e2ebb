//! Why a fetch failed, and of what kind that is.

use std::fmt;
use std::time::Duration;

use cdrlake_run::{ErrorKind, Interrupted};

use crate::disk::StoreError;
use crate::multipart::MultipartError;
use crate::parameters::OrderId;
use crate::transport_error::{TransportError, TransportFault};

/// Why a request brought no file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service answered with an error.
    #[error(transparent)]
    Service(Box<ServiceError>),
    /// The token service answered with an error, or with what is no token.
    #[error("no access token: {0}")]
    Token(#[source] Box<ServiceError>),
    /// No answer, or none to its end.
    #[error("{fault} (tracking id {tracking_id})")]
    Transport {
        /// What happened to the connection.
        #[source]
        fault: TransportError,
        /// Under which the carrier may find the request.
        tracking_id: String,
    },
    /// An order may or may not have been placed.
    #[error(
        "{problem}; the order may have been placed, so look for it in Colt Online before you order \
         again (tracking id {tracking_id})"
    )]
    OrderUnknown {
        /// What happened.
        problem: String,
        /// What happened to the connection, if it was that.
        #[source]
        fault: Option<TransportError>,
        /// Under which the carrier may find the request.
        tracking_id: String,
    },
    /// The multipart answer is damaged.
    #[error("the answer is damaged: {source} (tracking id {tracking_id})")]
    Multipart {
        /// What is wrong with it.
        #[source]
        source: MultipartError,
        /// Under which the carrier may find the request.
        tracking_id: String,
    },
    /// The answer is neither a zip nor a gzip file.
    #[error("the answer is no archive but {found} (tracking id {tracking_id}); nothing is stored")]
    NotAnArchive {
        /// What it seems to be, and the server's words if it gave any.
        found: String,
        /// Under which the carrier may find the request.
        tracking_id: String,
    },
    /// The archive does not test clean.
    #[error("the archive is damaged: {problem} (tracking id {tracking_id}); nothing is stored")]
    Damaged {
        /// What is wrong with it.
        problem: String,
        /// Under which the carrier may find the request.
        tracking_id: String,
    },
    /// The answer of the number API is not JSON.
    #[error("the answer is not JSON but {found} (tracking id {tracking_id})")]
    NotJson {
        /// What it seems to be.
        found: String,
        /// Under which the carrier may find the request.
        tracking_id: String,
    },
    /// An order's file did not appear in the time that was allowed for it.
    #[error("order {order_id} is not ready after {}", in_minutes(.waited))]
    NotReady {
        /// Which order.
        order_id: OrderId,
        /// For how long it was waited for.
        waited: Duration,
    },
    /// The inbox could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not tried, for what ended another request would have ended this too.
    #[error("not tried")]
    NotTried,
    /// The run was asked to end.
    #[error("interrupted")]
    Interrupted,
}

/// An error that the service told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status; 200 for an answer that cannot be used.
    pub http_status: u16,
    /// The carrier's code, as `ERR01` or `400-001`.
    pub code: Option<String>,
    /// The carrier's reason.
    pub reason: Option<String>,
    /// The carrier's message.
    pub message: Option<String>,
    /// The carrier's extension of the HTTP status, as `401-02`.
    pub status: Option<String>,
    /// Under which the carrier may find the request.
    pub tracking_id: String,
    /// How long the service asked to wait.
    pub retry_after: Option<Duration>,
}

impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl Error {
    /// Returns the kind of failure; [`ErrorKind::Transient`] if the same request may succeed
    /// later.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Service(error) | Self::Token(error) => error.kind(),
            Self::Transport { fault, .. } => fault.kind(),
            // Never transient: the same request may order twice.
            Self::OrderUnknown { .. } => ErrorKind::Io,
            Self::Multipart { source, .. } => source.kind(),
            Self::NotAnArchive { .. } | Self::Damaged { .. } | Self::NotJson { .. } => {
                ErrorKind::DamagedInput
            }
            Self::NotReady { .. } | Self::NotTried => ErrorKind::Transient,
            Self::Store(error) => error.kind(),
            Self::Interrupted => ErrorKind::Interrupted,
        }
    }

    /// Which other requests of the run would meet the same end.
    pub(crate) fn reach(&self) -> Reach {
        match self {
            Self::Token(_) | Self::Store(_) | Self::OrderUnknown { .. } | Self::Interrupted => {
                Reach::All
            }
            Self::Service(error) => match error.http_status {
                300..=399 | 429 | 503 => Reach::All,
                _ if error.is_token_refused() => Reach::All,
                _ if error.kind() == ErrorKind::Transient => Reach::Perhaps,
                _ => Reach::None,
            },
            Self::Transport { fault, .. } => match fault.fault() {
                TransportFault::Connect | TransportFault::Tls => Reach::All,
                _ => Reach::Perhaps,
            },
            Self::Multipart { .. }
            | Self::NotAnArchive { .. }
            | Self::NotJson { .. }
            | Self::Damaged { .. } => Reach::Perhaps,
            Self::NotReady { .. } | Self::NotTried => Reach::None,
        }
    }
}

/// How far a failure reaches beyond its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It is the request's own.
    None,
    /// If several in a row fail so, all will.
    Perhaps,
    /// Every other request would fail so.
    All,
}

impl ServiceError {
    /// Returns the kind of failure, as the HTTP status tells it: an answer of success that cannot
    /// be used is damaged, a service that is busy or down may pass, and what else it refuses, it
    /// refuses to this caller, or to what was asked for.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.http_status {
            200..=299 => ErrorKind::DamagedInput,
            408 | 429 | 500.. => ErrorKind::Transient,
            _ => ErrorKind::Usage,
        }
    }

    /// Whether the token was refused, in either of the two ways that the documents show.
    #[must_use]
    pub fn is_token_refused(&self) -> bool {
        self.http_status == 401
            || (self.http_status == 400 && self.code.as_deref() == Some("400-001"))
    }
}

impl std::error::Error for ServiceError {}

impl fmt::Display for ServiceError {
    /// `HTTP 401, code 401-02, reason "…": "…" (tracking id …)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.http_status)?;
        if let Some(code) = &self.code {
            write!(f, ", code {code}")?;
        }
        if let Some(status) = &self.status {
            write!(f, ", status {status}")?;
        }
        match (&self.reason, &self.message) {
            (Some(reason), Some(message)) => write!(f, ", {reason}: {message}")?,
            (Some(text), None) | (None, Some(text)) => write!(f, ", {text}")?,
            (None, None) => {}
        }
        write!(f, " (tracking id {})", self.tracking_id)?;
        match self.retry_after {
            Some(wait) => write!(f, "; the service asks to wait {} s", wait.as_secs()),
            None => Ok(()),
        }
    }
}

fn in_minutes(duration: &Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min", seconds / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use super::*;
    use crate::disk::failed;

    fn service(http_status: u16) -> Box<ServiceError> {
        Box::new(ServiceError { http_status, ..ServiceError::default() })
    }

    fn transport(fault: impl Into<TransportError>) -> Error {
        Error::Transport { fault: fault.into(), tracking_id: String::new() }
    }

    fn multipart(source: MultipartError) -> Error {
        Error::Multipart { source, tracking_id: String::new() }
    }

    #[test]
    fn kinds() {
        let text = String::new;
        let broken = || io::Error::from(io::ErrorKind::ConnectionReset);
        let unknown = |fault| Error::OrderUnknown { problem: text(), fault, tracking_id: text() };
        let not_ready =
            Error::NotReady { order_id: "1".parse().unwrap(), waited: Duration::from_secs(1) };
        let mut table = vec![
            (Error::Token(service(200)), ErrorKind::DamagedInput),
            (Error::Token(service(401)), ErrorKind::Usage),
            (Error::Token(service(503)), ErrorKind::Transient),
            (transport(ureq::Error::HostNotFound), ErrorKind::Transient),
            (transport(ureq::Error::Timeout(ureq::Timeout::Global)), ErrorKind::Transient),
            (transport(ureq::Error::TlsRequired), ErrorKind::Io),
            (transport(broken()), ErrorKind::Transient),
            (unknown(None), ErrorKind::Io),
            (unknown(Some(broken().into())), ErrorKind::Io),
            (multipart(MultipartError::Boundary), ErrorKind::DamagedInput),
            (multipart(MultipartError::Malformed), ErrorKind::DamagedInput),
            (multipart(MultipartError::Cut), ErrorKind::Transient),
            (multipart(MultipartError::Read(broken())), ErrorKind::Transient),
            (Error::NotAnArchive { found: text(), tracking_id: text() }, ErrorKind::DamagedInput),
            (Error::Damaged { problem: text(), tracking_id: text() }, ErrorKind::DamagedInput),
            (Error::NotJson { found: text(), tracking_id: text() }, ErrorKind::DamagedInput),
            (not_ready, ErrorKind::Transient),
            (failed("write", Path::new("a"))(broken()).into(), ErrorKind::Io),
            (Error::NotTried, ErrorKind::Transient),
            (Interrupted.into(), ErrorKind::Interrupted),
        ];
        for (kind, statuses) in [
            (ErrorKind::Usage, &[301, 307, 400, 401, 403, 404, 405, 406, 413, 415][..]),
            (ErrorKind::Transient, &[408, 429, 500, 502, 503, 504, 599]),
        ] {
            table.extend(statuses.iter().map(|status| (Error::Service(service(*status)), kind)));
        }
        for (error, kind) in table {
            assert_eq!(error.kind(), kind, "{error:?}");
        }
    }
}
