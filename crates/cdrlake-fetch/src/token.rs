//! The access token: kept until shortly before it expires, asked for once for all who wait.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use serde::Deserialize;

/// What the documents say, where the service does not.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// A token, and whether the service has accepted it yet.
pub(crate) struct Token {
    /// `Bearer …`.
    pub(crate) authorization: SecretString,
    expires: Option<Instant>,
    has_worked: AtomicBool,
    /// Whether another may be had if this is refused before it has worked.
    may_be_replaced: bool,
}

impl Token {
    /// One that the user gave.
    pub(crate) fn ready(token: &SecretString) -> Self {
        Self {
            authorization: bearer(token.expose_secret()),
            expires: None,
            has_worked: AtomicBool::new(false),
            may_be_replaced: false,
        }
    }

    /// The token service's answer, received now.
    pub(crate) fn from_answer(json: &[u8]) -> Option<Self> {
        let answer: Answer = serde_json::from_slice(json).ok()?;
        let is_bearer = answer.token_type.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer"));
        let token = Zeroizing::new(answer.access_token);
        let is_sendable =
            !token.is_empty() && token.bytes().all(|byte| (0x21..=0x7E).contains(&byte));
        let lifetime = match answer.expires_in {
            None => LIFETIME,
            Some(Seconds::Number(seconds)) => Duration::from_secs(seconds),
            Some(Seconds::Text(text)) => Duration::from_secs(text.parse().ok()?),
        };
        (is_bearer && is_sendable).then(|| Self {
            authorization: bearer(&token),
            expires: Instant::now().checked_add(lifetime - margin(lifetime)),
            has_worked: AtomicBool::new(false),
            may_be_replaced: true,
        })
    }

    /// That the service has accepted it.
    pub(crate) fn worked(&self) {
        self.has_worked.store(true, Ordering::Relaxed);
    }

    /// Whether the service accepted it before, so that a refusal means it has expired since.
    pub(crate) fn has_worked(&self) -> bool {
        self.has_worked.load(Ordering::Relaxed)
    }

    pub(crate) fn may_be_replaced(&self) -> bool {
        self.may_be_replaced
    }
}

fn bearer(token: &str) -> SecretString {
    SecretString::from(format!("Bearer {token}"))
}

/// How long before its end a token is no longer used: a minute, or a tenth if it is short-lived.
fn margin(lifetime: Duration) -> Duration {
    Duration::from_secs(60).min(lifetime / 10)
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    token_type: Option<String>,
    expires_in: Option<Seconds>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Seconds {
    Number(u64),
    Text(String),
}

/// The one token of a run.
pub(crate) struct Tokens {
    state: Mutex<State>,
    /// Every token there was, for none of them may be shown.
    all: Mutex<Vec<Arc<Token>>>,
}

#[derive(Default)]
struct State {
    current: Option<Arc<Token>>,
    /// Whether the last one was refused though it was new.
    was_refused_new: bool,
}

impl Tokens {
    /// `ready` is a token that the user gave.
    pub(crate) fn new(ready: Option<&SecretString>) -> Self {
        let current = ready.map(|token| Arc::new(Token::ready(token)));
        let all = Mutex::new(current.iter().cloned().collect());
        Self { state: Mutex::new(State { current, was_refused_new: false }), all }
    }

    /// The current token, or the one that `ask` brings if there is none. Whoever else needs a
    /// token meanwhile waits for it.
    pub(crate) fn token<E>(&self, ask: impl FnOnce() -> Result<Token, E>) -> Result<Arc<Token>, E> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = |token: &&Arc<Token>| token.expires.is_none_or(|end| Instant::now() < end);
        if let Some(token) = state.current.as_ref().filter(is_fresh) {
            return Ok(Arc::clone(token));
        }
        let token = Arc::new(Token { may_be_replaced: !state.was_refused_new, ..ask()? });
        state.current = Some(Arc::clone(&token));
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&token));
        Ok(token)
    }

    /// Every token there was.
    pub(crate) fn all(&self) -> Vec<Arc<Token>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// That `token` was refused, so that another is asked for next, unless that is done already.
    /// Two new tokens refused in a row mean that it is not the token's age: the second stays.
    pub(crate) fn refused(&self, token: &Arc<Token>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.current.take_if(|current| Arc::ptr_eq(current, token)).is_some() {
            state.was_refused_new = !token.has_worked();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn answer(lifetime: &str) -> String {
        format!(r#"{{"access_token": "abc", "token_type": "Bearer", "expires_in": {lifetime}}}"#)
    }

    fn remaining(json: &str) -> f64 {
        let token = Token::from_answer(json.as_bytes()).unwrap();
        token.expires.unwrap().duration_since(Instant::now()).as_secs_f64()
    }

    #[test]
    fn a_token_is_kept_until_shortly_before_its_end() {
        for (json, kept) in [
            (answer("1800"), 1740.0),
            (answer("\"1800\""), 1740.0),
            (answer("10"), 9.0),
            (answer("0"), 0.0),
            (r#"{"access_token": "abc"}"#.to_owned(), 1740.0),
        ] {
            let remaining = remaining(&json);
            assert!((kept - 1.0..=kept).contains(&remaining), "{json}: {remaining}");
        }
    }

    #[test]
    fn answers_that_are_no_token() {
        for json in [
            "",
            "<html>",
            "{}",
            r#"{"access_token": ""}"#,
            r#"{"access_token": "a b"}"#,
            r#"{"access_token": "a\r\nX: y"}"#,
            r#"{"access_token": "abc", "token_type": "MAC"}"#,
            r#"{"access_token": "abc", "expires_in": "soon"}"#,
        ] {
            assert!(Token::from_answer(json.as_bytes()).is_none(), "{json}");
        }
    }

    #[test]
    fn one_asks_for_all() {
        let tokens = Tokens::new(None);
        let asked = std::sync::atomic::AtomicU32::new(0);
        let ask = || {
            asked.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(20));
            Ok::<_, Infallible>(Token::from_answer(answer("1800").as_bytes()).unwrap())
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let Ok(token) = tokens.token(ask);
                    tokens.refused(&token);
                });
            }
        });
        // All may have had the first, or some come only after it was refused.
        let before = asked.load(Ordering::Relaxed);
        assert!(before >= 1);
        let Ok(first) = tokens.token(ask);
        let Ok(second) = tokens.token(ask);
        assert!(Arc::ptr_eq(&first, &second));
        tokens.refused(&first);
        let Ok(third) = tokens.token(ask);
        // A late refusal of an earlier token does no harm to its successor.
        tokens.refused(&first);
        let Ok(fourth) = tokens.token(ask);
        assert!(Arc::ptr_eq(&third, &fourth));
    }

    #[test]
    fn an_expired_token_is_not_used() {
        let tokens = Tokens::new(None);
        let ask = || Ok::<_, Infallible>(Token::from_answer(answer("0").as_bytes()).unwrap());
        let Ok(first) = tokens.token(ask);
        let Ok(second) = tokens.token(ask);
        assert!(!Arc::ptr_eq(&first, &second));
    }
}
