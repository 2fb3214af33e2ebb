//! The file of `--report`.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cdrlake_lake::Report;
use tempfile::NamedTempFile;

/// Made before the run, so that a wrong path is not found out after it.
pub(crate) struct ReportFile {
    file: NamedTempFile,
    path: PathBuf,
}

impl ReportFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if path.is_dir() {
            bail!("cannot write {}: it is a directory", path.display());
        }
        let directory = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let file = tempfile::Builder::new()
            .prefix(".cdrlake-")
            .permissions(permissions())
            .tempfile_in(directory)
            .with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(crate) fn write(mut self, report: &Report) -> Result<()> {
        let path = &self.path;
        let context = || format!("the run is done, but its report {} is not", path.display());
        serde_json::to_writer_pretty(&mut self.file, report).with_context(context)?;
        self.file.write_all(b"\n").with_context(context)?;
        self.file.as_file().sync_all().with_context(context)?;
        self.file.persist(path).with_context(context)?;
        Ok(())
    }
}

/// Those of any new file: the umask decides.
fn permissions() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o666)
}
