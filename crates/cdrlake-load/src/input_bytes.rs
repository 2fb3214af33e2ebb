//! How many bytes a run will read, for whoever shows how far it is.

use std::path::Path;

use cdrlake_run::Interrupt;
use cdrlake_source::{self, Excluded, Input, Met};

use crate::check_outputs::check_outputs;
use crate::options::LoadOptions;
use crate::publish::Overwrite;

/// How many bytes the inputs of `options` have, as a run over them would count them; none if that
/// cannot be known: standard input, or a run that ends meanwhile.
///
/// Directories are walked, and nothing is opened.
#[must_use]
pub fn input_bytes(options: &LoadOptions) -> Option<u64> {
    // What is wrong with them, the run tells.
    let written = check_outputs(options, &[], Overwrite::Refuse).unwrap_or_default();
    let len = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    options.inputs.iter().try_fold(0, |sum, input| {
        let bytes = match input {
            Input::Stdin | Input::Stream(_) => None,
            Input::Path(path) => bytes_of(path, &written, &options.interrupt),
            Input::Rejects(path) => {
                let files = cdrlake_source::rejects_files(path).unwrap_or_default();
                Some(files.iter().map(|path| len(path)).sum())
            }
        };
        Some(sum + bytes?)
    })
}

fn bytes_of(path: &Path, written: &Excluded, interrupt: &Interrupt) -> Option<u64> {
    let mut sum = 0;
    cdrlake_source::walk(path, written, &mut |_, met| {
        if let Met::File(metadata) = met {
            sum += metadata.len();
        }
        if interrupt.is_requested() { Err(()) } else { Ok(()) }
    })
    .ok()
    .map(|()| sum)
}
