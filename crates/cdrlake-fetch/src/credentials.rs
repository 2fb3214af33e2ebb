//! Who asks: consumer key and secret, or a token that is ready; from the environment or a file.

use std::io;
use std::path::{Path, PathBuf};

use cdrlake_run::ErrorKind;
use secrecy::{ExposeSecret, SecretString};

use crate::secret_file::{SecretFileError, read_secret_file};

const KEY: &str = "CDRLAKE_CONSUMER_KEY";
const SECRET: &str = "CDRLAKE_CONSUMER_SECRET";
const TOKEN: &str = "CDRLAKE_ACCESS_TOKEN";

/// What proves who asks. Neither `Debug` nor any message shows it.
#[derive(Clone, Debug)]
pub enum Credentials {
    /// For which the token service gives access tokens.
    Consumer {
        /// The client id.
        key: SecretString,
        /// The client secret.
        secret: SecretString,
    },
    /// An access token or JWT that is ready; it cannot be refreshed.
    Token(SecretString),
}

impl Credentials {
    /// `CDRLAKE_CONSUMER_KEY` and `CDRLAKE_CONSUMER_SECRET`, or `CDRLAKE_ACCESS_TOKEN`.
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if there are none, a part of them, or both kinds.
    pub fn from_environment() -> Result<Self, CredentialsError> {
        let [key, secret, token] = [KEY, SECRET, TOKEN].map(|name| match std::env::var(name) {
            Ok(value) => Ok(Some(SecretString::from(value))),
            Err(std::env::VarError::NotPresent) => Ok(None),
            Err(std::env::VarError::NotUnicode(_)) => Err(CredentialsError::NotText(name)),
        });
        Self::of(key?, secret?, token?)
    }

