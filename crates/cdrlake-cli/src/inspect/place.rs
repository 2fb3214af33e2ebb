//! Which source is meant: a file, or the member of an archive named behind a `!`.

use std::path::{Path, PathBuf};

use cdrlake::Input;

/// Where the source is.
pub(super) struct Place {
    pub(super) input: Input,
    /// What follows the archive's name and a `!`.
    member: Option<String>,
}

impl Place {
    /// A file whose name holds a `!` is taken for a file; only where there is none, for an archive
    /// and its member.
    pub(super) fn of(path: &Path) -> Self {
        let whole = |input| Self { input, member: None };
        let Some(text) = path.to_str() else { return whole(Input::Path(path.to_owned())) };
        if text == "-" {
            return whole(Input::Stdin);
        }
        if path.symlink_metadata().is_err() {
            let archive = |(at, _): (usize, _)| Path::new(&text[..at]).is_file();
            if let Some((at, _)) = text.match_indices('!').find(|&found| archive(found)) {
                return Self {
                    input: Input::Path(PathBuf::from(&text[..at])),
                    member: Some(text[at + 1..].to_owned()),
                };
            }
        }
        whole(Input::Path(path.to_owned()))
    }

    /// The file, if the source is all of it.
    pub(super) fn path(&self) -> Option<&Path> {
        match (&self.input, &self.member) {
            (Input::Path(path), None) => Some(path),
            _ => None,
        }
    }

    /// Whether no member is named.
    pub(super) fn is_whole(&self) -> bool {
        self.member.is_none()
    }

    /// Whether a source of this name is meant. Directories within an archive may be left out.
    pub(super) fn is(&self, source: &str) -> bool {
        let Some(member) = &self.member else { return true };
        let inside = source.strip_suffix(member.as_str());
        inside.is_some_and(|before| before.ends_with(['!', '/', '\\']))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn members_stand_behind_the_name_of_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for name in ["a!b.zip", "c!d"] {
            fs::write(path(name), "").unwrap();
        }
        let place = Place::of(&path("a!b.zip!x/GB.cdr.gz"));
        assert_eq!(place.input, Input::Path(path("a!b.zip")));
        assert!(place.is("a!b.zip!x/GB.cdr.gz") && !place.is("a!b.zip!x/AGB.cdr.gz"));
        let place = Place::of(&path("a!b.zip!GB.cdr.gz"));
        assert!(place.is("a!b.zip!x/GB.cdr.gz") && place.is("a!b.zip!inner.zip!GB.cdr.gz"));
        assert!(Place::of(&path("c!d")).is_whole());
        assert!(Place::of(&path("none!d")).is_whole());
        assert_eq!(Place::of(Path::new("-")).input, Input::Stdin);
    }
}
