//! Streams that the caller opened, read once.

use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes that come from wherever the caller reads them, under a name that tells what a file's would.
///
/// Clones share the bytes, which can be read once.
#[derive(Clone)]
pub struct Stream {
    name: Arc<str>,
    bytes: Arc<Mutex<Option<Box<dyn Read + Send>>>>,
}

impl Stream {
    /// `bytes`, as if they were a file called `name`.
    pub fn new(name: &str, bytes: impl Read + Send + 'static) -> Self {
        Self { name: name.into(), bytes: Arc::new(Mutex::new(Some(Box::new(bytes)))) }
    }

    /// What it is called: a path, of which the file name is the last part.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its bytes, unless they were taken before.
    pub(crate) fn take(&self) -> Option<Box<dyn Read + Send>> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }
}

impl Eq for Stream {}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.name).finish()
    }
}
