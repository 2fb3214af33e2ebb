//! What is said on standard error: text for people, or a JSON object a line for machines.
//!
//! Every message is an [`Event`] with its level and name. In JSON it also carries the run's id, the
//! time, and typed fields; `docs/logs-and-metrics.md` lists them, and a test holds it to that.

use std::fmt::Display;
use std::sync::OnceLock;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::standard_error::{is_json, write};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Error,
    Warning,
    Info,
}

/// A name, a level, and what stands before the text for people.
macro_rules! events {
    ($($(#[$doc:meta])* $event:ident = $name:literal, $level:ident, $prefix:literal;)*) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Event {
            $($(#[$doc])* $event,)*
        }

        impl Event {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$event,)*];

            const fn name(self) -> &'static str {
                match self { $(Self::$event => $name,)* }
            }

            const fn level(self) -> Level {
                match self { $(Self::$event => Level::$level,)* }
            }

            const fn prefix(self) -> &'static str {
                match self { $(Self::$event => $prefix,)* }
            }
        }
    };
}

events! {
    /// A command begins; only in logs.
    RunStarted = "run_started", Info, "";
    /// A command has ended; only in logs.
    RunEnded = "run_ended", Info, "";
    /// The lake was not named on the command line.
    LakeChosen = "lake_chosen", Info, "";
    /// A source was loaded; only in logs.
    SourceLoaded = "source_loaded", Info, "";
    /// A source was left out, for it was loaded before.
    SourceSkipped = "source_skipped", Info, "";
    /// A source failed.
    SourceFailed = "source_failed", Error, "failed: ";
    /// Somebody must decide about a source.
    SourceHeld = "source_held", Error, "held: ";
    /// Sources failed or are held as in an earlier run.
    SourcesUndecided = "sources_undecided", Warning, "undecided: ";
    /// A version of a delivery took the place of another.
    SourceSuperseded = "source_superseded", Info, "";
    /// A source has something that a person may want to know.
    SourceWarning = "source_warning", Warning, "warning: ";
    /// There was no source in an input.
    InputEmpty = "input_empty", Info, "";
    /// The name of an input says that it is still being written.
    InputUnfinished = "input_unfinished", Info, "";
    /// The name of an input says that it is still being written, though it has not changed for a day.
    InputStale = "input_stale", Warning, "";
    /// A hidden file that holds records is left out.
    InputHidden = "input_hidden", Warning, "";
    /// A checksum file holds no checksum that can be read.
    ChecksumUnread = "checksum_unread", Info, "";
    /// Inputs are left out, for the command line excludes them.
    InputsExcluded = "inputs_excluded", Info, "";
    /// Rejected lines of sources that were skipped are still open.
    RejectsOpen = "rejects_open", Info, "";
    /// Rejected lines of a source that were waived are open again.
    RejectsReopened = "rejects_reopened", Warning, "rejects: ";
    /// Rejected lines were counted and not written, for they hold numbers in clear.
    RejectsNotWritten = "rejects_not_written", Info, "rejects: ";
    /// The command line covers more than it names.
    PrivacyNote = "privacy_note", Info, "note: ";
    /// A file was published.
    OutputWritten = "output_written", Info, "";
    /// There is no new file.
    OutputNone = "output_none", Info, "";
    /// What came of all sources.
    Summary = "summary", Info, "";
    /// A source was taken out of a lake.
    SourceUnloaded = "source_unloaded", Info, "";
    /// A finding was closed.
    FindingAccepted = "finding_accepted", Info, "";
    /// What tells files from others was recorded of some.
    HashesRecorded = "hashes_recorded", Info, "";
    /// Records were made.
    RecordsGenerated = "records_generated", Info, "";
    /// What there is besides what is shown.
    ShownPart = "shown_part", Info, "";
    /// Nothing is to be shown.
    ShownNothing = "shown_nothing", Info, "";
    /// Something is to be considered.
    Warned = "warning", Warning, "warning: ";
    /// A request is made again after a wait.
    RequestRetried = "request_retried", Warning, "";
    /// A request was too large.
    RequestHalved = "request_halved", Info, "";
    /// A request failed.
    RequestFailed = "request_failed", Error, "failed: ";
    /// A request brought nothing.
    RequestEmpty = "request_empty", Info, "";
    /// Requests were not made, for others failed.
    RequestsNotTried = "requests_not_tried", Warning, "";
    /// A file was stored; only in logs, for standard output lists them.
    FileStored = "file_stored", Info, "";
    /// A file was stored under another name.
    FileStoredBeside = "file_stored_beside", Warning, "";
    /// An order was placed.
    OrderPlaced = "order_placed", Info, "";
    /// An order is waited for.
    OrderAwaited = "order_awaited", Info, "";
    /// What came of all requests.
    FetchSummary = "fetch_summary", Info, "";
    /// The command line or a setting asks for what cannot be.
    Usage = "usage", Error, "error: ";
    /// It cannot be done now.
    TryLater = "try_later", Error, "error: ";
    /// A signal ended it.
    Interrupted = "interrupted", Error, "";
    /// It cannot be done.
    Failed = "failed", Error, "error: ";
}

