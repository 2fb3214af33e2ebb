//! What can happen to a connection.

use std::{fmt, io};

use cdrlake_run::ErrorKind;
use ureq::Timeout;

/// What happened to a connection.
#[derive(Debug)]
pub struct TransportError {
    fault: TransportFault,
    source: ureq::Error,
}

/// The kinds of what can happen to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportFault {
    /// There was none, so the request was not sent.
    Connect,
    /// It took too long.
    Timeout,
    /// It ended early, or the answer is shorter than announced.
    Cut,
    /// The certificate is not to be trusted, or TLS failed otherwise.
    Tls,
    /// What came is not HTTP.
    Protocol,
}

impl TransportError {
    /// Which kind.
    #[must_use]
    pub fn fault(&self) -> TransportFault {
        self.fault
    }

    /// Returns the kind of failure: all faults but those of TLS may pass.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self.fault {
            TransportFault::Tls => ErrorKind::Io,
            _ => ErrorKind::Transient,
        }
    }

    /// Whether the request may have been received, and this be what became of its answer.
    pub(crate) fn may_be_of_an_answer(&self) -> bool {
        match self.fault {
            TransportFault::Connect => false,
            // Certificates come first, other faults of TLS at any time.
            TransportFault::Tls => {
                !matches!(rustls_error(&self.source), Some(rustls::Error::InvalidCertificate(_)))
            }
            _ => true,
        }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.fault {
            TransportFault::Connect => "cannot connect",
            TransportFault::Timeout => "it took too long",
            TransportFault::Cut => "the connection broke before the answer's end",
            TransportFault::Tls => "TLS failed",
            TransportFault::Protocol => "the answer is not HTTP",
        };
        write!(f, "{what}: {}", self.source)
    }
}

impl std::error::Error for TransportError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

impl From<io::Error> for TransportError {
    fn from(error: io::Error) -> Self {
        ureq::Error::from(error).into()
    }
}

impl From<ureq::Error> for TransportError {
    fn from(source: ureq::Error) -> Self {
        use ureq::Error as E;
        let fault = match &source {
            E::Timeout(Timeout::Connect | Timeout::Resolve)
            | E::HostNotFound
            | E::ConnectionFailed
            | E::ConnectProxyFailed(_) => TransportFault::Connect,
            E::Timeout(_) => TransportFault::Timeout,
            E::Tls(_) | E::Pem(_) | E::TlsRequired => TransportFault::Tls,
            error if rustls_error(error).is_some() => TransportFault::Tls,
            E::Io(error) => match error.kind() {
                io::ErrorKind::ConnectionRefused
                | io::ErrorKind::HostUnreachable
                | io::ErrorKind::NetworkUnreachable
                | io::ErrorKind::AddrNotAvailable => TransportFault::Connect,
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => TransportFault::Timeout,
                _ => TransportFault::Cut,
            },
            _ => TransportFault::Protocol,
        };
        Self { fault, source }
    }
}

/// What TLS said, if it was that.
fn rustls_error(error: &ureq::Error) -> Option<&rustls::Error> {
    match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref()?.downcast_ref(),
        _ => None,
    }
}
