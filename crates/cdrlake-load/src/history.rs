//! What earlier runs loaded, as far as it decides whether a source is loaded.

use roaring::RoaringTreemap;

use crate::error::LoadError;

/// What earlier runs loaded.
pub trait KnownSources: Sync {
    /// Returns the source of this content, if it is loaded.
    ///
    /// # Errors
    ///
    /// [`LoadError::Caller`], with what the history says.
    fn of_content(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LoadError>;

    /// Returns the contents loaded under a name of the carrier's form, without `.gz` or `.zip`.
    ///
    /// # Errors
    ///
    /// [`LoadError::Caller`], with what the history says.
    fn contents_of_name(&self, carrier_name: &str) -> Result<Vec<blake3::Hash>, LoadError>;

    /// Returns the lines of a source that may be replayed; none if no source of this content is loaded.
    ///
    /// # Errors
    ///
    /// [`LoadError::Caller`], with what the history says.
    fn open_rejects(&self, hash: &blake3::Hash) -> Result<Option<OpenRejects>, LoadError>;
}

/// What earlier runs loaded, and what to do about it.
#[derive(Clone, Copy)]
pub struct History<'h> {
    /// What earlier runs loaded.
    pub known: &'h dyn KnownSources,
    /// What to do with a source whose content is loaded already.
    pub repeated: Repeated,
    /// What to do with a source whose name, of the carrier's form, was loaded with other content.
    pub changed: Changed,
}

/// Which lines of a source may be replayed.
#[derive(Clone, Debug)]
pub enum OpenRejects {
    /// Whichever are given.
    Any,
    /// Those of these record numbers, which were rejected and not replayed yet.
    These(RoaringTreemap),
}

/// A source that an earlier run loaded.
#[derive(Clone, Debug)]
pub struct KnownSource {
    /// Its path as the user gave it, and `!member`.
    pub name: String,
    /// Rejected lines that were neither replayed nor waived.
    pub open_rejects: u64,
}

/// What to do with a source whose content is loaded already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeated {
    /// Skip it.
    #[default]
    Skip,
    /// Load it again, in place of what was loaded.
    Replace,
}

/// What to do with a source whose name, of the carrier's form, was loaded with other content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Changed {
    /// Fail it.
    #[default]
    Refuse,
    /// Load it, too.
    Allow,
}

impl History<'_> {
    /// No earlier runs: every output is a file of its own.
    #[must_use]
    pub fn none(changed: Changed) -> Self {
        Self { known: &NothingKnown, repeated: Repeated::Skip, changed }
    }
}

/// No earlier runs.
struct NothingKnown;

impl KnownSources for NothingKnown {
    fn of_content(&self, _: &blake3::Hash) -> Result<Option<KnownSource>, LoadError> {
        Ok(None)
    }

    fn contents_of_name(&self, _: &str) -> Result<Vec<blake3::Hash>, LoadError> {
        Ok(Vec::new())
    }

    fn open_rejects(&self, _: &blake3::Hash) -> Result<Option<OpenRejects>, LoadError> {
        Ok(Some(OpenRejects::Any))
    }
}
