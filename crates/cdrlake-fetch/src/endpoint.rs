//! Where the API is: the carrier's two environments, or another base URL.

use std::net::IpAddr;
use std::str::FromStr;

use cdrlake_run::ErrorKind;
use ureq::http::Uri;

const PRODUCTION: &str = "https://apis.colt.net";
const SANDBOX: &str = "https://sandbox.apis.colt.net";

/// The base URL of the API; `https`, or `http` on a loopback address.
///
/// ```
/// use cdrlake_fetch::Endpoint;
///
/// assert_eq!("production".parse::<Endpoint>()?, Endpoint::production());
/// assert!("http://127.0.0.1:8080".parse::<Endpoint>().is_ok());
/// assert!("http://192.0.2.1".parse::<Endpoint>().is_err());
/// # Ok::<(), cdrlake_fetch::EndpointError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    base: String,
    is_loopback: bool,
}

impl Endpoint {
    /// The live environment.
    #[must_use]
    pub fn production() -> Self {
        Self { base: PRODUCTION.to_owned(), is_loopback: false }
    }

    /// The carrier's environment for trying things out. It keeps no files.
    #[must_use]
    pub fn sandbox() -> Self {
        Self { base: SANDBOX.to_owned(), is_loopback: false }
    }

    /// Whether the carrier keeps no files there.
    #[must_use]
    pub fn has_no_files(&self) -> bool {
        self.base == SANDBOX
    }

    /// Whether it is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    pub(crate) fn is_https(&self) -> bool {
        self.base.starts_with("https:")
    }

    /// Where tokens are asked for.
    #[must_use]
    pub fn token_url(&self) -> String {
        format!("{}/authentication/v1/oauth/token", self.base)
    }

    pub(crate) fn billing_url(&self, resource: &str) -> String {
        format!("{}/usageManagement/v1/{resource}", self.base)
    }

    pub(crate) fn number_url(&self, resource: &str) -> String {
        format!("{}/numberManagement/inbound/v1/{resource}", self.base)
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// `production`, `sandbox`, or a base URL.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        match text {
            "production" => return Ok(Self::production()),
            "sandbox" => return Ok(Self::sandbox()),
            _ => {}
        }
        if text.contains('#') {
            return Err(EndpointError::NotABase);
        }
        let uri: Uri = text.parse().map_err(|_| EndpointError::NotAUrl)?;
        let host = uri.host().filter(|host| !host.is_empty()).ok_or(EndpointError::NotAUrl)?;
        let is_base = uri.query().is_none()
            && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
        if !is_base {
            return Err(EndpointError::NotABase);
        }
        let address: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        let is_loopback = address.is_some_and(|address| address.is_loopback());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback => {}
            Some("http") => return Err(EndpointError::NotEncrypted),
            _ => return Err(EndpointError::NotAUrl),
        }
        Ok(Self { base: text.trim_end_matches('/').to_owned(), is_loopback })
    }
}

/// Why a text is no endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// It is no URL of http or https.
    #[error("expected production, sandbox or a URL like https://host[:port][/path]")]
    NotAUrl,
    /// It has a user, a query or a fragment.
    #[error("expected a URL without user, query and fragment")]
    NotABase,
    /// It would send secrets in the clear.
    #[error("plain http is for loopback addresses like 127.0.0.1 only; use https")]
    NotEncrypted,
}

impl EndpointError {
    /// Returns the kind of failure: [`ErrorKind::Usage`], for another text would do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_of_the_carrier() {
        let endpoint = Endpoint::production();
        assert_eq!(endpoint.token_url(), "https://apis.colt.net/authentication/v1/oauth/token");
        assert_eq!(
            endpoint.billing_url("nonUsageReport"),
            "https://apis.colt.net/usageManagement/v1/nonUsageReport"
        );
        assert_eq!(
            endpoint.number_url("numberCollection"),
            "https://apis.colt.net/numberManagement/inbound/v1/numberCollection"
        );
        assert!("sandbox".parse::<Endpoint>().unwrap().has_no_files());
    }

    #[test]
    fn bases() {
        for text in [
            "https://proxy.example/colt/",
            "https://192.0.2.1:8443",
            "http://127.0.0.1:1",
            "http://127.255.0.9",
            "http://[::1]:80",
        ] {
            let endpoint = text.parse::<Endpoint>().unwrap();
            assert!(endpoint.token_url().starts_with(text.trim_end_matches('/')), "{text}");
        }
        for (text, error) in [
            ("", EndpointError::NotAUrl),
            ("staging", EndpointError::NotAUrl),
            ("ftp://127.0.0.1", EndpointError::NotAUrl),
            ("https://", EndpointError::NotAUrl),
            ("/path", EndpointError::NotAUrl),
            ("https://user:secret@host", EndpointError::NotABase),
            ("https://host?x=1", EndpointError::NotABase),
            ("https://host#x", EndpointError::NotABase),
            ("http://host", EndpointError::NotEncrypted),
            // What a name resolves to is not ours to say.
            ("http://localhost", EndpointError::NotEncrypted),
            ("http://127.0.0.1.example", EndpointError::NotEncrypted),
            ("http://[2001:db8::1]", EndpointError::NotEncrypted),
        ] {
            assert_eq!(text.parse::<Endpoint>(), Err(error), "{text}");
        }
    }
}
