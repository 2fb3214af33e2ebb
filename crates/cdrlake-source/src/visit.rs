//! Inputs to sources: what the user named is opened, whatever it is.

use std::path::Path;

use crate::container::Unwrapper;
use crate::input::Input;
use crate::naming::Naming;
use crate::opening::Opening;
use crate::replay;
use crate::visit_path::visit_path;
use crate::visitor::Visitor;

/// Opens `input` and everything in it, in a stable order.
///
/// # Errors
///
/// What the visitor gives to end the run; faults of sources are the visitor's to note.
pub fn visit<V: Visitor>(
    input: &Input,
    opening: Opening<'_>,
    visitor: &mut V,
) -> Result<(), V::Error> {
    match input {
        Input::Stdin => {
            let naming = Naming::of_stream(&input.to_string());
            Unwrapper::new(opening, visitor).stdin(&naming)
        }
        Input::Stream(stream) => {
            let naming = Naming::of_path(Path::new(stream.name()), opening.settings);
            Unwrapper::new(opening, visitor).caller_stream(&naming, stream)
        }
        Input::Path(path) => visit_path(path, opening, visitor),
        Input::Rejects(path) => replay::visit_rejects(path, opening, visitor),
    }
}
