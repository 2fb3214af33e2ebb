//! `cdrlake unload`.

use anyhow::Result;

use crate::args::UnloadArguments;
use crate::message::{Event, Message};
use crate::outcome::Outcome;

pub(crate) fn run(arguments: &UnloadArguments) -> Result<Outcome> {
    let location = arguments.access.location(arguments.lake.clone());
    match cdrlake::unload(&location, &arguments.sources, arguments.compression) {
        Ok(unloaded) => {
            if !arguments.quiet {
                for name in unloaded.now {
                    let text = format_args!("unloaded: {name}");
                    Message::new(Event::SourceUnloaded, text).with("source", name.clone()).tell();
                }
                for name in unloaded.before {
                    let text = format_args!("unloaded before: {name}");
                    Message::new(Event::SourceSkipped, text).with("source", name.clone()).tell();
                }
            }
            Ok(Outcome::Done)
        }
        Err(error) => Outcome::of_error(error),
    }
}
