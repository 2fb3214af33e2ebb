//! A lake that is open for a change, whatever kind of lake it is.

use std::ops::Deref;

use cdrlake_run::Interrupt;

use crate::commit::{Commit, Outcome};
use crate::error::LakeError;
use crate::model::{Transaction, Version};
use crate::settings::LakeSettings;

/// A lake that is open for a change, what is fixed about it, and what may end the change early.
#[derive(Debug)]
pub(crate) struct OpenLake<'l, C> {
    pub(crate) lake: &'l C,
    pub(crate) settings: &'l LakeSettings,
    pub(crate) interrupt: &'l Interrupt,
}

impl<C> Clone for OpenLake<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for OpenLake<'_, C> {}

impl<'l, C: Commit> OpenLake<'l, C> {
    /// What is true of the lake now.
    pub(crate) fn snapshot(
        self,
    ) -> Result<impl Deref<Target = C::Snapshot> + use<'l, C>, LakeError> {
        self.lake.snapshot()
    }

    /// Makes a transaction true, unless the lake was changed since `base`.
    pub(crate) fn commit(
        self,
        base: Version,
        transaction: Transaction<C::Staged>,
    ) -> Result<(), LakeError> {
        match self.lake.commit(base, transaction)? {
            Outcome::Committed(_) => Ok(()),
            Outcome::Conflict(_) => Err(LakeError::Conflict),
        }
    }
}
