//! A lake in memory, for tests: the same answers as any other kind of lake, by the plainest code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use cdrlake_core::Numbers;
use cdrlake_load::{ContentStanding, KnownSource, SourceReport, Status};
use roaring::RoaringTreemap;
use tempfile::TempDir;

use super::{Commit, FileChunks, Outcome};
use crate::error::LakeError;
use crate::facts::{
    Facts, FileFacts, FileRows, FileState, Moment, RejectsState, SourceFacts, SourceStatus,
};
use crate::format::LakeFormat;
use crate::model::{
    AddedFile, AddedSource, CompleteFile, Ending, FileKind, FileSummary, LakeFile, LoadedVersion,
    Noted, RowsBySource, SourceFact, SourceId, SourceRef, Transaction, Version,
};
use crate::snapshot::Snapshot;

/// A lake in memory. Clones are the same lake, as if other processes had it open.
#[derive(Clone, Debug)]
pub(super) struct MemoryLake {
    state: Arc<Mutex<Arc<State>>>,
    staging: Arc<TempDir>,
}

/// What is true of it at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    runs: Vec<String>,
    sources: BTreeMap<SourceId, MemorySource>,
    files: BTreeMap<String, MemoryFile>,
    left_out: BTreeSet<(SourceId, SourceId)>,
    next_file: i64,
}

#[derive(Clone, Debug)]
struct MemorySource {
    facts: SourceFacts,
    source_file: String,
    /// As it came.
    status: Status,
    ended: Option<Ending>,
    bytes_read: u64,
    records_read: u64,
    has_rejects: bool,
    arrived: Option<i64>,
}

#[derive(Clone, Debug)]
struct MemoryFile {
    file: LakeFile,
    bytes: Bytes,
    tenths: u64,
    sources: RowsBySource,
}

