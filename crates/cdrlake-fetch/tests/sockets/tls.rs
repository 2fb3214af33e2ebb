//! Certificates: one that is to be trusted is, and no other.

use cdrlake_fetch::{Error, ErrorKind, Fetched, TransportFault};
use cdrlake_sandbox::{Carrier, Certificate, Certificates, Request, Sandbox, Settings};

use crate::support::{day, files, only, options, run};

struct Tls {
    sandbox: Sandbox,
    authority: String,
    certificate: String,
}

fn serve(certificate: Certificate) -> Tls {
    let certificates = Certificates::new();
    let carrier = Carrier::new(Settings { records: 3, ..Settings::default() });
    let (sandbox, pem) = Sandbox::https(0, &certificates, certificate, move |request: &Request| {
        carrier.answer(request)
    })
    .unwrap();
    Tls { sandbox, authority: certificates.authority_pem(), certificate: pem }
}

fn fetch(sandbox: &Sandbox, ca: Option<&str>) -> (Result<Fetched, Error>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(&sandbox.url());
    let ca_file = directory.path().join("ca.pem");
    if let Some(ca) = ca {
        std::fs::write(&ca_file, ca).unwrap();
        options.ca_file = Some(ca_file.clone());
    }
    let inbox = directory.path().join("inbox");
    let result = only(run(options, &[day("2026-11-01")], &inbox));
    (result, files(&inbox))
}

#[test]
fn a_certificate_of_a_given_authority_is_trusted() {
    let tls = serve(Certificate::Good);
    let (result, files) = fetch(&tls.sandbox, Some(&tls.authority));
    assert!(matches!(result, Ok(Fetched::Files(_))), "{result:?}");
    assert_eq!(files.len(), 1);
}

#[test]
fn others_are_refused_and_nothing_is_sent() {
    let another = Certificates::new().authority_pem();
    for (name, tls, ca) in [
        ("unknown authority", &serve(Certificate::Good), None),
        ("another authority", &serve(Certificate::Good), Some(another)),
        ("expired", &serve(Certificate::Expired), Some(String::new())),
        ("wrong host", &serve(Certificate::WrongHost), Some(String::new())),
        ("self-signed", &serve(Certificate::SelfSigned), None),
        ("self-signed, with an authority", &serve(Certificate::SelfSigned), Some(String::new())),
    ] {
        let ca = ca.map(|ca| if ca.is_empty() { tls.authority.clone() } else { ca });
        let (result, files) = fetch(&tls.sandbox, ca.as_deref());
        let error = result.unwrap_err();
        let Error::Transport { fault, .. } = &error else { panic!("{name}: {error:?}") };
        assert_eq!(fault.fault(), TransportFault::Tls, "{name}: {error}");
        assert!(error.to_string().contains("certificate"), "{name}: {error}");
        assert_eq!(error.kind(), ErrorKind::Io, "{name}");
        assert!(files.is_empty());
        assert!(tls.sandbox.requests().is_empty(), "{name}");
        assert_eq!(tls.sandbox.connections(), 1, "{name}: it is not repeated");
    }
}

#[test]
fn an_expired_and_a_wrong_certificate_are_told_apart() {
    for (certificate, words) in
        [(Certificate::Expired, "expired"), (Certificate::WrongHost, "not valid for name")]
    {
        let tls = serve(certificate);
        let error = fetch(&tls.sandbox, Some(&tls.authority)).0.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert!(!tls.certificate.is_empty());
    }
}

#[test]
fn a_file_without_certificates_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ca.pem");
    for text in ["", "no certificate", "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"]
    {
        std::fs::write(&path, text).unwrap();
        let mut options = options("https://127.0.0.1:1");
        options.ca_file = Some(path.clone());
        let fetcher =
            cdrlake_fetch::Fetcher::new(options, &crate::support::Archives, &cdrlake_fetch::Silent);
        assert!(fetcher.is_err(), "{text}");
    }
}
