//! Checksum files of a directory, or of a file that was named.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use super::ENDINGS;
use super::beside::{Role, Siblings, role_of};
use super::kind::Expected;
use super::text::{MOST_BYTES, is_checksum_file, named_files};

/// What checksum files say of the files beside them.
#[derive(Debug, Default)]
pub(crate) struct Checks {
    /// Of checksum files, by their names.
    roles: HashMap<String, Role>,
    /// What the bytes of other files must be, by their names.
    expected: HashMap<String, Vec<Expected>>,
}

impl Checks {
    /// Of all that stands in a directory; nothing if that cannot be read.
    pub(crate) fn of_directory(directory: &Path) -> Self {
        let names: Vec<String> = match fs::read_dir(directory) {
            Ok(entries) => {
                entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect()
            }
            Err(_) => return Self::default(),
        };
        Self::of(&names, |name| read(&directory.join(name)))
    }

    /// Of a file that was named, and its own checksum files. Lists are not looked for, lest they be read
    /// for each file that they name.
    pub(crate) fn of_named(path: &Path) -> Self {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Self::default();
        };
        let beside = |name: &str| path.with_file_name(name);
        let mut names = vec![name.to_owned()];
        if is_checksum_file(name) {
            let bytes = read(path).ok();
            names.extend(named_files(name, bytes.as_deref().unwrap_or_default()));
        } else {
            let cases = |ending: &str| {
                [format!("{name}{ending}"), name.to_owned() + &ending.to_uppercase()]
            };
            names.extend(ENDINGS.into_iter().flat_map(cases));
        }
        names.retain(|name| beside(name).is_file());
        Self::of(&names, |name| read(&beside(name)))
    }

    /// Of files that stand together; `read` gives the bytes of a checksum file.
    pub(crate) fn of(names: &[String], mut read: impl FnMut(&str) -> io::Result<Vec<u8>>) -> Self {
        let mut checks = Self::default();
        if !names.iter().any(|name| is_checksum_file(name)) {
            return checks;
        }
        let mut siblings = Siblings::default();
        names.iter().for_each(|name| siblings.insert(name));
        for name in names.iter().filter(|name| is_checksum_file(name)) {
            let role = role_of(name, read(name).ok().as_deref(), &siblings);
            if let Role::Checks(checked) = &role {
                for (name, expected) in checked {
                    let all = checks.expected.entry(name.clone()).or_default();
                    if !all.contains(expected) {
                        all.push(expected.clone());
                    }
                }
            }
            checks.roles.insert(name.clone(), role);
        }
        checks
    }

    /// What a file of this name is, if it is a checksum file.
    pub(crate) fn role(&self, name: &str) -> Option<&Role> {
        self.roles.get(name)
    }

    /// What the bytes of the file of this name must be.
    pub(crate) fn expected(&self, name: &str) -> &[Expected] {
        self.expected.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A checksum file's bytes. A fifo would block.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() || metadata.len() > MOST_BYTES {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
