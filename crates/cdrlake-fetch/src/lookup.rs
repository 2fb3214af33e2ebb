//! The calls of the number API that change nothing: their answers are handed on as they come.
//!
//! Of these calls the carrier's public page tells the resources and what they are for, but neither
//! their parameters nor the form of their answers; those are in a guide for customers. So a query
//! is passed on as it is given, and of an answer only that it is JSON is checked.

use std::fmt;
use std::str::FromStr;

use serde::de::IgnoredAny;

use crate::download::Fetcher;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::parameters::ParameterError;
use crate::request::{Call, Twice};
use crate::transport::{Incoming, escape, with_query};

/// Answers are kept in memory up to here.
const LONGEST: u64 = 64 << 20;

/// A call of the number API that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// `GET numberCollection`: free numbers, or the inventory.
    Numbers {
        /// Names and values as the carrier's guide gives them, in order.
        query: Vec<(String, String)>,
    },
    /// `GET order/{orderId}`: what became of an order of numbers.
    Order {
        /// `orderId`.
        order_id: NumberOrderId,
    },
}

/// The `orderId` of an order of numbers: printable ASCII without spaces, up to 64 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NumberOrderId(String);

impl FromStr for NumberOrderId {
    type Err = ParameterError;

    fn from_str(text: &str) -> Result<Self, ParameterError> {
        const LONGEST: usize = 64;
        let is_plain = (1..=LONGEST).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            // As a part of a path these would mean another.
            && !matches!(text, "." | "..");
        is_plain.then(|| Self(text.to_owned())).ok_or(ParameterError::new("an order id"))
    }
}

impl Lookup {
    /// The URL of the request, with its query; there is no secret in it.
    #[must_use]
    pub fn url(&self, endpoint: &Endpoint) -> String {
        let call = self.call(endpoint);
        with_query(&call.url, &call.query)
    }

    fn call(&self, endpoint: &Endpoint) -> Call {
        let (resource, query) = match self {
            Self::Numbers { query } => ("numberCollection".to_owned(), query.clone()),
            Self::Order { order_id } => (format!("order/{}", escape(&order_id.0)), Vec::new()),
        };
        Call {
            method: "GET",
            url: endpoint.number_url(&resource),
            query,
            accept: "application/json",
            twice: Twice::Harmless,
            name: self.to_string(),
        }
    }
}

impl fmt::Display for Lookup {
    /// What a person calls it; without the query, which may hold numbers.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers { .. } => f.write_str("numbers"),
            Self::Order { order_id } => write!(f, "order {}", order_id.0),
        }
    }
}

impl Fetcher<'_> {
    /// The answer to `lookup`, JSON as it came; none if the service says that there is none (204).
    ///
    /// # Errors
    ///
    /// [`Error`]: no answer, one of error, or one that is not JSON to its end or over 64 MiB.
    pub fn look_up(&self, lookup: &Lookup) -> Result<Option<Vec<u8>>, Error> {
        let call = lookup.call(&self.options.endpoint);
        self.service.call(&call, &|answer| self.json(answer))
    }

    fn json(&self, mut answer: Incoming) -> Result<Option<Vec<u8>>, Error> {
        const NO_CONTENT: u16 = 204;
        if answer.status == NO_CONTENT {
            return Ok(None);
        }
        let tracking_id = answer.tracking_id.clone();
        let not_json = |found: &str| {
            let (found, tracking_id) = (found.to_owned(), tracking_id.clone());
            Error::NotJson { found, tracking_id }
        };
        let text = match answer.read_text(LONGEST + 1) {
            Ok(text) => text,
            Err(fault) => return Err(Error::Transport { fault, tracking_id }),
        };
        if text.len() as u64 > LONGEST {
            return Err(not_json("longer than 64 MiB"));
        }
        match serde_json::from_slice::<IgnoredAny>(&text) {
            Ok(_) => Ok(Some(text)),
            Err(_) if text.trim_ascii_start().starts_with(b"<") => {
                Err(not_json("HTML or XML; a proxy or a login page may be in between"))
            }
            Err(_) if text.is_empty() => Err(not_json("empty")),
            Err(error) if error.is_eof() => Err(not_json("JSON that ends early")),
            Err(_) => Err(not_json("something else")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_those_of_the_page() {
        let endpoint = Endpoint::production();
        let base = "https://apis.colt.net/numberManagement/inbound/v1";
        let query = [("a b", "+33"), ("c", "")];
        let query = query.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        for (lookup, url) in [
            (Lookup::Numbers { query: Vec::new() }, format!("{base}/numberCollection")),
            (Lookup::Numbers { query }, format!("{base}/numberCollection?a%20b=%2B33&c=")),
            (Lookup::Order { order_id: "A-1".parse().unwrap() }, format!("{base}/order/A-1")),
            (
                Lookup::Order { order_id: "../a?b#c%".parse().unwrap() },
                format!("{base}/order/..%2Fa%3Fb%23c%25"),
            ),
        ] {
            assert_eq!(lookup.url(&endpoint), url);
            assert!(!lookup.to_string().contains("33"));
        }
    }

    #[test]
    fn order_ids() {
        for text in ["", ".", "..", "a b", "é", "a\n", &"a".repeat(65)] {
            assert!(text.parse::<NumberOrderId>().is_err(), "{text:?}");
        }
    }
}
