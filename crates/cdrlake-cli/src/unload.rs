//! `cdrlake unload`.

use anyhow::Result;

use crate::args::UnloadArguments;
use crate::outcome::Outcome;
use crate::summary;

pub(crate) fn run(arguments: &UnloadArguments) -> Result<Outcome> {
    let location = arguments.access.location(arguments.lake.clone());
    match cdrlake_lake::unload(&location, &arguments.sources, arguments.compression) {
        Ok(names) => {
            if !arguments.quiet {
                names.iter().for_each(|name| summary::line(format_args!("unloaded: {name}")));
            }
            Ok(Outcome::Done)
        }
        Err(error) => Outcome::of_error(error),
    }
}
