//! What earlier runs loaded, as far as it decides whether a source is loaded.

use roaring::RoaringTreemap;

use crate::error::LakeError;

/// What earlier runs loaded.
pub(crate) trait KnownSources: Sync {
    /// The source of this content, if it is loaded.
    fn of_content(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LakeError>;

    /// The contents loaded under a name of the carrier's form, without `.gz` or `.zip`.
    fn contents_of_name(&self, carrier_name: &str) -> Result<Vec<blake3::Hash>, LakeError>;

    /// The lines of a source that may be replayed; none if no source of this content is loaded.
    fn open_rejects(&self, hash: &blake3::Hash) -> Result<Option<OpenRejects>, LakeError>;
}

/// What earlier runs loaded, and what to do about it.
#[derive(Clone, Copy)]
pub(crate) struct History<'h> {
    pub(crate) known: &'h dyn KnownSources,
    pub(crate) repeated: Repeated,
    pub(crate) changed: Changed,
}

/// Which lines of a source may be replayed.
#[derive(Clone, Debug)]
pub(crate) enum OpenRejects {
    /// Whichever are given.
    Any,
    /// Those of these record numbers, which were rejected and not replayed yet.
    These(RoaringTreemap),
}

/// A source that an earlier run loaded.
#[derive(Clone, Debug)]
pub(crate) struct KnownSource {
    pub(crate) name: String,
    /// Rejected lines that were neither replayed nor waived.
    pub(crate) open_rejects: u64,
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

/// No earlier runs: every output is a file of its own.
pub(crate) struct NothingKnown;

impl KnownSources for NothingKnown {
    fn of_content(&self, _: &blake3::Hash) -> Result<Option<KnownSource>, LakeError> {
        Ok(None)
    }

    fn contents_of_name(&self, _: &str) -> Result<Vec<blake3::Hash>, LakeError> {
        Ok(Vec::new())
    }

    fn open_rejects(&self, _: &blake3::Hash) -> Result<Option<OpenRejects>, LakeError> {
        Ok(Some(OpenRejects::Any))
    }
}
