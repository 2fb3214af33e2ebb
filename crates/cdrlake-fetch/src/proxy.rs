//! The proxy that the environment names, as other tools read it.

use ureq::{Proxy, ProxyProtocol};

/// In lower case first, as elsewhere; one for https goes before one for everything.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The name of a variable whose value is no proxy that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WrongProxy(pub(crate) &'static str);

/// The proxy for https, and the hosts that are reached without.
///
/// A value that cannot be used is an error: going around a proxy may be what it is there to prevent.
pub(crate) fn from_environment() -> Result<Option<Proxy>, WrongProxy> {
    from(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
}

fn from(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, WrongProxy> {
    let value = |name: &&'static str| variable(name).filter(|value| !value.trim().is_empty());
    let Some((name, url)) = VARIABLES.iter().find_map(|name| Some((*name, value(name)?))) else {
        return Ok(None);
    };
    let exceptions = EXCEPTIONS.iter().find_map(value).unwrap_or_default();
    proxy(url.trim(), &exceptions).map(Some).ok_or(WrongProxy(name))
}

fn proxy(url: &str, exceptions: &str) -> Option<Proxy> {
    let given = Proxy::new(url).ok()?;
    if !matches!(given.protocol(), ProxyProtocol::Http | ProxyProtocol::Https) {
        return None;
    }
    let mut builder = Proxy::builder(given.protocol()).host(given.host()).port(given.port());
    if let Some(user) = given.username() {
        builder = builder.username(user);
    }
    if let Some(password) = given.password() {
        builder = builder.password(password);
    }
    for host in exceptions.split(',').map(str::trim).filter(|host| !host.is_empty()) {
        // A domain stands for its hosts too.
        builder = builder.no_proxy(host);
        if !host.starts_with(['.', '*']) {
            builder = builder.no_proxy(&format!(".{host}"));
        }
    }
    builder.build().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<Proxy>, WrongProxy> {
        from(|name| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_first_variable_that_is_not_empty_counts() {
        for (variables, host) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", ""), ("https_proxy", " ")], None),
            (&[("HTTP_PROXY", "http://plain:1"), ("http_proxy", "http://plain:1")], None),
            (&[("HTTPS_PROXY", "http://a:1"), ("ALL_PROXY", "http://b:1")], Some("a")),
            (&[("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:1")], Some("b")),
            (&[("HTTPS_PROXY", ""), ("all_proxy", "b:1")], Some("b")),
        ] {
            let proxy = of(variables).unwrap();
            assert_eq!(proxy.as_ref().map(Proxy::host), host, "{variables:?}");
        }
    }

    #[test]
    fn user_and_password_stay_as_they_are() {
        let proxy = of(&[("HTTPS_PROXY", "http://me:p%40ss%2B@proxy.example:3128")]).unwrap();
        let proxy = proxy.unwrap();
        assert_eq!((proxy.host(), proxy.port()), ("proxy.example", 3128));
        assert_eq!((proxy.username(), proxy.password()), (Some("me"), Some("p@ss+")));
        assert!(!format!("{proxy:?}").contains("p@ss") && !format!("{proxy:?}").contains("p%40"));
    }

    #[test]
    fn exceptions_are_hosts_and_domains() {
        let exceptions = "internal.example, .colt.net,192.0.2.1";
        let proxy = of(&[("HTTPS_PROXY", "http://proxy:1"), ("NO_PROXY", exceptions)]);
        let proxy = proxy.unwrap().unwrap();
        for (url, is_excepted) in [
            ("https://internal.example/x", true),
            ("https://a.internal.example/x", true),
            ("https://notinternal.example/x", false),
            ("https://apis.colt.net/x", true),
            ("https://192.0.2.1/x", true),
            ("https://192.0.2.2/x", false),
        ] {
            assert_eq!(proxy.is_no_proxy(&url.parse().unwrap()), is_excepted, "{url}");
        }
        let all = of(&[("HTTPS_PROXY", "http://proxy:1"), ("no_proxy", "*")]).unwrap().unwrap();
        assert!(all.is_no_proxy(&"https://apis.colt.net/".parse().unwrap()));
    }

    #[test]
    fn what_cannot_be_used_is_an_error() {
        for url in ["socks5://proxy:1080", "ftp://proxy", "http://", "a b", "http://me:%ff@proxy"] {
            assert_eq!(
                of(&[("HTTPS_PROXY", url)]).unwrap_err(),
                WrongProxy("HTTPS_PROXY"),
                "{url}"
            );
            assert_eq!(of(&[("all_proxy", url)]).unwrap_err(), WrongProxy("all_proxy"), "{url}");
        }
    }
}
