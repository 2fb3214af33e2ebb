//! Inputs that are no lake, audited as if they had been loaded into one.

use cdrlake_core::RecordId;
use cdrlake_lake::{LakeError, LakeLocation, LakeOptions, NetworkFileSystem, convert_to_lake};
use cdrlake_load::{LoadOptions, OnChanged, Report};
use cdrlake_parquet::Compression;
use tempfile::TempDir;

use crate::error::AuditError;

/// A lake of these inputs alone, in the directory for temporary files, that only its owner may
/// read; it is removed with this.
#[derive(Debug)]
pub struct ScratchLake {
    location: LakeLocation,
    report: Report,
    _directory: TempDir,
}

impl ScratchLake {
    /// Loads these inputs. Names that come twice are for the audit to tell.
    ///
    /// # Errors
    ///
    /// [`AuditError`], if the run as a whole cannot be done.
    pub fn load(load: LoadOptions) -> Result<Self, AuditError> {
        let directory = tempfile::Builder::new()
            .prefix("cdrlake-audit-")
            .tempdir()
            .map_err(|error| LakeError::Write { path: std::env::temp_dir(), error })?;
        let location = LakeLocation {
            network: NetworkFileSystem::Allow,
            interrupt: load.interrupt.clone(),
            ..LakeLocation::new(directory.path().join("lake"))
        };
        let load = LoadOptions { on_changed: OnChanged::Both, record_id: RecordId::Fill, ..load };
        let report = convert_to_lake(&LakeOptions {
            compression: Compression::Snappy,
            ..LakeOptions::new(load, location.clone())
        })?;
        Ok(Self { location, report, _directory: directory })
    }

    /// Where it is.
    #[must_use]
    pub const fn location(&self) -> &LakeLocation {
        &self.location
    }

    /// What came of loading.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.report
    }
}
