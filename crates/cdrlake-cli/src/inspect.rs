//! `cdrlake inspect`: single lines of a source as a person reads them.
//!
//! This is the one command that shows digits, for it shows on the user's own terminal what stands in
//! the user's own file. They go to standard output; messages stay as they are everywhere.

mod args;
mod decoded;
mod judge;
mod line;
mod picture;
mod place;
mod wrong;

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::ops::ControlFlow;

use anyhow::{Context, Result, anyhow};
use cdrlake::{Chain, LakeError, OpenedSource, Progress, read_sources};
use cdrlake_core::{SourceOptions, Strictness};

use self::judge::{Judged, walk_rejected};
use self::line::{Line, Wanted};
use self::place::Place;
use crate::advice::with_advice;
use crate::bar::{RunBar, Showing};
use crate::config;
use crate::interrupt::{self, Interruptible};
use crate::message::{Event, Message, tell};
use crate::outcome::{Failure, Outcome};
use crate::standard_error::without_line;

pub(crate) use self::args::InspectArguments;
pub(crate) use self::decoded::local_time;

/// Names of sources in a message at the most.
const MAX_NAMES: usize = 10;

pub(crate) fn run(arguments: &InspectArguments) -> Result<Outcome> {
    let Some(profiles) = config::profiles_or_usage(arguments.opening.config.as_deref()) else {
        return Ok(Outcome::Usage);
    };
    let place = Place::of(&arguments.input);
    if !arguments.rejected && arguments.input.is_dir() {
        let path = arguments.input.display();
        tell(
            Event::Usage,
            format_args!(
                "{path} is a directory; name a file in it, or give --rejected to see all damaged lines"
            ),
        );
        return Ok(Outcome::Usage);
    }
    let options = arguments.options(place.input.clone(), profiles);
    let mut inspection = Inspection {
        arguments,
        place: &place,
        progress: &options.progress,
        shown: 0,
        walked: 0,
        failed: 0,
        others: Vec::new(),
    };
    // A pager has the screen for itself.
    let showing = match io::stdout().is_terminal() {
        true => arguments.telling.showing(),
        false => Showing::Hidden,
    };
    let bar = RunBar::of_load(&options, showing);
    let read = read_sources(&options, |source| inspection.source(source));
    drop(bar);
    match read {
        Ok(()) | Err(Stop::Enough) => inspection.end(),
        Err(Stop::Failed(failure)) => failure.into_outcome(),
    }
}

/// Why no more sources are opened.
enum Stop {
    /// What was asked for is shown.
    Enough,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

struct Inspection<'i> {
    arguments: &'i InspectArguments,
    place: &'i Place,
    progress: &'i Progress,
    /// Lines.
    shown: u64,
    /// Sources that were read to their end, and those that could not be.
    walked: u64,
    failed: u64,
    /// Names of sources that were not looked at.
    others: Vec<String>,
}

