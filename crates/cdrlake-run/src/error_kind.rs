//! Kinds of failure: what a caller can do about an error, whatever crate it comes from.

/// What kind of failure an error is.
///
/// Every error of this workspace has a `kind()`. A command makes its exit status of it, and a
/// binding the class of its exception.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The caller asked for what cannot be: other arguments would do.
    Usage,
    /// It may succeed later as it is: a lock is held, a service is busy.
    Transient,
    /// The caller asked the run to end.
    Interrupted,
    /// What was read is damaged, or is something else: other data would do.
    DamagedInput,
    /// The operating system, the disk or the network failed.
    Io,
    /// A defect of this program.
    Defect,
}

impl ErrorKind {
    /// Returns a word for programs: `usage`, `transient`, `interrupted`, `damaged_input`, `io` or
    /// `defect`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Transient => "transient",
            Self::Interrupted => "interrupted",
            Self::DamagedInput => "damaged_input",
            Self::Io => "io",
            Self::Defect => "defect",
        }
    }
}
