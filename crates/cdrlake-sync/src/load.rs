//! An inbox into a lake.

use std::path::Path;

use cdrlake_lake::{LakeOptions, convert_to_lake};
use cdrlake_load::Report;
use cdrlake_source::Input;

use crate::error::SyncError;
use crate::inbox::is_empty;

/// Loads all that is in the inbox, and returns none if there is nothing to load: the lake is not
/// even made then. Whatever inputs the options have, the inbox takes their place.
///
/// # Errors
///
/// [`SyncError::Read`]: the inbox cannot be read; [`SyncError::Lake`]: the run as a whole cannot be
/// done.
pub fn load(inbox: &Path, mut options: LakeOptions) -> Result<Option<Report>, SyncError> {
    let is_empty =
        is_empty(inbox).map_err(|error| SyncError::Read { path: inbox.to_owned(), error })?;
    if is_empty {
        return Ok(None);
    }
    options.load.inputs = vec![Input::Path(inbox.to_owned())];
    Ok(Some(convert_to_lake(&options)?))
}