impl Inspection<'_> {
    fn source(&mut self, source: OpenedSource<'_>) -> Result<(), Stop> {
        let is_taken = self.shown > 0 && !self.arguments.rejected;
        if is_taken || !self.place.is(source.name) {
            if self.others.len() <= MAX_NAMES {
                self.others.push(source.name.to_owned());
            }
            let is_enough = is_taken && self.others.len() > MAX_NAMES;
            return if is_enough { Err(Stop::Enough) } else { Ok(()) };
        }
        let name = source.name;
        self.progress.meet(name);
        let mut bytes = match source.bytes {
            Ok(bytes) => Interruptible(bytes),
            Err(error) => return self.failed(anyhow!("{name} {}", with_advice(Chain(&error)))),
        };
        let options = SourceOptions {
            metadata: source.metadata.clone(),
            time_zone: source.time_zone,
            strictness: match self.arguments.strict {
                true => Strictness::Strict,
                false => Strictness::Lenient,
            },
            ..SourceOptions::new(source.source_file)
        };
        if self.arguments.rejected {
            return self.rejected(name, &mut bytes, &options);
        }
        let line = match self.arguments.offset {
            Some(offset) => self.line_at(&mut bytes, offset),
            None => line::find(&mut bytes, Wanted::Number(self.arguments.record_number())),
        };
        match line.map_err(|error| unreadable(name, &error)) {
            Ok(Ok(line)) => {
                let judged = judge::judge(&line, &options)?;
                self.show(name, &line, &judged, &options)?;
                if self.place.is_whole() { Ok(()) } else { Err(Stop::Enough) }
            }
            Ok(Err(end)) => self.failed(anyhow!("{name} {}", self.beyond(&end))),
            Err(error) => self.failed(error),
        }
    }

    /// One damaged source does not keep the rejected lines of others from being shown.
    fn failed(&mut self, error: anyhow::Error) -> Result<(), Stop> {
        if interrupt::is_requested() {
            return Err(LakeError::Interrupted.into());
        }
        if !self.arguments.rejected {
            return Err(error.into());
        }
        self.failed += 1;
        tell(Event::SourceFailed, format_args!("{error:#}"));
        Ok(())
    }

    /// A file that is not wrapped in anything is not read up to the byte.
    fn line_at(&self, bytes: &mut dyn Read, offset: u64) -> io::Result<Result<Line, line::End>> {
        let mut head = Vec::new();
        bytes.take(line::HEAD).read_to_end(&mut head)?;
        if let Some(path) = self.place.path()
            && let Ok(mut file) = File::open(path)
            && line::begins_with(&mut file, &head)?
        {
            return line::find_in_file(&mut file, offset);
        }
        line::find(&mut head.chain(bytes), Wanted::Offset(offset))
    }

    fn beyond(&self, end: &line::End) -> String {
        let line::End { lines, bytes } = *end;
        match (self.arguments.offset, lines) {
            (Some(offset), _) => format!("has no byte {offset}: it ends at byte {bytes}"),
            (None, Some(lines)) => {
                let number = self.arguments.record_number();
                format!("has no record {number}: it ends after line {lines}")
            }
            (None, None) => format!("ends at byte {bytes}"),
        }
    }

    fn rejected(
        &mut self,
        name: &str,
        bytes: &mut dyn Read,
        options: &SourceOptions,
    ) -> Result<(), Stop> {
        let from = self.arguments.record_number();
        let progress = self.progress;
        let walked = walk_rejected(bytes, options, progress, |line, judged| -> Result<_> {
            let number = line.number.unwrap_or_default();
            if number < from {
                return Ok(ControlFlow::Continue(()));
            }
            if self.shown == self.arguments.limit {
                return Ok(ControlFlow::Break(number));
            }
            self.show(name, &line, &judged, options)?;
            Ok(ControlFlow::Continue(()))
        });
        let next = match walked.map_err(|error| unreadable(name, &error)) {
            Ok(next) => next?,
            Err(error) => return self.failed(error),
        };
        let Some(next) = next else {
            self.walked += 1;
            return Ok(());
        };
        let text = format!(
            "{} shown; go on with --record {next}, or raise --limit; the next is in {name}",
            self.shown
        );
        let message = Message::new(Event::ShownPart, text);
        let message = message.with("source", name).with("record_number", next);
        self.arguments.telling.tell(message);
        Err(Stop::Enough)
    }

    fn show(
        &mut self,
        name: &str,
        line: &Line,
        judged: &Judged,
        options: &SourceOptions,
    ) -> Result<()> {
        let mut text = if self.shown > 0 { "\n".to_owned() } else { String::new() };
        text += &picture::draw(name, line, judged, options);
        self.shown += 1;
        match without_line(|| anstream::stdout().lock().write_all(text.as_bytes())) {
            // Nobody reading on is not an error.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(error).context("cannot print the record")
            }
            _ => Ok(()),
        }
    }

    /// What is said when there is no more to show.
    fn end(self) -> Result<Outcome> {
        let shown = self.others.iter().take(MAX_NAMES);
        let list: String = shown.map(|name| format!("\n  {name}")).collect();
        let more = if self.others.len() > MAX_NAMES { "\n  …" } else { "" };
        if self.shown == 0 && !self.others.is_empty() {
            let input = self.arguments.input.display();
            tell(Event::Usage, format_args!("there is no {input}, but there is:{list}{more}"));
            return Ok(Outcome::Usage);
        }
        if self.shown == 0 && !self.arguments.rejected {
            let input = self.arguments.input.display();
            tell(Event::Failed, format_args!("nothing to read in {input}"));
            return Ok(Outcome::Failed);
        }
        if self.failed > 0 {
            return Ok(if self.walked > 0 { Outcome::SourcesFailed } else { Outcome::Failed });
        }
        if self.shown == 0 {
            let message = Message::new(Event::ShownNothing, "no line is rejected");
            self.arguments.telling.tell(message);
        } else if self.place.is_whole() && !self.others.is_empty() {
            let text = format_args!("this was the first source; there is also:{list}{more}");
            self.arguments.telling.tell(Message::new(Event::ShownPart, text));
        }
        Ok(Outcome::Done)
    }
}

/// An error of reading a source.
fn unreadable(name: &str, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot read {name}: {}", with_advice(Chain(error)))
}
