//! What a run met that is no source.

use std::time::Duration;

use cdrlake_source::WhyLeftOut;

/// What a run met that is no source.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// Inputs in which there was no source, and tables of calls among rejects files.
    pub empty_inputs: Vec<String>,
    /// Files, and members of archives, whose names say that they are still being written.
    pub unfinished: Vec<String>,
    /// Those of them that were not changed for a day.
    pub stale: Vec<String>,
    /// Files, and members of archives, that are not read, by what the user or their names say.
    pub excluded: Vec<String>,
    /// How many of them the user has excluded.
    pub deselected: usize,
    /// Hidden files that hold sound records.
    pub hidden: Vec<String>,
    /// Checksum files in which no checksum can be read, so that what they are of is not checked.
    pub unread_checksums: Vec<String>,
}

impl LeftOut {
    /// Whether nothing was met but sources.
    pub(crate) fn is_empty(&self) -> bool {
        let Self { empty_inputs, unfinished, excluded, hidden, unread_checksums, .. } = self;
        [empty_inputs, unfinished, excluded, hidden, unread_checksums]
            .into_iter()
            .all(Vec::is_empty)
    }

    /// A file, or a member of an archive, is no source.
    pub(crate) fn note(&mut self, name: String, why: WhyLeftOut) {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        match why {
            WhyLeftOut::Unfinished(age) => {
                if age > DAY {
                    self.stale.push(name.clone());
                }
                self.unfinished.push(name);
            }
            WhyLeftOut::HiddenRecords => self.hidden.push(name),
            WhyLeftOut::UnreadChecksum => self.unread_checksums.push(name),
            WhyLeftOut::Selection => {
                self.deselected += 1;
                self.excluded.push(name);
            }
            _ => self.excluded.push(name),
        }
    }

    pub(crate) fn append(&mut self, more: Self) {
        let Self { empty_inputs, unfinished, stale, excluded, .. } = more;
        self.empty_inputs.extend(empty_inputs);
        self.unfinished.extend(unfinished);
        self.stale.extend(stale);
        self.excluded.extend(excluded);
        self.deselected += more.deselected;
        self.hidden.extend(more.hidden);
        self.unread_checksums.extend(more.unread_checksums);
    }
}
