//! What a run met that is no source.

/// What a run met that is no source.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// Inputs in which there was no source, and tables of calls among rejects files.
    pub empty_inputs: Vec<String>,
    /// Files, and members of archives, whose names say that they are still being written.
    pub unfinished: Vec<String>,
    /// Those of them that were not changed for a day.
    pub stale: Vec<String>,
    /// Files, and members of archives, that the user has excluded.
    pub excluded: Vec<String>,
}

impl LeftOut {
    /// Whether nothing was met but sources.
    pub(crate) fn is_empty(&self) -> bool {
        [&self.empty_inputs, &self.unfinished, &self.excluded].into_iter().all(Vec::is_empty)
    }

    pub(crate) fn append(&mut self, more: Self) {
        let Self { empty_inputs, unfinished, stale, excluded } = more;
        self.empty_inputs.extend(empty_inputs);
        self.unfinished.extend(unfinished);
        self.stale.extend(stale);
        self.excluded.extend(excluded);
    }
}
