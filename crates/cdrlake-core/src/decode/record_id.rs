//! What identifies each record by its bytes.

use std::mem::take;
use std::sync::Arc;

use arrow_array::{ArrayRef, FixedSizeBinaryArray};
use arrow_buffer::Buffer;
use arrow_schema::ArrowError;

use super::Column;
use crate::record_id::{RECORD_ID_LEN, record_id};
use crate::validate::Sound;

/// The column `record_id`, filled.
#[derive(Default)]
pub(super) struct RecordIds(Vec<u8>);

impl Column for RecordIds {
    fn append(&mut self, group: &[Sound<'_>]) {
        for sound in group {
            self.0.extend_from_slice(&record_id(sound.record().bytes()));
        }
    }

    fn finish(&mut self, arrays: &mut Vec<ArrayRef>) -> Result<(), ArrowError> {
        let ids = Buffer::from_vec(take(&mut self.0));
        arrays.push(Arc::new(FixedSizeBinaryArray::try_new(RECORD_ID_LEN as i32, ids, None)?));
        Ok(())
    }
}
