//! The file of `--report`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cdrlake_lake::{Report, new_file_beside};
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
        let file =
            new_file_beside(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { file, path: path.to_owned() })
    }

    pub(crate) fn write(self, report: &Report) -> Result<()> {
        let path = &self.path;
        let context = || format!("the run is done, but its report {} is not", path.display());
        let mut file = BufWriter::new(self.file.as_file());
        serde_json::to_writer_pretty(&mut file, report).with_context(context)?;
        file.write_all(b"\n").with_context(context)?;
        file.flush().with_context(context)?;
        drop(file);
        self.file.as_file().sync_all().with_context(context)?;
        self.file.persist(path).with_context(context)?;
        Ok(())
    }
}