impl MemoryLake {
    pub(super) fn new() -> Self {
        let staging = Arc::new(tempfile::tempdir().unwrap());
        Self { state: Arc::default(), staging }
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Commit for MemoryLake {
    type Snapshot = State;
    type Staged = Bytes;

    fn snapshot(&self) -> Result<impl Deref<Target = State>, LakeError> {
        Ok(self.state())
    }

    fn staging(&self) -> &Path {
        self.staging.path()
    }

    fn stage(&self, base: Version, file: CompleteFile) -> Result<AddedFile<Bytes>, LakeError> {
        let CompleteFile { file, digest, number, summary } = file;
        let staged = fs::read(&file).map_err(LakeError::read(&*file))?.into();
        let (kind, partition) = (summary.kind.name(), summary.partition);
        let path = format!("{kind}/{partition}/{:06}-{digest}-{number}", base.0 + 1);
        Ok(AddedFile { staged, path, summary })
    }

    fn commit(&self, base: Version, change: Transaction<Bytes>) -> Result<Outcome, LakeError> {
        let mut current = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let version = current.version()?;
        if version != base {
            return Ok(Outcome::Conflict(version));
        }
        if change.is_empty() {
            return Ok(Outcome::Committed(base));
        }
        let mut next = State::clone(&current);
        next.apply(change);
        *current = Arc::new(next);
        Ok(Outcome::Committed(Version(base.0 + 1)))
    }

    fn recover(&self) -> Result<(), LakeError> {
        Ok(())
    }

    fn read(&self, path: &str) -> Result<FileChunks, LakeError> {
        let state = self.state();
        let file = state.files.get(path).ok_or(LakeError::Defect("no such file"))?;
        Ok(FileChunks::Memory(file.bytes.clone()))
    }

    fn name(&self) -> PathBuf {
        "memory".into()
    }

    fn locate(&self, path: &str) -> PathBuf {
        path.into()
    }
}

impl State {
    fn apply(&mut self, change: Transaction<Bytes>) {
        self.runs.push(change.run_id);
        for fact in &change.sources {
            if let SourceFact::Ended { source, how } = fact {
                self.source(*source).ended = Some(*how);
            }
        }
        let mut added = Vec::new();
        for fact in change.sources {
            added.push(match fact {
                SourceFact::Added(source) => Some(self.add(*source)),
                SourceFact::Replayed(replayed) => {
                    let source = self.source(replayed.source);
                    let accepted = replayed.records + replayed.left_out;
                    source.facts.records_written += replayed.records;
                    source.facts.records_duplicate += replayed.left_out;
                    source.facts.records_rejected -= accepted + replayed.blank_lines;
                    source.records_read -= replayed.blank_lines;
                    source.facts.tenths += replayed.duration.tenths();
                    source.facts.open_rejects = replayed.open_rejects;
                    if source.facts.records_rejected == 0 {
                        source.facts.rejects = RejectsState::Closed;
                    }
                    None
                }
                SourceFact::Repeated { source, path, content_hash } => {
                    let hash = Some(content_hash.to_hex().to_string());
                    let name = source.carrier_name.as_deref();
                    self.settle(true, hash.as_deref(), name, path.as_deref());
                    None
                }
                SourceFact::Ended { .. } => None,
            });
        }
        let id = |source: SourceRef| match source {
            SourceRef::Known(source) => source,
            SourceRef::Added(place) => added[place].unwrap(),
        };
        self.left_out.extend(change.left_out.into_iter().map(|(a, b)| (id(a), id(b))));
        for file in change.add {
            self.next_file += 1;
            let AddedFile { staged, path, summary } = file;
            let FileSummary { kind, partition, rows, bytes, blake3, tenths, sources, .. } = summary;
            let file = LakeFile {
                id: self.next_file,
                path: path.clone(),
                kind,
                partition,
                rows,
                bytes,
                blake3: Some(blake3),
            };
            let sources = sources.into_iter().map(|(source, rows)| (id(source), rows)).collect();
            let replaced =
                self.files.insert(path, MemoryFile { file, bytes: staged, tenths, sources });
            assert!(replaced.is_none(), "a path was used twice");
        }
        for file in change.remove {
            self.files.remove(&file.path).unwrap();
        }
    }

    fn source(&mut self, source: SourceId) -> &mut MemorySource {
        self.sources.get_mut(&source).unwrap()
    }

    fn add(&mut self, added: AddedSource) -> SourceId {
        let AddedSource { source, path, report, open_rejects, .. } = added;
        let is_out = matches!(report.status, Status::Failed | Status::Held);
        let content_hash = report.content_hash.map(|hash| hash.to_hex().to_string());
        let name = source.carrier_name.as_deref();
        self.settle(!is_out, content_hash.as_deref(), name, path.as_deref());
        let id = SourceId(self.sources.keys().next_back().map_or(1, |SourceId(last)| last + 1));
        let tally = &report.tally;
        let has_rejects = tally.records_rejected > 0;
        let metadata = source.metadata;
        let facts = SourceFacts {
            id: id.0,
            name: source.name.to_string(),
            path,
            carrier_name: source.carrier_name,
            content_hash,
            status: match is_out {
                false => SourceStatus::Loaded,
                true => SourceStatus::Failed {
                    code: report.error_code.unwrap_or_default().to_owned(),
                    error: report.error.as_deref().unwrap_or_default().to_owned(),
                },
            },
            country: metadata.country.map(|country| country.code().to_owned()),
            profile: metadata.profile,
            product_identifier: metadata.product_identifier,
            sequence_number: metadata.sequence_number.and_then(|number| number.try_into().ok()),
            file_time: metadata
                .file_time
                .and_then(|time| cdrlake_load::LocalTime(time).to_string().parse().ok()),
            records_written: tally.records_written,
            records_rejected: tally.records_rejected,
            records_duplicate: tally.records_duplicate,
            has_plain_replays: false,
            tenths: tally.duration_seconds.tenths(),
            rejects: if has_rejects { RejectsState::Open } else { RejectsState::Closed },
            open_rejects,
        };
        let (bytes_read, records_read) = (tally.bytes_read, tally.records_read);
        let (source_file, arrived) = (source.source_file, source.arrived);
        let source = MemorySource {
            facts,
            source_file,
            status: report.status,
            ended: None,
            bytes_read,
            records_read,
            has_rejects,
            arrived,
        };
        let name = source.facts.carrier_name.clone();
        self.sources.insert(id, source);
        if report.supersedes.is_some() {
            let noted = self.sources.values_mut().filter(|source| {
                source.status == Status::Same && source.facts.carrier_name == name
            });
            noted.for_each(|source| source.ended = Some(Ending::Superseded));
        }
        id
    }

    /// Forgets failed attempts at the same delivery.
    fn settle(
        &mut self,
        is_settled: bool,
        hash: Option<&str>,
        name: Option<&str>,
        path: Option<&str>,
    ) {
        self.sources.retain(|_, source| {
            if !matches!(source.status, Status::Failed | Status::Held) {
                return true;
            }
            let facts = &source.facts;
            let same_content = hash.is_some()
                && facts.content_hash.as_deref() == hash
                && (is_settled
                    || name.is_none()
                    || facts.carrier_name.is_none()
                    || facts.carrier_name.as_deref() == name);
            let same_name = name.is_some()
                && facts.carrier_name.as_deref() == name
                && source.status == Status::Failed;
            let archives = path.into_iter().flat_map(|path| {
                path.match_indices('!').map(move |(at, _)| &path[..at]).chain([path])
            });
            let same_path = archives.into_iter().any(|path| facts.path.as_deref() == Some(path));
            !(same_content || same_name || same_path)
        });
    }

    fn loaded_sources(&self) -> impl Iterator<Item = (SourceId, &MemorySource)> {
        let sources = self.sources.iter().map(|(id, source)| (*id, source));
        sources.filter(|(_, source)| source.ended.is_none() && source.status == Status::Loaded)
    }

    fn has_version(&self, carrier_name: &str) -> bool {
        let mut loaded = self.loaded_sources();
        loaded.any(|(_, source)| source.facts.carrier_name.as_deref() == Some(carrier_name))
    }

    fn named<'s>(
        &'s self,
        name: &'s str,
        sources: impl Iterator<Item = (SourceId, &'s MemorySource)>,
    ) -> impl Iterator<Item = (SourceId, String)> {
        sources
            .filter(move |(_, source)| {
                source.facts.name == name
                    || source.source_file == name
                    || source.facts.carrier_name.as_deref() == Some(name)
            })
            .map(|(id, source)| (id, source.facts.name.clone()))
    }
}

impl Snapshot for State {
    fn version(&self) -> Result<Version, LakeError> {
        Ok(Version(self.runs.len() as u64))
    }

    fn facts(&self) -> Result<Facts, LakeError> {
        let is_known = |source: &&MemorySource| {
            source.ended.is_none()
                && matches!(source.status, Status::Loaded | Status::Held | Status::Failed)
        };
        let known = self.sources.values().filter(is_known);
        let mut accounted_for = BTreeMap::new();
        for source in self.sources.values() {
            let name = source.facts.carrier_name.as_deref();
            let is_out = matches!(
                source.status,
                Status::Same | Status::Excluded | Status::Unloaded | Status::Superseded
            ) || matches!(source.ended, Some(Ending::Unloaded | Ending::Superseded));
            if let Some(name) = name.filter(|name| is_out && !self.has_version(name)) {
                accounted_for.insert(name, source.facts.clone());
            }
        }
        let mut accounted_for: Vec<_> = accounted_for.into_values().collect();
        accounted_for.sort_by_key(|source| source.id);
        let files = self.files.values().map(|MemoryFile { file, tenths, sources, .. }| {
            let mut first_row = 0;
            let rows = sources.iter().map(|&(SourceId(source), rows)| {
                first_row += rows;
                FileRows { first_row: first_row - rows, rows, source }
            });
            FileFacts {
                path: file.path.clone(),
                kind: file.kind,
                state: FileState::Settled,
                rows: file.rows,
                bytes: file.bytes,
                blake3: file.blake3,
                tenths: *tenths,
                sources: rows.collect(),
            }
        });
        Ok(Facts {
            sources: known.map(|source| (source.facts.id, source.facts.clone())).collect(),
            accounted_for,
            files: files.collect(),
            accepted: BTreeMap::new(),
            moment: Moment { publishing: None, published: self.runs.last().cloned() },
            identities: Numbers::Clear,
            format: LakeFormat::Two,
        })
    }

    fn loaded(&self, hash: &blake3::Hash) -> Result<Option<SourceId>, LakeError> {
        let hash = hash.to_hex();
        let mut loaded = self.loaded_sources();
        let found = loaded.find(|(_, source)| {
            source.bytes_read > 0 && source.facts.content_hash.as_deref() == Some(hash.as_str())
        });
        Ok(found.map(|(id, _)| id))
    }

    fn known_source(&self, hash: &blake3::Hash) -> Result<Option<KnownSource>, LakeError> {
        let known = |source: &MemorySource, standing, open_rejects| KnownSource {
            name: source.facts.name.clone(),
            carrier_name: source.facts.carrier_name.clone(),
            standing,
            open_rejects,
        };
        if let Some(id) = self.loaded(hash)? {
            let source = &self.sources[&id];
            let is_open = source.facts.rejects == RejectsState::Open;
            let open_rejects = if is_open { source.facts.records_rejected } else { 0 };
            return Ok(Some(known(source, ContentStanding::Loaded, open_rejects)));
        }
        let hash = hash.to_hex();
        let of_content = self
            .sources
            .values()
            .rev()
            .filter(|source| source.facts.content_hash.as_deref() == Some(hash.as_str()));
        let on = String::new;
        Ok(of_content
            .filter_map(|source| {
                let standing = match (source.status, source.ended) {
                    (Status::Loaded, Some(Ending::Unloaded)) | (Status::Unloaded, _) => {
                        ContentStanding::Unloaded { on: on() }
                    }
                    (Status::Loaded, Some(Ending::Superseded)) | (Status::Superseded, _) => {
                        ContentStanding::Superseded { on: on() }
                    }
                    (Status::Excluded, _) => ContentStanding::Excluded { on: on() },
                    _ => return None,
                };
                Some(known(source, standing, 0))
            })
            .next())
    }

    fn versions_of(&self, carrier_name: &str) -> Result<Vec<LoadedVersion>, LakeError> {
        let is_named =
            |source: &MemorySource| source.facts.carrier_name.as_deref() == Some(carrier_name);
        let noted = self.sources.values();
        let noted = noted.filter(|source| {
            source.status == Status::Same && source.ended.is_none() && is_named(source)
        });
        let noted: BTreeSet<_> =
            noted.filter_map(|source| source.facts.content_hash.clone()).collect();
        let holds = |source: &MemorySource| {
            let hash = source.facts.content_hash.as_ref();
            source.bytes_read > 0 && hash.is_some_and(|hash| noted.contains(hash))
        };
        let named = self.loaded_sources().filter(|(_, source)| is_named(source) || holds(source));
        let versions = named.filter_map(|(id, source)| {
            let hash = source.facts.content_hash.as_deref()?;
            Some(LoadedVersion {
                source: id,
                name: source.facts.name.clone(),
                content_hash: blake3::Hash::from_hex(hash).ok()?,
                records: source.facts.records_written,
                rejected: source.facts.records_rejected,
                arrived: source.arrived,
                is_own: is_named(source),
                is_of_other: !is_named(source) && source.facts.carrier_name.is_some(),
            })
        });
        Ok(versions.collect())
    }

    fn knows_delivery(&self, carrier_name: &str, hash: &blake3::Hash) -> Result<bool, LakeError> {
        let hash = hash.to_hex();
        Ok(self.sources.values().any(|source| {
            let is_there = match source.status {
                Status::Loaded => source.ended.is_none(),
                status => status == Status::Same,
            };
            is_there
                && source.facts.carrier_name.as_deref() == Some(carrier_name)
                && source.facts.content_hash.as_deref() == Some(hash.as_str())
        }))
    }

    fn knows_left_out(&self, carrier_name: &str, hash: &blake3::Hash) -> Result<bool, LakeError> {
        let hash = hash.to_hex();
        Ok(self.sources.values().any(|source| {
            let is_out = match source.status {
                Status::Loaded => {
                    matches!(source.ended, Some(Ending::Unloaded | Ending::Superseded))
                }
                status => {
                    matches!(status, Status::Unloaded | Status::Superseded | Status::Excluded)
                }
            };
            is_out
                && source.facts.carrier_name.as_deref() == Some(carrier_name)
                && source.facts.content_hash.as_deref() == Some(hash.as_str())
        }))
    }

    fn noted(&self, path: Option<&str>, report: &SourceReport) -> Result<Noted, LakeError> {
        let hash = report.content_hash.map(|hash| hash.to_hex().to_string());
        let is_noted = self.sources.values().any(|source| {
            source.status == report.status
                && source.facts.path.as_deref() == path
                && source.facts.content_hash == hash
                && matches!(&source.facts.status, SourceStatus::Failed { code, error }
                    if Some(code.as_str()) == report.error_code
                        && Some(error.as_str()) == report.error.as_deref())
        });
        Ok(if is_noted { Noted::Before } else { Noted::No })
    }

    fn loaded_as(&self, name: &str) -> Result<Vec<(SourceId, String)>, LakeError> {
        Ok(self.named(name, self.loaded_sources()).collect())
    }

    fn was_unloaded(&self, name: &str) -> Result<bool, LakeError> {
        let sources = self.sources.iter().map(|(id, source)| (*id, source));
        let unloaded = sources.filter(|(_, source)| source.ended == Some(Ending::Unloaded));
        Ok(self.named(name, unloaded).next().is_some())
    }

    fn has_failures(&self) -> Result<bool, LakeError> {
        let is_out = |source: &MemorySource| matches!(source.status, Status::Failed | Status::Held);
        Ok(self.sources.values().any(is_out))
    }

    fn has_excluded(&self, source_file: &str, hash: &blake3::Hash) -> Result<bool, LakeError> {
        let hash = hash.to_hex();
        Ok(self.sources.values().any(|source| {
            source.status == Status::Excluded
                && source.source_file == source_file
                && source.facts.content_hash.as_deref() == Some(hash.as_str())
        }))
    }

    fn has_empty(&self, carrier_name: &str) -> Result<bool, LakeError> {
        Ok(self.sources.values().any(|source| {
            source.status == Status::Loaded
                && matches!(source.ended, None | Some(Ending::Unloaded))
                && source.bytes_read == 0
                && source.facts.carrier_name.as_deref() == Some(carrier_name)
        }))
    }

    fn open_rejects_of(&self, source: SourceId) -> Result<RoaringTreemap, LakeError> {
        Ok(self.sources[&source].facts.open_rejects.clone())
    }

    fn waived_rejects(&self, source: SourceId) -> Result<u64, LakeError> {
        let source = &self.sources[&source];
        let is_waived = source.has_rejects && source.facts.rejects == RejectsState::Closed;
        Ok(if is_waived { source.facts.records_rejected } else { 0 })
    }

    fn left_duplicates_out(&self, source: SourceId) -> Result<Option<String>, LakeError> {
        let facts = &self.sources[&source].facts;
        Ok((facts.records_duplicate > 0).then(|| facts.name.clone()))
    }

    fn has_left_out_duplicates(
        &self,
        leaving: &BTreeSet<SourceId>,
    ) -> Result<Option<String>, LakeError> {
        let mut loaded = self.loaded_sources();
        let found = loaded.find(|(id, _)| {
            let left_out = self.left_out.iter().filter(|(source, _)| source == id);
            !leaving.contains(id) && left_out.into_iter().any(|(_, kept)| leaving.contains(kept))
        });
        Ok(found.map(|(_, source)| source.facts.name.clone()))
    }

    fn files(&self, kind: FileKind) -> Result<Vec<LakeFile>, LakeError> {
        let files = self.files.values().filter(|file| file.file.kind == kind);
        Ok(files.map(|file| file.file.clone()).collect())
    }

    fn files_of(
        &self,
        sources: &BTreeSet<SourceId>,
    ) -> Result<Vec<(LakeFile, RowsBySource)>, LakeError> {
        let holds = |file: &&MemoryFile| file.sources.iter().any(|(id, _)| sources.contains(id));
        let mut files: Vec<_> = self.files.values().filter(holds).collect();
        files.sort_by_key(|file| file.file.id);
        Ok(files.into_iter().map(|file| (file.file.clone(), file.sources.clone())).collect())
    }

    fn identity(&self, source: SourceId) -> Result<(String, Option<blake3::Hash>), LakeError> {
        let source = &self.sources[&source];
        let hash = source.facts.content_hash.as_deref();
        Ok((source.source_file.clone(), hash.and_then(|hash| blake3::Hash::from_hex(hash).ok())))
    }

    fn rows_of(&self, file: &LakeFile) -> Result<RowsBySource, LakeError> {
        Ok(self.files[&file.path].sources.clone())
    }
}
