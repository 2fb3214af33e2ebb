//! Why a sync ends; a request that failed is no such error.

use std::io;
use std::path::PathBuf;

use cdrlake_fetch::{Profile, SetupError, StoreError};
use cdrlake_lake::LakeError;
use cdrlake_run::ErrorKind;
use thiserror::Error;

/// Why a sync, or a step of it, ended.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SyncError {
    /// The inbox is the lake, or in it, where its files would be taken for a part of the lake.
    #[error("{}: the inbox is in the lake", .0.display())]
    InboxInLake(PathBuf),
    /// No product was asked for, and the lake does not tell any.
    #[error("{} has no files of profile {profile} yet that tell the product", lake.display())]
    NoProduct {
        /// The lake.
        lake: PathBuf,
        /// The reseller profile.
        profile: Profile,
        /// Identifiers of the products of which it has files, but for which there is no offering.
        unknown_products: Vec<String>,
    },
    /// Nothing can be fetched at all.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The inbox cannot be made or opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The inbox cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The inbox.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// The fetch was interrupted.
    #[error("interrupted; nothing was loaded, and the next sync loads what is in {}", .0.display())]
    Interrupted(PathBuf),
    /// The lake cannot be read, or not be loaded into.
    #[error(transparent)]
    Lake(#[from] LakeError),
}

impl SyncError {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InboxInLake(_) | Self::NoProduct { .. } => ErrorKind::Usage,
            Self::Setup(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Read { .. } => ErrorKind::Io,
            Self::Interrupted(_) => ErrorKind::Interrupted,
            Self::Lake(error) => error.kind(),
        }
    }
}
