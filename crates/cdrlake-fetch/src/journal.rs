//! What was fetched into an inbox and is final, so that a rerun asks for the rest only.
//!
//! A line of JSON an answer, appended when its files are in their place. A request is left out
//! again as long as these files are there. Losing the journal costs requests, never files.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::disk::{StoreError, failed, sync};

const FILE_NAME: &str = ".cdrlake-fetch.jsonl";

/// The journal of an inbox.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    entries: Mutex<HashMap<String, Vec<Entry>>>,
}

#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Entry {
    /// A file's name in the inbox.
    pub(crate) file: String,
    /// Its length.
    pub(crate) bytes: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    /// The URL with its query.
    request: String,
    files: Vec<Entry>,
}

impl Journal {
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join(FILE_NAME);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(source) => return Err(failed("read", &path)(source)),
        };
        // A line that a killed run left unfinished counts for nothing.
        let lines = text.split(|byte| *byte == b'\n');
        let entries = lines
            .filter_map(|line| serde_json::from_slice(line).ok())
            .map(|line: Line| (line.request, line.files))
            .collect();
        Ok(Self { directory: directory.to_owned(), entries: Mutex::new(entries) })
    }

    /// The files that `request` brought, if all of them are still there.
    pub(crate) fn files(&self, request: &str) -> Option<Vec<PathBuf>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries
            .get(request)?
            .iter()
            .map(|entry| {
                let path = self.directory.join(&entry.file);
                let metadata = fs::symlink_metadata(&path).ok()?;
                (metadata.is_file() && metadata.len() == entry.bytes).then_some(path)
            })
            .collect()
    }

    /// That `request` brought `files`, and would bring no others later.
    pub(crate) fn append(&self, request: &str, files: Vec<Entry>) -> Result<(), StoreError> {
        let path = self.directory.join(FILE_NAME);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.get(request) == Some(&files) {
            return Ok(());
        }
        let line = Line { request: request.to_owned(), files };
        // One write, so that lines of runs at the same time do not mix. The line end in front
        // ends what a killed run may have left unfinished.
        let text = serde_json::to_string(&line).map(|json| format!("\n{json}\n"));
        let is_new = !path.exists();
        let mut file = open_private(&path).map_err(failed("write", &path))?;
        text.map_err(std::io::Error::from)
            .and_then(|text| file.write_all(text.as_bytes()))
            .and_then(|()| file.sync_all())
            .map_err(failed("write", &path))?;
        if is_new {
            sync(&self.directory).map_err(failed("sync", &self.directory))?;
        }
        entries.insert(line.request, line.files);
        Ok(())
    }
}

fn open_private(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(file: &str) -> Entry {
        Entry { file: file.to_owned(), bytes: 3 }
    }

    #[test]
    fn what_was_fetched_is_known_while_it_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path()).unwrap();
        let paths = ["a", "b"].map(|name| directory.path().join(name));
        for path in &paths {
            fs::write(path, "abc").unwrap();
        }
        journal.append("x", vec![entry("a"), entry("b")]).unwrap();
        journal.append("x", vec![entry("a"), entry("b")]).unwrap();
        for journal in [&journal, &Journal::open(directory.path()).unwrap()] {
            assert_eq!(journal.files("x"), Some(paths.to_vec()));
            assert_eq!(journal.files("y"), None);
        }
        let text = fs::read_to_string(directory.path().join(FILE_NAME)).unwrap();
        assert_eq!(text.matches('{').count(), 3, "{text}");
        fs::write(&paths[1], "abcd").unwrap();
        assert_eq!(journal.files("x"), None);
        fs::remove_file(&paths[1]).unwrap();
        assert_eq!(journal.files("x"), None);
    }

    #[test]
    fn an_unfinished_line_harms_no_other() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("a"), "abc").unwrap();
        fs::write(directory.path().join(FILE_NAME), b"{\"request\": \"y\", \"fi\xFF").unwrap();
        Journal::open(directory.path()).unwrap().append("x", vec![entry("a")]).unwrap();
        assert!(Journal::open(directory.path()).unwrap().files("x").is_some());
    }
}
