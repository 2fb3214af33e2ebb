//! `cdrlake unload`.

use anyhow::Result;

use crate::args::UnloadArguments;
use crate::outcome::Outcome;
use crate::summary;

pub(crate) fn run(arguments: &UnloadArguments) -> Result<Outcome> {
    let location = arguments.access.location(arguments.lake.clone());
    match cdrlake_lake::unload(&location, &arguments.sources, arguments.compression) {
        Ok(unloaded) => {
            if !arguments.quiet {
                for name in unloaded.now {
                    summary::line(format_args!("unloaded: {name}"));
                }
                for name in unloaded.before {
                    summary::line(format_args!("unloaded before: {name}"));
                }
            }
            Ok(Outcome::Done)
        }
        Err(error) => Outcome::of_error(error),
    }
}
