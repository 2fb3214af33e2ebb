//! Where sources stand: paths from the root on, so that one place has one name.

use std::path::{Path, PathBuf};

use cdrlake_source::Input;

/// Resolves paths; remembers the last directory, for sources come directory by directory.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// As it was given, and resolved.
    last: Option<(PathBuf, PathBuf)>,
}

impl Places {
    /// The path of a source of this name, without links and dots as far as its directories exist;
    /// none of standard input. What stands behind a `!` is no path, but comes out as it is.
    pub(crate) fn path_of(&mut self, name: &str) -> Option<String> {
        let stream = Input::Stdin.to_string();
        if name.strip_prefix(&stream).is_some_and(|rest| rest.is_empty() || rest.starts_with('!')) {
            return None;
        }
        let path = std::path::absolute(name).ok()?;
        let mut unresolved = PathBuf::from(path.file_name()?);
        let mut directory = path.parent()?;
        loop {
            if let Some(resolved) = self.resolve(directory) {
                return Some(resolved.join(unresolved).display().to_string());
            }
            unresolved = Path::new(directory.file_name().unwrap_or("..".as_ref())).join(unresolved);
            directory = directory.parent()?;
        }
    }

    fn resolve(&mut self, directory: &Path) -> Option<&Path> {
        if self.last.as_ref().is_none_or(|(given, _)| given != directory) {
            self.last = Some((directory.to_owned(), directory.canonicalize().ok()?));
        }
        self.last.as_ref().map(|(_, resolved)| resolved.as_path())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn one_place_has_one_path() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("a/b")).unwrap();
        symlink(root.join("a"), root.join("link")).unwrap();
        let mut places = Places::default();
        let mut path = |name: &str| {
            let path = places.path_of(&format!("{}/{name}", root.display()))?;
            Some(path.strip_prefix(&format!("{}/", root.display()))?.to_owned())
        };
        for (name, expected) in [
            ("a/x.cdr", "a/x.cdr"),
            ("./a//b/.././x.cdr", "a/x.cdr"),
            ("link/x.cdr", "a/x.cdr"),
            ("link/b/../x.zip!y", "a/x.zip!y"),
            ("a/x.zip!in/it/y", "a/x.zip!in/it/y"),
            ("nowhere/x.cdr", "nowhere/x.cdr"),
        ] {
            assert_eq!(path(name).as_deref(), Some(expected), "{name}");
        }
        assert_eq!(places.path_of("standard input!x.cdr"), None);
        let here = std::env::current_dir().unwrap().canonicalize().unwrap();
        let relative = places.path_of("x.cdr").unwrap();
        assert_eq!(relative, here.join("x.cdr").display().to_string());
    }
}
