//! Why a command on a lake ends; what fails a single source is a [`SourceError`](cdrlake_source::SourceError).

use std::io;
use std::path::PathBuf;

use cdrlake_load::LoadError;
use cdrlake_run::{ErrorKind, Interrupted};
use thiserror::Error;

use crate::file_damage::FileDamage;

/// Why a command on a lake ended. Nothing is changed then, unless publishing itself failed half-way,
/// which [`Unfinished`](Self::Unfinished) says.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LakeError {
    /// There is something under the output's name.
    #[error("{} exists already; choose another name", .0.display())]
    OutputExists(PathBuf),
    /// Writing, syncing or renaming failed.
    #[error("cannot write {}", path.display())]
    Write {
        /// The file, or the directory it was to stand in.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// Something of a lake cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// The Parquet writer failed.
    #[error("cannot write {}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer says.
        #[source]
        error: parquet::errors::ParquetError,
    },
    /// A directory that was to be a lake holds something else.
    #[error("{} is not a lake, and not empty; name a directory that is new or empty", .0.display())]
    NotALake(PathBuf),
    /// There is no lake.
    #[error("there is no lake in {}", .0.display())]
    NoLake(PathBuf),
    /// The lake is there, its ledger is not.
    #[error(
        "the ledger of {} is missing; without it nothing says what was loaded: restore it", .0.display()
    )]
    LedgerMissing(PathBuf),
    /// The ledger is that of another lake.
    #[error("the ledger is not that of {}", .0.display())]
    OtherLedger(PathBuf),
    /// The file that is to be the ledger is something else.
    #[error(
        "{} is not a ledger of cdrlake; restore it from a backup if it was one", .0.display()
    )]
    NotALedger(PathBuf),
    /// A link that leads to nothing stands under the lake's name.
    #[error(
        "{} is a link to something that is not there; make that a directory, or remove the link", .0.display()
    )]
    DanglingLink(PathBuf),
    /// Lines are to be replayed, without copies, of a source that left copies out already.
    #[error(
        "{source_name} left duplicates out when it was loaded, so nothing says which of its replayed \
         lines are copies"
    )]
    ReplayOfDeduplicated {
        /// The source.
        source_name: String,
    },
    /// Sources left records out because another, which is to go, has them.
    #[error(
        "{source_name} left duplicates out that others have, so nothing can be removed under it; \
         replace or unload it in the same run"
    )]
    DuplicatesLeftOut {
        /// The first such source.
        source_name: String,
    },
    /// The lake was made by a newer version.
    #[error("{} was made by a newer version of cdrlake; update this one", .0.display())]
    LakeVersion(PathBuf),
    /// The ledger is empty, or was made by a version that this one does not know.
    #[error("{} {}", path.display(), of_other_version(*version))]
    LedgerVersion {
        /// The ledger.
        path: PathBuf,
        /// The version of its tables.
        version: i64,
    },
    /// A setting that is fixed when a lake is made is asked for with another value.
    #[error("{} has {setting} {lakes}, not {wanted}, which is fixed; leave the option out", lake.display())]
    Contradiction {
        /// The lake.
        lake: PathBuf,
        /// The setting's name.
        setting: &'static str,
        /// Its value.
        lakes: String,
        /// What was asked for.
        wanted: String,
    },
    /// The lake's tokens or identifiers are keyed, and there is no key.
    #[error("{} is keyed with {key_id}, and no key is given", lake.display())]
    LakeKeyMissing {
        /// The lake.
        lake: PathBuf,
        /// What names its key.
        key_id: String,
    },
    /// The lake's tokens or identifiers are made with another key.
    #[error(
        "{} is keyed with {lakes}, and this is key {given}", lake.display()
    )]
    OtherKey {
        /// The lake.
        lake: PathBuf,
        /// What names its key.
        lakes: String,
        /// What names the key that was given.
        given: String,
    },
    /// A key for a lake that has none.
    #[error(
        "{} was made without a key, which is fixed", .0.display()
    )]
    LakeWithoutKey(PathBuf),
    /// Duplicates are to be dropped from a lake whose rows nothing identifies.
    #[error(
        "{} was made without record_id, so duplicates cannot be told", .0.display()
    )]
    NoRecordIds(PathBuf),
    /// A version is to take the place of the current one, and to stand beside it.
    #[error("a version cannot take the place of another and stand beside it; ask for one of both")]
    ReplaceAndKeep,
    /// Another run has the lake's lock.
    #[error("the lake is being written by another run ({holder}); try again later")]
    Locked {
        /// The lock's file.
        path: PathBuf,
        /// Host, process and run, as they left word.
        holder: String,
    },
    /// The lake is where locks cannot be trusted.
    #[error(
        "{} is on a network file system ({kind}), where a lock cannot be trusted", path.display()
    )]
    NetworkFileSystem {
        /// The directory.
        path: PathBuf,
        /// Its kind.
        kind: &'static str,
    },
    /// The ledger could not be read or written.
    #[error("cannot use the ledger {}", path.display())]
    Ledger {
        /// Its file.
        path: PathBuf,
        /// What SQLite says.
        #[source]
        error: rusqlite::Error,
    },
    /// A file that the ledger says is staged is gone.
    #[error(
        "{} is missing, though a run that was recorded needs it; restore the lake from a backup", .0.display()
    )]
    StagedFileMissing(PathBuf),
    /// A file of the lake is not what the ledger says it is, so that its rows cannot be told apart.
    #[error("{} {damage}", path.display())]
    DamagedFile {
        /// The lake.
        lake: PathBuf,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        damage: FileDamage,
    },
    /// A file is not what it was when it was written.
    #[error("{} is not the file that was written; restore it from a backup", .0.display())]
    FileChanged(PathBuf),
    /// No loaded source has this name.
    #[error("no loaded source is called {0}; see the lake's table of sources for names")]
    SourceNotLoaded(String),
    /// Several loaded sources have this name.
    #[error("several loaded sources are called {0}; name one by its content hash")]
    SourceAmbiguous(String),
    /// The run was recorded, and then could not be published to its end.
    #[error(
        "the run is recorded but not wholly published; the next run on the lake will finish it"
    )]
    Unfinished(#[source] Box<LakeError>),
    /// Another run changed the lake meanwhile.
    #[error("the lake was changed by another run meanwhile, and nothing was published; try again")]
    Conflict,
    /// The run was interrupted by a signal.
    #[error("interrupted; nothing was published")]
    Interrupted,
    /// Columns could not be built or encoded.
    #[error("cannot encode a row group")]
    Encode(#[from] parquet::errors::ParquetError),
    /// Something that cannot be: a defect of this program.
    #[error("internal error: {0}; please report it")]
    Defect(&'static str),
    /// Loading failed, as it would for any output.
    #[error(transparent)]
    Load(LoadError),
}

fn of_other_version(version: i64) -> String {
    match version {
        0 => "is a ledger without tables; restore it from a backup if it had any".to_owned(),
        1 => "was made by the first version of cdrlake (ledger version 1); use that".to_owned(),
        _ => format!(
            "was made by a newer version of cdrlake (ledger version {version}); update this one"
        ),
    }
}

impl LakeError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Load(error) => error.kind(),
            Self::NotALake(_)
            | Self::NotALedger(_)
            | Self::DanglingLink(_)
            | Self::ReplayOfDeduplicated { .. }
            | Self::NoLake(_)
            | Self::Contradiction { .. }
            | Self::NoRecordIds(_)
            | Self::ReplaceAndKeep
            | Self::LakeKeyMissing { .. }
            | Self::LakeWithoutKey(_)
            | Self::OtherKey { .. }
            | Self::OtherLedger(_)
            | Self::DuplicatesLeftOut { .. }
            | Self::NetworkFileSystem { .. }
            | Self::SourceNotLoaded(_)
            | Self::SourceAmbiguous(_) => ErrorKind::Usage,
            Self::Interrupted => ErrorKind::Interrupted,
            Self::Conflict | Self::Locked { .. } => ErrorKind::Transient,
            Self::OutputExists(_)
            | Self::Write { .. }
            | Self::Read { .. }
            | Self::Parquet { .. }
            | Self::LedgerMissing(_)
            | Self::LakeVersion(_)
            | Self::LedgerVersion { .. }
            | Self::Ledger { .. }
            | Self::StagedFileMissing(_)
            | Self::FileChanged(_)
            | Self::Unfinished(_) => ErrorKind::Io,
            Self::DamagedFile { .. } => ErrorKind::DamagedInput,
            Self::Encode(_) | Self::Defect(_) => ErrorKind::Defect,
        }
    }

    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Read { path, error }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |error| Self::Write { path, error }
    }
}

impl From<Interrupted> for LakeError {
    fn from(_: Interrupted) -> Self {
        Self::Interrupted
    }
}

impl From<LoadError> for LakeError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Interrupted => Self::Interrupted,
            // What the lake's own sink and ledger said on the way.
            LoadError::Caller(error) => match error.downcast() {
                Ok(error) => *error,
                Err(error) => Self::Load(LoadError::Caller(error)),
            },
            LoadError::Write { path, error } => Self::Write { path, error },
            LoadError::Parquet { path, error } => Self::Parquet { path, error },
            LoadError::Encode(error) => Self::Encode(error),
            LoadError::Defect(what) => Self::Defect(what),
            other => Self::Load(other),
        }
    }
}

impl From<LakeError> for LoadError {
    /// For what a lake's sink and ledger say to a run that loads.
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::Load(error) => error,
            LakeError::Interrupted => Self::Interrupted,
            other => Self::caller(other),
        }
    }
}

impl From<cdrlake_parquet::Error> for LakeError {
    fn from(error: cdrlake_parquet::Error) -> Self {
        LoadError::from(error).into()
    }
}
