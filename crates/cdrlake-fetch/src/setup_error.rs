//! Why nothing can be fetched at all.

use std::io;
use std::path::PathBuf;

use cdrlake_run::ErrorKind;

/// Why nothing can be fetched at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The file of certificates cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    UnreadableCaFile {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file of certificates has none, or one that is damaged.
    #[error("cannot use {}: {source}", path.display())]
    CaFile {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// A proxy of another kind, or no URL; it may hold a password, so it is not shown.
    #[error("{variable} is not the URL of an HTTP proxy, as http://host:port")]
    Proxy {
        /// The variable of the environment.
        variable: &'static str,
    },
}

impl SetupError {
    /// Returns the kind of failure: [`ErrorKind::Usage`], for another file of certificates or another
    /// proxy would do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Usage
    }
}
