//! Which files, and members of archives, are read: what the user includes and excludes by their names.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Which files, and members of archives, are read; all, if it is empty.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only what one of these matches is read, if there is any.
    pub include: Vec<NamePattern>,
    /// What one of these matches is not read.
    pub exclude: Vec<NamePattern>,
}

/// A pattern of names: `*` is any run of characters but `/`, `?` is one, `[ab]` one of these, `**` any
/// directories. Letter case does not matter.
///
/// One without `/` is held against the name alone, one with `/` against as many directories as it
/// names.
///
/// ```
/// use cdrlake_source::NamePattern;
///
/// let pattern: NamePattern = "gb_*.cdr*".parse()?;
/// assert!(pattern.matches("inbox/GB_ABC_10_0001_20251101090122.cdr.gz"));
/// let pattern: NamePattern = "old/*".parse()?;
/// assert!(pattern.matches("inbox/old/a.cdr") && !pattern.matches("inbox/a.cdr"));
/// # Ok::<(), cdrlake_source::BadPattern>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern(glob::Pattern);

/// A text is no pattern of names.
#[derive(Debug, Error)]
#[error("{text:?} is no pattern of names: {reason}")]
pub struct BadPattern {
    text: String,
    reason: &'static str,
}

impl FromStr for NamePattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        glob::Pattern::new(text)
            .map(Self)
            .map_err(|error| BadPattern { text: text.to_owned(), reason: error.msg })
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().fmt(f)
    }
}

impl NamePattern {
    /// Whether it matches a path, or the end of one that begins after a `/`.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        const OPTIONS: glob::MatchOptions = glob::MatchOptions {
            case_sensitive: false,
            require_literal_separator: true,
            require_literal_leading_dot: false,
        };
        let has_directories = self.0.as_str().contains('/');
        let ends = path.match_indices('/').map(|(at, _)| at + 1);
        let mut ends: Vec<&str> = [0].into_iter().chain(ends).map(|at| &path[at..]).collect();
        if !has_directories {
            ends.drain(..ends.len() - 1);
        }
        ends.into_iter().any(|end| self.0.matches_with(end, OPTIONS))
    }
}

impl Selection {
    /// Whether a file, or a member, is left out. Of an archive, what is included decides about its
    /// members.
    pub(crate) fn leaves_out(&self, path: &str) -> bool {
        let is_among = |patterns: &[NamePattern]| patterns.iter().any(|one| one.matches(path));
        is_among(&self.exclude)
            || !(self.include.is_empty() || is_archive(path) || is_among(&self.include))
    }
}

/// Whether a name is that of an archive, which has members.
fn is_archive(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [".zip", ".tar", ".tgz", ".tar.gz"].iter().any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_included_and_excluded() {
        let patterns = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let selection =
            |include, exclude| Selection { include: patterns(include), exclude: patterns(exclude) };
        let all = selection(&[], &[]);
        assert!(!all.leaves_out("in/notes.txt"));
        let some = selection(&["GB_*", "*/de/*"], &["*.bak"]);
        for (path, is_left_out) in [
            ("in/GB_a.cdr", false),
            ("in/gb_a.cdr", false),
            ("GB_a.cdr.bak", true),
            ("in/de/a.cdr", false),
            ("in/fr/a.cdr", true),
            ("in/month.zip", false),
            ("in/month.zip.bak", true),
        ] {
            assert_eq!(some.leaves_out(path), is_left_out, "{path}");
        }
        assert!("[".parse::<NamePattern>().unwrap_err().to_string().contains("is no pattern"));
    }
}
