//! What to do about a failure, where the carrier's documents or common sense tell.
//!
//! The library says what went wrong; only the command knows its options.

use cdrlake_fetch::{CredentialsError, Error, ServiceError, TransportFault};

/// What to do about a request that brought nothing.
pub(crate) fn advice(error: &Error) -> Option<String> {
    let advice = match error {
        Error::Token(error) => of_token(error)?,
        Error::Service(error) => of_service(error)?,
        Error::Transport { fault, .. } => of_transport(fault.fault())?,
        Error::Damaged { .. } => "try again; if it stays so, tell the carrier",
        Error::NotReady { order_id, .. } => {
            return Some(format!("resume it with --order-id {order_id}"));
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

/// Why there are no credentials, and what to do about it.
pub(super) fn of_credentials(error: &CredentialsError) -> String {
    match error {
        CredentialsError::Missing => format!("{error}, or name a file by --credentials"),
        error => error.to_string(),
    }
}

fn of_token(error: &ServiceError) -> Option<&'static str> {
    match error.http_status {
        200 | 404 => Some("check --endpoint"),
        401 => Some("check the consumer key and secret"),
        _ => of_service(error),
    }
}

fn of_service(error: &ServiceError) -> Option<&'static str> {
    Some(match error.http_status {
        300..=399 => {
            "redirects are not followed, so that the token stays where it belongs; check --endpoint"
        }
        400 if error.is_token_refused() => "the access token was not accepted",
        400 => "check the parameters",
        401 => "the access token is not valid or has expired, or the profile is another account's",
        403 => "the application is known but suspended; contact the carrier's support",
        413 => "ask for fewer days, or contact the carrier's support",
        429 => "the limit of requests is reached; try again later",
        500 => "usually passing: try again, then open a ticket with the tracking id",
        503 | 504 => {
            "try again after some time; if it stays so, open a ticket with the tracking id"
        }
        _ => return None,
    })
}

fn of_transport(fault: TransportFault) -> Option<&'static str> {
    match fault {
        TransportFault::Connect => Some("check --endpoint, network and proxy"),
        TransportFault::Tls => Some(
            "the connection is not to be trusted, so nothing was sent; if a proxy of your own is in \
             between, give its certificate by --ca-file",
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::time::Duration;

    use super::*;

    fn service(http_status: u16) -> Box<ServiceError> {
        Box::new(ServiceError { http_status, ..ServiceError::default() })
    }

    #[test]
    fn advice_goes_by_what_failed() {
        let refused = ServiceError { code: Some("400-001".to_owned()), ..*service(400) };
        let fault = io::Error::from(io::ErrorKind::ConnectionRefused).into();
        let (found, order_id) = (String::new(), "2026110701".parse().unwrap());
        for (error, expected) in [
            (Error::Token(service(200)), Some("check --endpoint")),
            (Error::Token(service(401)), Some("check the consumer key and secret")),
            (Error::Token(service(404)), Some("check --endpoint")),
            (Error::Token(service(307)), Some("redirects are not followed")),
            (Error::Token(service(503)), Some("try again after some time")),
            (Error::Service(service(302)), Some("redirects are not followed")),
            (Error::Service(refused.into()), Some("the access token was not accepted")),
            (Error::Service(service(400)), Some("check the parameters")),
            (Error::Service(service(401)), Some("the access token is not valid")),
            (Error::Service(service(404)), None),
            (Error::Service(service(413)), Some("ask for fewer days")),
            (Error::Transport { fault, tracking_id: String::new() }, Some("check --endpoint, ")),
            (Error::NotAnArchive { found, tracking_id: String::new() }, None),
            (
                Error::NotReady { order_id, waited: Duration::ZERO },
                Some("resume it with --order-id 2026110701"),
            ),
            (Error::NotTried, None),
        ] {
            let advice = advice(&error);
            let matches = match (&advice, expected) {
                (Some(advice), Some(start)) => advice.starts_with(start),
                (advice, expected) => advice.is_none() && expected.is_none(),
            };
            assert!(matches, "{error:?}: {advice:?}");
        }
        assert!(of_transport(TransportFault::Tls).unwrap().ends_with("by --ca-file"));
        assert!(of_transport(TransportFault::Cut).is_none());
    }

    #[test]
    fn who_has_no_credentials_may_name_a_file() {
        assert_eq!(
            of_credentials(&CredentialsError::Missing),
            "no credentials: set CDRLAKE_CONSUMER_KEY and CDRLAKE_CONSUMER_SECRET, or \
             CDRLAKE_ACCESS_TOKEN, or name a file by --credentials"
        );
        assert!(!of_credentials(&CredentialsError::Colon).contains("--"));
    }
}
