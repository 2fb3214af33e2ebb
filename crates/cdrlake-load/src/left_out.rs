//! What a run met that is no source.

/// What a run met that is no source.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// Inputs in which there was no source, and tables of calls among rejects files.
    pub empty_inputs: Vec<String>,
    /// Files, and members of archives, whose names say that they are still being written.
    pub unfinished: Vec<String>,
}
