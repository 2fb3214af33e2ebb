//! The directory between the carrier and the lake.

use std::path::{Path, PathBuf};
use std::{fs, io};

use cdrlake_inbox::ROOMS;
use cdrlake_lake::LakeLocation;

use crate::error::SyncError;

/// Makes sure that an inbox is not in the lake, by whatever links its path goes. Neither needs to be
/// there yet.
///
/// # Errors
///
/// [`SyncError::InboxInLake`] if it is.
pub fn check_inbox(inbox: &Path, lake: &LakeLocation) -> Result<(), SyncError> {
    if resolved(inbox).starts_with(resolved(&lake.root)) {
        return Err(SyncError::InboxInLake(inbox.to_owned()));
    }
    Ok(())
}

/// `path` without links, as far as it exists.
fn resolved(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let existing = path.ancestors().find_map(|ancestor| {
        let resolved = ancestor.canonicalize().ok()?;
        Some(resolved.join(path.strip_prefix(ancestor).ok()?))
    });
    existing.unwrap_or(path)
}

/// Whether there is nothing that loading would look at.
pub(crate) fn is_empty(inbox: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(inbox)? {
        let name = entry?.file_name();
        let is_room = ROOMS.iter().any(|room| name == **room);
        if !name.as_encoded_bytes().starts_with(b".") && !is_room {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_in_the_lake_is_refused_by_whatever_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        #[cfg(unix)]
        std::os::unix::fs::symlink(".", path("link")).unwrap();
        let lake = LakeLocation::new(path("lake"));
        for name in ["inbox", "lake2/inbox", "lake.inbox"] {
            assert!(check_inbox(&path(name), &lake).is_ok(), "{name}");
        }
        for name in ["lake", "lake/inbox", "./lake/inbox", "lake/../lake/inbox", "link/lake/inbox"]
        {
            let refused = check_inbox(&path(name), &lake);
            assert!(matches!(refused, Err(SyncError::InboxInLake(_))), "{name}");
        }
    }

    #[test]
    fn what_begins_with_a_dot_and_rated_files_are_nothing_to_load() {
        let directory = tempfile::tempdir().unwrap();
        assert!(is_empty(&directory.path().join("missing")).is_err());
        assert!(is_empty(directory.path()).unwrap());
        fs::write(directory.path().join(".cdrlake-fetch.jsonl"), "").unwrap();
        assert!(is_empty(directory.path()).unwrap());
        fs::create_dir(directory.path().join("rated")).unwrap();
        assert!(is_empty(directory.path()).unwrap());
        fs::write(directory.path().join("a.cdr"), "").unwrap();
        assert!(!is_empty(directory.path()).unwrap());
    }
}
