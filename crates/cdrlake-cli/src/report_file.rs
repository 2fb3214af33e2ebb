//! The file of `--report`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cdrlake_lake::{Report, new_file_beside};
use tempfile::NamedTempFile;

/// Made before the run, so that a wrong path is not found out after it.
pub(crate) struct ReportFile {
    target: Target,
    path: PathBuf,
}

/// Where the report goes until it is whole.
enum Target {
    /// Beside its path, to be renamed to it.
    Temporary(NamedTempFile),
    /// To a device or a pipe, which is never renamed over.
    Special(File),
}

impl ReportFile {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        if path.is_dir() {
            bail!("cannot write {}: it is a directory", path.display());
        }
        let context = || format!("cannot write {}", path.display());
        let target = if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            let file = OpenOptions::new().write(true).open(path).with_context(context)?;
            Target::Special(file)
        } else {
            Target::Temporary(new_file_beside(path).with_context(context)?)
        };
        Ok(Self { target, path: path.to_owned() })
    }

    pub(crate) fn write(self, report: &Report) -> Result<()> {
        let path = &self.path;
        let context = || format!("the run is done, but its report {} is not", path.display());
        match self.target {
            Target::Temporary(file) => {
                write_json(file.as_file(), report).with_context(context)?;
                file.as_file().sync_all().with_context(context)?;
                file.persist(path).with_context(context)?;
            }
            Target::Special(file) => write_json(&file, report).with_context(context)?,
        }
        Ok(())
    }
}

fn write_json(file: &File, report: &Report) -> Result<()> {
    let mut file = BufWriter::new(file);
    serde_json::to_writer_pretty(&mut file, report)?;
    file.write_all(b"\n")?;
    file.flush()?;
    Ok(())
}
