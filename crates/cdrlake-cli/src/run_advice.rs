//! What a user of this command could do about a run that ended: libraries say what is wrong, and know
//! no options.

use std::borrow::Cow;
use std::path::Path;

use cdrlake::{AuditError, LakeError, LoadError};

use crate::advice::REPAIR;
use crate::quoted::quoted;

/// What is added to why a run ended; often nothing.
pub(crate) fn of_run(error: &AuditError) -> Cow<'static, str> {
    match error {
        AuditError::Lake(LakeError::DamagedFile { lake, .. }) => of_damage(lake).into(),
        AuditError::Lake(LakeError::Load(error)) => of_load(error).into(),
        AuditError::Lake(error) => of_lake(error).into(),
        _ => "".into(),
    }
}

/// Of a file that is not what the ledger says.
fn of_damage(lake: &Path) -> String {
    let lake = quoted(&lake.to_string_lossy());
    format!(
        "; nothing was changed. cdrlake audit --verify {lake} finds every such file, and names the sources \
         that it held: {REPAIR}"
    )
}

fn of_load(error: &LoadError) -> &'static str {
    match error {
        LoadError::OutputExists(_) => ", or allow it with --overwrite",
        LoadError::NoKey => ": name its file with --key-file",
        LoadError::KeyForNothing => {
            "; ask for them with --pseudonymize, or with --mask and --record-id, or leave --key-file out"
        }
        LoadError::UnkeyedRecordIds => {
            ": name a key's file with --key-file, or leave --record-id out"
        }
        _ => "",
    }
}

fn of_lake(error: &LakeError) -> &'static str {
    match error {
        LakeError::OutputExists(_) => ", or allow it with --overwrite",
        LakeError::LedgerMissing(_) => ", or name it with --ledger",
        LakeError::OtherLedger(_) => "; name its own with --ledger, or leave that out",
        LakeError::NotALedger(_) => ", else name another with --ledger, or leave that out",
        LakeError::ReplayOfDeduplicated { .. } => {
            "; replay them without --deduplicate and see what audit finds, or unload it and load its \
             file, mended, with --deduplicate"
        }
        LakeError::LakeKeyMissing { .. } => ": name its file with --key-file",
        LakeError::OtherKey { .. } => {
            "; name the file of its own with --key-file, or make a new lake"
        }
        LakeError::LakeWithoutKey(_) => "; leave --key-file out, or make a new lake",
        LakeError::NoRecordIds(_) => "; make a lake with --record-id",
        LakeError::Locked { .. } => ", or wait for it with --wait",
        LakeError::NetworkFileSystem { .. } => {
            "; if this is its only writer, allow it with --allow-network-filesystem"
        }
        _ => "",
    }
}