    /// A file with the same names as the environment, a line each: `CDRLAKE_CONSUMER_KEY=…`. Blank
    /// lines and those that begin with `#` are left out, and quotes around a value.
    ///
    /// It must be a secret of its owner's, as for [`read_secret_file`].
    ///
    /// # Errors
    ///
    /// [`CredentialsError`] if it cannot be read, others may read it, or it is not of this form.
    pub fn from_file(path: &Path) -> Result<Self, CredentialsError> {
        let content = read_secret_file(path)?;
        let text = std::str::from_utf8(&content).map_err(|error| SecretFileError::Unreadable {
            path: path.to_owned(),
            source: io::Error::new(io::ErrorKind::InvalidData, error),
        })?;
        Self::parse(text, path)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, CredentialsError> {
        let mut values = [const { None }; 3];
        for (number, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || CredentialsError::Line { path: path.to_owned(), number: number + 1 };
            let (name, value) = line.split_once('=').ok_or_else(wrong)?;
            let at = [KEY, SECRET, TOKEN].iter().position(|known| *known == name.trim_end());
            let slot = at.and_then(|at| values.get_mut(at)).ok_or_else(wrong)?;
            if slot.replace(SecretString::from(unquoted(value.trim()))).is_some() {
                return Err(wrong());
            }
        }
        let [key, secret, token] = values;
        Self::of(key, secret, token)
    }

    fn of(
        key: Option<SecretString>,
        secret: Option<SecretString>,
        token: Option<SecretString>,
    ) -> Result<Self, CredentialsError> {
        // An empty value is none: that is how an environment variable is often unset.
        let [key, secret, token] = [key, secret, token]
            .map(|value| value.filter(|value| !value.expose_secret().is_empty()));
        let is_sendable = |value: &SecretString| {
            value.expose_secret().bytes().all(|byte| (0x20..=0x7E).contains(&byte))
        };
        for (name, value) in [(KEY, &key), (SECRET, &secret), (TOKEN, &token)] {
            if value.as_ref().is_some_and(|value| !is_sendable(value)) {
                return Err(CredentialsError::NotText(name));
            }
        }
        match (key, secret, token) {
            // In Basic authentication the first colon ends the key.
            (Some(key), Some(_), None) if key.expose_secret().contains(':') => {
                Err(CredentialsError::Colon)
            }
            (Some(key), Some(secret), None) => Ok(Self::Consumer { key, secret }),
            (None, None, Some(token)) => Ok(Self::Token(token)),
            (None, None, None) => Err(CredentialsError::Missing),
            (None, Some(_), None) => Err(CredentialsError::Incomplete(KEY)),
            (Some(_), None, None) => Err(CredentialsError::Incomplete(SECRET)),
            (_, _, Some(_)) => Err(CredentialsError::Both),
        }
    }

    /// What must not be shown.
    pub(crate) fn secrets(&self) -> Vec<&str> {
        match self {
            Self::Consumer { key, secret } => vec![secret.expose_secret(), key.expose_secret()],
            Self::Token(token) => vec![token.expose_secret()],
        }
    }
}

fn unquoted(value: &str) -> &str {
    ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or(value)
}

/// Why there are no credentials. It shows none of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// Neither kind.
    #[error("no credentials: set {KEY} and {SECRET}, or {TOKEN}")]
    Missing,
    /// One of key and secret.
    #[error("{0} is missing")]
    Incomplete(&'static str),
    /// Both kinds.
    #[error("give either {KEY} and {SECRET}, or {TOKEN}")]
    Both,
    /// A value that no HTTP header can carry.
    #[error("{0} holds other characters than printable ASCII")]
    NotText(&'static str),
    /// A key that Basic authentication cannot carry.
    #[error("{KEY} holds a colon")]
    Colon,
    /// The file cannot be read, or others may read it.
    #[error(transparent)]
    File(#[from] SecretFileError),
    /// A line of the file is of no known form.
    #[error("{}, line {number}: expected {KEY}=…, {SECRET}=… or {TOKEN}=…, each once", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// The line, from 1.
        number: usize,
    },
}

impl CredentialsError {
    /// Returns the kind of failure: [`ErrorKind::Usage`], for others would do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Credentials, CredentialsError> {
        Credentials::parse(text, Path::new("credentials"))
    }

    #[test]
    fn files_name_what_the_environment_names() {
        let text = format!("# ours\n\n{KEY}=k=1\r\n {SECRET} = \"s e\"\n");
        assert_eq!(parse(&text).unwrap().secrets(), ["s e", "k=1"]);
        assert_eq!(parse(&format!("{TOKEN}='t'")).unwrap().secrets(), ["t"]);
    }

    #[test]
    fn what_is_wrong_is_said_without_the_values() {
        for (text, expected) in [
            (String::new(), "no credentials"),
            (format!("{KEY}=\n{SECRET}="), "no credentials"),
            (format!("{KEY}=canary"), "CDRLAKE_CONSUMER_SECRET is missing"),
            (format!("{SECRET}=canary"), "CDRLAKE_CONSUMER_KEY is missing"),
            (format!("{KEY}=canary\n{SECRET}=canary\n{TOKEN}=canary"), "give either"),
            (format!("{TOKEN}=canary\n{KEY}=canary"), "give either"),
            (format!("{KEY}=canary:1\n{SECRET}=canary"), "colon"),
            (format!("{TOKEN}=canaré"), "printable"),
            ("password=canary".to_owned(), "line 1"),
            ("\ncanary".to_owned(), "line 2"),
            (format!("{TOKEN}=canary\n{TOKEN}=canary"), "line 2"),
        ] {
            let error = parse(&text).unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(expected), "{shown}");
            assert!(!shown.contains("canar"), "{shown}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        for text in [format!("{KEY}=canary\n{SECRET}=canary"), format!("{TOKEN}=canary")] {
            assert!(!format!("{:?}", parse(&text).unwrap()).contains("canary"));
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_that_others_may_read_are_refused() {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::{PermissionsExt, symlink};

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("credentials");
        std::fs::write(&path, format!("{TOKEN}=canary")).unwrap();
        let link = directory.path().join("link");
        symlink(&path, &link).unwrap();
        for (mode, is_fine) in [(0o600, true), (0o604, false), (0o666, false), (0o400, true)] {
            set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            for path in [&path, &link] {
                assert_eq!(Credentials::from_file(path).is_ok(), is_fine, "{mode:o}");
            }
        }
        assert!(matches!(
            Credentials::from_file(directory.path()),
            Err(CredentialsError::File(SecretFileError::Permissions { .. }))
        ));
    }
}
