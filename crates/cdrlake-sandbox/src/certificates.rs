//! Certificates made on the fly: one to be trusted, and some that are not.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

/// An authority, and the certificates it signs.
#[derive(Debug)]
pub struct Certificates {
    authority: CertifiedIssuer<'static, KeyPair>,
}

/// Which certificate a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Signed by the authority, for 127.0.0.1.
    Good,
    /// The same, but it ended years ago.
    Expired,
    /// Signed by the authority, for another host: elsewhere.example.
    WrongHost,
    /// For 127.0.0.1, signed by itself.
    SelfSigned,
}

impl Default for Certificates {
    fn default() -> Self {
        Self::new()
    }
}

impl Certificates {
    /// A new authority.
    ///
    /// # Panics
    ///
    /// If the system gives no random numbers.
    #[must_use]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no name to be wrong");
        params.distinguished_name.push(DnType::CommonName, "cdrlake sandbox authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("random numbers");
        Self { authority: CertifiedIssuer::self_signed(params, key).expect("a sound request") }
    }

    /// The authority's certificate, for `--ca-file`.
    #[must_use]
    pub fn authority_pem(&self) -> String {
        self.authority.pem()
    }

    /// What a server with `certificate` needs, and the certificate in PEM.
    pub(crate) fn server(&self, certificate: Certificate) -> (Arc<ServerConfig>, String) {
        let host = match certificate {
            Certificate::WrongHost => "elsewhere.example",
            _ => "127.0.0.1",
        };
        let mut params = CertificateParams::new(vec![host.to_owned()]).expect("a sound name");
        if certificate == Certificate::Expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let key = KeyPair::generate().expect("random numbers");
        let signed = match certificate {
            Certificate::SelfSigned => params.self_signed(&key),
            _ => params.signed_by(&key, &self.authority),
        }
        .expect("a sound request");
        let chain: Vec<CertificateDer<'static>> = vec![signed.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key of a known form");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .expect("a key that belongs to its certificate");
        (Arc::new(config), signed.pem())
    }
}