/// The id of the run. A process is one run, and its id is drawn when it is first asked for.
static RUN_ID: OnceLock<String> = OnceLock::new();

/// The run's id: in its messages, reports, metrics and the ledger.
pub(crate) fn run_id() -> &'static str {
    RUN_ID.get_or_init(cdrlake::new_run_id)
}

/// What is to be said.
pub(crate) struct Message {
    event: Event,
    text: String,
    fields: Map<String, Value>,
}

/// Says something that needs no fields.
pub(crate) fn tell(event: Event, text: impl Display) {
    Message::new(event, text).tell();
}

impl Message {
    pub(crate) fn new(event: Event, text: impl Display) -> Self {
        Self { event, text: text.to_string(), fields: Map::new() }
    }

    /// With a field for machines; null is left out.
    pub(crate) fn with(mut self, name: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(Value::Null) | Err(_) => {}
            Ok(value) => drop(self.fields.insert(name.to_owned(), value)),
        }
        self
    }

    /// With the fields of an object, but for nulls.
    pub(crate) fn with_all(mut self, object: impl Serialize) -> Self {
        if let Ok(Value::Object(object)) = serde_json::to_value(object) {
            self.fields.extend(object.into_iter().filter(|(_, value)| !value.is_null()));
        }
        self
    }

    pub(crate) fn tell(self) {
        if is_json() {
            self.tell_machines();
        } else {
            write(&format!("{}{}\n", self.event.prefix(), self.text));
        }
    }

    /// Says it only where a machine reads.
    pub(crate) fn tell_machines(self) {
        if is_json() {
            write(&self.to_json(run_id(), Timestamp::now()));
        }
    }

    fn to_json(&self, run_id: &str, now: Timestamp) -> String {
        #[derive(Serialize)]
        struct Line<'l> {
            time: String,
            level: Level,
            run_id: &'l str,
            event: &'static str,
            message: &'l str,
            #[serde(flatten)]
            fields: &'l Map<String, Value>,
        }
        let line = Line {
            time: format!("{now:.3}"),
            level: self.event.level(),
            run_id,
            event: self.event.name(),
            message: self.text.trim(),
            fields: &self.fields,
        };
        let line = serde_json::to_string(&line);
        line.map(|line| line + "\n").unwrap_or_default()
    }
}

/// Lines for people, such as a table; machines have them as fields.
pub(crate) fn show(text: &str) {
    if !is_json() {
        write(text);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_line_is_an_object_with_typed_fields() {
        let message = Message::new(Event::SourceFailed, "a.cdr is\nnone")
            .with("source", "a.cdr")
            .with("records_read", 3)
            .with("error_code", None::<&str>);
        let line = message.to_json("ab12", "2026-11-22T13:34:19.5Z".parse().unwrap());
        assert_eq!(
            line,
            "{\"time\":\"2026-11-22T13:34:19.500Z\",\"level\":\"error\",\"run_id\":\"ab12\",\
             \"event\":\"source_failed\",\"message\":\"a.cdr is\\nnone\",\"records_read\":3,\
             \"source\":\"a.cdr\"}\n"
        );
    }

    #[test]
    fn the_guide_lists_every_event_once_and_with_its_level() {
        let guide = include_str!("../../../docs/logs-and-metrics.md");
        let mut names = BTreeSet::new();
        for event in Event::ALL {
            let level = serde_json::to_value(event.level()).unwrap();
            let row = format!("| `{}` | {} |", event.name(), level.as_str().unwrap());
            assert_eq!(guide.matches(&row).count(), 1, "{row}");
            assert!(names.insert(event.name()));
        }
    }
}
