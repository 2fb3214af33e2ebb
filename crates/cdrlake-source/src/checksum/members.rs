//! Checksum files of an archive, whose directories hold members.

use std::collections::BTreeMap;
use std::io;

use super::files::Checks;
use super::text::is_checksum_file;

/// What checksum files of an archive say, by directories.
#[derive(Debug, Default)]
pub(crate) struct MemberChecks(BTreeMap<String, Checks>);

impl MemberChecks {
    /// Of all members of an archive, by their names; `read` gives the bytes of the member of an index.
    pub(crate) fn of(names: &[String], mut read: impl FnMut(usize) -> io::Result<Vec<u8>>) -> Self {
        if !names.iter().any(|name| is_checksum_file(split(name).1)) {
            return Self::default();
        }
        let mut directories: BTreeMap<&str, Vec<(usize, &str)>> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            let (directory, name) = split(name);
            directories.entry(directory).or_default().push((index, name));
        }
        let checks = directories.into_iter().map(|(directory, members)| {
            let names: Vec<String> = members.iter().map(|(_, name)| (*name).to_owned()).collect();
            let checks = Checks::of(&names, |wanted| {
                let index = members.iter().find(|(_, name)| *name == wanted);
                index.map_or_else(|| Err(io::ErrorKind::NotFound.into()), |(index, _)| read(*index))
            });
            (directory.to_owned(), checks)
        });
        Self(checks.collect())
    }

    /// What is said in the directory of a member, and the member's name in it.
    pub(crate) fn beside<'m>(&self, member: &'m str) -> Option<(&Checks, &'m str)> {
        let (directory, name) = split(member);
        self.0.get(directory).map(|checks| (checks, name))
    }
}

fn split(member: &str) -> (&str, &str) {
    member.rsplit_once(['/', '\\']).unwrap_or(("", member))
}
