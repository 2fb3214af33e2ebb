//! What earlier runs loaded, as far as it decides whether a source is loaded.

use roaring::RoaringTreemap;

use crate::error::LoadError;

/// What earlier runs loaded.
pub trait KnownSources: Sync {
    /// Returns the source of this content, if it is loaded, or if it was and is to stay out.
    ///
    /// # Errors
    ///
    /// [`LoadError::Caller`], with what the history says.
    fn of_content(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LoadError>;

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
    /// What to do with a source whose name, of the carrier's form, came with other content before, in
    /// this run or an earlier one.
    pub on_changed: OnChanged,
}

/// Which lines of a source may be replayed.
#[derive(Clone, Debug)]
pub enum OpenRejects {
    /// Whichever are given.
    Any,
    /// Those of these record numbers, which were rejected and not replayed yet.
    These(RoaringTreemap),
}

/// A source that an earlier run met.
#[derive(Clone, Debug)]
pub struct KnownSource {
    /// Its path as the user gave it, and `!member`.
    pub name: String,
    /// The carrier's name for it, if its name has that form.
    pub carrier_name: Option<String>,
    /// Why its content is not loaded now.
    pub standing: ContentStanding,
    /// Rejected lines that were neither replayed nor waived.
    pub open_rejects: u64,
}

/// Why a content that came before is not loaded now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentStanding {
    /// The lake has it.
    Loaded,
    /// Its rows were removed.
    Unloaded {
        /// The day in UTC, as `2025-11-30`.
        on: String,
    },
    /// Another version of its delivery took its place.
    Superseded {
        /// The day in UTC, as `2025-11-30`.
        on: String,
    },
    /// It was never to be loaded.
    Excluded {
        /// The day in UTC, as `2025-11-30`.
        on: String,
    },
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

/// What to do with a new version of a delivery: a source whose name, of the carrier's form, came before
/// with other content.
///
/// In a lake a version that holds every record of the current one takes its place, unless it is to be
/// [`Both`](Self::Both) or [`Skip`](Self::Skip): nothing is lost by that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnChanged {
    /// Leave it out until somebody decides.
    #[default]
    Hold,
    /// Load it in place of the current version, if it holds at least half of that one's records and
    /// more than a part of them; else hold it. In one file, which knows no current version, hold it.
    Supersede,
    /// Load it, too.
    Both,
    /// Leave it out, now and later.
    Skip,
}

impl OnChanged {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("hold", Self::Hold),
        ("supersede", Self::Supersede),
        ("both", Self::Both),
        ("skip", Self::Skip),
    ];
}

impl History<'_> {
    /// No earlier runs: every output is a file of its own.
    #[must_use]
    pub fn none(on_changed: OnChanged) -> Self {
        Self { known: &NothingKnown, repeated: Repeated::Skip, on_changed }
    }
}

/// No earlier runs.
struct NothingKnown;

impl KnownSources for NothingKnown {
    fn of_content(&self, _: &blake3::Hash) -> Result<Option<KnownSource>, LoadError> {
        Ok(None)
    }

    fn open_rejects(&self, _: &blake3::Hash) -> Result<Option<OpenRejects>, LoadError> {
        Ok(Some(OpenRejects::Any))
    }
}
