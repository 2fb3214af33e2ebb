//! What identifies each record by its bytes.

use std::mem::take;
use std::sync::Arc;

use arrow_array::{ArrayRef, BinaryArray};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_schema::ArrowError;

use super::column::Column;
use crate::privacy::Privacy;
use crate::record_id::RECORD_ID_LEN;
use crate::validate::Sound;

/// The column `record_id`, filled.
pub(super) struct RecordIds {
    privacy: Privacy,
    ids: Vec<u8>,
}

impl RecordIds {
    /// `privacy` has identifiers.
    pub(super) fn new(privacy: Privacy) -> Self {
        Self { privacy, ids: Vec::new() }
    }
}

impl Column for RecordIds {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            let id = self.privacy.record_id(sound.record().bytes());
            self.ids.extend_from_slice(&id.unwrap_or_default());
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let ids = Buffer::from_vec(take(&mut self.ids));
        let rows = ids.len() / RECORD_ID_LEN;
        let offsets = OffsetBuffer::from_lengths(std::iter::repeat_n(RECORD_ID_LEN, rows));
        arrays.push(Arc::new(BinaryArray::try_new(offsets, ids, None)?));
        Ok(())
    }
}
