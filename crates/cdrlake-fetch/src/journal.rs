//! What was fetched into an inbox: a line an answer, appended when its files are in their place.
//!
//! A request whose files are final is left out again as long as they are there. Whoever loads the files
//! learns from it when each came, and what was asked for. Losing the journal costs requests and what only
//! it told, never files.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cdrlake_inbox::{Asked, FileEntry, JOURNAL, Line, is_plain_name, read_journal};

use crate::disk::{StoreError, failed, sync};

/// The journal of an inbox.
#[derive(Debug)]
pub(crate) struct Journal {
    directory: PathBuf,
    noted: Mutex<Noted>,
}

/// What the journal has, as far as it matters here.
#[derive(Debug, Default)]
struct Noted {
    requests: HashMap<String, Vec<FileEntry>>,
    /// Orders, by profile and id.
    orders: HashMap<(String, String), Asked>,
    /// Hashes of what is noted of a file: its name, hash, and what was asked for.
    files: HashMap<String, Vec<blake3::Hash>>,
}

impl Noted {
    fn add(&mut self, line: Line) {
        for file in &line.files {
            let keys = self.files.entry(file.file.clone()).or_default();
            keys.push(key(file, line.asked.as_ref()));
        }
        if let Some(asked) = line.asked
            && let (Some(profile), Some(order_id)) = (&asked.profile, &asked.order_id)
            && asked.product.is_some()
        {
            self.orders.insert((profile.clone(), order_id.clone()), asked);
        }
        if let Some(request) = line.request {
            self.requests.insert(request, line.files);
        }
    }

    /// Whether a line says nothing new. One without files is an order, which is always news.
    fn has_all(&self, line: &Line) -> bool {
        let is_noted = |file: &FileEntry| {
            let key = key(file, line.asked.as_ref());
            self.files.get(&file.file).is_some_and(|keys| keys.contains(&key))
        };
        let is_final = line.request.as_ref().is_none_or(|request| {
            let names = |files: &[FileEntry]| -> Vec<String> {
                files.iter().map(|file| file.file.clone()).collect()
            };
            let known = self.requests.get(request);
            known.is_some_and(|known| names(known) == names(&line.files))
        });
        !line.files.is_empty() && is_final && line.files.iter().all(is_noted)
    }
}

/// What tells notes of one name apart.
fn key(file: &FileEntry, asked: Option<&Asked>) -> blake3::Hash {
    let asked = serde_json::to_string(&asked).unwrap_or_default();
    let hash = file.hash.as_deref().unwrap_or_default();
    blake3::hash(format!("{} {hash} {asked}", file.bytes).as_bytes())
}

impl Journal {
    pub(crate) fn open(directory: &Path) -> Result<Self, StoreError> {
        let mut noted = Noted::default();
        read_journal(directory, |line| noted.add(line))
            .map_err(failed("read", &directory.join(JOURNAL)))?;
        Ok(Self { directory: directory.to_owned(), noted: Mutex::new(noted) })
    }

    /// The files that `request` brought, if all of them are still there.
    pub(crate) fn files(&self, request: &str) -> Option<Vec<PathBuf>> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted
            .requests
            .get(request)?
            .iter()
            .map(|entry| {
                let path = self.directory.join(&entry.file);
                let metadata = fs::symlink_metadata(&path).ok()?;
                (metadata.is_file() && metadata.len() == entry.bytes).then_some(path)
            })
            .collect()
    }

    /// What was asked for by an order, if an earlier run ordered it.
    pub(crate) fn order(&self, profile: &str, order_id: &str) -> Option<Asked> {
        let noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.orders.get(&(profile.to_owned(), order_id.to_owned())).cloned()
    }

    /// Notes what an answer brought, unless that is known. Files that have no plain name are left out.
    pub(crate) fn append(&self, mut line: Line) -> Result<(), StoreError> {
        let path = self.directory.join(JOURNAL);
        line.files.retain(|file| is_plain_name(&file.file));
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.has_all(&line) {
            return Ok(());
        }
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
        noted.add(line);
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

    fn line(request: &str, files: &[&str]) -> Line {
        let entry =
            |file: &&str| FileEntry { file: (*file).to_owned(), bytes: 3, ..FileEntry::default() };
        let files = files.iter().map(entry).collect();
        Line { request: Some(request.to_owned()), asked: None, files }
    }

    #[test]
    fn what_was_fetched_is_known_while_it_is_there() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path()).unwrap();
        let paths = ["a", "b"].map(|name| directory.path().join(name));
        for path in &paths {
            fs::write(path, "abc").unwrap();
        }
        journal.append(line("x", &["a", "b"])).unwrap();
        journal.append(line("x", &["a", "b"])).unwrap();
        for journal in [&journal, &Journal::open(directory.path()).unwrap()] {
            assert_eq!(journal.files("x"), Some(paths.to_vec()));
            assert_eq!(journal.files("y"), None);
        }
        let text = fs::read_to_string(directory.path().join(JOURNAL)).unwrap();
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
        fs::write(directory.path().join(JOURNAL), b"{\"request\": \"y\", \"fi\xFF").unwrap();
        Journal::open(directory.path()).unwrap().append(line("x", &["a"])).unwrap();
        assert!(Journal::open(directory.path()).unwrap().files("x").is_some());
    }

    #[test]
    fn files_are_noted_once_for_what_was_asked_and_orders_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path()).unwrap();
        let asked = |product: &str| Asked {
            profile: Some("ABC".to_owned()),
            product: Some(product.to_owned()),
            order_id: Some("20260101".to_owned()),
            ..Asked::default()
        };
        let line = |product: &str, files: &[&str], came: &str| {
            let mut line = Line { request: None, asked: Some(asked(product)), ..line("", files) };
            line.files.iter_mut().for_each(|file| file.came = Some(came.to_owned()));
            line
        };
        journal.append(line("10", &[], "")).unwrap();
        for (product, came) in [("10", "1"), ("10", "2"), ("12", "3"), ("10", "4")] {
            journal.append(line(product, &["a"], came)).unwrap();
        }
        let text = fs::read_to_string(directory.path().join(JOURNAL)).unwrap();
        assert_eq!(text.lines().filter(|line| !line.is_empty()).count(), 3, "{text}");
        let journal = Journal::open(directory.path()).unwrap();
        assert_eq!(journal.order("ABC", "20260101"), Some(asked("12")));
        assert_eq!(journal.order("ABC", "20260102"), None);
    }
}
