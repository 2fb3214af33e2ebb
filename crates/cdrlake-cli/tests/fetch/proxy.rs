//! The proxy that the environment names: used for https as a tunnel, never for this machine.

use std::process::Output;

use cdrlake_sandbox::{Carrier, Certificate, Certificates, Request, Sandbox, Settings, Tunnel};
use tempfile::TempDir;

use crate::{cdrlake, names, status, stderr};

/// The host of [`Certificate::WrongHost`]: only a proxy can tell where it is.
const ELSEWHERE: &str = "https://elsewhere.example";

struct Place {
    sandbox: Sandbox,
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let certificates = Certificates::new();
        let ca_file = directory.path().join("ca.pem");
        std::fs::write(ca_file, certificates.authority_pem()).unwrap();
        let carrier = Carrier::new(Settings::default());
        let answer = move |request: &Request| carrier.answer(request);
        let (sandbox, _) =
            Sandbox::https(0, &certificates, Certificate::WrongHost, answer).unwrap();
        Self { sandbox, directory }
    }

    fn tunnel(&self, status_line: &'static str) -> Tunnel {
        Tunnel::new(self.sandbox.address(), status_line).unwrap()
    }

    fn fetch(&self, endpoint: &str, environment: &[(&str, &str)]) -> Output {
        let mut command = cdrlake(self.directory.path());
        command.args(["fetch", "rated", "--ocn", "O1", "-o", "inbox", "--ca-file", "ca.pem"]);
        command.args(["--retry-for", "0s", "--endpoint", endpoint]);
        command.env("CDRLAKE_CONSUMER_KEY", "sandbox-key");
        command.env("CDRLAKE_CONSUMER_SECRET", "sandbox-secret");
        command.envs(environment.iter().copied());
        command.output().unwrap()
    }

    fn inbox(&self) -> Vec<String> {
        names(&self.directory.path().join("inbox"))
    }
}

#[test]
fn https_goes_through_a_tunnel_that_sees_no_secret() {
    let place = Place::new();
    let tunnel = place.tunnel("200 Connection established");
    let proxy = format!("http://me:p%40ss@{}", tunnel.address());
    for variable in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        let output = place.fetch(ELSEWHERE, &[(variable, &proxy)]);
        assert_eq!(status(&output), 0, "{variable}: {output:?}");
    }
    assert_eq!(place.inbox().len(), 1);
    let seen = tunnel.seen();
    for head in &seen.heads {
        assert!(head.starts_with("CONNECT elsewhere.example:443 HTTP/1.1\r\n"), "{head}");
        // The proxy's own password, and nothing of ours.
        assert!(head.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"), "{head}");
        assert!(!head.to_ascii_lowercase().contains("\r\nauthorization"), "{head}");
    }
    assert!(seen.heads.len() >= 4 && !seen.sent.is_empty());
    let sent = String::from_utf8_lossy(&seen.sent);
    for plain in ["sandbox-token", "Bearer", "Basic", "ratedCallDetailRecord", "O1&", "cdrlake-"] {
        assert!(!sent.contains(plain), "{plain}");
    }
}

#[test]
fn it_is_not_for_this_machine_nor_for_what_is_excepted() {
    let place = Place::new();
    let tunnel = place.tunnel("200 Connection established");
    let proxy = format!("http://{}", tunnel.address());
    // The certificate is another host's, so this fails; but without the proxy.
    let output = place.fetch(&place.sandbox.url(), &[("HTTPS_PROXY", &proxy)]);
    assert_eq!(status(&output), 1, "{output:?}");
    assert!(stderr(&output).contains("certificate"), "{output:?}");
    // Without the proxy nobody knows where that host is.
    for exceptions in ["elsewhere.example", "a.example,.example", "*"] {
        let environment = [("HTTPS_PROXY", proxy.as_str()), ("NO_PROXY", exceptions)];
        let output = place.fetch(ELSEWHERE, &environment);
        assert_eq!(status(&output), 75, "{output:?}");
    }
    // A proxy for plain http is none for https.
    let output = place.fetch(ELSEWHERE, &[("HTTP_PROXY", &proxy), ("http_proxy", &proxy)]);
    assert_eq!(status(&output), 75, "{output:?}");
    assert!(tunnel.seen().heads.is_empty());
    assert!(place.inbox().is_empty());
}

#[test]
fn a_proxy_that_fails_is_said_without_its_password() {
    let place = Place::new();
    for status_line in ["407 Proxy Authentication Required", "502 Bad Gateway"] {
        let tunnel = place.tunnel(status_line);
        let proxy = format!("http://me:canary@{}", tunnel.address());
        let output = place.fetch(ELSEWHERE, &[("HTTPS_PROXY", &proxy)]);
        assert_eq!(status(&output), 75, "{output:?}");
        assert!(stderr(&output).contains(&status_line[..3]), "{output:?}");
        assert!(stderr(&output).contains("proxy") && !stderr(&output).contains("canary"));
    }
    for proxy in ["socks5://me:canary@127.0.0.1:1", "http://me:canary@", "canary canary"] {
        let output = place.fetch(ELSEWHERE, &[("HTTPS_PROXY", proxy)]);
        assert_eq!(status(&output), 2, "it is not gone around: {output:?}");
        assert!(stderr(&output).contains("HTTPS_PROXY is not the URL of an HTTP proxy"));
        assert!(!stderr(&output).contains("canary"), "{output:?}");
    }
    assert!(place.sandbox.requests().is_empty());
}
