//! Archives that are tested and not loaded: read as a run would read them, and dropped.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use cdrlake_run::Interrupt;

use crate::container::Unwrapper;
use crate::error::SourceError;
use crate::file::WatchedFile;
use crate::naming::Naming;
use crate::opening::Opening;
use crate::source::{RejectedLine, Source};
use crate::visitor::{Visitor, WhyLeftOut};

/// What a sound archive holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// Files in it, whatever their content; those of archives in it count, and these do not.
    pub sources: u64,
    /// Archives that zeros follow: this one, or some in it.
    pub trailing_zeros: u64,
}

impl Checked {
    /// Whether there is no file in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources == 0
    }
}

/// Reads an archive to its end, and every archive in it, by the very code that [`visit`](crate::visit)
/// reads them with: what passes can be opened and unwrapped by a run. `name` is its file name, whose
/// ending must be true.
///
/// Only archives and their checksums are judged. Files in them may hold anything: a page, a
/// spreadsheet or a bill is a source here, though it is none to a run.
///
/// ```
/// use std::io::Write;
///
/// use cdrlake_run::{Interrupt, Progress};
/// use cdrlake_source::{Excluded, Inboxes, Limits, Opening, Selection, Settings, check_archive};
///
/// let mut file = tempfile::tempfile()?;
/// file.write_all(b"no archive")?;
/// let opening = Opening {
///     settings: &Settings::default(),
///     selection: &Selection::default(),
///     limits: Limits::default(),
///     zip_buffer: 1 << 20,
///     excluded: &Excluded::default(),
///     inboxes: &Inboxes::default(),
///     interrupt: &Interrupt::default(),
///     progress: &Progress::default(),
/// };
/// let error = check_archive(file, "a.cdr.zip", opening).unwrap_err();
/// assert!(error.to_string().starts_with("is no zip file, though its name says so"));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// What is wrong with it, or with the first of what is in it that is not sound. Names of members are
/// not told.
pub fn check_archive(
    mut file: File,
    name: &str,
    opening: Opening<'_>,
) -> Result<Checked, SourceError> {
    let naming = Naming::of_path(Path::new(name), opening.settings);
    let file = file.rewind().and_then(|()| WatchedFile::new(file)).map_err(SourceError::Open)?;
    let mut check = Check { interrupt: opening.interrupt, checked: Checked::default() };
    Unwrapper::of_any_content(opening, &mut check).file(&naming, file)?;
    Ok(check.checked)
}

/// Reads every source to its end, and ends with what fails first.
struct Check<'c> {
    interrupt: &'c Interrupt,
    checked: Checked,
}

impl Visitor for Check<'_> {
    type Error = SourceError;

    fn source(&mut self, _: Source, bytes: &mut dyn Read) -> Result<(), SourceError> {
        self.checked.sources += 1;
        let mut bytes = self.interrupt.watch(bytes);
        let mut buffer = vec![0; 64 << 10];
        let mut read = 0;
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(len) => read += len as u64,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(SourceError::of_read(read, error)),
            }
        }
    }

    fn replay(
        &mut self,
        _: Source,
        _: blake3::Hash,
        _: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, SourceError> {
        Ok(Ok(()))
    }

    fn trailing_zeros(&mut self) -> Result<(), SourceError> {
        self.checked.trailing_zeros += 1;
        Ok(())
    }

    fn passed_over(&mut self, _: String) {}

    fn left_out(&mut self, _: String, _: WhyLeftOut) {}

    fn failed(&mut self, _: Source, error: SourceError) -> Result<(), SourceError> {
        Err(error)
    }

    fn archive_began(&mut self) -> Result<(), SourceError> {
        Ok(())
    }

    fn archive_ended(&mut self, failure: Option<(Source, SourceError)>) -> Result<(), SourceError> {
        failure.map_or(Ok(()), |(_, error)| Err(error))
    }
}
