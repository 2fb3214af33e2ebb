//! What is true of a lake at one moment: the questions that loading, unloading and audits ask.

use std::collections::BTreeSet;

use cdrlake_load::{KnownSource, KnownSources, LoadError, OpenRejects, SourceReport};
use roaring::RoaringTreemap;

use crate::error::LakeError;
use crate::facts::Facts;
use crate::model::{FileKind, LakeFile, LoadedVersion, Noted, RowsBySource, SourceId, Version};

/// What is true of a lake at one moment.
pub trait Snapshot: Sync {
    /// How often the lake was changed until then.
    ///
    /// # Errors
    ///
    /// [`LakeError`], if the lake cannot be read; so of every other question.
    fn version(&self) -> Result<Version, LakeError>;

    /// Everything, for an audit.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn facts(&self) -> Result<Facts, LakeError>;

    /// The loaded source of this content; empty sources do not count.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn loaded(&self, hash: &blake3::Hash) -> Result<Option<SourceId>, LakeError>;

    /// The source of this content that is loaded, or the last that was and is to stay out.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn known_source(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LakeError>;

    /// The sources loaded under a carrier's name, and those of other names that hold a content with which the
    /// delivery came, in the order of their loading.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn versions_of(&self, carrier_name: &str) -> Result<Vec<LoadedVersion>, LakeError>;

    /// Whether it is known that a delivery came with this content.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn knows_delivery(&self, carrier_name: &str, hash: &blake3::Hash) -> Result<bool, LakeError>;

    /// Whether it is known that a delivery came with this content, which is to stay out.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn knows_left_out(&self, carrier_name: &str, hash: &blake3::Hash) -> Result<bool, LakeError>;

    /// Whether a source at this path failed, or was held, just as this one.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn noted(&self, path: Option<&str>, report: &SourceReport) -> Result<Noted, LakeError>;

    /// The loaded sources that stand at this path, or have this name, source_file, carrier's name,
    /// or a content hash that begins so; with their names.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn loaded_as(&self, name: &str) -> Result<Vec<(SourceId, String)>, LakeError>;

    /// Whether a source that is called so was unloaded.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn was_unloaded(&self, name: &str) -> Result<bool, LakeError>;

    /// Whether any source is known as failed or held.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn has_failures(&self) -> Result<bool, LakeError>;

    /// Whether a delivery of this name, of the carrier's form, is loaded without a call, or was.
    ///
    /// # Errors
    ///
    /// The lake cannot be read.
    fn has_empty(&self, carrier_name: &str) -> Result<bool, LakeError>;

    /// Whether a file of this name is known to be left out for good with this content.
    ///
    /// # Errors
    ///
    /// The lake cannot be read.
    fn has_excluded(&self, source_file: &str, hash: &blake3::Hash) -> Result<bool, LakeError>;

    /// The record numbers of a source's rejected lines that were not replayed yet.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn open_rejects_of(&self, source: SourceId) -> Result<RoaringTreemap, LakeError>;

    /// How many rejected lines of a source were waived.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn waived_rejects(&self, source: SourceId) -> Result<u64, LakeError>;

    /// The name of a source, if it left duplicates out.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn left_duplicates_out(&self, source: SourceId) -> Result<Option<String>, LakeError>;

    /// The name of a loaded source that left duplicates out for the sake of one of these, if any
    /// but these did.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn has_left_out_duplicates(
        &self,
        leaving: &BTreeSet<SourceId>,
    ) -> Result<Option<String>, LakeError>;

    /// All files of a kind.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn files(&self, kind: FileKind) -> Result<Vec<LakeFile>, LakeError>;

    /// The files that hold rows of any of these sources, each with its row provenance.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn files_of(
        &self,
        sources: &BTreeSet<SourceId>,
    ) -> Result<Vec<(LakeFile, RowsBySource)>, LakeError>;

    /// The `source_file` of a source, and the hash of its content.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn identity(&self, source: SourceId) -> Result<(String, Option<blake3::Hash>), LakeError>;

    /// The row provenance of a file.
    ///
    /// # Errors
    ///
    /// As [`version`](Self::version).
    fn rows_of(&self, file: &LakeFile) -> Result<RowsBySource, LakeError>;
}

/// A snapshot, asked by a run that loads.
#[derive(Debug)]
pub(crate) struct KnownTo<'s, S>(pub(crate) &'s S);

impl<S: Snapshot> KnownSources for KnownTo<'_, S> {
    fn of_content(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LoadError> {
        Ok(self.0.known_source(hash)?)
    }

    fn open_rejects(&self, hash: &blake3::Hash) -> Result<Option<OpenRejects>, LoadError> {
        let Some(source) = self.0.loaded(hash)? else { return Ok(None) };
        Ok(Some(OpenRejects::These(self.0.open_rejects_of(source)?)))
    }
}
