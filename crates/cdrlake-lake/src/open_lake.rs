//! A lake that is open for a change, whatever kind of lake it is.

use std::io;
use std::ops::Deref;

use cdrlake_run::Interrupt;

use crate::commit::{Commit, FileChunks, Outcome};
use crate::error::LakeError;
use crate::file_damage::FileDamage;
use crate::model::{LakeFile, Transaction, Version};
use crate::settings::LakeSettings;
use crate::verify::{Failed, verify};

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

    /// The bytes of a file, which are those that were written.
    pub(crate) fn read_verified(self, file: &LakeFile) -> Result<FileChunks, LakeError> {
        let damaged = |damage| LakeError::DamagedFile {
            lake: self.lake.name(),
            path: self.lake.locate(&file.path),
            damage,
        };
        let content = match self.lake.read(&file.path) {
            Err(LakeError::Read { error, .. }) if error.kind() == io::ErrorKind::NotFound => {
                return Err(damaged(FileDamage::Missing));
            }
            result => result?,
        };
        match verify(&content, file.into(), self.interrupt, &mut |_| {}) {
            // What is read from now on is of the same file, though another takes its name.
            Ok(_) => Ok(content),
            Err(Failed::Damaged(damage)) => Err(damaged(damage)),
            Err(Failed::Interrupted) => Err(LakeError::Interrupted),
        }
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
