//! An error with its causes, for messages of one line.

use std::error::Error;
use std::fmt;

/// An error and what caused it, in one line.
///
/// A cause whose text already ends the line is not repeated.
///
/// ```
/// use std::io;
///
/// let cause = io::Error::other("the disk is full");
/// assert_eq!(cdrlake_run::Chain(&cause).to_string(), "the disk is full");
/// ```
pub struct Chain<'e>(pub &'e dyn Error);

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = self.0.to_string();
        f.write_str(&last)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            let text = error.to_string();
            // Some errors tell their cause themselves.
            if !last.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            last = text;
            cause = error.source();
        }
        Ok(())
    }
}
