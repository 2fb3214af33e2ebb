//! A file that is written beside the output: what came of a run, as JSON or as metrics.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cdrlake::{FileContent, Report, check_writable, new_file_beside};
use tempfile::NamedTempFile;

/// Made before the run, so that a wrong path is not found out after it. It replaces a file of the same
/// content, and no other.
pub(crate) struct OutputFile {
    target: Target,
    path: PathBuf,
}

/// Where it goes until it is whole.
enum Target {
    /// Beside its path, to be renamed to it.
    Temporary(NamedTempFile),
    /// To a device or a pipe, which is never renamed over.
    Special(File),
}

/// The directory of `path` must be there.
pub(crate) fn check_directory(path: &Path) -> Result<()> {
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    if let Some(directory) = directory.filter(|directory| !directory.is_dir()) {
        let (path, directory) = (path.display(), directory.display());
        bail!("cannot write {path}: there is no directory {directory}; create it first");
    }
    Ok(())
}

/// What is written to and never renamed over, such as a device or a pipe; none if a file or nothing
/// is there.
pub(crate) fn open_special(path: &Path) -> io::Result<Option<File>> {
    let is_special = path.metadata().is_ok_and(|metadata| !metadata.is_file());
    is_special.then(|| OpenOptions::new().write(true).open(path)).transpose()
}

impl OutputFile {
    pub(crate) fn create(path: &Path, content: FileContent) -> Result<Self> {
        if path.is_dir() {
            bail!("cannot write {}: it is a directory", path.display());
        }
        check_writable(path, content)?;
        check_directory(path)?;
        let context = || format!("cannot write {}", path.display());
        let target = match open_special(path).with_context(context)? {
            Some(file) => Target::Special(file),
            None => Target::Temporary(new_file_beside(path).with_context(context)?),
        };
        Ok(Self { target, path: path.to_owned() })
    }

    /// The report of a run.
    pub(crate) fn of_report(path: &Path) -> Result<Self> {
        Self::create(path, FileContent::Report)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there may be an earlier one in its place.
    pub(crate) fn is_special(&self) -> bool {
        matches!(self.target, Target::Special(_))
    }

    /// Writes it, and makes it visible once it is whole.
    pub(crate) fn write(
        self,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let written = |file: &File| {
            let mut file = BufWriter::new(file);
            write(&mut file)?;
            file.flush()
        };
        match self.target {
            Target::Temporary(file) => {
                written(file.as_file())?;
                file.as_file().sync_all()?;
                file.persist(&self.path)?;
            }
            Target::Special(file) => written(&file)?,
        }
        Ok(())
    }

    /// Writes the report of a run.
    pub(crate) fn write_report(self, report: &Report) -> Result<()> {
        let context = format!("the run is done, but its report {} is not", self.path.display());
        self.write(|file| {
            serde_json::to_writer_pretty(&mut *file, report)?;
            file.write_all(b"\n")
        })
        .context(context)
    }
}
